import os
import signal
import subprocess
import sys
import time

import pytest

from plimsoll.journal import (
    TRADING,
    Follower,
    Journal,
    JournalDamaged,
    JournalError,
    JournalSettings,
    merge,
    open_log,
    scan,
    verify,
)
from plimsoll.journal.segment import Segment

SMALL = JournalSettings(trading_segment_bytes=16384, market_segment_bytes=16384)

CHILD = """
import os, sys
from pathlib import Path
from plimsoll.journal import Journal, JournalSettings
settings = JournalSettings(trading_segment_bytes=16384, market_segment_bytes=16384)
journal = Journal.open(Path(sys.argv[1]), "main", int(sys.argv[2]), settings)
seq = journal.last_seq
while True:
    seq += 1
    log = journal.trading if seq % 3 else journal.market
    log(seq, seq * 10, 1, seq.to_bytes(8, "little") * (seq % 60))
    os.write(1, seq.to_bytes(8, "little"))
"""


def body(seq):
    return seq.to_bytes(8, "little") * (seq % 60)


def write(directory, epoch, count, settings=SMALL):
    journal = Journal.open(directory, "main", epoch, settings)
    first = journal.last_seq + 1
    for seq in range(first, first + count):
        (journal.trading if seq % 3 else journal.market)(seq, seq * 10, 1, body(seq))
    journal.close()


def read_all(directory):
    return list(merge(scan(directory, "trading"), scan(directory, "market")))


def test_records_come_back_as_written_over_rotations_and_sessions(tmp_path):
    for epoch in (1, 2, 5):
        write(tmp_path, epoch, 300)
    entries = read_all(tmp_path)
    assert [entry.seq for entry in entries] == list(range(1, 901))
    assert all(entry.payload == body(entry.seq) for entry in entries)
    assert all(entry.ts_ns == entry.seq * 10 and entry.kind == 1 for entry in entries)
    assert [entries[at].epoch for at in (0, 300, 899)] == [1, 2, 5]
    assert verify(tmp_path, "trading").segments > 6
    assert next(entry.seq for entry in scan(tmp_path, "trading", 800)) == 800


def test_files_are_private_and_readers_need_no_write_permission(tmp_path):
    write(tmp_path, 1, 10)
    assert (tmp_path / "trading").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "trading").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o400)
    assert len(list(scan(tmp_path, "trading"))) == 7


