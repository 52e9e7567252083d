"""Damage of every kind: always a valid prefix or a refusal (reliability.md Q11)."""

import os
import random
import shutil

import pytest

from plimsoll.journal import (
    Journal,
    JournalDamaged,
    JournalSettings,
    Verification,
    scan,
    verify,
)
from plimsoll.journal import recover as recovery
from plimsoll.journal.layout import HEADER_BYTES
from plimsoll.journal.writer import open_log, repair

FULL = os.environ.get("DAMAGE") == "full"
"""Q11 as it is written: ``DAMAGE=full``; the gate takes a part of it."""

TRUNCATION_STEP = 1 if FULL else 16
FLIPS = 10_000 if FULL else 500
FORCED = 350
"""Records of the log that were on disk when its writer was killed."""

SMALL = JournalSettings(trading_segment_bytes=8192, market_segment_bytes=8192)


def write(directory, count, epoch=1):
    log = open_log(directory, "trading", "main", epoch, segment_bytes=8192)
    first = log.last_seq + 1
    for seq in range(first, first + count):
        log.append(seq, seq, 1, bytes([seq % 251]) * (seq % 90))
        if seq % 10 == 0:
            log.force()
    return log


def crash(log):
    """Leave the files as a killed process leaves them."""
    log._abandon()


def outcome(directory, written):
    """Return what a start makes of the log: the records, or None for a refusal."""
    try:
        log = open_log(directory, "trading", "main", 9, segment_bytes=8192)
    except JournalDamaged:
        return None
    log.close()
    entries = list(scan(directory, "trading"))
    assert entries == written[: len(entries)]
    return entries


@pytest.fixture
def crashed(tmp_path):
    """A log of three segments, the last one forced up to record 350 and torn off at 356."""
    crash(write(tmp_path / "log", 356))
    return tmp_path / "log", list(scan(tmp_path / "log", "trading"))


