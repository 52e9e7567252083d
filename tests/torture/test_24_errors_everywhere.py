"""Row 24: one error stops the program with positions open, or nobody hears of it.

People lose money twice: when an exception in their strategy takes the whole program down and leaves
positions unwatched, and when an error is swallowed and trading goes on half blind. Here an instance
that raises, in whatever callback and whatever it raises, is stopped and told once; its position
keeps its stop at the venue and the others trade on. An endpoint that fails is told and outlived:
when it works again the books are equal.

Judged from the exchange's record: the position's stop-loss before, during and after; the orders of
the instance that had no part in it; and books equal to the last unit.
"""

import asyncio
from typing import Any

import pytest
from tests.torture.stage import ETH, FULL, PERP, Stage, actor

from plimsoll.core.records import IncidentRaised, OrderIntended, QueryAnswered, StrategyStopped
from plimsoll.core.settings import Timing
from plimsoll.core.strategy import Strategy
from plimsoll.engine import upkeep

SECOND = 1_000_000_000


class OwnBase(BaseException):
    """What no ``except Exception`` takes."""


RAISED: dict[str, Any] = {
    "ValueError": ValueError("a bug"),
    "RecursionError": RecursionError(),
    "MemoryError": MemoryError(),
    "SystemExit": SystemExit(3),
    "CancelledError": asyncio.CancelledError(),
    "GeneratorExit": GeneratorExit(),
    "OwnBase": OwnBase("mine"),
}


class Faulty(Strategy):
    """Holds a position with a stop, then raises in the callback it is told to."""

    bars = {"1s": 5}  # noqa: RUF012 - as strategies are written
    where: str = ""
    what: str = "ValueError"
    is_armed = False

    def on_start(self):
        self._raise("on_start", always=True)
        self.turns = 0

    def on_book(self, market):
        self.turns += 1
        self._raise("on_book")
        name, middle = market.instrument.name, market.book.mid
        if self.turns % 8 == 1:
            self.level = round(middle * 0.97) + self.turns
        self.target(name, qty="0.05", stop=self.level)
        if self.is_armed and self.where in ("on_order", "on_fill"):
            self.buy(name, "0.01")
        if self.is_armed and self.where == "on_refusal":
            self.level += 1
        if self.turns == 3:
            self.timer("tick", 0.25)

    def on_bar(self, bar):
        self._raise("on_bar")

    def on_trade(self, instrument, price, qty, *, is_buy):
        self._raise("on_trade")

    def on_timer(self, name):
        self._raise("on_timer")
        self.timer("tick", 0.25)

    def on_fill(self, fill):
        self._raise("on_fill")

    def on_order(self, order):
        self._raise("on_order")

    def on_refusal(self, instrument, refusal):
        self._raise("on_refusal")

    def on_stop(self):
        self._raise("on_stop")

    def _raise(self, where, *, always=False):
        if where == self.where and (self.is_armed or always):
            raise RAISED[self.what]


class Trading(Strategy):
    """Trades on, whatever the other one does: takes, rests, amends, cancels."""

    def on_start(self):
        self.turns = 0
        self.resting = None

    def on_book(self, market):
        self.turns += 1
        name, middle = market.instrument.name, market.book.mid
        side = self.sell if self.position(name).qty > 0 else self.buy
        step = self.turns % 8
        if step == 1:
            side(name, "0.1")
        elif step == 2 and not (self.resting and self.resting.is_working):
            self.resting = self.buy(name, "0.1", middle * 0.99)
        elif step == 4 and self.resting and self.resting.is_working:
            self.resting.amend(price=middle * 0.985)
        elif step == 6 and self.resting and self.resting.is_working:
            self.resting.cancel()


CALLBACKS = (
    *("on_start", "on_book", "on_bar", "on_trade", "on_timer"),
    *("on_fill", "on_order", "on_refusal", "on_stop"),
)


BUSY = Timing(sweep_ns=2 * SECOND, cash_ns=4 * SECOND)
"""Everything is asked often, so that what fails is asked while it fails."""


def staged(**params) -> Stage:
    return Stage(
        {"bad": Faulty, "good": Trading},
        actor("bad", PERP, **params),
        actor("good", ETH),
        timing=BUSY,
        venue={"clock_period_s": 5.0},
    )


def is_protected(stage, symbol="BTCUSDT") -> bool:
    """Return whether the exchange's record has a position, and a stop-loss that waits for it."""
    size = 0.0
    waiting: set[str] = set()
    for line in stage.judge.record:
        if line.get("symbol") != symbol:
            continue
        if line["kind"] == "position":
            size = float(line["size"] or 0)
        elif line["kind"] == "order" and line["stopOrderType"] == "StopLoss":
            is_live = line["orderStatus"] == "Untriggered"
            (waiting.add if is_live else waiting.discard)(line["orderId"])
    return size > 0 and bool(waiting)


def orders_of(stage, name, after_ns=0) -> int:
    """Count the orders of an instance that reached the venue."""
    links = {one.link for one in stage.judge.orders.values()}
    intended = stage.engine.of(OrderIntended)
    mine = [one for one in intended if one.owner == name and one.ts_ns > after_ns]
    return sum(one.client_order_id in links for one in mine)


