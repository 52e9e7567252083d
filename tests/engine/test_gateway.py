"""The last look before the socket: what stops a send, and that it comes after the journal."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from plimsoll.core.engine import State
from plimsoll.core.model import OrderType, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    Halted,
    OrderIntended,
    Paused,
    ProtectionIntended,
    Rearmed,
)
from plimsoll.engine.gateway import Gateway
from plimsoll.journal import JournalError

STAMP = (1, 1, 1, 1)


def intent(*, reduce_only: bool = False) -> OrderIntended:
    return OrderIntended(
        *STAMP,
        "t-000001-000000001-A",
        "s",
        "linear:BTCUSDT",
        Side.BUY,
        OrderType.LIMIT,
        TimeInForce.GTC,
        100,
        1,
        reduce_only,
        "",
    )


class Parts:
    """A gateway between a journal, a lease and a venue that write down what they are asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.state = State()
        self.journal: Any = SimpleNamespace(low_space=False, before_send=self._before)
        self.lease: Any = SimpleNamespace(held=True, epoch=1)
        venue: Any = SimpleNamespace(
            create=self._say("create"),
            amend=self._say("amend"),
            cancel=self._say("cancel"),
            protect=self._say("protect"),
            practise=self._say("practise"),
        )
        self.pulse: Any = SimpleNamespace(is_fresh=True)
        parts = (self.state, self.journal, self.lease, venue, self.pulse)
        self.gateway = Gateway(*cast("Any", parts))
        self.state.apply(intent())

    def _before(self) -> None:
        self.calls.append("journal")

    def _say(self, what: str) -> Any:
        def said(*_: object) -> str:
            self.calls.append(what)
            return "told"

        return said


@pytest.fixture
def parts() -> Parts:
    return Parts()


ORDER = intent().client_order_id
AMEND = AmendIntended(*STAMP, ORDER, 101, 1)
CANCEL = CancelIntended(*STAMP, ORDER, "test")
LEVEL = ProtectionIntended(*STAMP, "s", "linear:BTCUSDT", 90, 0)


def test_the_journal_is_waited_for_before_each_send(parts):
    parts.gateway.create(intent())
    parts.gateway.amend(AMEND)
    parts.gateway.cancel(CANCEL)
    assert parts.calls == ["journal", "create", "journal", "amend", "journal", "cancel"]


def test_without_the_lease_nothing_leaves_not_even_a_cancel(parts):
    parts.lease.held = False
    for refusal in (
        parts.gateway.create(intent(reduce_only=True)),
        parts.gateway.amend(AMEND),
        parts.gateway.cancel(CANCEL),
        parts.gateway.protect(LEVEL),
    ):
        assert refusal == "the lease is not held"
    assert set(parts.calls) == {"journal"}


def test_a_journal_that_failed_lets_nothing_leave(parts):
    def fails() -> None:
        raise JournalError("no space")

    parts.journal.before_send = fails
    assert "no space" in parts.gateway.create(intent())
    assert "no space" in parts.gateway.cancel(CANCEL)
    assert parts.calls == []


def test_a_halt_stops_what_adds_risk_and_nothing_else(parts):
    parts.state.apply(Halted(*STAMP, "test", "tester"))
    assert parts.gateway.create(intent()) == "halted"
    assert parts.gateway.amend(AMEND) == "halted"
    assert parts.gateway.create(intent(reduce_only=True)) == "told"
    assert parts.gateway.cancel(CANCEL) == "told"
    assert parts.gateway.protect(LEVEL) == "told"


def test_a_nearly_full_disk_stops_what_adds_risk_and_nothing_else(parts):
    parts.journal.low_space = True
    assert parts.gateway.create(intent()) == "the disk is nearly full"
    assert parts.gateway.create(intent(reduce_only=True)) == "told"
    assert parts.gateway.cancel(CANCEL) == "told"


def test_a_process_that_was_paused_adds_no_risk(parts):
    parts.pulse.is_fresh = False
    assert parts.gateway.create(intent()) == "the process was paused"
    assert parts.gateway.amend(AMEND) == "the process was paused"
    assert parts.gateway.create(intent(reduce_only=True)) == "told"
    assert parts.gateway.cancel(CANCEL) == "told"


def test_a_practice_run_asks_the_venue_for_memory_alone(parts):
    parts.gateway.practise(intent())
    assert parts.calls == ["practise"], "the disk is not waited for either"


def test_orders_nobody_knows_are_not_touched(parts):
    stranger = "t-000001-000000099-A"
    assert "not working" in parts.gateway.amend(AmendIntended(*STAMP, stranger, 1, 1))
    assert "not known" in parts.gateway.cancel(CancelIntended(*STAMP, stranger, ""))
    assert parts.calls == []


@pytest.mark.parametrize(
    ("scope", "is_covered"),
    [
        ("strategy:s", True),
        ("strategy:other", False),
        ("instrument:linear:BTCUSDT", True),
        ("instrument:linear:ETHUSDT", False),
    ],
)
def test_a_halt_stops_what_its_scope_covers_and_a_pause_alike(parts, scope, is_covered):
    expected = "halted" if is_covered else "told"
    parts.state.apply(Halted(*STAMP, "test", "tester", scope))
    assert parts.gateway.create(intent()) == expected
    assert parts.gateway.amend(AMEND) == expected
    parts.state.apply(Rearmed(*STAMP, "tester", "over", scope))
    assert parts.gateway.create(intent()) == "told"
    parts.state.apply(Paused(*STAMP, "s", "", "test", "tester"))
    assert parts.gateway.create(intent()) == "paused"
    assert parts.gateway.cancel(CANCEL) == "told"