def fresh(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def test_every_truncation_of_the_last_4_kib_leaves_a_prefix_or_is_refused(crashed, tmp_path):
    source, written = crashed
    last = max((source / "trading").glob("*.seg"))
    content = last.read_bytes().rstrip(b"\0")
    refused = kept = 0
    target = fresh(source, tmp_path / "copy")
    path = target / "trading" / last.name
    for cut in range(0, 4096, TRUNCATION_STEP):
        restore_files(source, target)
        with path.open("r+b") as file:
            file.truncate(max(0, len(content) - cut))
        entries = outcome(target, written)
        refused += entries is None
        kept += entries is not None
        assert entries is None or len(entries) >= FORCED
    assert refused > 20
    assert kept > 0


def test_every_flipped_bit_leaves_a_prefix_or_is_refused_with_its_place(crashed, tmp_path):
    """A start refuses, or keeps all that was forced; `verify` sees each of them."""
    source, written = crashed
    choose = random.Random(20)
    target = fresh(source, tmp_path / "copy")
    files = sorted((source / "trading").iterdir())
    assert len(files) >= 4
    origins = {path: path.read_bytes() for path in files}
    used = {path: len(content.rstrip(b"\0")) for path, content in origins.items()}
    refused = kept = 0
    for _ in range(FLIPS):
        origin = choose.choice(files)
        at, bit = choose.randrange(used[origin]), 1 << choose.randrange(8)
        content = bytearray(origins[origin])
        content[at] ^= bit
        (target / "trading" / origin.name).write_bytes(content)
        report = verify(target, "trading")
        place = f"{origin.name} byte {at} bit {bit}"
        assert not report.is_whole or report.torn_tail is not None, place
        entries = started(target, written)
        refused += entries is None
        kept += entries is not None
        assert entries is None or len(entries) >= FORCED, place
        restore_files(source, target)
    assert refused > FLIPS // 2
    assert kept > 0


def started(directory, written):
    """Return what a start that reads everything makes of the log, None for a refusal."""
    try:
        entries = list(scan(directory, "trading"))
    except JournalDamaged as error:
        told = f"{error.file}: damaged at byte {error.offset}, after seq {error.seq}: "
        return None if told in str(error) and error.what else []
    assert entries == written[: len(entries)]
    return outcome(directory, written)


def restore_files(source, target):
    """Put back what a start or a flip changed."""
    for path in (target / "trading").iterdir():
        origin = source / "trading" / path.name
        if not origin.exists():
            path.unlink()
    for origin in (source / "trading").iterdir():
        path = target / "trading" / origin.name
        content = origin.read_bytes()
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def test_a_log_killed_before_any_force_is_whole_and_the_next_start_completes_it(tmp_path):
    log = open_log(tmp_path, "trading", "main", 1, segment_bytes=8192)
    for seq in range(1, 301):
        log.append(seq, seq, 1, bytes(90))
    crash(log)
    before = verify(tmp_path, "trading")
    assert before.segments > 3
    assert before.is_whole
    assert not Verification(tmp_path, "trading", finished_only=True).step()
    open_log(tmp_path, "trading", "main", 2, segment_bytes=8192).close()
    assert verify(tmp_path, "trading").is_whole
    assert Verification(tmp_path, "trading", finished_only=True).step()
    assert len(list(scan(tmp_path, "trading"))) == 300


def test_torn_tail_is_cut_and_told(crashed):
    directory, written = crashed
    last = max((directory / "trading").glob("*.seg"))
    end = len(last.read_bytes().rstrip(b"\0"))
    with last.open("r+b") as file:
        file.seek(end - 20)
        file.write(b"\xff")
    torn = verify(directory, "trading").torn_tail
    assert torn is not None
    assert torn.seq == 355
    log = open_log(directory, "trading", "main", 2, segment_bytes=8192)
    assert log.last_seq == 355
    assert "after seq 355" in log.recovery.notes[0]
    log.append(356, 0, 1, b"again")
    log.close()
    assert [entry.seq for entry in scan(directory, "trading")] == list(range(1, 357))
    assert verify(directory, "trading").is_whole
    assert written[355].payload != b"again"


def test_damage_names_file_offset_and_seq(crashed):
    directory, _ = crashed
    last = max((directory / "trading").glob("*.seg"))
    with last.open("r+b") as file:
        file.seek(HEADER_BYTES + 30)
        file.write(b"\xff\xff")
    with pytest.raises(JournalDamaged) as caught:
        open_log(directory, "trading", "main", 2, segment_bytes=8192)
    assert caught.value.file == last
    assert caught.value.offset == HEADER_BYTES
    assert last.name in str(caught.value)
    damage = verify(directory, "trading").damage
    assert [(one.file, one.offset) for one in damage] == [(last, HEADER_BYTES)]


def test_unforced_records_lost_by_a_power_cut_are_cut_though_later_pages_survived(
    crashed, monkeypatch
):
    directory, _ = crashed
    last = max((directory / "trading").glob("*.seg"))
    content = last.read_bytes()
    lost = content.index(bytes([352 % 251]) * (352 % 90))
    with last.open("r+b") as file:
        file.seek(lost)
        file.write(bytes(8))
    with pytest.raises(JournalDamaged, match="follow a bad one"):
        open_log(directory, "trading", "main", 2, segment_bytes=8192)
    monkeypatch.setattr(recovery, "boot_id", lambda: b"another boot of it")
    log = open_log(directory, "trading", "main", 2, segment_bytes=8192)
    assert log.last_seq == 351
    log.close()
    assert verify(directory, "trading").is_whole


def test_unknown_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("plimsoll.journal.layout.VERSION", 2)
    write(tmp_path, 5).close()
    monkeypatch.undo()
    with pytest.raises(JournalDamaged, match="reads format 1, found 2"):
        Journal.open(tmp_path, "main", 1, SMALL)


def test_segment_of_a_lower_epoch_after_a_higher_one_is_refused(tmp_path, monkeypatch):
    write(tmp_path, 5, epoch=4).close()
    log = open_log(tmp_path, "trading", "main", 4, segment_bytes=8192)
    log._epoch = 3
    log.append(6, 0, 1, b"")
    log.close()
    monkeypatch.undo()
    with pytest.raises(JournalDamaged, match="epoch 3"):
        open_log(tmp_path, "trading", "main", 5, segment_bytes=8192)
    with pytest.raises(JournalDamaged, match="epoch 3"):
        list(scan(tmp_path, "trading"))


def test_verify_names_a_truncated_and_a_missing_segment(crashed):
    directory, _ = crashed
    paths = sorted((directory / "trading").glob("*.seg"))
    content = paths[0].read_bytes()
    paths[0].write_bytes(content[:-200])
    assert verify(directory, "trading").damage[0].file == paths[0]
    paths[0].write_bytes(content)
    paths[1].unlink()
    damage = verify(directory, "trading").damage
    assert {one.file for one in damage} == {paths[1], paths[2]}
    assert any("a segment is missing" in one.what for one in damage)


def test_newest_segment_gone_shows_by_its_chain_file(crashed):
    directory, _ = crashed
    last = max((directory / "trading").glob("*.seg"))
    last.unlink()
    assert [one.file for one in verify(directory, "trading").damage] == [last]
    with pytest.raises(JournalDamaged, match="its chain file is there"):
        open_log(directory, "trading", "main", 2, segment_bytes=8192)


# ---- power lost just after a change of segments (found by the simulated world) -----------------


@pytest.fixture
def rebooted(monkeypatch):
    """Let the machine have been restarted between the writing and the reading."""

    def restart():
        monkeypatch.setattr(recovery, "boot_id", lambda: bytes(15) + b"2")

    monkeypatch.setattr("plimsoll.journal.writer.boot_id", lambda: bytes(15) + b"1")
    return restart


def after_a_change_of_segments(directory):
    """Return the log's newest two segments: the last one never forced, the one before partly."""
    log = write(directory, 155)
    seq = log.last_seq
    while len(log._open) < 2:
        seq += 1
        log.append(seq, seq, 1, b"x" * 80)
    forced = log._open[0].forced
    paths = [segment.path for segment in log._open]
    crash(log)
    return paths, forced


def test_a_segment_whose_predecessor_lost_its_end_is_removed_with_it(tmp_path, rebooted):
    (before, newest), forced = after_a_change_of_segments(tmp_path)
    written = list(scan(tmp_path, "trading"))
    with before.open("r+b") as file:
        file.seek(forced)
        file.write(bytes(before.stat().st_size - forced))
    rebooted()
    found = outcome(tmp_path, written)
    assert found is not None
    assert 0 < len(found) < len(written)
    assert not newest.exists()


def test_a_segment_whose_predecessor_is_whole_is_kept(tmp_path, rebooted):
    after_a_change_of_segments(tmp_path)
    written = list(scan(tmp_path, "trading"))
    rebooted()
    assert outcome(tmp_path, written) == written


def test_a_segment_of_which_nothing_reached_the_disk_is_removed(tmp_path, rebooted):
    (_, newest), _ = after_a_change_of_segments(tmp_path)
    newest.write_bytes(bytes(newest.stat().st_size))
    newest.with_suffix(".chain").touch()  # made, and its first force failed
    rebooted()
    repair(tmp_path, "main")
    assert not newest.exists()


def test_logs_are_repaired_before_anybody_reads_them(tmp_path, rebooted):
    (_, newest), _ = after_a_change_of_segments(tmp_path)
    newest.write_bytes(bytes(newest.stat().st_size))
    rebooted()
    with pytest.raises(JournalDamaged):
        list(scan(tmp_path, "trading"))
    repair(tmp_path, "main")
    assert list(scan(tmp_path, "trading"))
    repair(tmp_path / "none", "main")