def check_stopped(stage, engine, where, after_ns):
    told = [one for one in engine.of(IncidentRaised) if one.code == "strategy_stopped"]
    assert [one.subject for one in told] == ["bad"], engine.codes()
    assert where in told[0].text
    assert [one.owner for one in engine.of(StrategyStopped) if one.code == "raised"] == ["bad"]
    assert engine.is_running
    assert engine.machine.starts == 1, "the process never ended"
    assert orders_of(stage, "good", after_ns) > 3, "the other one trades on"
    assert orders_of(stage, "bad", engine.of(StrategyStopped)[0].ts_ns) == 0


@pytest.mark.parametrize(
    ("where", "what"),
    [
        *((one, "ValueError") for one in CALLBACKS if one != "on_stop"),
        *(("on_book", what) for what in RAISED if what != "ValueError"),
    ],
)
def test_an_instance_that_raises_stops_alone_and_keeps_its_protection(where, what):
    stage = staged(where=where, what=what)
    with stage.running() as engine:
        stage.ready()
        if where != "on_start":
            stage.until("a stop at the venue", lambda: is_protected(stage))
            if where == "on_refusal":
                stage.ask("refuse", rate=1.0, duration_s=60, code=10001, endpoint=STOPS)
            stage.actors["bad"].is_armed = True
        armed_ns = stage.kernel.now_ns
        stage.until("the stop of it", lambda: bool(engine.of(StrategyStopped)))
        stage.run(10)
        check_stopped(stage, engine, where, armed_ns)
        stage.agree()
        if where != "on_start":
            assert engine.core.ledger.qty_lots("bad", PERP) > 0
            assert is_protected(stage), "the stop still stands at the venue"


STOPS = "/v5/position/trading-stop"


def test_an_error_at_the_end_of_a_session_spoils_no_end():
    stage = staged(where="on_stop")
    with stage.running() as engine:
        stage.ready()
        stage.until("a stop at the venue", lambda: is_protected(stage))
        stage.actors["bad"].is_armed = True
        engine.machine.is_wanted = False
        engine.machine.terminate()
        stage.until("the end", lambda: not engine.is_running)
        assert engine.ends == [True]
        assert "strategy_stopped" in engine.codes()
        assert is_protected(stage)


# ---- endpoints -----------------------------------------------------------------------------------

ENDPOINTS = (
    "/v5/market/time",
    "/v5/market/instruments-info",
    "/v5/account/fee-rate",
    "/v5/account/wallet-balance",
    "/v5/account/transaction-log",
    "/v5/order/realtime",
    "/v5/order/history",
    "/v5/execution/list",
    "/v5/position/list",
    STOPS,
    "order.create",
    "order.amend",
    "order.cancel",
)


@pytest.fixture
def hasty(monkeypatch):
    """Filters and fees are read as often as everything else, so that their failures show."""
    monkeypatch.setattr(upkeep, "FILTERS_NS", 4 * SECOND)
    monkeypatch.setattr(upkeep, "FEES_NS", 8 * SECOND)


FAULTS = (("refuse", 10016), ("http_error", 502), ("refuse", 10006))
GATE = FAULTS if FULL else FAULTS[:1]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("fault", "code"), GATE)
def test_an_endpoint_that_fails_is_outlived_and_told(hasty, fault, code, endpoint):
    if fault == "http_error" and not endpoint.startswith("/"):
        fault, code = "refuse", 10429  # a socket has no status
    stage = staged()
    stage.judge.keeps |= {"fault"}
    with stage.running() as engine:
        stage.ready()
        stage.until("a stop at the venue", lambda: is_protected(stage))
        before, told = len(engine.records), len(stage.story)
        if endpoint in ASKED_OF_LOST:
            stage.ask("lose_request", rate=0.5, duration_s=8)
        seconds = 40.0 if endpoint in ASKED_OF_LOST else 10.0
        stage.ask(fault, rate=1.0, duration_s=seconds, code=code, endpoint=endpoint)
        stage.run(seconds + 1)
        assert engine.machine.starts == 1
        assert is_protected(stage)
        assert effects(stage, fault), "not asked"
        failed = [one for one in engine.records[before:] if has_failed(one)]
        assert failed or any("trouble" in line for line in stage.story[told:]), "nobody was told"
        stage.agree()
        after_ns = stage.kernel.now_ns
        stage.run(5)
        assert orders_of(stage, "good", after_ns) > 1, "and it trades again"


ASKED_OF_LOST = ("/v5/order/realtime", "/v5/order/history")


def effects(stage, fault) -> int:
    lines = stage.judge.of("fault")
    return sum(line["event"] == "effect" and line["name"] == fault for line in lines)


def has_failed(record) -> bool:
    """Return whether a record of the log says that something did not work."""
    is_query = isinstance(record, QueryAnswered) and not record.is_ok
    return is_query or getattr(record, "outcome", "accepted") != "accepted"


def test_maintenance_of_the_venue_is_outlived_and_told():
    stage = staged()
    with stage.running() as engine:
        stage.ready()
        stage.until("a stop at the venue", lambda: is_protected(stage))
        stage.ask("maintenance", magnitude=2000.0, duration_s=20)
        stage.run(25)
        assert engine.machine.starts == 1
        stage.agree(60)
        assert engine.core.ledger.qty_lots("bad", PERP) > 0
        assert is_protected(stage)
        assert any("link" in line and "'up': False" in line for line in stage.story)
