"""The way of an order is practised between frames, in quiet moments, and goes nowhere."""

import json
from types import SimpleNamespace
from typing import Any

from tests.properties.driver import MS, PERP, Driver

from plimsoll.core.records import FRAME_KIND, OrderIntended
from plimsoll.engine.engine import Engine
from plimsoll.engine.practice import QUIET_NS, Practice
from plimsoll.observe import Log
from plimsoll.venues.bybit import PublicParser

LINK = 2
EVERY_NS = 5 * MS


class Stage:
    """An engine between a journal and a gateway that write down what they are asked."""

    def __init__(self) -> None:
        self.driver = Driver().live()
        self.now_ns = self.driver.now_ns + 1_000 * MS
        self.number = self.driver.updates[PERP]
        self.logged: list[int] = []
        self.practised: list[OrderIntended] = []
        self.troubles: list[str] = []
        self.failures: list[BaseException] = []
        journal: Any = SimpleNamespace(
            last_seq=self.driver.seq,
            trading=lambda *_: self.logged.append(-1),
            market=lambda _seq, _ts, kind, _raw: self.logged.append(kind),
        )
        clock: Any = SimpleNamespace(now_ns=lambda: self.now_ns)
        parsers = {LINK: PublicParser("linear")}
        self.engine = Engine(
            self.driver.core, journal, clock, 1, parsers, Log(), self.failures.append
        )
        self.engine.trouble = lambda code, *_: self.troubles.append(code)  # type: ignore[method-assign]
        self.engine.practice = Practice(
            self.driver.core, self.practised.append, EVERY_NS, self.engine.trouble
        )

    def frame(self, after_ns: int) -> None:
        self.now_ns += after_ns
        self.number += 1
        at_ms = self.now_ns // MS
        data: dict[str, Any] = {"s": "BTCUSDT", "b": [["49998", str(self.number)]], "a": []}
        data |= {"u": self.number, "seq": self.number}
        told = {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": at_ms, "cts": at_ms}
        self.engine.frame(LINK, json.dumps(told | {"data": data}).encode(), self.now_ns)
        assert not self.failures


def test_it_happens_so_often_and_not_in_a_burst():
    stage = Stage()
    stage.frame(EVERY_NS)
    assert len(stage.practised) == 1
    stage.frame(EVERY_NS // 2)
    assert len(stage.practised) == 1, "too soon"
    for _ in range(50):
        stage.frame(QUIET_NS // 2)
    assert len(stage.practised) == 1, "frames follow one another"
    stage.frame(QUIET_NS)
    assert len(stage.practised) == 1, "one gap in a busy stream"
    for _ in range(20):
        stage.frame(2 * QUIET_NS)
    assert len(stage.practised) > 2


def test_nothing_of_it_is_logged_and_no_number_is_used():
    stage = Stage()
    for _ in range(100):
        stage.frame(EVERY_NS)
    assert len(stage.practised) == 100
    assert stage.logged == [FRAME_KIND] * 100
    assert len({one.client_order_id for one in stage.practised}) == 1
    assert stage.driver.core.state.ids.counter == 0


def test_a_frame_that_leads_to_an_order_is_not_followed_by_one():
    stage = Stage()
    sent: list[OrderIntended] = []

    def create(order: OrderIntended) -> str:
        sent.append(order)
        return "not now"

    stage.engine._senders = {OrderIntended: create}
    stage.driver.strategies["s"].todo.append(lambda one: one.buy(PERP, 0.01, 49_000))
    stage.frame(EVERY_NS)
    assert len(sent) == 1
    assert not stage.practised


def test_one_that_fails_is_the_last_and_the_engine_goes_on():
    stage = Stage()

    def fails(_order: OrderIntended) -> None:
        raise RuntimeError("a mistake of ours")

    assert stage.engine.practice is not None
    stage.engine.practice._practise = fails
    for _ in range(3):
        stage.frame(EVERY_NS)
    assert stage.troubles == ["practice"]
    assert stage.logged == [FRAME_KIND] * 3
