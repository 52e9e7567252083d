"""Where each record stands: a cache beside the logs, brought up to date before each question.

Names to seqs, causes to effects, and notes (see ``notes``). It holds nothing the logs do not say;
a missing one, or one of another build, is made anew.
"""

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.engine import State, restore, snapshot
from plimsoll.core.records import RECORD_KIND, Record, Telemetry, decode
from plimsoll.engine.reading import EntryReader
from plimsoll.engine.restoring import forget_news
from plimsoll.journal import MARKET, TRADING, Places, look_up, scan
from plimsoll.why.notes import note_after, note_before
from plimsoll.why.subjects import subjects_of

_VERSION: Final = 2
_BATCH: Final = 20_000
_SCHEMA: Final = """
CREATE TABLE about (name TEXT NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE note (seq INTEGER PRIMARY KEY, place TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE effect (cause INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE place (log TEXT NOT NULL, segment INTEGER, seq INTEGER, at INTEGER);
CREATE TABLE reached (seq INTEGER NOT NULL, state BLOB NOT NULL);
CREATE INDEX about_name ON about (name, seq);
CREATE INDEX effect_cause ON effect (cause, seq);
"""


class Index:
    """The records of one journal by what they are about."""

    def __init__(self, journal_dir: Path, file: Path) -> None:
        """Open the cache, an empty one where it is missing or of another build."""
        self.journal_dir = journal_dir
        self._reader = EntryReader()
        self._base = self._open(file)
        self._state, self._seq = self._reached()
        self._places = {log: self._noted(log) for log in (TRADING, MARKET)}

    @property
    def state(self) -> State:
        """Return the books as of the newest record indexed."""
        return self._state

    def refresh(self) -> int:
        """Read what is new on the trading log; return how many records that were.

        Raises:
            JournalDamaged: what follows is not what was written.
        """
        count = 0
        abouts: list[tuple[str, int]] = []
        notes: list[tuple[int, str, str]] = []
        effects: list[tuple[int, int]] = []
        for entry in scan(self.journal_dir, TRADING, self._seq + 1):
            if entry.kind != RECORD_KIND:
                continue
            record = decode(entry.payload)
            count += 1
            if isinstance(record, Telemetry):
                continue
            abouts += [(name, record.seq) for name in dict.fromkeys(subjects_of(record))]
            if record.cause:
                effects.append((record.cause, record.seq))
            before = note_before(self._state, record)
            self._state.apply(record)
            after = note_after(self._state, record)
            forget_news(self._state)
            if before or after:
                notes.append((record.seq, "before" if before else "after", before or after))
            self._seq = entry.seq
            if count % _BATCH == 0:
                self._write(abouts, notes, effects)
                abouts, notes, effects = [], [], []
        if count:
            self._write(abouts, notes, effects)
            self._keep()
        return count

    def seqs_about(self, name: str) -> list[int]:
        """Return the seqs of the records about a name, oldest first."""
        rows = self._base.execute("SELECT seq FROM about WHERE name = ? ORDER BY seq", (name,))
        return [row[0] for row in rows]

    def effects_of(self, seq: int) -> list[int]:
        """Return the seqs of the records that a record led to, oldest first."""
        rows = self._base.execute("SELECT seq FROM effect WHERE cause = ? ORDER BY seq", (seq,))
        return [row[0] for row in rows]

    def note_on(self, seq: int) -> tuple[str, str]:
        """Return whether a note was taken ``before`` or ``after`` a record, and the note."""
        row = self._base.execute("SELECT place, text FROM note WHERE seq = ?", (seq,)).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def names_like(self, start: str, most: int = 5) -> list[str]:
        """Return names that begin alike, for a hint."""
        rows = self._base.execute(
            "SELECT DISTINCT name FROM about WHERE name >= ? AND name < ? LIMIT ?",
            (start, start + "\U0010ffff", most),
        )
        return [row[0] for row in rows]

    def records(self, seqs: list[int]) -> dict[int, Record]:
        """Return the records with these seqs, from whichever log has them.

        What is not there any more (dropped market data) is missing from the answer.

        Raises:
            JournalDamaged: they cannot be read.
        """
        found: dict[int, Record] = {}
        for log in (TRADING, MARKET):
            for entry in look_up(
                self.journal_dir, log, set(seqs) - found.keys(), self._places[log]
            ):
                record = self._reader.record(entry)
                if record is not None:
                    found[entry.seq] = record
        return found

    def close(self) -> None:
        """Keep what was learned and close the cache."""
        for log, places in self._places.items():
            rows = [(log, *place) for place in places.fresh]
            self._base.executemany("INSERT INTO place VALUES (?, ?, ?, ?)", rows)
        self._base.commit()
        self._base.close()

    # ---- inside ----

    def _noted(self, log: str) -> Places:
        rows = self._base.execute("SELECT segment, seq, at FROM place WHERE log = ?", (log,))
        return Places(rows.fetchall())

    def _open(self, file: Path) -> sqlite3.Connection:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        base = sqlite3.connect(file)
        try:
            if base.execute("PRAGMA user_version").fetchone()[0] == _VERSION:
                return base
        except sqlite3.DatabaseError:
            pass
        base.close()
        file.unlink(missing_ok=True)
        base = sqlite3.connect(file)
        base.executescript(_SCHEMA)
        base.execute(f"PRAGMA user_version = {_VERSION}")
        base.commit()
        return base

    def _reached(self) -> tuple[State, int]:
        row = self._base.execute("SELECT seq, state FROM reached").fetchone()
        if row is None:
            return State(), 0
        try:
            return restore(row[1]), row[0]
        except (msgspec.MsgspecError, ValueError):
            for table in ("about", "note", "effect", "place", "reached"):
                self._base.execute(f"DELETE FROM {table}")  # noqa: S608 - five names of ours
            return State(), 0

    def _write(
        self,
        abouts: list[tuple[str, int]],
        notes: list[tuple[int, str, str]],
        effects: list[tuple[int, int]],
    ) -> None:
        self._base.executemany("INSERT INTO about VALUES (?, ?)", abouts)
        self._base.executemany("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", notes)
        self._base.executemany("INSERT INTO effect VALUES (?, ?)", effects)

    def _keep(self) -> None:
        self._base.execute("DELETE FROM reached")
        self._base.execute("INSERT INTO reached VALUES (?, ?)", (self._seq, snapshot(self._state)))
        self._base.commit()
