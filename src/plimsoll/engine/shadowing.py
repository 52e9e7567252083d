"""What the strategies knew when their last session broke off: its records run once more.

A checkpoint is up to a minute old. From the newest one on, the recorded inputs are run through the
strategies again and their decisions discarded; the recorded decisions are applied. The result goes
into the new session's log as ``StrategyRestored``. A checkpoint on the way is taken over: it says
what an instance knew then, also one that started after the others. Books are whole where their
snapshot is among the ``BACK`` records before the checkpoint, else from the next one on; bars and
fills miss nothing.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plimsoll.core.engine import Core, Load
from plimsoll.core.records import (
    DECISIONS,
    RECORD_KIND,
    CallbackCut,
    StrategyCheckpoint,
    Telemetry,
    decode,
)
from plimsoll.engine.reading import EntryReader
from plimsoll.engine.restoring import from_snapshot
from plimsoll.journal import MARKET, TRADING, JournalError, merge, scan

BACK: Final = 20_000
"""Records before the checkpoint in which the snapshots of books are looked for: 0.2 s of reading,
and the first minutes of a session."""

_DECISIONS: Final = frozenset(DECISIONS)


def newest_states(
    journal_dir: Path, checkpoint_seq: int, load: Load, trouble: Callable[[str, str, str], None]
) -> dict[str, bytes]:
    """Return the state of each instance at the end of the logs; empty after a clean stop.

    What stands against it (a changed strategy, missing market data) is told through ``trouble``;
    then the checkpoints stay the newest state.

    Raises:
        JournalDamaged: the logs are not whole.
    """
    if not checkpoint_seq:
        return {}
    try:
        return _run(journal_dir, checkpoint_seq, load)
    except (JournalError, OSError):
        raise
    except Exception as error:
        trouble("not-restored", "strategies", f"they go on from their checkpoints: {error!r}")
        return {}


def _run(journal_dir: Path, checkpoint_seq: int, load: Load) -> dict[str, bytes]:
    core = Core(load, from_snapshot(journal_dir, before=checkpoint_seq))
    reader, is_shadowing = EntryReader(), False
    without = _cut_off(journal_dir, checkpoint_seq)
    logs = (
        scan(journal_dir, TRADING, core.seq + 1),
        scan(journal_dir, MARKET, max(1, checkpoint_seq - BACK)),
    )
    for entry in merge(*logs):
        record = reader.record(entry)
        if record is None or isinstance(record, Telemetry):
            continue
        core.apply(record)
        if is_shadowing:
            if type(record) is StrategyCheckpoint:
                core.shadow_again(record.owner)
            elif type(record) not in _DECISIONS:
                deque(core.decide(record), maxlen=0)
        elif entry.seq > checkpoint_seq and type(record) is not StrategyCheckpoint:
            core.shadow(without)
            is_shadowing = True
    return core.saved() if is_shadowing and not core.is_ended else {}


def _cut_off(journal_dir: Path, since_seq: int) -> frozenset[str]:
    return frozenset(
        record.owner
        for entry in scan(journal_dir, TRADING, since_seq)
        if entry.kind == RECORD_KIND and isinstance(record := decode(entry.payload), CallbackCut)
    )
