"""Proof replay: run a recorded session again and compare every decision, byte for byte (JRN-7).

Inputs come from the logs, decisions are made anew by the same code. Nothing is sent. A session is
one epoch; it starts at its ``LeaseTaken`` from the state the records before it leave.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plimsoll.core.engine import Core, Load, State
from plimsoll.core.records import (
    DECISIONS,
    FRAME_KIND,
    RECORD_KIND,
    CallbackCut,
    Record,
    Telemetry,
    decode,
    encode,
)
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.engine.guard import PAST_LIMIT_NS, CallbackHung, guarded
from plimsoll.engine.reading import EntryReader, record_of
from plimsoll.engine.restoring import forget_news
from plimsoll.journal import MARKET, TRADING, Entry, merge, scan

_DECISIONS = frozenset(DECISIONS)
_CUT = encode(CallbackCut(0, 0, 0, 0, "", "", 0))[1:5]
"""Where its tag stands in the bytes of a record."""


@dataclass(frozen=True)
class Difference:
    """The first decision that differs: as the log has it, and as it was made again."""

    seq: int
    ts_ns: int
    cause: int
    """Seq of the input it follows from."""
    logged: str
    """Empty: the log has none there."""
    replayed: str
    """Empty: the replay makes none there."""
    fields: tuple[str, ...]
    """What differs, where both are of one kind."""
    missing: str = ""
    """Why nothing can be proved from here on: code the session ran is not at hand."""


@dataclass(frozen=True)
class ReplayReport:
    """What a replay found. ``first_difference`` is empty when the session is identical."""

    epoch: int
    identical: bool
    inputs: int
    decisions: int
    first_difference: str
    seconds: float
    difference: Difference | None = None


def sessions(journal_dir: Path) -> list[int]:
    """Return the epochs of the sessions in a journal, oldest first."""
    return list(dict.fromkeys(entry.epoch for entry in scan(journal_dir, TRADING)))


def prove(
    journal_dir: Path, epoch: int, load: Load, callback_limit_ns: int = PAST_LIMIT_NS
) -> ReplayReport:
    """Replay one session and compare its decisions.

    Raises:
        JournalDamaged: the logs are not whole.
        KeyError: there is no such session.
        CallbackHung: a callback that returned in the session does not.
    """
    started = time.perf_counter()
    prover = _Prover(load)
    prover.core.turns.known = cut_callbacks(journal_dir, epoch)
    with guarded(callback_limit_ns, prover.core.turns):
        for entry in merge(scan(journal_dir, TRADING), scan(journal_dir, MARKET)):
            if entry.epoch < epoch:
                prover.before(entry)
            elif entry.epoch > epoch or not prover.step(entry):
                break
    if not prover.entries:
        raise KeyError(f"no session with epoch {epoch} in {journal_dir}")
    return ReplayReport(
        epoch,
        not prover.difference,
        prover.inputs,
        prover.decisions,
        _words(prover.difference),
        time.perf_counter() - started,
        prover.difference,
    )


def cut_callbacks(journal_dir: Path, epoch: int) -> frozenset[tuple[int, int]]:
    """Return input and number of each callback that was cut off in a session: no clock says it."""
    return frozenset(
        (record.cause, record.nth)
        for entry in scan(journal_dir, TRADING)
        if entry.epoch == epoch
        and entry.kind == RECORD_KIND
        and entry.payload[1:5] == _CUT
        and isinstance(record := decode(entry.payload), CallbackCut)
    )


class _Prover:
    """Feeds recorded inputs to a fresh core and holds its decisions against the recorded ones."""

    def __init__(self, load: Load) -> None:
        self.core = Core(self._loaded(load), State())
        self.missing = ""
        self.reader = EntryReader()
        self.expected: Iterator[Record] = iter(())
        self.ahead: deque[Record] = deque()
        self.entries = 0
        self.inputs = 0
        self.decisions = 0
        self.difference: Difference | None = None

    def before(self, entry: Entry) -> None:
        """Apply a trading record of an earlier session; its market data left nothing behind."""
        if entry.kind != FRAME_KIND:
            record = record_of(entry)
            if not isinstance(record, Telemetry):
                self.core.apply(record)

    def step(self, entry: Entry) -> bool:
        """Take one entry of the session; return whether everything is equal so far."""
        if not self.entries:
            forget_news(self.core.state)
        self.entries += 1
        record = self.reader.record(entry)
        if record is None:
            return True
        if type(record) in _DECISIONS:
            return self._compare(record)
        missing = _returned(next(self.expected, None))
        if missing is not None:
            self.difference = self._differs(missing.seq, entry.ts_ns, None, missing)
            return False
        if isinstance(record, Telemetry):
            self.core.apply(record)
            return True
        self.inputs += 1
        self.core.apply(record)
        self.expected = iter(self.core.decide(record))
        return True

    def _compare(self, recorded: Record) -> bool:
        made = next(self.expected, None)
        self.decisions += 1
        if made is None or encode(made) != encode(recorded):
            _returned(made)
            self.difference = self._differs(recorded.seq, recorded.ts_ns, recorded, made)
            return False
        self.core.apply(made)
        return True

    def _differs(
        self, seq: int, ts_ns: int, recorded: Record | None, made: Record | None
    ) -> Difference:
        fields: list[str] = []
        if recorded is not None and type(made) is type(recorded):
            fields = [
                name
                for name in recorded.__struct_fields__
                if getattr(recorded, name) != getattr(made, name)
            ]
        first = recorded if recorded is not None else made
        assert first is not None
        return Difference(
            seq,
            ts_ns,
            first.cause,
            _shown(recorded),
            _shown(made),
            tuple(fields),
            self.missing,
        )

    def _loaded(self, load: Load) -> Load:
        """Return a loader that notes what it could not load: then nothing is proved behind it."""

        def noting(settings: StrategySettings) -> Strategy:
            try:
                return load(settings)
            except Exception as error:  # as the core takes it, which goes on with the old code
                self.missing = f"{settings.name}: {error}"
                raise

        return noting


def _returned(made: Record | None) -> Record | None:
    """Return a decision the log does not have, unless it is that a callback was cut off here.

    Raises:
        CallbackHung: it is.
    """
    if isinstance(made, CallbackCut):
        raise CallbackHung(made)
    return made


def _words(difference: Difference | None) -> str:
    """Return a difference in one line, empty where there is none."""
    if difference is None:
        return ""
    if difference.missing:
        return f"seq {difference.seq}: cannot be proved from here on: {difference.missing}"
    logged, replayed = difference.logged or "nothing", difference.replayed or "nothing"
    return f"seq {difference.seq}: the log has {logged}, replay {replayed}"


_SHOWN_MOST = 2_000


def _shown(record: Record | None) -> str:
    text = "" if record is None else repr(record)
    return text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]} ..."
