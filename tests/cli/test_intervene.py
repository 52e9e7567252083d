"""`cancel` and `release`: the log before, the command, the log after."""

import asyncio
import threading
from contextlib import contextmanager
from typing import Any

import pytest

from plimsoll.cli import intervene
from plimsoll.cli.exits import Exit
from plimsoll.config import Layout
from plimsoll.control import Answer, Command, ControlServer
from plimsoll.core.model import IdMaker, Instrument, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    Blocked,
    InstrumentListed,
    LeaseTaken,
    OrderIntended,
    OrderReported,
    Released,
    encode,
)
from plimsoll.journal import KIND_RECORD, Journal, JournalSettings

NAME = "linear:BTCUSDT"
ORDER = IdMaker("demo", 1).peek()


class Desk:
    """An engine's log, written by hand."""

    def __init__(self, root) -> None:
        self.layout = Layout.of(root)
        folder = self.layout.journal_dir("demo")
        self.journal = Journal.open(folder, "demo", 1, JournalSettings())
        self.seq = 0
        self.cause = False
        """Whether what follows a command names it as its cause."""
        self.asked: list[Command] = []
        self.then: list[tuple] = []
        """Records the engine writes after it accepted a command."""
        self.write(LeaseTaken, "demo", "demo", "engine", "1")
        self.write(InstrumentListed, instrument())

    def write(self, kind: Any, *fields, cause: int = 0) -> None:
        self.seq += 1
        record = kind(self.seq, 10**18 + self.seq, 1, cause, *fields)
        self.journal.trading(self.seq, record.ts_ns, KIND_RECORD, encode(record))

    def order(self, state=OrderState.OPEN) -> None:
        self.write(
            OrderIntended, ORDER, "one", NAME, Side.BUY, OrderType.LIMIT, TimeInForce.GTC,
            1000, 5, False, "",
        )  # fmt: skip
        self.report(state)

    def report(self, state) -> None:
        self.write(*reported(state))

    def answer(self, command) -> Answer:
        self.asked.append(command)
        seq = self.seq
        for record in self.then:
            self.write(*record, cause=seq if self.cause else 0)
        return Answer(id=command.id, accepted=True, seq=seq)


def reported(state) -> tuple:
    return (
        OrderReported, ORDER, "v1", NAME, Side.BUY, state, 1000, 5, 0, False, False, 1, "",
        "stream", 0, b"",
    )  # fmt: skip


def instrument() -> Instrument:
    return Instrument(
        NAME, "linear", "BTCUSDT", "BTC", "USDT", "USDT", "0.1", "0.001", "0.001", "100", "100", "5"
    )


@pytest.fixture
def desk(root):
    desk = Desk(root)
    yield desk
    desk.journal.close()


@contextmanager
def engine(desk):
    """Listen on the control socket of the desk on a thread of its own."""
    desk.layout.run_dir.mkdir(parents=True)
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def serve():
        server = ControlServer(desk.layout.run_dir / "engine.sock", desk.answer)
        await server.start()
        ready.set()
        await stop.wait()
        await server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_a_working_order_is_cancelled_and_its_end_is_told(plimsoll, root, desk):
    desk.order()
    desk.then = [reported(OrderState.CANCELED)]
    with engine(desk):
        ran = plimsoll("cancel", ORDER, "--project", root, "--reason", "too close")
    assert ran.code == Exit.DONE, ran.err
    assert f"order {ORDER} is over: canceled" in ran.out
    (command,) = desk.asked
    assert (command.cmd, command.args) == ("cancel", {"order": ORDER, "reason": "too close"})


def test_an_order_that_stays_is_told_with_the_code_of_a_timeout(plimsoll, root, desk, monkeypatch):
    monkeypatch.setattr(intervene, "_WATCH_S", 0.1)
    desk.order()
    with engine(desk):
        ran = plimsoll("cancel", ORDER, "--project", root, "--json")
    assert ran.code == Exit.TIMED_OUT
    assert ran.document["state"] == "open"


def test_an_order_that_is_over_or_unknown_is_not_asked_for(plimsoll, root, desk):
    desk.order(OrderState.FILLED)
    with engine(desk):
        over = plimsoll("cancel", ORDER, "--project", root, "--json")
        unknown = plimsoll("cancel", "nope", "--project", root, "--json")
    assert over.code == unknown.code == Exit.USAGE
    assert "over already: filled" in over.error["message"]
    assert unknown.error["code"] == "no-order"
    assert desk.asked == []


def test_a_mistyped_order_is_guessed(plimsoll, root, desk):
    desk.order()
    ran = plimsoll("cancel", ORDER[:-1], "--project", root, "--json")
    assert ran.error["hint"] == f"did you mean {ORDER}?"


def test_a_block_is_released_and_its_reason_told(plimsoll, root, desk):
    desk.write(Blocked, NAME, "position differs")
    desk.then = [(Released, NAME)]
    with engine(desk):
        ran = plimsoll("release", NAME, "--project", root)
    assert ran.code == Exit.DONE, ran.err
    assert "it was blocked: position differs" in ran.out
    (command,) = desk.asked
    assert command.cmd == "release"
    assert command.args["instrument"] == NAME


def test_what_is_not_blocked_is_not_released(plimsoll, root, desk):
    desk.write(Blocked, NAME, "position differs")
    ran = plimsoll("release", "linear:ETHUSDT", "--project", root, "--json")
    assert ran.code == Exit.USAGE
    assert ran.error["hint"] == f"blocked: {NAME}"


def test_without_an_engine_both_are_refused(plimsoll, root, desk):
    desk.order()
    desk.write(Blocked, NAME, "position differs")
    for words in (["cancel", ORDER], ["release", NAME]):
        ran = plimsoll(*words, "--project", root, "--json")
        assert ran.code == Exit.UNREACHABLE
        assert f"plimsoll run --project {root}" in ran.error["hint"]
