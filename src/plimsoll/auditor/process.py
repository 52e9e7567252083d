"""The auditor as a process: until a signal, or once to the end of the logs."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from plimsoll.auditor.audit import Audit
from plimsoll.auditor.verdict import Finding, Verdict, read_verdict, write_verdict
from plimsoll.engine.clock import EngineClock
from plimsoll.journal import JournalDamaged
from plimsoll.observe import Log, start_logging

_POLL_S: Final = 0.25
_TELL_NS: Final = 1_000_000_000
_LAST_NS: Final = 3_000_000_000
"""How long it reads on after a signal."""

_NICE: Final = 10
"""It may be late; the trading loop beside it may not."""

_DONE: Final = 0
_REFUSED: Final = 7
_FINDINGS: Final = 9


@dataclass(frozen=True, kw_only=True)
class AuditorSettings:
    """Where the logs are and what is asked."""

    journal_dir: Path
    run_dir: Path
    once: bool = False
    """End at the end of the logs, all finished segments checked."""

    from_start: bool = False
    """Derive the state from the first record instead of the newest snapshot."""

    forget: bool = False
    """What was found before was looked into."""


def serve(settings: AuditorSettings) -> int:
    """Audit until SIGTERM or SIGINT; return the exit code.

    Returns:
        9 after a finding of this run or one nobody has looked into, 7 where another auditor runs,
        143 or 130 after a signal, 0 after ``once`` without a finding.
    """
    start_logging()
    log = Log("plimsoll.auditor")
    settings.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    stopped, code = threading.Event(), [_DONE]

    def stop(number: int, _frame: FrameType | None) -> None:
        code[0] = 128 + number
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with alone(settings.run_dir) as is_alone:
            if not is_alone:
                log.trouble(
                    "auditor", str(settings.run_dir), "another auditor of this account runs"
                )
                return _REFUSED
            if not settings.once:
                os.nice(_NICE)
            return _Run(settings, log).until(stopped) or code[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone(run_dir: Path) -> Iterator[bool]:
    """Yield whether no auditor runs in this directory, and keep others from starting meanwhile."""
    fd = os.open(run_dir / "audit.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


class _Run:
    """One run: polls, tells each second, ends with a finding."""

    def __init__(self, settings: AuditorSettings, log: Log) -> None:
        self._settings, self._log = settings, log
        self._clock = EngineClock()
        self._told_ns = 0

    def until(self, stopped: threading.Event) -> int:
        """Return 9 where something was found, else 0 when stopped or at the end of ``once``."""
        settings = self._settings
        earlier = None if settings.forget else read_verdict(settings.run_dir)
        if earlier is not None and earlier.finding is not None:
            return self._end(earlier)
        try:
            audit = Audit(settings.journal_dir, from_start=settings.from_start)
        except JournalDamaged as error:
            finding = Finding("damage", error.seq, self._clock.now_ns(), str(error))
            return self._end(Verdict(finding=finding))
        self._log.audit_started(os.getpid(), audit.state.seq)
        try:
            self._follow(audit, stopped)
        finally:
            audit.close()
        return self._end(audit.verdict)

    def _follow(self, audit: Audit, stopped: threading.Event) -> None:
        """Poll until there is a finding, or nothing left of what was written before the stop."""
        last_ns = 0
        while True:
            todo = audit.poll()
            now_ns = self._clock.now_ns()
            is_ending = self._settings.once or stopped.is_set()
            if audit.verdict.finding is not None or (is_ending and not todo):
                return
            if stopped.is_set():
                last_ns = last_ns or now_ns + _LAST_NS
                if now_ns > last_ns:
                    return
            if now_ns - self._told_ns >= _TELL_NS:
                self._tell(audit.verdict, os.getpid())
            if not todo:
                stopped.wait(_POLL_S)

    def _end(self, verdict: Verdict) -> int:
        self._tell(verdict, 0)
        finding = verdict.finding
        if finding is None:
            return _DONE
        self._log.audit_finding(finding.code, finding.seq, finding.text)
        return _FINDINGS

    def _tell(self, verdict: Verdict, pid: int) -> None:
        self._told_ns = verdict.told_ns = self._clock.now_ns()
        verdict.pid = pid
        write_verdict(self._settings.run_dir, verdict)
