"""Row 2: an order reached the venue, and the bot could not save it.

What it costs: the disk is full or the process dies between the send and the save; the order lives
at the venue, and after the restart nobody knows it is ours.

We promise: the intent stands in the log before the first byte to the venue. Whatever happens at a
write, no order is at the venue without its record, and the next session knows every one.

Judged: each session dies before or after the n-th append or send of its life, or its disk takes the
n-th record, or the n-th intent, no more (ENOSPC); the next begins on what is left. Every order in
the exchange's record must have its intent in the files, read anew. The process here is modelled;
with real processes and calls: ``tests/simulation/test_appends.py``, ``test_syscalls.py``.
"""

from collections import deque
from functools import partial
from typing import Any

import pytest
from tests.simulation.sizes import spread
from tests.simulation.world.engine import Killed
from tests.torture.bench import Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.records import LeaseTaken, OrderIntended, decode
from plimsoll.journal import JournalError

SESSION_S = 4.0
MOST = {"append": 120, "appended": 120, "send": 40, "sent": 40}
"""Points of a session where it may die, and about how often it passes each."""
INTENTS, RECORDS = 16, 120
COMPARED = ("append",)
"""Points that count from where the books are compared: else most sessions die in their start."""
NO_SPACE = JournalError("[Errno 28] No space left on device")
FULL_DISK = "intent"
ANY_RECORD = "record"


def slowly(_one):
    strategy = Steady()
    strategy.each = 1
    return strategy


class Mortal(Bench):
    """Each session ends at a planned point of its own life: the n-th time it passes there."""

    def __init__(self, plan, seed):
        super().__init__(engine(), slowly, seed=seed, course=Mortal.live)
        self.left = deque(plan)
        self.refused = self.sessions = 0
        self._place, self._count = "", 0
        machine: Any = self.machine
        machine.io = self._passing
        machine.trading = self._limited(machine.trading)

    def live(self) -> None:
        """Go from death to death, then settle."""
        while self.left:
            begun = self.sessions
            until_ns = self.kernel.now_ns + int(SESSION_S * 1e9)
            self.kernel.run(until_ns, partial(self._is_session, begun))
            if self._is_session(begun):  # it is past its point: there are not so many
                self.machine.kill()
        self._place = ""
        self.settle()

    def began(self, epoch, state):
        super().began(epoch, state)
        self.sessions += 1
        self._place, self._count = self.left.popleft() if self.left else ("", 0)

    def _is_session(self, number: int) -> bool:
        return self.sessions == number

    def _is_here(self, place: str) -> bool:
        process = self.machine.process
        if place != self._place or (
            place in COMPARED and not (process and process.core.safety.is_reconciled)
        ):
            return False
        self._count -= 1
        return self._count == 0

    def _passing(self, place: str) -> None:
        if self._is_here(place):
            raise Killed(f"killed at: {place}")

    def _limited(self, trading):
        """Return an opening of the log whose disk may be full at a record."""

        def opened(append):
            spied = trading(append)

            def limited(seq, ts_ns, kind, payload):
                is_intent = isinstance(decode(payload), OrderIntended)
                if self._is_here(ANY_RECORD) or (is_intent and self._is_here(FULL_DISK)):
                    self.refused += 1
                    assert self.machine._journal is not None
                    self.machine._journal._trading.failure = NO_SPACE
                spied(seq, ts_ns, kind, payload)

            return limited

        return opened


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("place", "gate"), [("append", 4), ("appended", 4), ("send", 5), ("sent", 9)]
)
def test_killed_at_a_write_or_a_send_no_order_is_without_its_record(place, gate):
    counts = spread(range(1, MOST[place] + 1), sized(gate, MOST[place]))
    bench = Mortal([(place, n) for n in counts], seed=1)
    bench.judged()
    shows_enough(bench, len(counts))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("place", "most", "gate"), [(FULL_DISK, INTENTS, 6), (ANY_RECORD, RECORDS, 4)]
)
def test_on_a_full_disk_no_order_is_without_its_record(place, most, gate):
    counts = spread(range(1, most + 1), sized(gate, most))
    bench = Mortal([(place, n) for n in counts], seed=2)
    bench.judged()
    assert bench.refused > 0.7 * len(counts)
    shows_enough(bench, len(counts))


def shows_enough(bench: Bench, deaths: int) -> None:
    there = {line["orderLinkId"] for line in bench.lines("order")}
    assert len(bench.of(LeaseTaken)) > 0.8 * deaths
    assert there <= {one.client_order_id for one in bench.of(OrderIntended)}
    assert len(there) > deaths // 3, "the sessions traded little: the test shows little"
