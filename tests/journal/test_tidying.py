"""The market log kept small: compressed behind its readers' backs, dropped by size and by age."""

import os
import random
import threading
from contextlib import suppress

import pytest

from plimsoll.journal import (
    MARKET,
    Follower,
    Journal,
    JournalDamaged,
    JournalSettings,
    merge,
    scan,
    usage,
    verify,
)
from plimsoll.journal.chain import LINE_BYTES
from plimsoll.journal.content import compress
from plimsoll.journal.layout import chain_path
from plimsoll.journal.tidying import pack
from plimsoll.journal.writer import open_log

SEGMENT = 16384
SMALL = JournalSettings(trading_segment_bytes=SEGMENT, market_segment_bytes=SEGMENT)
PLAIN = JournalSettings(
    trading_segment_bytes=SEGMENT, market_segment_bytes=SEGMENT, market_pack=False
)
SECOND = 1_000_000_000


def write(directory, epoch, count, settings=SMALL, step_ns=10):
    journal = Journal.open(directory, "main", epoch, settings)
    first = journal.last_seq + 1
    for seq in range(first, first + count):
        log = journal.trading if seq % 3 else journal.market
        log(seq, seq * step_ns, 1, b"payload %d " % seq * (seq % 30))
    journal.close()


def files(directory, ending):
    return sorted(path.name for path in (directory / MARKET).glob(f"*{ending}"))


def pack_all(directory):
    for path in sorted((directory / MARKET).glob("*.seg"))[:-1]:
        assert pack(path, threading.Lock()) is not None


def test_finished_segments_are_compressed_and_read_as_before(tmp_path):
    write(tmp_path, 1, 1500)
    journal = Journal.open(tmp_path, "main", 2, SMALL)
    journal.market(journal.last_seq + 1, 1, 1, b"begins a segment")
    deadline = 1000
    while len(files(tmp_path, ".seg")) > 2 and deadline:
        journal._tidier._wake.release()
        journal._tidier._thread.join(0.02)
        deadline -= 1
    journal.close()
    assert len(files(tmp_path, ".seg")) <= 2
    assert len(files(tmp_path, ".seg.zst")) > 5
    assert files(tmp_path, ".part") == []
    assert len(list((tmp_path / "trading").glob("*.zst"))) == 0
    entries = list(merge(scan(tmp_path, "trading"), scan(tmp_path, "market")))
    assert [entry.seq for entry in entries] == list(range(1, 1502))
    assert all(one.payload == b"payload %d " % one.seq * (one.seq % 30) for one in entries[:1500])
    assert next(one.seq for one in scan(tmp_path, MARKET, 700)) == 702
    report = verify(tmp_path, MARKET)
    assert report.is_whole
    assert report.records == 501
    write(tmp_path, 3, 300)
    assert verify(tmp_path, MARKET).is_whole


def test_a_segment_that_is_replaced_under_its_reader_is_read_to_its_end(tmp_path):
    write(tmp_path, 1, 1500, PLAIN)
    opened = Follower(tmp_path, (MARKET,))
    tail = opened._tails[0].tail
    seen = tail.read()  # a segment is open, others are listed
    pack_all(tmp_path)
    while batch := tail.read():
        seen += batch
    assert [one.seq for one in seen] == list(range(3, 1501, 3))
    assert opened.holes == 0
    opened.close()


def test_both_forms_and_half_a_compressed_one_are_put_right_at_the_next_start(tmp_path):
    write(tmp_path, 1, 1500, PLAIN)
    path = sorted((tmp_path / MARKET).glob("*.seg"))[1]
    content = path.read_bytes()
    assert pack(path, threading.Lock()) is not None
    path.write_bytes(content)  # killed between the two names
    half = tmp_path / MARKET / "00000000000000000001.part"
    half.write_bytes(b"half")
    entries = [one.seq for one in scan(tmp_path, MARKET)]
    assert entries == list(range(3, 1501, 3))
    assert verify(tmp_path, MARKET).is_whole
    write(tmp_path, 2, 3, PLAIN)
    assert not half.exists()
    assert files(tmp_path, ".seg.zst") == []
    assert verify(tmp_path, MARKET).is_whole


def test_a_log_whose_newest_segment_is_compressed_goes_on(tmp_path):
    write(tmp_path, 1, 1500, PLAIN)
    for path in sorted((tmp_path / MARKET).glob("*.seg")):
        pack(path, threading.Lock())
    write(tmp_path, 2, 30, PLAIN)
    assert [one.seq for one in scan(tmp_path, MARKET)] == list(range(3, 1531, 3))
    assert verify(tmp_path, MARKET).is_whole


