"""State from a journal: the newest snapshot and the trading log after it."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from plimsoll.core.engine import State, restore
from plimsoll.core.records import RECORD_KIND, StrategyCheckpoint, decode
from plimsoll.journal import TRADING, newest_snapshot, scan

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
    """
    state = from_snapshot(journal_dir)
    applied = checkpoint_seq = last_checkpoint = 0
    for entry in scan(journal_dir, TRADING, state.seq + 1):
        if entry.kind != RECORD_KIND:
            continue
        record = decode(entry.payload)
        state.apply(record)
        applied += 1
        if type(record) is StrategyCheckpoint:
            if entry.seq - last_checkpoint > _BATCH_SEQS or not checkpoint_seq:
                checkpoint_seq = entry.seq
            last_checkpoint = entry.seq
    forget_news(state)
    return Restored(state, applied, checkpoint_seq)


def from_snapshot(journal_dir: Path) -> State:
    """Return the state of the newest usable snapshot, an empty one where there is none."""
    found = newest_snapshot(journal_dir / SNAPSHOTS)
    if found is None:
        return State()
    try:
        return restore(found[1])
    except (msgspec.MsgspecError, ValueError):
        return State()  # of another build: the log holds everything, only slower


def forget_news(state: State) -> None:
    """Drop what applying left for a ``decide`` that is not going to happen."""
    state.news.clear()
    state.taken.clear()
    state.moved.clear()
    state.orders.contradictions.clear()
