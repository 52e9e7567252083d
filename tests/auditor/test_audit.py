"""The auditor against logs written here: what agrees, what does not, and which snapshots stay."""

import msgspec
import pytest
from tests.properties.driver import Driver

from plimsoll.auditor.audit import Audit
from plimsoll.core.engine import books_hash
from plimsoll.core.records import (
    DECISIONS,
    INPUTS,
    RECORD_KIND,
    ExecutionReported,
    HashTaken,
    StrategyCheckpoint,
    encode,
)
from plimsoll.engine.restoring import SNAPSHOTS, restore_state
from plimsoll.journal import Journal, JournalSettings, snapshots
from plimsoll.journal.layout import first_seq_of

STORED = frozenset((*INPUTS, *DECISIONS))
MINUTE_NS = 60_000_000_000
SMALL = JournalSettings(trading_segment_bytes=8192)


@pytest.fixture
def journal(tmp_path):
    found = Journal.open(tmp_path, "main", 1)
    yield found
    found.close()


def append(journal, records):
    for record in records:
        if type(record) in STORED and record.seq > journal.last_seq:
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.force()


def traded():
    """Return a driver after a session with a position, a working order and three checkpoints."""
    driver = Driver().live()
    for number in range(3):
        order = driver.open_order()
        driver.execute(order.id, 4, f"e{number}")
        driver.advance(MINUTE_NS)
        driver.book()
    return driver


def audited(directory, **options):
    audit = Audit(directory, **options)
    while audit.poll():
        pass
    audit.close()
    return audit


def is_second_fill(record):
    return type(record) is ExecutionReported and record.execution_id == "e1"


def hashes(driver):
    return [record for record in driver.log if type(record) is HashTaken]


def test_books_that_the_log_leads_to_agree_with_every_hash(tmp_path, journal):
    driver = traded()
    append(journal, driver.log)
    verdict = audited(tmp_path).verdict
    assert verdict.finding is None
    assert verdict.books_checked == len(hashes(driver)) >= 3
    assert verdict.checked_seq == hashes(driver)[-1].seq
    assert verdict.behind == 0
    assert verdict.account == driver.core.state.account


@pytest.mark.parametrize("lost", ["fill", "hash"])
def test_a_log_that_leads_elsewhere_is_a_finding_that_names_the_place(tmp_path, journal, lost):
    driver = traded()
    wrong = []
    for record in driver.log:
        if lost == "fill" and is_second_fill(record):
            continue
        if lost == "hash" and record is hashes(driver)[1]:
            record = msgspec.structs.replace(record, books_hash="0" * 32)
        wrong.append(record)
    append(journal, wrong)
    audit = audited(tmp_path)
    finding = audit.verdict.finding
    assert finding is not None
    assert finding.code == "books"
    after = next(r.seq for r in driver.log if is_second_fill(r))
    assert finding.seq == min(one.seq for one in hashes(driver) if one.seq > after)
    assert audit.poll() == 0


def test_a_snapshot_stands_before_the_newest_checkpoint_and_saves_reading(tmp_path, journal):
    driver = traded()
    append(journal, driver.log)
    whole, all_applied, checkpoint_seq = restore_state(tmp_path)
    verdict = audited(tmp_path, snapshot_records=5).verdict
    assert verdict.finding is None
    kept = [seq for seq, _ in snapshots(tmp_path / SNAPSHOTS)]
    assert kept == [verdict.snapshot_seq]
    assert 0 < verdict.snapshot_seq < hashes(driver)[-1].seq
    restored = restore_state(tmp_path)
    assert restored.applied < all_applied
    assert books_hash(restored.state) == books_hash(whole)
    batch = [r.seq for r in driver.log if type(r) is StrategyCheckpoint]
    assert restored.checkpoint_seq == checkpoint_seq == max(batch)
    assert restored.checkpoint_seq > verdict.snapshot_seq


def test_no_snapshot_is_written_of_books_that_differ(tmp_path, journal):
    driver = traded()
    before, last = hashes(driver)[-2:]
    wrong = [
        msgspec.structs.replace(r, books_hash="f" * 32) if r is last else r for r in driver.log
    ]
    append(journal, wrong)
    assert audited(tmp_path, snapshot_records=5).verdict.finding is not None
    assert all(seq < before.seq for seq, _ in snapshots(tmp_path / SNAPSHOTS))


def test_no_snapshot_is_written_of_what_is_not_on_disk_yet(tmp_path, journal, monkeypatch):
    driver = traded()
    append(journal, driver.log)
    monkeypatch.setattr("plimsoll.auditor.audit.forced_seq", lambda *_: 1)
    audit = Audit(tmp_path, snapshot_records=5)
    while audit.poll():
        pass
    assert list(snapshots(tmp_path / SNAPSHOTS)) == []
    monkeypatch.undo()
    audit.poll()
    audit.close()
    assert len(list(snapshots(tmp_path / SNAPSHOTS))) == 1


def test_a_snapshot_that_does_not_restore_to_its_books_is_a_finding(tmp_path, journal, monkeypatch):
    from plimsoll.core.engine import State, restore

    def forgetful(payload):
        state = restore(payload)
        state.ledger.cash.clear()
        state.ledger.positions.clear()
        state.orders.working.clear()
        return state

    driver = traded()
    append(journal, driver.log)
    monkeypatch.setattr("plimsoll.auditor.audit.restore", forgetful)
    finding = audited(tmp_path, snapshot_records=5).verdict.finding
    assert finding is not None
    assert finding.code == "snapshot"
    assert list(snapshots(tmp_path / SNAPSHOTS)) == []
    assert State().seq == 0


def test_a_flipped_bit_in_a_segment_that_no_start_reads_is_found(tmp_path):
    driver = traded()
    first = Journal.open(tmp_path, "main", 1, SMALL)
    append(first, driver.log)
    first.close()
    audited(tmp_path, snapshot_records=5)
    paths = sorted((tmp_path / "trading").glob("*.seg"))
    (kept, _), *_ = snapshots(tmp_path / SNAPSHOTS)
    assert first_seq_of(paths[2]) < kept, "the damage is behind what is read"
    content = bytearray(paths[0].read_bytes())
    content[400] ^= 1
    paths[0].write_bytes(content)
    restored = restore_state(tmp_path)
    assert restored.state.seq > 0
    finding = audited(tmp_path).verdict.finding
    assert finding is not None
    assert finding.code == "damage"
    assert f"{paths[0]}: damaged at byte" in finding.text
