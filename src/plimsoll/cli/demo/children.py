"""The processes of a demo: started, watched, restarted, stopped."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 10.0
"""A process that lived this long begins again with the shortest pause."""

REFUSALS: Final = frozenset(
    {Exit.USAGE, Exit.CONFIGURATION, Exit.CREDENTIALS, Exit.REFUSED, Exit.FINDINGS}
)
"""Exit codes after which another start would end the same way."""

_TAIL_LINES: Final = 5
_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal a process gets when its parent dies."""


class Child:
    """One `plimsoll` command in a process group of its own; its output goes to a file."""

    def __init__(self, words: list[str], log: Path) -> None:
        """Describe the process; `start` starts it."""
        self.words = words
        self.log = log
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process's number, 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended; negative by a signal, None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start it; output is added to the file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-m", "plimsoll.cli", *self.words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C in the terminal is for the demo alone
                preexec_fn=partial(_end_with_parent, os.getpid()),
                env=_environment(),
            )
        self.starts += 1

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None and self.is_alive:
            self._process.kill()
            self._process.wait()

    def stop(self, patience_s: float) -> bool:
        """Ask it to end; return whether it did so by itself within ``patience_s``."""
        if self._process is None or not self.is_alive:
            return True
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def last_words(self) -> str:
        """Return the end of its output."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(line.removeprefix("error: ") for line in lines[-_TAIL_LINES:])


class Supervisor:
    """Keeps one child running: a dead one is started again, after growing pauses."""

    def __init__(self, child: Child) -> None:
        """Watch a child that was not started yet."""
        self.child = child
        self.restarts = 0
        self.kills = 0
        self.refusal: int | None = None
        """Exit code of a child that must not be started again."""
        self._pause_s = FIRST_PAUSE_S
        self._started = 0.0
        self._due: float | None = 0.0
        """When to start it; None while it runs."""

    def tick(self, now: float) -> None:
        """Look after the child; ``now`` is monotonic seconds."""
        if self._due is None and not self.child.is_alive:
            self._died(now)
        if self._due is not None and now >= self._due and self.refusal is None:
            self.restarts += bool(self.child.starts)
            self.child.start()
            self._started, self._due = now, None

    def kill_now(self, now: float) -> bool:
        """Kill -9 the child and have it started at once; return whether one was alive."""
        if not self.child.is_alive:
            return False
        self.child.kill()
        self.kills += 1
        self._due = now
        return True

    def _died(self, now: float) -> None:
        code = self.child.exit_code
        if code in REFUSALS:
            self.refusal = code
        if now - self._started >= STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        self._due = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def await_file(path: Path, child: Child, patience_s: float) -> bool:
    """Return whether a child wrote a file before it ended or ``patience_s`` went by."""
    deadline = time.monotonic() + patience_s
    while not path.exists():
        if not child.is_alive or time.monotonic() > deadline:
            return path.exists()
        time.sleep(0.02)
    return True


def _end_with_parent(parent: int) -> None:
    """Have the kernel stop this process gracefully when the demo dies without stopping it.

    One that died before this took hold will not be told of: then there is nothing to begin.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _environment() -> dict[str, str]:
    """Return the variables of a child: without those that speak to `demo`."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PLIMSOLL_")}
