"""State from a journal: the newest snapshot and the trading log after it."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from plimsoll.core.engine import State, restore
from plimsoll.core.records import RECORD_KIND, StrategyCheckpoint
from plimsoll.engine.reading import record_of
from plimsoll.journal import MARKET, TRADING, reaches, scan, snapshots

SNAPSHOTS = "snapshots"
_BATCH_SEQS = 100
"""Checkpoints closer together than this belong to one moment: one for each instance."""


class Restored(NamedTuple):
    """A state, how many records led there, and where the newest checkpoints begin (0: none)."""

    state: State
    applied: int
    checkpoint_seq: int


def restore_state(journal_dir: Path) -> Restored:
    """Return the state after the journal's last trading record.

    Raises:
        JournalDamaged: the trading log is not whole: do not trade.
        JournalError: another release wrote it, with records this one does not know.
    """
    state = from_snapshot(journal_dir)
    applied = checkpoint_seq = last_checkpoint = 0
    for entry in scan(journal_dir, TRADING, state.seq + 1):
        if entry.kind != RECORD_KIND:
            continue
        record = record_of(entry)
        state.apply(record)
        applied += 1
        if type(record) is StrategyCheckpoint:
            if entry.seq - last_checkpoint > _BATCH_SEQS or not checkpoint_seq:
                checkpoint_seq = entry.seq
            last_checkpoint = entry.seq
    forget_news(state)
    return Restored(state, applied, checkpoint_seq)


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


def forget_news(state: State) -> None:
    """Drop what applying left for a ``decide`` that is not going to happen."""
    state.news.clear()
    state.orders.contradictions.clear()
