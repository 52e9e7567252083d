"""State from a journal: the newest snapshot and the trading log after it."""

from pathlib import Path

import msgspec

from plimsoll.core.engine import State, restore
from plimsoll.core.records import RECORD_KIND, decode
from plimsoll.journal import TRADING, newest_snapshot, scan

SNAPSHOTS = "snapshots"


def restore_state(journal_dir: Path) -> tuple[State, int]:
    """Return the state after the journal's last trading record, and how many were applied.

    Raises:
        JournalDamaged: the trading log is not whole: do not trade.
    """
    state = _from_snapshot(journal_dir)
    applied = 0
    for entry in scan(journal_dir, TRADING, state.seq + 1):
        if entry.kind == RECORD_KIND:
            state.apply(decode(entry.payload))
            applied += 1
    state.news.clear()
    state.orders.contradictions.clear()
    return state, applied


def _from_snapshot(journal_dir: Path) -> State:
    found = newest_snapshot(journal_dir / SNAPSHOTS)
    if found is None:
        return State()
    try:
        return restore(found[1])
    except (msgspec.MsgspecError, ValueError):
        return State()  # of another build: the log holds everything, only slower
