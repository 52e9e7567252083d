"""The heart of the trading loop: beats to whoever guards it, and the notice that it stood still.

A beat comes from the loop's own timer, never from a thread: a loop that hangs does not beat. Where
two beats lie too far apart the process, or the machine, was paused: what it knew is old, and
nothing that adds risk may leave before it is known anew (RSK-11, RSK-13, P7).
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plimsoll.control import BeatSender, Life
from plimsoll.engine.clock import EngineClock
from plimsoll.websocket import Shell
from plimsoll.websocket.shell import Timer

BEAT_NS: Final = 250_000_000
PAUSED_NS: Final = 3_000_000_000
"""A loop that has not beaten for so long was paused."""


class Pulse:
    """Whether the loop has beaten lately, by the clock that goes on while the machine sleeps."""

    __slots__ = ("_beaten_ns", "_now_ns")

    def __init__(self, clock: EngineClock) -> None:
        """Start without a beat: before the first one there is nothing to miss."""
        self._now_ns = clock.boot_ns
        self._beaten_ns = 0

    @property
    def is_fresh(self) -> bool:
        """Return whether the last beat is young enough to send what adds risk."""
        return not self._beaten_ns or self._now_ns() - self._beaten_ns < PAUSED_NS

    def beat(self) -> int:
        """Note a beat; return how long the loop was paused before it, 0 where it was not."""
        before, self._beaten_ns = self._beaten_ns, self._now_ns()
        gap_ns = self._beaten_ns - before if before else 0
        return gap_ns if gap_ns >= PAUSED_NS else 0


class Heart:
    """Beats on the event loop, each ``BEAT_NS``."""

    def __init__(
        self,
        sender: BeatSender,
        beat: Callable[[], tuple[Life, int, int, int, bool]],
        shell: Shell,
    ) -> None:
        """Prepare; ``beat`` does the loop's own part and says what to tell."""
        self._sender = sender
        self._beat = beat
        self._shell = shell
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._again()

    def stop(self, *, is_clean: bool) -> None:
        """Stop beating. ``is_clean``: tell that nothing needs watching any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if is_clean:
                _life, seq, epoch, ts_ns, is_ready = self._beat()
                self._sender.send(Life.ENDED, seq, epoch, ts_ns, is_ready=is_ready)
        self._sender.close()

    def _again(self) -> None:
        self._timer = self._shell.call_later(BEAT_NS / 1e9, self._again)
        life, seq, epoch, ts_ns, is_ready = self._beat()
        self._sender.send(life, seq, epoch, ts_ns, is_ready=is_ready)
        notify("WATCHDOG=1")


def announce(run_dir: Path) -> None:
    """Tell a guard that an engine is starting: it has longer until its first beat."""
    sender = BeatSender(run_dir)
    sender.send(Life.STARTING)
    sender.close()


def notify(text: str) -> None:
    """Tell the service manager, where one asked for it (systemd, sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        try:
            link.sendto(text.encode(), f"\0{address[1:]}" if address[0] == "@" else address)
        except OSError:  # it does not listen, or not yet: the next beat tells again
            return
