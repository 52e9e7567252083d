"""Commands of a person: what is refused before it is a record, and what the others do."""

import pytest
from tests.core.engine.test_halting import TWO, command, order, two
from tests.properties.driver import ETH, PERP, SECOND, Driver, Puppet, one_strategy, settings_of

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.engine.judging import ARGS, CommandRefused, read_command
from plimsoll.core.model import MANUAL, OrderState, Refusal, Side
from plimsoll.core.records import (
    CancelIntended,
    Halted,
    IncidentRaised,
    OperatorCommand,
    OrderDenied,
    OrderIntended,
    SessionStopping,
    StrategyFreed,
    StrategyStopped,
)
from plimsoll.core.settings import Limits

BUY = {"instrument": PERP, "side": "buy", "qty": "0.010"}


@pytest.mark.parametrize(
    ("cmd", "args", "words"),
    [
        ("flatter", {}, "unknown command 'flatter'; known: halt"),
        ("halt", {"scope": "strategy:aa"}, "there is no strategy 'aa': did you mean 'a'?"),
        ("halt", {"scope": "instrument:linear:BTCUSD"}, f"did you mean {PERP!r}?"),
        ("halt", {"scope": "a"}, "is no scope"),
        ("halt", {"keep_order": True}, "unknown field `keep_order`"),
        ("halt", {"keep_orders": "yes"}, "Expected `bool`"),
        ("halt", {"all": True}, "dedicated = true"),
        ("halt", {"flatten": True, "keep_orders": True}, "cannot keep the orders"),
        ("resume", {}, "the account is neither halted nor paused"),
        ("flatten", {}, "holds nothing that can be closed"),
        ("close", {"instrument": PERP}, "no instance holds"),
        ("close", {"instrument": "spot:X"}, "not among the engine's instruments"),
        ("order", BUY | {"instrument": "linear:BTCUSD"}, f"did you mean {PERP!r}?"),
        ("order", BUY | {"qty": "many"}, "is no number"),
        ("order", BUY | {"qty": "-1"}, "not above zero"),
        ("order", BUY | {"qty": "NaN"}, "not above zero"),
        ("order", BUY | {"qty": "0.0101"}, "not a multiple of lot_size"),
        ("order", BUY | {"limit": "49000.05"}, "not a multiple of tick_size"),
        ("order", BUY | {"side": "long"}, "Invalid enum value"),
        ("order", BUY | {"post_only": True}, "needs a limit price"),
        ("order", {"instrument": PERP, "side": "buy"}, "missing required field `qty`"),
        ("cancel", {}, "name an order, a strategy or an instrument"),
        ("cancel", {"order": "nope"}, "no order 'nope' is working"),
        ("cancel", {"strategy": "a"}, "nothing of strategy:a that can add risk"),
        ("release", {"instrument": PERP}, "is not blocked"),
        ("strategy-resume", {"strategy": "a"}, "a is not stopped for a fault"),
        ("strategy-set", {"strategy": "aa", "params": {}}, "did you mean 'a'?"),
        ("strategy-set", {"strategy": "a", "params": {"x": None}}, "strategy-set: Expected"),
        ("strategy-reload", {"strategy": "c", "sha256": "0" * 64}, "there is no strategy 'c'"),
        ("strategy-reload", {"strategy": "a"}, "missing required field `sha256`"),
        (
            "strategy-reload",
            {"strategy": "a", "sha256": "0" * 64, "orders": "sell"},
            "Invalid enum value 'sell'",
        ),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_words(cmd, args, words):
    driver = two()
    with pytest.raises(CommandRefused) as caught:
        read_command(driver.core.state, cmd, args)
    assert words in str(caught.value)


def test_every_command_is_judged_and_carried_out():
    from plimsoll.core.engine.judging import _JUDGES

    assert set(ARGS) == set(_JUDGES)


def test_a_refused_command_in_the_log_decides_nothing_but_a_refused_halt_halts_all():
    driver = two()
    command(driver, "resume")
    assert [one.code for one in driver.of(IncidentRaised)] == ["command_refused"]
    command(driver, "halt", scope="strategy:gone")
    (halted,) = driver.of(Halted)
    assert halted.scope == ""
    assert "there is no strategy 'gone'" in halted.reason


def test_a_command_that_is_no_json_decides_nothing():
    driver = two()
    driver.put(OperatorCommand, "1", "anna", "order", "{")
    assert driver.of(OrderIntended) == []


# ---- orders by hand ----


def test_an_order_by_hand_is_ours_and_owned_by_the_hand():
    driver = two()
    (made,) = command(driver, "order", **BUY, limit="49000", post_only=True)
    assert (made.owner, made.side, made.qty_lots, made.price_ticks) == (
        MANUAL, Side.BUY, 10, 490_000,
    )  # fmt: skip
    assert made.tif == "post_only"
    assert made.client_order_id.startswith("acc-")
    (market,) = command(driver, "order", **BUY)
    assert (market.tif, market.price_ticks) == ("ioc", 501_010)


def test_an_order_by_hand_passes_the_accounts_limits_and_every_stop():
    driver = two(limits=Limits())
    (denied,) = command(driver, "order", **BUY)
    assert isinstance(denied, OrderDenied)
    assert (denied.owner, denied.code) == (MANUAL, "price_distance")
    wide = two()
    command(wide, "halt", scope=f"instrument:{PERP}")
    (denied,) = command(wide, "order", **BUY)
    assert denied.code == "halted"
    (reduce,) = command(wide, "order", **BUY, reduce_only=True)
    assert isinstance(reduce, OrderIntended)
    command(wide, "pause", scope="strategy:manual")
    (denied,) = command(wide, "order", **BUY | {"instrument": ETH, "qty": "0.1"})
    assert denied.code == "paused"


def test_a_cancel_by_strategy_or_instrument_leaves_others_and_protection():
    driver = two()
    a, b, eth = order(driver, "a"), order(driver, "b"), order(driver, "a", ETH)
    driver.do(lambda s: s.sell(PERP, "0.1", "52000", reduce_only=True), "a")
    exit_ = driver.newest
    command(driver, "cancel", strategy="a", reason="x")
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [a.id, eth.id]
    assert not exit_.cancel_pending
    command(driver, "cancel", instrument=PERP)
    assert driver.of(CancelIntended)[-1].client_order_id == b.id


# ---- stopped instances ----


def broken(_strategy):
    raise RuntimeError("broken")


def test_a_stop_for_a_fault_outlasts_the_session_and_only_a_person_ends_it():
    driver = two()
    driver.strategies["a"].todo.append(broken)
    driver.book()
    assert driver.of(StrategyStopped)[0].code == "raised"
    again = Driver(settings_of(*TWO), state=restore(snapshot(driver.core.state)), epoch=2)
    again.live(PERP, ETH)
    again.book()
    assert [kind for kind, _ in again.strategies["a"].heard] == []
    assert [kind for kind, _ in again.strategies["b"].heard] == ["start"]
    assert list(again.core.state.stopped) == ["a"]
    old = again.strategies.pop("a")
    decided = command(again, "strategy-resume", strategy="a", reason="mended")
    assert isinstance(decided[0], StrategyFreed)
    assert again.strategies["a"] is not old
    assert ("start", None) in again.strategies["a"].heard
    assert again.core.state.faulty == {}
    assert again.do(lambda s: s.buy(PERP, "0.1", "49000"), "a").refusal is None


def test_a_stop_with_the_session_does_not_outlast_it():
    driver = two()
    driver.put(SessionStopping, "SIGTERM")
    again = Driver(settings_of(*TWO), state=restore(snapshot(driver.core.state)), epoch=2)
    again.live(PERP, ETH)
    assert again.core.state.stopped == {}
    assert [kind for kind, _ in again.strategies["a"].heard] == ["start"]


class Looping(Puppet):
    """Places and cancels the same order at each book message."""

    handle = None

    def on_book(self, market):
        super().on_book(market)
        if self.handle is not None:
            self.handle.cancel()
        self.handle = self.buy(PERP, "0.010", self.price(market))

    def price(self, market):
        return "49000"


class Moving(Looping):
    """Does so at a new price each time."""

    def price(self, market):
        return f"{49_000 + market.messages % 500}"


@pytest.mark.parametrize(("kind", "is_stopped"), [(Looping, True), (Moving, False)])
def test_the_same_action_again_and_again_stops_an_instance(kind, is_stopped):
    core = settings_of(one_strategy(), same_action_max=20)
    driver = Driver(core, load=lambda _: kind()).live()
    for _ in range(40):
        driver.now_ns += SECOND // 2
        driver.book()
        for sent in driver.sent:
            if isinstance(sent, CancelIntended):
                driver.report(sent.client_order_id, OrderState.CANCELED)
        driver.sent.clear()
    stops = driver.of(StrategyStopped)
    assert [one.code for one in stops] == ["repeats"] * is_stopped
    if is_stopped:
        assert "the same place (buy linear:BTCUSDT" in stops[0].reason
        assert "21 times in 60 s" in stops[0].reason
        assert all(one.cancel_pending for one in driver.core.orders.working.values())
        assert driver.core.state.faulty == {"s": "repeats"}


def test_what_lies_outside_the_window_is_no_repetition():
    core = settings_of(one_strategy(), same_action_max=5)
    driver = Driver(core).live()
    for _ in range(12):
        driver.now_ns += 13 * SECOND
        driver.mark(PERP, 50_000.0)
        driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert driver.of(StrategyStopped) == []
    assert Refusal.STRATEGY_STOPPED not in [one.code for one in driver.of(OrderDenied)]
