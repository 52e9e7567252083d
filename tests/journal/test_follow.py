import random
import subprocess
import sys
import time

from plimsoll.journal import Entry, Follower, Journal, JournalSettings, scan, verify

SMALL = JournalSettings(trading_segment_bytes=8192, market_segment_bytes=8192)

WRITER = """
import random, sys
from pathlib import Path
from plimsoll.journal import Journal, JournalSettings
settings = JournalSettings(trading_segment_bytes=65536, market_segment_bytes=65536)
choose, seq = random.Random(int(sys.argv[2])), 0
for epoch in (1, 2, 3):
    journal = Journal.open(Path(sys.argv[1]), "main", epoch, settings)
    for _ in range(7000):
        seq += 1
        log = journal.trading if choose.random() < 0.5 else journal.market
        log(seq, seq, 1, seq.to_bytes(4, "little") * choose.randrange(60))
    journal.close()
"""


def seqs(entries):
    return [entry.seq for entry in entries]


def test_follower_beside_a_writer_sees_each_record_once_in_order(tmp_path):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "3"])
    both, trading = Follower(tmp_path), Follower(tmp_path, ("trading",))
    seen: list[Entry] = []
    alone: list[Entry] = []
    polls = 0
    deadline = time.monotonic() + 60
    while len(seen) < 21000 and time.monotonic() < deadline:
        new = both.poll()
        polls += bool(new)
        seen += new
        alone += trading.poll()
    assert writer.wait(10) == 0
    alone += trading.poll()
    assert seqs(seen) == list(range(1, 21001))
    assert polls > 3
    assert alone == list(scan(tmp_path, "trading"))
    assert verify(tmp_path, "trading").segments > 6
    both.close()
    trading.close()


def test_interleaved_polls_release_every_record_at_once(tmp_path):
    choose = random.Random(5)
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    follower = Follower(tmp_path)
    expected, seq = [], 0
    for _ in range(300):
        for _ in range(choose.randrange(4)):
            seq += 1
            expected.append(seq)
            (journal.trading if choose.random() < 0.3 else journal.market)(seq, 0, 1, bytes(50))
        assert seqs(follower.poll()) == expected
        expected = []
    journal.close()
    follower.close()


def test_record_seen_early_on_one_log_waits_for_those_before_it_on_the_other(tmp_path, monkeypatch):
    """The reader is stopped between its two logs while the writer goes on."""
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    follower = Follower(tmp_path)
    market = follower._tails[1]
    look = market.look

    def write_then_look(newest):
        journal.trading(2, 0, 1, b"")  # trading was already looked at
        journal.market(3, 0, 1, b"")
        look(newest)
        journal.market(4, 0, 1, b"")  # before the second look at trading
        journal.trading(5, 0, 1, b"")

    journal.trading(1, 0, 1, b"")
    monkeypatch.setattr(market, "look", write_then_look)
    first = seqs(follower.poll())
    monkeypatch.undo()
    assert first == [1, 2, 3]
    assert seqs(follower.poll()) == [4, 5]
    journal.close()
    follower.close()


def test_follower_started_before_the_journal_or_from_a_seq_gets_what_it_asked_for(tmp_path):
    early, late = Follower(tmp_path), Follower(tmp_path, from_seq=250)
    assert early.poll() == []
    for epoch in (1, 2):
        journal = Journal.open(tmp_path, "main", epoch, SMALL)
        for _ in range(200):
            seq = journal.last_seq + 1
            (journal.trading if seq % 2 else journal.market)(seq, 0, 1, bytes(100))
        journal.close()
    assert seqs(early.poll()) == list(range(1, 401))
    assert seqs(late.poll()) == list(range(250, 401))
    other = Follower(tmp_path, from_seq=390)
    assert seqs(other.poll()) == list(range(390, 401))
    for follower in (early, late, other):
        follower.close()


def test_hole_in_the_sequence_holds_nothing_up(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    follower = Follower(tmp_path)
    journal.trading(1, 0, 1, b"")
    journal.market(7, 0, 1, b"")
    journal.trading(9, 0, 1, b"")
    assert seqs(follower.poll()) == [1, 7, 9]
    journal.close()
    follower.close()


def test_follower_goes_on_past_market_segments_that_were_dropped(tmp_path):
    settings = JournalSettings(
        trading_segment_bytes=8192, market_segment_bytes=8192, market_keep_bytes=30_000
    )
    journal = Journal.open(tmp_path, "main", 1, settings)
    follower = Follower(tmp_path)
    journal.market(1, 0, 1, b"")
    assert seqs(follower.poll()) == [1]
    for seq in range(2, 2000):
        journal.market(seq, 0, 1, bytes(100))
    journal.close()
    seen = seqs(follower.poll())
    assert seen[-1] == 1999
    assert seen == sorted(set(seen))
    assert follower.holes >= 1
    follower.close()
