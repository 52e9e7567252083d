"""Starts engines and exchanges as forks of a process that has imported everything: in no time.

``python -m tests.simulation.launcher`` reads one line of JSON for each process to run, one after
the other, and answers with its pid and then with its exit code. ``Forked`` is the other side.
"""

import atexit
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Literal

import msgspec
import uvloop  # noqa: F401 - the engine would import it after the fork
from tests.simulation import engine_child

from plimsoll.simulator import SimSettings, serve

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1


class Work(msgspec.Struct):
    """One process: what it runs, what it is given, and the file its output is appended to."""

    what: Literal["engine", "exchange"]
    given: str
    """Path of an engine's job, or the settings of an exchange as JSON."""
    log: str


class Forked:
    """A process started by a launcher; it looks like a ``Popen`` to the tests."""

    def __init__(self, work: Work) -> None:
        """Start it, with a launcher that has nothing to do."""
        self._launcher = _idle.pop() if _idle else _launcher()
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._said = self._launcher.stdout
        self._launcher.stdin.write(msgspec.json.encode(work) + b"\n")
        self.pid = self._told()
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self._code is None and select.select([self._said], [], [], 0)[0]:
            self._code = self._told()
            _idle.append(self._launcher)
        return self._code

    def wait(self, timeout: float) -> int:
        """Return the exit code, waiting for it."""
        if self._code is None:
            select.select([self._said], [], [], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("forked process", timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal where it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def _told(self) -> int:
        return int(self._said.readline())


_idle: list["subprocess.Popen[bytes]"] = []


def _launcher() -> "subprocess.Popen[bytes]":
    found = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.launcher"],
        bufsize=0,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(_close, found)
    return found


def _close(launcher: "subprocess.Popen[bytes]") -> None:
    for pipe in (launcher.stdin, launcher.stdout):
        assert pipe is not None
        pipe.close()
    try:
        launcher.wait(2)
    except subprocess.TimeoutExpired:  # a process of it still runs, and ends with it
        launcher.kill()
        launcher.wait(10)


def _main() -> None:
    _end_with_the_parent()
    for line in sys.stdin.buffer:
        pid = os.fork()
        if pid == 0:
            _become(msgspec.json.decode(line, type=Work))
        os.write(1, b"%d\n" % pid)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _end_with_the_parent() -> None:
    """Leave nothing behind where a test run is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _become(work: Work) -> None:
    """Do the work in this fork, and end with it."""
    _end_with_the_parent()
    code = 1
    try:
        log = os.open(work.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, fd in ((0, nothing), (1, log), (2, log)):
            os.dup2(fd, number)
        if work.what == "engine":
            code = engine_child.main(Path(work.given))
        else:
            code = serve(msgspec.json.decode(work.given, type=SimSettings))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _main()