def test_no_space_for_the_compressed_form_leaves_the_segment(tmp_path, monkeypatch):
    write(tmp_path, 1, 600, PLAIN)
    path = min((tmp_path / MARKET).glob("*.seg"))

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        pack(path, threading.Lock())
    monkeypatch.undo()
    assert files(tmp_path, ".part") == files(tmp_path, ".zst") == []
    assert verify(tmp_path, MARKET).is_whole


def test_a_segment_dropped_while_it_is_compressed_does_not_come_back(tmp_path, monkeypatch):
    write(tmp_path, 1, 600, PLAIN)
    path = min((tmp_path / MARKET).glob("*.seg"))

    def interrupted(source, target, is_stopped):
        path.unlink()
        path.with_suffix(".chain").unlink()
        return compress(source, target, is_stopped)

    monkeypatch.setattr("plimsoll.journal.tidying.compress", interrupted)
    assert pack(path, threading.Lock()) is None
    assert files(tmp_path, ".zst") == files(tmp_path, ".part") == []
    assert verify(tmp_path, MARKET).is_whole


def test_a_compressed_segment_without_its_newest_chain_line_is_refused_untouched(tmp_path):
    write(tmp_path, 1, 900, PLAIN)
    pack_all(tmp_path)
    path = min((tmp_path / MARKET).glob("*.zst"))
    chain = chain_path(path)
    before = path.read_bytes()
    chain.write_bytes(chain.read_bytes()[:-LINE_BYTES])
    with pytest.raises(JournalDamaged, match="not chained to its end"):
        Journal.open(tmp_path, "main", 2, PLAIN)
    assert path.read_bytes() == before


def test_a_stop_in_the_middle_leaves_the_segment(tmp_path):
    write(tmp_path, 1, 600, PLAIN)
    stop = threading.Event()
    stop.set()
    assert pack(min((tmp_path / MARKET).glob("*.seg")), threading.Lock(), stop) is None
    assert files(tmp_path, ".part") == files(tmp_path, ".zst") == []


def test_every_flipped_bit_of_a_compressed_segment_is_seen(tmp_path):
    write(tmp_path, 1, 600, PLAIN)
    pack_all(tmp_path)
    path = min((tmp_path / MARKET).glob("*.zst"))
    whole, written = path.read_bytes(), list(scan(tmp_path, MARKET))
    choose = random.Random(3)
    for _ in range(200):
        at = choose.randrange(len(whole))
        changed = bytearray(whole)
        changed[at] ^= 1 << choose.randrange(8)
        path.write_bytes(changed)
        entries = None
        with suppress(JournalDamaged):
            entries = list(scan(tmp_path, MARKET))
        assert entries in (None, written), at
        assert entries == written or not verify(tmp_path, MARKET).is_whole, at
    path.write_bytes(whole)
    assert verify(tmp_path, MARKET).is_whole


def test_market_data_is_dropped_by_age(tmp_path):
    aged = JournalSettings(
        trading_segment_bytes=SEGMENT, market_segment_bytes=SEGMENT, market_keep_s=600
    )
    write(tmp_path, 1, 3000, PLAIN, step_ns=SECOND)
    before = [one.seq for one in scan(tmp_path, MARKET)]
    write(tmp_path, 2, 3, aged, step_ns=SECOND)
    kept = [one.seq for one in scan(tmp_path, MARKET)]
    assert before[0] == 3
    assert 1800 < kept[0] < 2500, "ten minutes, and what stands in the same segment"
    assert kept == list(range(kept[0], 3004, 3))
    assert len(list(scan(tmp_path, "trading"))) == 2002
    assert verify(tmp_path, MARKET).is_whole


def test_growth_a_day_is_told_of_finished_segments(tmp_path):
    assert usage(tmp_path, MARKET) == (0, 0)
    write(tmp_path, 1, 30, PLAIN, step_ns=SECOND)
    assert usage(tmp_path, MARKET).per_day == 0
    write(tmp_path, 2, 3000, PLAIN, step_ns=SECOND)
    found = usage(tmp_path, MARKET)
    assert found.held > 5 * SEGMENT
    assert found.per_day == pytest.approx(found.held * 86_400 / 3030, rel=0.2)


def test_the_newest_segments_stay_however_small_the_budget(tmp_path):
    tiny = JournalSettings(
        trading_segment_bytes=SEGMENT, market_segment_bytes=SEGMENT, market_keep_bytes=1
    )
    write(tmp_path, 1, 1500, tiny)
    kept = [one.seq for one in scan(tmp_path, MARKET)]
    assert kept
    assert kept[-1] == 1500
    log = open_log(tmp_path, MARKET, "main", 2, segment_bytes=SEGMENT, may_drop=True)
    assert log.last_seq == 1500
    log.close()
