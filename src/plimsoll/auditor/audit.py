"""The comparison: state from the log by ``apply``, its hashes against those the engine recorded.

Each minute and at a clean stop the engine records its checkpoints and then two hashes. The books'
hash is compared at each of them. The state's hash covers markets as well, so it is compared where
the market log was followed since the session began, by the build that wrote it, and where the
checkpoints beside it say what the strategies know.

A snapshot is taken just before such a batch, so that a restart finds the newest checkpoint behind
it, and written after the batch's hash has agreed and the log is on disk up to there.
"""

from pathlib import Path
from typing import Final, NamedTuple

from plimsoll import __version__
from plimsoll.auditor.verdict import Finding, Verdict
from plimsoll.core.engine import State, books_hash, restore, snapshot, state_hash
from plimsoll.core.feed import Market
from plimsoll.core.records import (
    HashTaken,
    LeaseTaken,
    Record,
    StrategyCheckpoint,
    Telemetry,
)
from plimsoll.engine.reading import EntryReader
from plimsoll.engine.restoring import SNAPSHOTS, forget_news, from_snapshot
from plimsoll.journal import (
    MARKET,
    TRADING,
    Follower,
    JournalDamaged,
    JournalError,
    Verification,
    forced_seq,
    write_snapshot,
)

SNAPSHOT_NS: Final = 300_000_000_000
SNAPSHOT_RECORDS: Final = 20_000
"""A snapshot is due after five minutes or so many records, at the next checkpoint."""

_CATCHING_UP: Final = 5_000
"""Entries of one poll above which the log is still ahead: a snapshot would soon be an old one."""


class _Taken(NamedTuple):
    seq: int
    books: str
    payload: bytes


class Audit:
    """One account's logs, followed from the newest snapshot or from their first record.

    Attributes:
        state: What the log leads to.
        verdict: How far it is and what it found; after a finding nothing more is looked at.
    """

    def __init__(
        self,
        journal_dir: Path,
        *,
        from_start: bool = False,
        snapshot_ns: int = SNAPSHOT_NS,
        snapshot_records: int = SNAPSHOT_RECORDS,
    ) -> None:
        """Begin; the engine may run, be dead, or not have started yet.

        Raises:
            JournalDamaged: a log's newest segment cannot be read.
        """
        self._directory = journal_dir
        self._due_ns, self._due_records = snapshot_ns, snapshot_records
        self.state = State() if from_start else from_snapshot(journal_dir)
        self.verdict = Verdict(seq=self.state.seq, epoch=self.state.epoch)
        self._verification = Verification(journal_dir, TRADING, finished_only=True)
        self._follower = Follower(journal_dir, (TRADING, MARKET), self.state.seq + 1)
        self._reader = EntryReader()
        self._batch = 0
        """Cause of the checkpoints that were recorded last."""
        self._desks: dict[str, bytes] = {}
        self._begun_seq = 0
        """Where the session began whose markets are followed, 0 where they are not."""
        self._since = (self.state.ts_ns, 0)
        """Time of the newest snapshot and records applied since."""
        self._is_late = True
        self._taken: _Taken | None = None
        self._agreed: _Taken | None = None

    def poll(self) -> int:
        """Take what is new, else check a finished segment; return how much there was to do."""
        if self.verdict.finding is not None:
            return 0
        try:
            entries = self._follower.poll()
            self._is_late = len(entries) > _CATCHING_UP
            for entry in entries:
                record = self._reader.record(entry)
                if record is not None and not isinstance(record, Telemetry):
                    self._take(record)
                if self.verdict.finding is not None:
                    break
            forget_news(self.state)
            self._write_agreed()
            self._measure_lag()
            return len(entries) or self._verify()
        except JournalDamaged as error:
            self._find("damage", error.seq, str(error))
            return 0
        except JournalError as error:
            self._find("release", self.state.seq, str(error))
            return 0

    def close(self) -> None:
        """Close the files."""
        self._follower.close()

    # ---- inside ----

    def _take(self, record: Record) -> None:
        state = self.state
        if type(record) is LeaseTaken:
            self._begin(record)
        elif isinstance(record, StrategyCheckpoint | HashTaken):
            if record.cause != self._batch:
                self._batch, self._desks = record.cause, {}
                self._take_snapshot()
            if isinstance(record, HashTaken):
                self._compare(record)
            else:
                self._desks[record.owner] = record.state
        state.apply(record)
        self._since = (self._since[0], self._since[1] + 1)
        if len(state.news) > _CATCHING_UP:
            forget_news(state)

    def _begin(self, record: LeaseTaken) -> None:
        """Begin a session as the engine did: it has heard of no market yet."""
        state = self.state
        self._begun_seq = record.seq if record.version == __version__ else 0
        for name, instrument in state.instruments.items():
            market = state.markets[name] = Market(instrument)
            if state.settings is not None:
                market.adopt(state.settings.timing)

    def _compare(self, record: HashTaken) -> None:
        state, verdict = self.state, self.verdict
        derived = books_hash(state)
        if derived != record.books_hash:
            text = f"the engine had {record.books_hash}, its log leads to {derived}"
            self._find("books", record.seq, text)
            return
        verdict.books_checked += 1
        if self._knows_all():
            derived = state_hash(state, self._desks)
            if derived != record.state_hash:
                text = f"the engine had {record.state_hash}, its logs lead to {derived}"
                self._find("state", record.seq, text)
                return
            verdict.states_checked += 1
        verdict.checked_seq = record.seq
        self._agreed, self._taken = self._taken or self._agreed, None

    def _knows_all(self) -> bool:
        settings = self.state.settings
        if settings is None or not self._begun_seq or self._begun_seq < self._follower.whole_from:
            return False
        return self._desks.keys() == {one.name for one in settings.strategies}

    def _take_snapshot(self) -> None:
        state, (since_ns, records) = self.state, self._since
        is_due = state.ts_ns - since_ns >= self._due_ns or records >= self._due_records
        if is_due and not self._is_late:
            self._taken = _Taken(state.seq, books_hash(state), snapshot(state))

    def _write_agreed(self) -> None:
        """Write the snapshot whose hash agreed, once the log is on disk up to there."""
        agreed = self._agreed
        if agreed is None or forced_seq(self._directory, TRADING) < agreed.seq:
            return
        self._agreed = None
        if books_hash(restore(agreed.payload)) != agreed.books:
            self._find("snapshot", agreed.seq, "a snapshot does not restore to the books it is of")
            return
        write_snapshot(self._directory / SNAPSHOTS, agreed.seq, agreed.payload)
        self.verdict.snapshot_seq = agreed.seq
        self._since = (self.state.ts_ns, 0)

    def _measure_lag(self) -> None:
        verdict = self.verdict
        verdict.account, verdict.epoch = self.state.account, self.state.epoch
        verdict.seq = self.state.seq
        verdict.behind = max(0, forced_seq(self._directory, TRADING) - verdict.seq)

    def _verify(self) -> int:
        """Check a finished trading segment: a restart trusts those it need not read."""
        if not self._verification.step():
            return 0
        report = self._verification.report
        self.verdict.segments_verified = report.segments
        if report.damage:
            one = report.damage[0]
            place = f"{one.file}: damaged at byte {one.offset}, after seq {one.seq}"
            self._find("damage", one.seq, f"{place}: {one.what}")
        return 1

    def _find(self, code: str, seq: int, text: str) -> None:
        self.verdict.finding = Finding(code, seq, self.state.ts_ns, text)
