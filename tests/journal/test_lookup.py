"""Single records are found by seq, wherever they stand, and only whole ones are handed out."""

import random

import pytest

from plimsoll.journal import (
    KIND_RECORD,
    MARKET,
    TRADING,
    Journal,
    JournalDamaged,
    JournalSettings,
    Places,
    look_up,
    scan,
)

MIB = 1 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two logs of several segments that share a sequence; sizes from 0 to 3,000 bytes."""
    path = tmp_path_factory.mktemp("logs")
    draw = random.Random(3)
    settings = JournalSettings(trading_segment_bytes=MIB, market_segment_bytes=MIB)
    journal = Journal.open(path, "main", 1, settings)
    for seq in range(1, 6_001):
        log = journal.trading if draw.random() < 0.6 else journal.market
        log(seq, seq * 10, KIND_RECORD, draw.randbytes(draw.choice((0, 7, 100, 3_000, 3_000))))
    journal.close()
    return path


@pytest.mark.parametrize("log", [TRADING, MARKET])
def test_any_set_of_seqs_is_found_as_a_scan_finds_it(folder, log):
    whole = {entry.seq: entry for entry in scan(folder, log)}
    draw, places = random.Random(4), Places()
    for _ in range(50):
        wanted = draw.sample(range(3_100), draw.randint(1, 20))
        found = {entry.seq: entry for entry in look_up(folder, log, wanted, places)}
        assert found == {seq: whole[seq] for seq in wanted if seq in whole}
    assert len(list((folder / log).glob("*.seg"))) > 1, "several segments are what is tested"
    again = Places(places.fresh)
    assert [one.seq for one in look_up(folder, log, whole, again)] == list(whole)
    assert len(again.fresh) < len(places.fresh) + len(whole) / 20


def test_a_damaged_record_is_not_handed_out(folder, tmp_path):
    newest = max(entry.seq for entry in scan(folder, TRADING) if len(entry.payload) > 50)
    copy = tmp_path / TRADING
    copy.mkdir()
    for segment in (folder / TRADING).glob("*.seg"):
        content = bytearray(segment.read_bytes())
        payload = next(one.payload for one in scan(folder, TRADING) if one.seq == newest)
        place = content.find(payload)
        if place >= 0:
            content[place + 10] ^= 1
        (copy / segment.name).write_bytes(content)
    with pytest.raises(JournalDamaged):
        list(look_up(tmp_path, TRADING, [newest], Places()))


def test_a_journal_that_is_not_there_has_nothing(tmp_path):
    assert list(look_up(tmp_path, TRADING, [1, 2], Places())) == []
