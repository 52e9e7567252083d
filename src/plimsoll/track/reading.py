"""Feeding the trading log to the follower: from its beginning to what is its end now."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from plimsoll.engine.reading import record_of
from plimsoll.journal import TRADING, Follower
from plimsoll.track.follower import Tracks


class Read(NamedTuple):
    """Track records, and from what."""

    tracks: Tracks
    records: int
    last_seq: int
    last_ns: int


def read(journal_dir: Path, now_ns: int, told: Callable[[int, int], None]) -> Read:
    """Return all track records.

    Args:
        journal_dir: Of the account.
        now_ns: Records of later than this are left: a running engine's log has no end.
        told: Hears how far it has come, after each batch.

    Raises:
        JournalDamaged: what follows is not what was written.
        JournalError: written by another release.
    """
    tracks, records = Tracks(), 0
    follower = Follower(journal_dir, (TRADING,))
    try:
        while batch := follower.poll():
            for entry in batch:
                tracks.apply(record_of(entry))
            records += len(batch)
            told(records, batch[-1].ts_ns)
            if batch[-1].ts_ns > now_ns:
                break
    finally:
        follower.close()
    return Read(tracks, records, tracks.state.seq, tracks.state.ts_ns)
