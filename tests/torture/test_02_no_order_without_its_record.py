"""Row 2: an order reached the venue, and the bot could not save it.

What it costs: the disk is full or the process dies between the send and the save; the order lives
at the venue, and after the restart nobody knows it is ours.

We promise: the intent stands in the log before the first byte to the venue. Whatever happens at a
write, no order is at the venue without its record, and the next session knows every one.

Judged: each session dies with the n-th write or send of its life, before it and after it, or its
disk takes the n-th record no more (ENOSPC); the next begins on what is left. Every order in the
exchange's record must have its intent in the files, read anew. The process here is modelled; the
same with real processes and real calls: ``tests/simulation/test_appends.py``, ``test_syscalls.py``.
"""

from collections import deque
from functools import partial
from typing import Any

import pytest
from tests.simulation.sizes import spread
from tests.torture.bench import IS_FULL, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.records import LeaseTaken, OrderIntended
from plimsoll.journal import JournalError

POINTS = 400
"""Writes and sends of about four seconds of a session: each is a point before and one after."""
APPENDS = 150
SESSION_S = 5.0


NO_SPACE = JournalError("[Errno 28] No space left on device")


def slowly(_one):
    strategy = Steady()
    strategy.each = 1
    return strategy


class Mortal(Bench):
    """Each session ends at a planned point of its own life."""

    def __init__(self, plan, *, is_full_disk, seed):
        super().__init__(engine(), slowly, seed=seed, course=Mortal.live)
        self.left = deque(plan)
        self.is_full_disk = is_full_disk
        self.refused = self.sessions = 0
        self._appends = self._point = 0
        machine: Any = self.machine
        machine.trading = self._limited(machine.trading)

    def live(self) -> None:
        """Go from death to death, then settle."""
        while self.left:
            begun = self.sessions
            until_ns = self.kernel.now_ns + int(SESSION_S * 1e9)
            self.kernel.run(until_ns, partial(self._is_session, begun))
            if self._is_session(begun):  # it is past its point: there are not so many
                self.machine.kill()
        self.settle()

    def _is_session(self, number: int) -> bool:
        return self.sessions == number

    def began(self, epoch, state):
        super().began(epoch, state)
        self.sessions += 1
        self._appends, self._point = 0, 0
        if not self.left:
            return
        self._point = self.left.popleft()
        if not self.is_full_disk:
            self.machine.kill(self._point)

    def _limited(self, trading):
        def opened(append):
            spied = trading(append)

            def limited(seq, ts_ns, kind, payload):
                self._appends += 1
                if self.is_full_disk and self._appends == self._point:
                    self.refused += 1
                    assert self.machine._journal is not None
                    self.machine._journal._trading.failure = NO_SPACE
                spied(seq, ts_ns, kind, payload)

            return limited

        return opened


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2] if IS_FULL else [1])
def test_killed_at_any_write_or_send_no_order_is_without_its_record(seed):
    plan = spread(range(1, POINTS + 1), sized(16, POINTS))
    bench = Mortal(plan, is_full_disk=False, seed=seed)
    bench.judged()
    shows_enough(bench, len(plan))


@pytest.mark.timeout(900)
def test_on_a_disk_that_is_full_at_any_record_no_order_is_without_its_own():
    plan = spread(range(1, APPENDS + 1), sized(16, APPENDS))
    bench = Mortal(plan, is_full_disk=True, seed=1)
    bench.judged()
    assert bench.refused > 0.9 * len(plan)
    shows_enough(bench, len(plan))


def shows_enough(bench: Bench, deaths: int) -> None:
    there = {line["orderLinkId"] for line in bench.lines("order")}
    assert len(bench.of(LeaseTaken)) > 0.8 * deaths
    assert there <= {one.client_order_id for one in bench.of(OrderIntended)}
    assert len(there) > 2 * deaths, "the sessions traded little: the test shows little"
