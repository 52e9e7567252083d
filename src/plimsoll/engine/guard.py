"""Cuts off a callback of a strategy that does not return (P8).

A thread looks every 10 ms (every 40th of a long limit) whether the callback under way is still the
one it saw. When that has used the processor for the limit, or has stood (asleep, in a lock) for
four limits, it sends the main thread a signal, whose handler raises ``Cut`` inside the callback.
The order path pays a few stores.

Code that never comes back to the interpreter (a loop in C) cannot be cut off from inside; for that
there is the watchdog.

A live engine goes on without the instance. A run of the past, a backtest or a replay, has nothing
to go on for: it ends there (``guarded``), after a limit that only an endless callback meets.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from plimsoll.core.records import CallbackCut
from plimsoll.core.strategy.turns import Cut, Turns

POLL_S: Final = 0.01
_POLLS: Final = 40
"""Looks within a limit that is long."""
STANDING: Final = 4
"""Limits of wall time after which a callback counts as stuck even where it used no processor: time
in which it waited for a processor that another process had is not the callback's."""

SIGNAL: Final = signal.SIGUSR2

PAST_LIMIT_NS: Final = 10_000_000_000
"""Limit for runs of the past unless told otherwise."""


class CallbackHung(Exception):
    """A callback did not return, in a run of the past."""

    def __init__(self, cut: CallbackCut) -> None:
        """Say which; ``guarded`` says where and why."""
        super().__init__(f"{cut.owner}: {cut.callback} did not return")
        self.cut = cut
        self.place = ""
        """File, line and function it was in, empty where nobody knows."""
        self.used = ""
        """What it had used by then, in words."""


class CallbackGuard:
    """Watches the callbacks of one core, or of some that take turns, from a thread of its own."""

    def __init__(self, turns: Turns, limit_ns: int, *others: Turns) -> None:
        """Prepare; ``limit_ns`` of processor time is what a callback may take, 0 = any."""
        self._all = (turns, *others)
        self._limit_ns = limit_ns
        self.place = ""
        """Where the newest callback was that was cut off."""
        self.used = ""
        """What it had used, in words."""
        self._overdue: tuple[Turns | None, int] = None, 0
        """The callback that is to be cut off: whose, and its serial."""
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

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        turns, serial = self._overdue
        if turns is not None and turns.is_inside and turns.serial == serial:
            self.place = _place(frame)
            raise Cut

    def _watch(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        clock, thread = time.pthread_getcpuclockid(main), threading.main_thread().native_id
        poll_s = max(POLL_S, self._limit_ns / 1e9 / _POLLS)
        seen: tuple[Turns | None, int] = None, 0
        since_cpu_ns = since_ns = waited_ns = 0
        while not self._ended.wait(poll_s):
            turns = next((one for one in self._all if one.is_inside), None)
            if turns is None:
                seen = None, 0
                continue
            waited_ns = _waited_ns(thread, waited_ns)
            cpu_ns, now_ns = time.clock_gettime_ns(clock), time.monotonic_ns() - waited_ns
            if seen != (turns, turns.serial):
                seen, since_cpu_ns, since_ns = (turns, turns.serial), cpu_ns, now_ns
                continue
            used_ns, stood_ns = cpu_ns - since_cpu_ns, now_ns - since_ns
            if used_ns >= self._limit_ns or stood_ns >= STANDING * self._limit_ns:
                is_busy = used_ns >= self._limit_ns
                self.used = (
                    f"used the processor for {used_ns / 1e9:.1f} s"
                    if is_busy
                    else f"stood for {stood_ns / 1e9:.1f} s"
                )
                self._overdue = seen
                since_cpu_ns, since_ns = cpu_ns, now_ns  # one that swallows it is cut again
                signal.pthread_kill(main, SIGNAL)


def _waited_ns(thread: int | None, before_ns: int) -> int:
    """Return how long a thread has waited for a processor so far, ``before_ns`` where untold."""
    try:
        with open(f"/proc/self/task/{thread}/schedstat", "rb") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return before_ns


@contextmanager
def guarded(limit_ns: int, turns: Turns, *others: Turns) -> Iterator[None]:
    """Cut off what does not return within a limit, in a run of the past, and say where it was.

    The run raises ``CallbackHung`` when it meets the record of a cut. Without a limit nothing is
    cut off, nor outside the main thread, which alone hears signals.
    """
    guard = CallbackGuard(turns, limit_ns, *others)
    guard.start()
    try:
        yield
    except CallbackHung as hung:
        hung.place, hung.used = guard.place, guard.used
        raise
    finally:
        guard.stop()


def _place(frame: FrameType | None) -> str:
    """Return the innermost line of the callback's own file, of what calls it on the way here."""
    stack = []
    while frame is not None and frame.f_globals.get("__name__", "") not in _CALLERS:
        stack.append(frame)
        frame = frame.f_back
    if not stack:
        return ""
    own = stack[-1].f_code.co_filename
    found = next(one for one in stack if one.f_code.co_filename == own)
    return f"{own}:{found.f_lineno} in {found.f_code.co_name}"


_CALLERS: Final = frozenset({"plimsoll.core.engine.calling", "plimsoll.core.engine.quiet"})
"""What calls into strategies."""
