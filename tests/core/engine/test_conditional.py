"""Orders that wait for a price: what the gate makes of them, their states, and on paper."""

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    SECOND,
    SPOT,
    WIDE,
    Driver,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.engine.placing import _list_of
from plimsoll.core.model import Mode, OrderState, Refusal, Side
from plimsoll.core.records import (
    AmendIntended,
    Blocked,
    CancelIntended,
    OrderDenied,
    OrderIntended,
    PaperFilled,
    PaperOrderIntended,
)

S = OrderState


@pytest.fixture
def live():
    return Driver().live()


def waiting(driver, side="buy", limit="52100", trigger="52000", qty="0.010", **named):
    """Place a conditional order and let the venue take it."""
    handle = driver.do(lambda s: getattr(s, side)(PERP, qty, limit, trigger=trigger, **named))
    assert handle.refusal is None, handle.refusal
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    report(driver, order, S.OPEN, untriggered=True)
    return handle, order


def report(driver, order, status, *, trigger=None, **named):
    driver.now_ns += MS
    trigger = order.trigger_ticks if trigger is None else trigger
    return driver.report(order.id, status, trigger=trigger, stop_type="Stop", **named)


# ---- what is asked for ----


@pytest.mark.parametrize(
    ("side", "trigger", "rises"),
    [
        ("buy", "52000", True),
        ("buy", "49000", False),
        ("sell", "49000", False),
        ("sell", "52000", True),
    ],
)
def test_the_way_the_price_must_go_follows_from_where_it_is(live, side, trigger, rises):
    live.do(lambda s: getattr(s, side)(PERP, "0.010", trigger, trigger=trigger))
    sent = live.of(OrderIntended)[0]
    assert (sent.trigger_ticks, sent.trigger_rises, sent.trigger_by) == (
        int(trigger) * 10,
        rises,
        "mark",
    )


def test_one_at_the_market_has_its_band_around_the_trigger(live):
    live.do(lambda s: s.sell(PERP, "0.010", trigger="49000", reduce_only=True))
    sent = live.of(OrderIntended)[0]
    assert sent.price_ticks == 490_000 - 490_000 * 2_000 // 1_000_000
    assert sent.close_on_trigger


def test_a_trigger_at_the_price_of_now_is_refused(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "50100", trigger="50000"))
    assert handle.refusal.code is Refusal.WRONG_SIDE


@pytest.mark.parametrize("bad", ["-1", "0", "nan", "x"])
def test_a_trigger_that_is_no_price_is_refused(live, bad):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "50100", trigger=bad))
    assert handle.refusal.code is Refusal.OFF_STEP
    assert live.of(OrderIntended) == []


def test_a_trigger_on_spot_looks_at_the_last_price():
    driver = Driver(settings_of(one_strategy(instruments=(SPOT,)))).live(SPOT)
    driver.do(lambda s: s.buy(SPOT, "0.01", "52100", trigger="52000"), on=SPOT)
    sent = driver.of(OrderIntended)[0]
    assert (sent.trigger_by, sent.trigger_rises) == ("last", True)


# ---- the gate ----


def test_its_price_is_judged_from_its_trigger():
    narrow = msgspec.structs.replace(WIDE, price_distance_ppm=10_000)
    driver = Driver(settings_of(limits=narrow)).live()
    assert driver.do(lambda s: s.buy(PERP, "0.010", "55100")).refusal is not None
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "55100", trigger="55000"))
    assert handle.refusal is None
    far = driver.do(lambda s: s.buy(PERP, "0.010", "56000", trigger="55000"))
    assert far.refusal.code is Refusal.PRICE_DISTANCE


def test_it_counts_in_every_limit_while_it_waits():
    narrow = msgspec.structs.replace(WIDE, position_notional=1_000 * CASH)
    driver = Driver(settings_of(limits=narrow)).live()
    waiting(driver, qty="0.010")
    assert driver.core.state.exposure.buys["", PERP] == 10
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49900"))
    assert handle.refusal.code is Refusal.POSITION


def test_it_is_valued_at_its_trigger():
    narrow = msgspec.structs.replace(WIDE, order_notional=520 * CASH)
    driver = Driver(settings_of(limits=narrow)).live()
    handle = driver.do(lambda s: s.sell(PERP, "0.010", "49000", trigger="55000"))
    assert handle.refusal.code is Refusal.ORDER_NOTIONAL


def test_it_crosses_nothing_while_it_waits(live):
    resting = live.do(lambda s: s.sell(PERP, "0.010", "51000"))
    assert resting.refusal is None
    waiting(live)
    above = live.do(lambda s: s.sell(PERP, "0.010", "51500"))
    assert above.refusal is None


def test_once_triggered_it_is_crossed_like_any_other(live):
    _, order = waiting(live)
    report(live, order, S.OPEN)
    assert live.do(lambda s: s.sell(PERP, "0.010", "51500")).refusal.code is Refusal.SELF_CROSS


# ---- states ----


