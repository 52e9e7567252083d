"""Feeding both logs to a follower that measures execution: bounded memory, progress, one session.

Trading records of earlier sessions are read for the orders and filters they left; their market data
are passed over unread.
"""

import difflib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from plimsoll.cli import text
from plimsoll.cli.books import wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.core.records import FRAME_KIND, Record
from plimsoll.engine.reading import EntryReader
from plimsoll.engine.replay import sessions
from plimsoll.journal import MARKET, TRADING, Entry, Follower, newest_epoch

_TELL_S: Final = 2.0
"""Seconds between two words of progress; a quick read has none."""


ALL: Final = "all"
LAST: Final = "last"


def epoch_of(journal_dir: Path, session: str) -> int:
    """Return the epoch of a session as it is asked for: 0 for all of them.

    Raises:
        Failure: there is no such session.
    """
    if session == ALL:
        return 0
    epoch = newest_epoch(journal_dir, TRADING) if session == LAST else -1
    if session.isdecimal():
        epoch = int(session)
    known = sessions(journal_dir)
    if epoch in known:
        return epoch
    raise Failure(
        Exit.USAGE,
        "no-session",
        f"there is no session {session!r} in {journal_dir}",
        f"sessions: {', '.join(map(str, known))}; or `last`, or `all`",
    )


def session_text(session: str) -> str:
    """Return what was read, in words."""
    return "all sessions" if session == ALL else f"session {session}"


def must_be_there(what: str, name: str, names: Iterable[str]) -> None:
    """Refuse a name that nothing was recorded of.

    Raises:
        Failure: with the nearest name.
    """
    known = sorted(set(names))
    if not name or name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
    raise Failure(Exit.USAGE, "not-found", f"no order of {what} {name!r} was recorded", hint)


def tell(entries: int, ts_ns: int) -> None:
    """Say on stderr how far reading has come."""
    print(f"read {entries:,} records, to {text.moment(ts_ns)} UTC", file=sys.stderr, flush=True)


class Measure(Protocol):
    """A follower of the logs."""

    def apply(self, record: Record) -> None:
        """Take one record."""

    def forget(self) -> None:
        """Begin to count anew."""


M = TypeVar("M", bound=Measure)


class Read(NamedTuple, Generic[M]):
    """What was measured, and from what."""

    measure: M
    records: int
    """Entries of both logs that belong to what was asked for."""
    first_ns: int
    last_ns: int
    market_from: int
    """Seq from which on market data are whole; older segments were dropped. 0 = all are there."""


class Measurer(Generic[M]):
    """Reads the logs from their beginning to what is their end now."""

    def __init__(
        self,
        journal_dir: Path,
        measure: M,
        epoch: int = 0,
        *,
        books_only: bool = False,
        told: Callable[[int, int], None] = tell,
    ) -> None:
        """Feed a follower with one session, or with epoch 0 all of them.

        Args:
            journal_dir: Folder of the logs.
            measure: The follower; it hears the earlier sessions' orders as well.
            epoch: The session.
            books_only: Of market data only order books are read.
            told: Hears how far it has come.
        """
        self.journal_dir = journal_dir
        self.epoch = epoch
        self.measure = measure
        self.records = self.first_ns = self.last_ns = 0
        self._told = told
        self._reader = EntryReader(books_only=books_only)
        self._is_over = False

    def read(self) -> Read[M]:
        """Read it all.

        Raises:
            JournalDamaged: what follows is not what was written.
            JournalError: written by another release.
        """
        return next(self.watch())

    def watch(self) -> Iterator[Read[M]]:
        """Read all there is, again and again: each time it is asked for the next.

        Raises:
            JournalDamaged: what follows is not what was written.
            JournalError: written by another release.
        """
        follower = Follower(self.journal_dir, (TRADING, MARKET))
        try:
            while True:
                self._advance(follower)
                first_ns, last_ns, whole_from = self.first_ns, self.last_ns, follower.whole_from
                yield Read(self.measure, self.records, first_ns, last_ns, whole_from)
        finally:
            follower.close()

    def _advance(self, follower: Follower) -> None:
        begun_ns, told_s, entries = wall_ns(), time.monotonic(), 0
        while not self._is_over and (batch := follower.poll()):
            for entry in batch:
                self._take(entry)
            entries += len(batch)
            if time.monotonic() - told_s >= _TELL_S:
                told_s = time.monotonic()
                self._told(entries, batch[-1].ts_ns)
            if batch[-1].ts_ns > begun_ns:  # of a running engine: it has no end
                break

    def _take(self, entry: Entry) -> None:
        if self.epoch and entry.epoch != self.epoch:
            self._is_over = self._is_over or entry.epoch > self.epoch
            if self._is_over or entry.kind == FRAME_KIND:
                return
        elif not self.records:
            self.measure.forget()
            self.first_ns = entry.ts_ns
        record = self._reader.record(entry)
        if record is not None and not self._is_over:
            self.measure.apply(record)
        if not self.epoch or entry.epoch == self.epoch:
            self.records += 1
            self.last_ns = entry.ts_ns
