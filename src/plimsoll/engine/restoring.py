"""State from a journal: the newest snapshot and the trading log after it."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from plimsoll.core.engine import State, restore, snapshot
from plimsoll.core.model.ids import epoch_of, is_own
from plimsoll.core.records import (
    RECORD_KIND,
    LeaseTaken,
    Record,
    StrategyCheckpoint,
    StrategyStopped,
)
from plimsoll.engine.reading import record_of
from plimsoll.journal import (
    MARKET,
    TRADING,
    forced_seq,
    reaches,
    scan,
    snapshots,
    write_snapshot,
)

SNAPSHOTS = "snapshots"
_BATCH_SEQS = 100
"""Checkpoints closer together than this belong to one moment: one for each instance."""

LONG = 50_000
"""Records after which a start leaves a snapshot for the next one: no auditor has run."""

NEAR = 20_000
"""Seqs from the end within which it is taken."""

_FORGET = 10_000


class Restored(NamedTuple):
    """A state, how many records led there, and where the newest checkpoints begin (0: none).

    A death comes between the checkpoints of two instances, too: they begin where the oldest of the
    newest ones is.
    """

    state: State
    applied: int
    checkpoint_seq: int


def restore_state(journal_dir: Path, *, keep: bool = False) -> Restored:
    """Return the state after the journal's last trading record.

    Args:
        journal_dir: The account's journal.
        keep: After a long read write a snapshot of a moment near the end; for who holds the lease.

    Raises:
        JournalDamaged: the trading log is not whole: do not trade.
        JournalError: another release wrote it, with records this one does not know.
    """
    state = from_snapshot(journal_dir)
    reading = _Reading(state, forced_seq(journal_dir, TRADING) if keep else 0)
    for entry in scan(journal_dir, TRADING, state.seq + 1):
        if entry.kind == RECORD_KIND:
            reading.take(record_of(entry))
    forget_news(state)
    if reading.kept is not None:
        with suppress(OSError):  # no space for it: the next start reads as much as this one
            write_snapshot(journal_dir / SNAPSHOTS, *reading.kept)
    return Restored(state, reading.applied, reading.checkpoint_seq)


class _Reading:
    """Applies a log's tail; notes where checkpoints begin, and the state before one near the end.

    Which checkpoint is the newest shows at the end only, and a snapshot costs as much as ten
    thousand records: one is taken at the first checkpoint that is half as far from the end as the
    one before.
    """

    def __init__(self, state: State, end_seq: int) -> None:
        self.state = state
        self.applied = 0
        self.kept: tuple[int, bytes] | None = None
        self._last_checkpoint = 0
        self._newest: dict[str, int] = {}
        """Newest checkpoint of each instance that runs, of the newest session that has any."""
        self._is_new_session = False
        self._end_seq = end_seq
        self._nearer_than = NEAR

    @property
    def checkpoint_seq(self) -> int:
        return min(self._newest.values(), default=0)

    def take(self, record: Record) -> None:
        state = self.state
        if type(record) is StrategyCheckpoint:
            if record.seq - self._last_checkpoint > _BATCH_SEQS or not self._newest:
                self._keep()
            self._last_checkpoint = record.seq
            if self._is_new_session:
                self._newest.clear()
                self._is_new_session = False
            self._newest[record.owner] = record.seq
        elif type(record) is LeaseTaken:
            self._is_new_session = True
        elif type(record) is StrategyStopped and record.code != "session":
            self._newest.pop(record.owner, None)
        state.apply(record)
        self.applied += 1
        if self.applied % _FORGET == 0:
            forget_news(state)

    def _keep(self) -> None:
        left = self._end_seq - self.state.seq
        if self.applied >= LONG and 0 <= left < self._nearer_than:
            forget_news(self.state)
            self.kept = (self.state.seq, snapshot(self.state))
            self._nearer_than = left // 2


def from_snapshot(journal_dir: Path, before: int = 0) -> State:
    """Return the state of the newest usable snapshot, an empty one where there is none.

    One of another build is passed over: the log holds everything, only slower. So is one the logs
    do not reach: an old copy of them was restored, or the machine went down before they were on
    disk, and what follows would be written under seqs the snapshot has seen.

    Args:
        journal_dir: The account's journal.
        before: Only snapshots below this seq, 0 for any.

    Raises:
        JournalDamaged: a log's newest segment cannot be read.
    """
    for seq, payload in snapshots(journal_dir / SNAPSHOTS):
        is_early = not before or seq < before
        if not is_early or not any(reaches(journal_dir, log, seq) for log in (TRADING, MARKET)):
            continue
        try:
            return restore(payload)
        except (msgspec.MsgspecError, ValueError):
            continue
    return State()


def highest_epoch_of(state: State, tag: str) -> int:
    """Return the highest epoch the books know of: of a session, or in an id of ours at the venue.

    The venue knows ids of later epochs than the log where an old copy of it was put back; new ids
    must be above those as well.
    """
    ids = (order.id for order in (*state.orders.working.values(), *state.orders.closed.values()))
    return max(state.epoch, *(epoch_of(one) for one in ids if is_own(one, tag)), 0)


def forget_news(state: State) -> None:
    """Drop what applying left for a ``decide`` that is not going to happen."""
    state.news.clear()
    state.taken.clear()
    state.moved.clear()
    state.orders.contradictions.clear()
