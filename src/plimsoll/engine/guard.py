"""Cuts off a callback of a strategy that does not return (P8).

A thread looks every 10 ms whether the callback under way is still the one it saw. When that has
used the processor for the limit, or has stood (asleep, in a lock) for four limits, it sends the
main thread a signal, whose handler raises ``Cut`` inside the callback. The order path pays a few
stores.

Code that never comes back to the interpreter (a loop in C) cannot be cut off from inside; for that
there is the watchdog.
"""

import signal
import threading
import time
from types import FrameType
from typing import Any, Final

from plimsoll.core.strategy.turns import Cut, Turns

POLL_S: Final = 0.01
STANDING: Final = 4
"""Limits of wall time after which a callback counts as stuck even where it used no processor: time
in which another process had the processor is not the callback's."""

SIGNAL: Final = signal.SIGUSR2


class CallbackGuard:
    """Watches the callbacks of one core from a thread of its own."""

    def __init__(self, turns: Turns, limit_ns: int) -> None:
        """Prepare; ``limit_ns`` of processor time is what a callback may take."""
        self._turns = turns
        self._limit_ns = limit_ns
        self._overdue = 0
        """Serial of the callback that is to be cut off."""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: Any = None

    def start(self) -> bool:
        """Begin to watch; False where this is not the main thread, which alone hears signals."""
        if threading.current_thread() is not threading.main_thread() or not self._limit_ns:
            return False
        self._before = signal.signal(SIGNAL, self._on_signal)
        self._thread = threading.Thread(target=self._watch, name="callback-guard", daemon=True)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Watch no more."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            signal.signal(SIGNAL, self._before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        turns = self._turns
        if turns.is_inside and turns.serial == self._overdue:
            raise Cut

    def _watch(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        clock = time.pthread_getcpuclockid(main)
        serial, since_cpu_ns, since_ns = 0, 0, 0
        while not self._ended.wait(POLL_S):
            turns = self._turns
            if not turns.is_inside:
                serial = 0
                continue
            cpu_ns, now_ns = time.clock_gettime_ns(clock), time.monotonic_ns()
            if turns.serial != serial:
                serial, since_cpu_ns, since_ns = turns.serial, cpu_ns, now_ns
            elif (
                cpu_ns - since_cpu_ns >= self._limit_ns
                or now_ns - since_ns >= STANDING * self._limit_ns
            ):
                self._overdue = serial
                since_cpu_ns, since_ns = cpu_ns, now_ns  # one that swallows it is cut again
                signal.pthread_kill(main, SIGNAL)