def test_seq_that_does_not_grow_is_refused(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    journal.trading(5, 0, 1, b"x")
    with pytest.raises(AssertionError, match="seq 5 appended after 5"):
        journal.trading(5, 0, 1, b"x")
    journal.close()


def test_record_larger_than_a_segment_is_refused_and_the_log_goes_on(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    with pytest.raises(JournalError, match="raise the segment size"):
        journal.trading(1, 0, 1, bytes(16384))
    largest = bytes(16384 - 256 - 25)
    journal.trading(2, 0, 1, largest)
    journal.trading(3, 0, 1, largest)
    journal.close()
    assert [entry.payload for entry in scan(tmp_path, "trading")] == [largest, largest]


def test_second_writer_of_a_log_is_refused(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    with pytest.raises(JournalError, match="one log has one writer"):
        Journal.open(tmp_path, "main", 2, SMALL)
    journal.close()


def test_epoch_from_the_past_and_other_account_are_refused(tmp_path):
    write(tmp_path, 7, 10)
    with pytest.raises(JournalError, match="epoch 7 has written here, so epoch 6 may not"):
        Journal.open(tmp_path, "main", 6, SMALL)
    with pytest.raises(JournalError, match="account 'main', expected"):
        Journal.open(tmp_path, "other", 8, SMALL)
    Journal.open(tmp_path, "main", 7, SMALL).close()


def test_failed_force_refuses_every_later_append(tmp_path, monkeypatch):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    journal.trading(1, 0, 1, b"before")

    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    journal.trading(2, 0, 1, b"unforced")
    deadline = time.monotonic() + 60
    while journal.failure is None and time.monotonic() < deadline:
        time.sleep(0.001)
    monkeypatch.undo()
    assert isinstance(journal.failure, OSError)
    for _ in range(2):
        with pytest.raises(JournalError, match="Input/output error"):
            journal.trading(3, 0, 1, b"refused")
    with pytest.raises(JournalError):
        journal.force()
    journal.close()


def test_failed_rotation_refuses_every_later_append(tmp_path, monkeypatch):
    journal = Journal.open(tmp_path, "main", 1, SMALL)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    for seq in range(1, 5):
        journal.trading(seq, 0, 1, bytes(4000))
        journal._trading._spare = None  # as where the forcing thread was late
    with pytest.raises(JournalError, match="No space left"):
        journal.trading(5, 0, 1, bytes(4000))
    monkeypatch.undo()
    with pytest.raises(JournalError, match="takes no more records"):
        journal.trading(99, 0, 1, b"")
    journal.close()


def test_disk_mode_has_every_record_forced_before_a_send(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, JournalSettings(sync="disk"))
    for seq in range(1, 20):
        journal.trading(seq, 0, 1, b"intent")
        journal.before_send()
        assert journal.forced_seq == seq
    journal.close()


def test_background_thread_forces_and_chains_without_being_asked(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    journal.trading(1, 0, 1, b"intent")
    deadline = time.monotonic() + 60
    while journal.forced_seq < 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert journal.forced_seq == 1
    assert (tmp_path / "trading" / f"{1:020d}.chain").stat().st_size == 56
    journal.close()


def test_low_space_shows_at_the_thresholds(tmp_path):
    huge = 1 << 60
    low = Journal.open(tmp_path / "low", "main", 1, JournalSettings(low_free_bytes=huge))
    warned = Journal.open(tmp_path / "warn", "main", 1, JournalSettings(warn_free_bytes=huge))
    none = JournalSettings(low_free_fraction=0, low_free_bytes=0, warn_free_fraction=0)
    free = Journal.open(tmp_path / "free", "main", 1, none)
    assert low.low_space
    assert warned.warn_space
    assert not free.low_space
    for journal in (low, warned, free):
        journal.close()


def test_market_log_drops_its_oldest_segments_and_trading_none(tmp_path):
    settings = JournalSettings(
        trading_segment_bytes=16384, market_segment_bytes=16384, market_keep_bytes=80_000
    )
    write(tmp_path, 1, 3000, settings)
    market = [entry.seq for entry in scan(tmp_path, "market")]
    trading = [entry.seq for entry in scan(tmp_path, "trading")]
    assert market == list(range(market[0], 3001, 3))
    assert market[0] > 1500
    assert trading == [seq for seq in range(1, 3001) if seq % 3]
    held = sum(path.stat().st_size for path in (tmp_path / "market").glob("*.seg"))
    assert held <= 100_000
    report = verify(tmp_path, "market")
    assert report.is_whole
    assert report.notes
    write(tmp_path, 2, 10, settings)


@pytest.mark.parametrize("round_no", range(6))
def test_every_append_that_returned_survives_kill_9(tmp_path, round_no):
    follower, seen, told = Follower(tmp_path), [], 0
    for epoch in (1, 2):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(epoch)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        target = told + 200 + 137 * round_no
        while told < target:
            told = int.from_bytes(child.stdout.read(8), "little")
            assert told, "the child died"
            seen += follower.poll() if told % 20 == 0 else []
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        told = int.from_bytes(rest[-8:], "little") if len(rest) >= 8 else told
        entries = read_all(tmp_path)
        assert len(entries) in (told, told + 1)
        assert all(entry.payload == body(entry.seq) for entry in entries)
        journal = Journal.open(tmp_path, "main", epoch, SMALL)
        assert journal.last_seq == len(entries)
        journal.close()
        told = len(entries)
        assert verify(tmp_path, "trading").is_whole
    seen += follower.poll()
    follower.close()
    assert [entry.seq for entry in seen] == list(range(1, told + 1))


def test_segment_begun_without_a_record_is_removed_at_the_next_start(tmp_path):
    write(tmp_path, 1, 10)
    log = open_log(tmp_path, "trading", "main", 2, segment_bytes=16384)
    follower = Follower(tmp_path)
    assert len(follower.poll()) == 10
    log._rotate(11, 100)  # as if killed between the file's name and its first record
    assert follower.poll() == []
    log._open[0].close()
    os.close(log._folder_fd)
    write(tmp_path, 3, 10)
    assert [entry.seq for entry in follower.poll()] == list(range(11, 21))
    follower.close()
    assert verify(tmp_path, "trading").is_whole


def test_missing_trading_segment_is_refused_and_missing_market_segment_noted(tmp_path):
    write(tmp_path, 1, 1500)
    market = sorted((tmp_path / "market").glob("*.seg"))
    market[2].unlink()
    journal = Journal.open(tmp_path, "main", 2, SMALL)
    assert any("older segments are gone" in note for note in journal.notes)
    journal.close()
    trading = sorted((tmp_path / "trading").glob("*.seg"))
    for gone in (trading[0], trading[3]):
        content = gone.read_bytes()
        gone.unlink()
        with pytest.raises(JournalDamaged, match="a segment is missing"):
            Journal.open(tmp_path, "main", 2, SMALL)
        assert not verify(tmp_path, "trading").is_whole
        with pytest.raises(JournalDamaged):
            list(scan(tmp_path, "trading"))
        gone.write_bytes(content)
    Journal.open(tmp_path, "main", 2, SMALL).close()


def test_a_spare_is_never_made_over_the_segment_being_begun(tmp_path, monkeypatch):
    """The forcing thread may look for a spare at any moment of the first append."""
    writer = open_log(tmp_path, TRADING, "a", 1, segment_bytes=1 << 16)
    activate = Segment.activate

    def interrupted(segment, header):
        writer.prepare()
        activate(segment, header)
        writer.prepare()

    monkeypatch.setattr(Segment, "activate", interrupted)
    try:
        for seq in range(1, 50):
            writer.append(seq, seq, 1, b"x" * 100)
    finally:
        writer.close()
    assert [entry.seq for entry in scan(tmp_path, TRADING)] == list(range(1, 50))
