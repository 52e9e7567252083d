"""What the shadow makes of a few orders worked out by hand, and of logs of chance."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.execution.quality.schedules import Schedule
from tests.core.execution.shadow.script import (
    ASK,
    BID,
    BUY,
    GTC,
    IOC,
    OWNER,
    POST_ONLY,
    SELL,
    Script,
)
from tests.core.test_records import sample
from tests.properties.driver import INSTRUMENTS, MS, PERP, settings_of

from plimsoll.core.execution.shadow import (
    MEASURED,
    Key,
    Kind,
    Model,
    Shadow,
    follower,
    gap_of,
    live,
)
from plimsoll.core.execution.shadow.cell import SHARES_PPM, Void
from plimsoll.core.model import OrderState
from plimsoll.core.records import (
    Configured,
    InstrumentListed,
    LinkChanged,
    PaperOrderIntended,
    StreamChanged,
    TickerChanged,
    Woken,
)
from plimsoll.core.records.stored import STORED
from plimsoll.core.settings import Timing, to_text

TAKES, RESTS = Key(OWNER, PERP, Kind.TAKES), Key(OWNER, PERP, Kind.RESTS)


@pytest.fixture
def script() -> Script:
    return Script(timing=Timing(paper_latency_ns=10 * MS))


def test_a_session_without_live_orders_has_an_empty_gap(script):
    for _ in range(5):
        script.after(1_000)
        script.prints(BUY, ASK, 3)
        script.book([(BID, 9)])
    shadow = script.end()
    assert shadow.cells == {}
    assert shadow.unjudged == {}
    assert shadow.missing_prints == shadow.beyond == 0


def test_the_same_order_takes_one_paper_latency_later_what_is_there_then(script):
    number = script.send(BUY, ASK + 1, 5)
    script.after(5)
    script.book([], [(ASK, 0), (ASK + 1, 20)])  # gone before the paper order is there
    script.after(20)
    script.fill(number, ASK, 5)  # the real one was quicker
    cell = script.end().cells[TAKES]
    found = gap_of(cell)
    assert (cell.orders, cell.pairs.both, cell.pairs.n) == (1, 1, 1)
    assert found.price_bps.value == pytest.approx(-1 / (ASK + 1) * 1e4, abs=1e-4)
    assert found.bias_bps == pytest.approx(found.price_bps.value, abs=1e-4)
    assert found.worth_units == (ASK + 1) * 5 * INSTRUMENTS[PERP].cash_per_tick_lot
    assert found.first_s.value == found.complete_s.value == pytest.approx(0.015)
    assert found.latency_ms.value == pytest.approx(25)


def test_a_sale_that_gets_less_costs_as_a_purchase_that_pays_more(script):
    number = script.send(SELL, BID - 1, 5)
    script.after(20)
    script.fill(number, BID - 1, 5)
    cell = script.end().cells[TAKES]
    assert gap_of(cell).price_bps.value == pytest.approx(1 / BID * 1e4, abs=1e-4)
    assert cell.cost_units == 5 * INSTRUMENTS[PERP].cash_per_tick_lot


def test_what_the_shadow_took_is_gone_until_the_level_is_updated(script):
    first = script.send(BUY, ASK + 1, 10)
    second = script.send(BUY, ASK + 1, 10)
    for number, price in ((first, ASK), (second, ASK)):  # live, somebody came in between
        script.after(15)
        script.fill(number, price, 10)
    cell = script.end().cells[TAKES]
    assert cell.pairs.both == 2
    assert cell.cost_units == -10 * INSTRUMENTS[PERP].cash_per_tick_lot  # paper paid a tick more


def test_other_settings_can_be_tried_and_the_measured_latency_is_each_orders_own():
    for model, ticks in ((Model(40 * MS), 1), (Model(MEASURED), 0), (Model(), 0)):
        script = Script(model, timing=Timing(paper_latency_ns=MS))
        number = script.send(BUY, ASK + 1, 5)
        script.after(20)
        script.fill(number, ASK, 5)
        script.after(10)
        script.book([], [(ASK, 0), (ASK + 1, 20)])
        cell = script.end().cells[TAKES]
        assert cell.cost_units == -5 * ticks * INSTRUMENTS[PERP].cash_per_tick_lot, model


def resting(script: Script, lots: int = 4, **more) -> str:
    """Rest behind ten lots at the best bid."""
    number = script.send(BUY, BID, lots, POST_ONLY, **more)
    script.after(10)
    script.report(number)
    script.after(5)
    script.book([(BID, 10 + lots)])
    return number


def test_a_resting_order_joins_behind_the_others_and_not_behind_itself(script):
    number = resting(script)
    script.after(100)
    script.prints(SELL, BID, 10)  # what was ahead, no more
    script.after(100)
    script.prints(SELL, BID, 4)
    script.fill(number, BID, 4, is_maker=True)  # live: the print that met us
    script.after(100)
    script.prints(SELL, BID, 4)
    shadow = script.end()
    cell = shadow.cells[RESTS]
    assert (cell.pairs.both, cell.pairs.n) == (1, 1)
    assert cell.price.total == 0
    # The print that met us is not the shadow's: it waits for the next one.
    assert gap_of(cell).first_s.value == pytest.approx(-0.1)
    assert shadow.missing_prints == 0


def test_each_share_of_the_queue_is_tried(script):
    number = resting(script)
    script.after(100)
    script.prints(SELL, BID, 7)
    script.cancel(number)
    script.after(20)
    script.report(number, OrderState.CANCELED)
    cell = script.end().cells[RESTS]
    # Four lots behind share x ten are filled by seven prints where that is three or less;
    # of the one with five ahead half is.
    ahead = [10 * ppm // 1_000_000 for ppm in SHARES_PPM]
    assert ahead == [0, 0, 1, 2, 5, 7, 10]
    assert [pairs.paper_only for pairs in cell.by_share] == [int(one < 7) for one in ahead]
    assert (cell.pairs.neither, cell.pairs.n) == (1, 1)


def test_an_amend_moves_the_shadow_too(script):
    number = resting(script)
    script.amend(number, BID - 1, 6)
    script.after(10)
    script.report(number)
    script.book([(BID, 10), (BID - 1, 26)])
    script.after(10)
    script.prints(SELL, BID, 500)  # far more than at the old price
    script.cancel(number)
    script.after(10)
    script.report(number, OrderState.CANCELED)
    cell = script.end().cells[RESTS]
    assert [pairs.neither for pairs in (cell.pairs, *cell.by_share)] == [1] * 8


def test_a_live_order_ended_by_the_venue_ends_its_shadow(script):
    number = resting(script)
    script.after(100)
    script.report(number, OrderState.CANCELED)  # nobody here asked for it
    script.after(500)
    script.prints(SELL, BID - 1, 100)  # would fill whatever still rests
    cell = script.end().cells[RESTS]
    assert (cell.pairs.neither, cell.pairs.n) == (1, 1)


def test_a_shadow_waits_ten_seconds_for_what_live_has_and_no_longer():
    for wait_s, both in ((9, 1), (11, 0)):
        script = Script()
        number = resting(script)
        script.fill(number, BID, 4, is_maker=True)
        script.after(wait_s * 1_000)
        script.prints(SELL, BID - 1, 100)
        cell = script.end().cells[RESTS]
        assert (cell.pairs.both, cell.pairs.live_only) == (both, 1 - both)


def test_a_conditional_order_waits_on_paper_too(script):
    more = {"trigger_ticks": ASK + 50, "trigger_rises": True, "trigger_by": "mark"}
    number = script.send(BUY, ASK + 1, 5, IOC, **more)
    script.after(1_000)
    script.put(TickerChanged, PERP, 0.0, (ASK + 49) / 10, 0.0, 0.0, 0, script.ms)
    script.after(1_000)
    script.put(TickerChanged, PERP, 0.0, (ASK + 50) / 10, 0.0, 0.0, 0, script.ms)
    script.after(7)
    script.fill(number, ASK, 5)
    cell = script.end().cells[TAKES]
    assert cell.pairs.both == 1
    assert gap_of(cell).first_s.value == pytest.approx(0.007)
    assert cell.latency.n == 0, "how long it waited is no latency"


# ---- what does not count ----


def void_of(script: Script, key: Key = RESTS) -> dict[str, int]:
    cell = script.end().cells[key]
    assert cell.pairs.n == 0
    return cell.voids


def test_an_order_the_venue_refused_says_nothing(script):
    number = script.send(BUY, BID, 4, GTC)
    script.after(5)
    script.answer(number, "refused")
    assert void_of(script) == {Void.REFUSED: 1}


def test_a_refused_amend_leaves_two_different_orders(script):
    number = resting(script)
    script.amend(number, BID - 1, 6)
    script.answer(number, "refused", "amend")
    assert void_of(script) == {Void.REFUSED: 1}


@pytest.mark.parametrize(
    "what",
    [
        (LinkChanged, "public.linear", False, "cut"),
        (StreamChanged, PERP, "book", "suspect", "gap", True),
        (StreamChanged, PERP, "trades", "suspect", "gap", True),
        (Woken, 3_000_000_000),
    ],
    ids=lambda what: f"{what[0].__name__} {what[1]}",
)
def test_what_happened_while_nobody_looked_says_nothing(script, what):
    resting(script)
    script.after(100)
    script.put(*what)
    assert void_of(script) == {Void.BLIND: 1}


def test_a_gap_in_the_book_says_nothing(script):
    resting(script)
    script.after(100)
    script.updates += 5
    script.book([(BID, 3)])
    assert void_of(script) == {Void.BLIND: 1}


def test_a_change_of_steps_says_nothing(script):
    resting(script)
    script.after(100)
    finer = msgspec.structs.replace(INSTRUMENTS[PERP], tick_size="0.05")
    script.put(InstrumentListed, finer)
    assert void_of(script) == {Void.STEPS: 1}


def test_another_market_and_another_stream_change_nothing(script):
    number = resting(script)
    script.put(LinkChanged, "public.spot", False, "cut")
    script.put(LinkChanged, "private", False, "cut")
    script.put(StreamChanged, PERP, "bars", "suspect", "gap", True)
    script.cancel(number)
    script.after(10)
    script.report(number, OrderState.CANCELED)
    assert script.end().cells[RESTS].pairs.n == 1


def test_an_order_that_works_is_counted_as_such_and_not_compared(script):
    resting(script)
    script.after(5_000)
    script.book([(BID, 15)])
    assert script.shadow.unjudged == {RESTS: 1}
    assert script.shadow.cells[RESTS].pairs.n == 0


def test_beginning_anew_leaves_out_what_works(script):
    number = resting(script)
    script.shadow.forget()
    script.cancel(number)
    script.after(10)
    script.report(number, OrderState.CANCELED)
    other = resting(script)
    script.cancel(other)
    script.after(10)
    script.report(other, OrderState.CANCELED)
    cell = script.end().cells[RESTS]
    assert (cell.orders, cell.pairs.n, cell.voids) == (1, 1, {})


def test_paper_instances_have_no_shadow(script):
    terms = (OWNER, PERP, BUY, "market", IOC, ASK, 5, False, "")
    script.put(PaperOrderIntended, "acc-000001-000000009-X", *terms)
    assert script.end().cells == {}


# ---- any log ----


def fed(log) -> Shadow:
    shadow = Shadow()
    for record in log:
        shadow.apply(record)
    shadow.settle()
    return shadow


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 120))
@settings(deadline=None)
def test_every_order_of_any_log_is_compared_left_out_or_open(seed, steps):
    log = Schedule(seed, steps).log
    shadow, again = fed(log), fed(log)
    assert shadow.cells == again.cells, "no chance in it"
    for key, cell in shadow.cells.items():
        unjudged = sum(
            live.terms.owner == key.owner
            and live.terms.instrument == key.instrument
            and live.kind is key.kind
            for live in shadow._open.values()
        )
        assert cell.orders == cell.pairs.n + sum(cell.voids.values()) + unjudged
        assert all(pairs.n == cell.pairs.n for pairs in cell.by_share)
        assert cell.price.n == cell.first.n == cell.pairs.both
    for feed in shadow._feeds.values():
        assert all(qty >= 0 for rows in feed.rows() for _, qty in rows)


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_every_record_is_taken_even_by_a_fresh_follower(kind):
    record = sample(kind)
    if kind is Configured:
        record = msgspec.structs.replace(record, settings=to_text(settings_of()))
    shadow = Shadow()
    shadow.apply(record)
    shadow.settle()
    assert shadow.ts_ns == record.ts_ns


def test_what_is_not_listed_is_passed_over():
    log = [one for one in Schedule(3, 100).log if type(one) is not InstrumentListed]
    assert fed(log).cells == {}


def test_nothing_grows_with_the_log(script, monkeypatch):
    monkeypatch.setattr(live, "KEPT_EXECUTIONS", 10)
    shadow = script.shadow
    shadow._live._store.keep_closed = 10
    for _ in range(200):
        number = script.send(BUY, ASK + 1, 1)
        script.after(20)
        script.fill(number, ASK, 1)
        script.after(100)
        script.prints(BUY, ASK, 1)
        script.book([(BID, script.updates % 7 + 1)])
        script.after(15_000)
    script.end()
    assert shadow.cells[TAKES].pairs.n == 200
    assert not shadow._open
    assert not shadow._live.of
    assert len(shadow._line) == 0
    assert len(shadow._live._seen) == len(shadow._live._store.closed) == 10
    for run in shadow._runs:
        assert not run.filled
        assert not run._store.working
        assert not run._store.closed
        assert not run._venue.matching
        assert not run._venue.waiting
    assert len(shadow._feeds[PERP].prints._wanted) <= 5


def test_orders_beyond_what_is_compared_at_one_time_are_counted(script, monkeypatch):
    monkeypatch.setattr(follower, "MOST", 3)
    for _ in range(5):
        resting(script)
    script.after(5_000)
    script.book([(BID, 15)])
    assert script.shadow.beyond == 2
    assert script.shadow.unjudged == {RESTS: 3}
