"""What the strategies knew when their last session broke off: its records run once more.

A checkpoint is up to a minute old. From the newest one on, the recorded inputs are run through the
strategies again, and the recorded decisions are applied in the place of theirs. The result goes
into the new session's log as ``StrategyRestored``. A checkpoint on the way is taken over: it says
what an instance knew then, also one that started after the others. Books are whole where their
snapshot is among the ``BACK`` records before the checkpoint, else from the next one on; bars and
fills miss nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.engine import Core, Load
from plimsoll.core.records import (
    DECISIONS,
    RECORD_KIND,
    CallbackCut,
    PaperFilled,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
    PaperReported,
    Record,
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

_BEFORE: Final = frozenset(
    {PaperReported, PaperFilled, PaperFunded, PaperFundingOwed, PaperFundingSettled}
)
"""What the venue of paper does about an input before strategies hear of it."""

_STAMP: Final = 4
"""Fields that number a record: seq, time, epoch, cause."""


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
    shadow = _Shadow(core, checkpoint_seq, _cut_off(journal_dir, checkpoint_seq))
    reader = EntryReader()
    logs = (
        scan(journal_dir, TRADING, core.seq + 1),
        scan(journal_dir, MARKET, max(1, checkpoint_seq - BACK)),
    )
    for entry in merge(*logs):
        record = reader.record(entry)
        if record is not None and not isinstance(record, Telemetry):
            shadow.take(record)
    return shadow.end()


class _Shadow:
    """Runs strategies beside the record of what was decided.

    What a strategy decides is looked for among the recorded decisions about the same input, and
    those up to it are applied before it goes on: it finds its orders as it did then. What it
    decides otherwise than on record is dropped.
    """

    def __init__(self, core: Core, checkpoint_seq: int, without: frozenset[str]) -> None:
        """Begin after the newest checkpoints; ``without``: instances that were cut off later."""
        self._core = core
        self._checkpoint_seq = checkpoint_seq
        self._without = without
        self._is_begun = False
        self._input: Record | None = None
        self._decisions: deque[Record] = deque()
        """Those on record about the input."""
        self._others: list[str] = []
        """Instances that a checkpoint on the way says something else of."""

    def take(self, record: Record) -> None:
        """Take the next record of the logs."""
        if not self._is_begun:
            if record.seq <= self._checkpoint_seq or type(record) is StrategyCheckpoint:
                self._core.apply(record)
                return
            self._core.shadow(self._without)
            self._is_begun = True
        if type(record) in _DECISIONS:
            self._decisions.append(record)
            return
        self._step()
        self._input = record

    def end(self) -> dict[str, bytes]:
        """Return what the strategies know after the last record."""
        self._step()
        return self._core.saved() if self._is_begun and not self._core.is_ended else {}

    # ---- inside ----

    def _step(self) -> None:
        core, left = self._core, self._decisions
        if self._input is not None:
            core.apply(self._input)
            while left and type(left[0]) in _BEFORE:
                self._apply(left.popleft())
            self._follow(core.decide(self._input))
        while left:
            self._apply(left.popleft())
            if core.state.news:
                self._follow(core.settled())
        self._input = None
        for owner in self._others:
            core.shadow_again(owner)
        self._others.clear()

    def _follow(self, decided: Iterable[Record]) -> None:
        left = self._decisions
        for decision in decided:
            same = next((nth for nth, one in enumerate(left) if _is_same(one, decision)), -1)
            for _ in range(same + 1):
                self._apply(left.popleft())

    def _apply(self, record: Record) -> None:
        self._core.apply(record)
        if type(record) is StrategyCheckpoint and not self._core.holds(record.owner, record.state):
            self._others.append(record.owner)


def _is_same(recorded: Record, decided: Record) -> bool:
    """Return whether two decisions say the same; numbers and times may differ."""
    if isinstance(recorded, StrategyCheckpoint) and isinstance(decided, StrategyCheckpoint):
        return recorded.owner == decided.owner
    if type(recorded) is not type(decided):
        return False
    return msgspec.structs.astuple(recorded)[_STAMP:] == msgspec.structs.astuple(decided)[_STAMP:]


def _cut_off(journal_dir: Path, since_seq: int) -> frozenset[str]:
    return frozenset(
        record.owner
        for entry in scan(journal_dir, TRADING, since_seq)
        if entry.kind == RECORD_KIND and isinstance(record := decode(entry.payload), CallbackCut)
    )