def test_untriggered_triggered_open_filled(live):
    _, order = waiting(live)
    assert (order.state, order.is_untriggered, order.is_waiting) == (S.OPEN, True, True)
    report(live, order, S.OPEN)
    assert (order.state, order.is_untriggered, order.is_waiting) == (S.OPEN, False, False)
    live.execute(order.id, 10, "x1")
    report(live, order, S.FILLED, cum=10)
    assert order.state is S.FILLED


def test_a_stale_word_of_before_the_trigger_changes_nothing(live):
    _, order = waiting(live)
    report(live, order, S.OPEN)
    report(live, order, S.OPEN, untriggered=True)
    assert not order.is_untriggered
    live.execute(order.id, 10, "x1")
    report(live, order, S.FILLED, cum=10)
    report(live, order, S.OPEN, cum=10)  # "Triggered", too late
    assert order.state is S.FILLED
    assert live.of(Blocked) == []


def test_deactivated_is_the_end(live):
    _, order = waiting(live)
    report(live, order, S.CANCELED)
    assert order.state is S.CANCELED
    assert live.core.state.exposure.buys["", PERP] == 0


def test_a_cancel_of_a_waiting_spot_order_names_the_list_it_stands_in(live):
    handle, order = waiting(live)
    live.do(lambda s: handle.cancel())
    assert live.of(CancelIntended)[-1].order_filter == ""  # perpetuals have one list
    on_spot = msgspec.structs.replace(order, instrument="spot:BTCUSDT")
    assert _list_of(on_spot) == "StopOrder"
    triggered = msgspec.structs.replace(on_spot, state=S.OPEN, is_untriggered=False)
    assert _list_of(triggered) == ""


def test_a_trigger_can_be_amended_while_it_waits(live):
    handle, order = waiting(live)
    assert live.do(lambda s: handle.amend(trigger="53000", price="53100")) is None
    sent = live.of(AmendIntended)[0]
    assert (sent.trigger_ticks, sent.price_ticks, sent.qty_lots) == (530_000, 531_000, 10)
    live.answered(order.id, action="amend")
    report(live, order, S.OPEN, untriggered=True, price=531_000, trigger=520_000)
    assert order.amend_qty_lots  # the price of the amend, not its trigger: not that amend
    report(live, order, S.OPEN, untriggered=True, price=531_000, trigger=530_000)
    assert (order.amend_qty_lots, order.trigger_ticks) == (0, 530_000)
    report(live, order, S.OPEN)
    refused = live.do(lambda s: handle.amend(trigger="54000"))
    assert refused.code is Refusal.NO_SUCH_ORDER


# ---- on paper ----


@pytest.fixture
def paper():
    return Driver(settings_of(one_strategy(Mode.PAPER))).live()


def asked_on_paper(driver, side="buy", limit="50500", trigger="50200"):
    handle = driver.do(lambda s: getattr(s, side)(PERP, "0.010", limit, trigger=trigger))
    driver.advance(20 * MS)
    return handle


def test_a_paper_order_waits_and_is_matched_when_the_mark_passes(paper):
    handle = asked_on_paper(paper)
    assert (handle.order.state, handle.order.is_untriggered) == (S.OPEN, True)
    paper.book(mid=50_300.0)
    assert paper.of(PaperFilled) == []  # the book alone triggers nothing
    paper.mark(PERP, 50_199.0)
    assert handle.order.is_untriggered
    paper.mark(PERP, 50_200.0)
    assert handle.order.state is S.FILLED
    assert not handle.order.is_untriggered


def test_a_paper_order_that_waits_is_amended_and_cancelled(paper):
    handle = asked_on_paper(paper)
    paper.do(lambda s: handle.amend(trigger="50400"))
    paper.advance(20 * MS)
    assert handle.order.trigger_ticks == 504_000
    paper.mark(PERP, 50_300.0)
    assert handle.order.is_untriggered
    paper.do(lambda s: handle.cancel())
    paper.advance(20 * MS)
    assert handle.order.state is S.CANCELED
    paper.mark(PERP, 50_500.0)
    assert paper.of(PaperFilled) == []


def test_a_paper_order_waits_on_after_a_restart(paper):
    asked_on_paper(paper)
    state = restore(snapshot(paper.core.state))
    again = Driver(paper.settings, state=state, epoch=2, now_ns=paper.now_ns + SECOND).live()
    order = next(iter(again.core.orders.working.values()))
    again.book()
    assert order.is_untriggered
    again.mark(PERP, 50_200.0)
    assert [one.client_order_id for one in again.of(PaperFilled)] == [order.id]


def test_a_paper_order_never_leaves(paper):
    asked_on_paper(paper)
    assert paper.of(PaperOrderIntended)[0].trigger_ticks == 502_000
    assert paper.of(OrderIntended) == paper.sent == []
    assert paper.of(OrderDenied) == []
    assert paper.core.orders.working
    assert next(iter(paper.core.orders.working.values())).side is Side.BUY
