"""A session of our own journal is read as the recording it is."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.data.recordings.lines import BEGIN_MS, NS, archive, wandering
from tests.properties.driver import ETH, INSTRUMENTS, PERP

from plimsoll.core.records import (
    FRAME_KIND,
    RECORD_KIND,
    BarReported,
    BookChanged,
    ClockMeasured,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    Record,
    StrategyStopped,
    StreamChanged,
    encode,
)
from plimsoll.data import DataError, NotRecognised
from plimsoll.data.recordings import is_recording, journal_in, open_journal
from plimsoll.journal import Journal

FRAMES = archive(list(wandering(20)))
NAMES = frozenset({PERP})
Head = tuple[int, int, int, int]


def session(directory, epoch, first_seq, frames):
    """Write a session: what the engine knew, then frames, then what happened to a stream."""
    journal = Journal.open(directory, "main", epoch)
    seq, at = first_seq, BEGIN_MS * NS

    def stamp() -> Head:
        nonlocal seq, at
        seq, at = seq + 1, at + NS
        return seq, at, epoch, 0

    makers: tuple[Callable[[Head], Record], ...] = (
        lambda head: LeaseTaken(*head, "main", "t", "h", "r"),
        lambda head: InstrumentListed(*head, INSTRUMENTS[PERP]),
        lambda head: InstrumentListed(*head, INSTRUMENTS[ETH]),
        lambda head: ClockMeasured(*head, 5, 6),
        lambda head: LinkChanged(*head, "private", True, ""),
        lambda head: LinkChanged(*head, "public.linear", True, ""),
        lambda head: BarReported(*head, PERP, 60_000, 10, 30, 5, 20, 7.0, 3),
        lambda head: StrategyStopped(*head, "s", "x", "session"),
    )
    for make in makers:
        head = stamp()
        journal.trading(head[0], head[1], RECORD_KIND, encode(make(head)))
    for frame in frames:
        head = stamp()
        journal.market(head[0], head[1], FRAME_KIND, b"\x02" + frame.encode())
    head = stamp()
    journal.trading(
        head[0], head[1], RECORD_KIND, encode(StreamChanged(*head, PERP, "book", "dead", "x", True))
    )
    journal.close()
    return seq


def test_the_newest_session_is_read_as_it_came(tmp_path):
    last = session(tmp_path / "journal", 1, 0, FRAMES[:3])
    session(tmp_path / "journal", 2, last, FRAMES)
    assert is_recording(tmp_path)
    assert journal_in(tmp_path) == tmp_path / "journal"
    opened = open_journal(tmp_path, NAMES)
    assert "session 2" in opened.source
    assert opened.listed == {PERP: INSTRUMENTS[PERP]}
    assert opened.minutes == {PERP: [(60_000, 1.0, 3.0, 0.5, 2.0, 7.0)]}
    assert PERP in opened.books
    assert opened.early_ns is None  # the session measured the clock itself
    for _ in range(2):  # as often as one likes
        found: list[Any] = [
            record
            for ts_ns, _, make, what in opened.arrivals(0)
            if (record := make(what, 77, ts_ns, 9)) is not None
        ]
        kinds = [type(one) for one in found]
        assert kinds[:3] == [InstrumentListed, ClockMeasured, LinkChanged]
        assert found[2].link == "public.linear"
        assert isinstance(found[-1], StreamChanged)
        assert len(found) == 3 + len(FRAMES) + 1
        assert {(one.seq, one.epoch) for one in found} == {(77, 9)}
        assert sum(isinstance(one, BookChanged) for one in found) == 21
        times = [one.ts_ns for one in found]
        assert times == sorted(times)


def test_an_older_session_is_read_alone(tmp_path):
    last = session(tmp_path, 1, 0, FRAMES[:3])
    session(tmp_path, 2, last, FRAMES)
    for epoch, first_seq, frames in ((1, 1, 3), (2, last + 1, len(FRAMES))):
        opened = open_journal(tmp_path, NAMES, (epoch, first_seq))
        assert f"session {epoch}" in opened.source
        assert opened.minutes == {PERP: [(60_000, 1.0, 3.0, 0.5, 2.0, 7.0)]}
        found = [make(what, 1, at, 1) for at, _, make, what in opened.arrivals(0)]
        assert sum(one is not None for one in found) == 3 + frames + 1


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(NotRecognised, match="one journal, found none"):
        open_journal(tmp_path, NAMES)
    session(tmp_path / "a", 1, 0, FRAMES)
    with pytest.raises(NotRecognised, match="expected linear:DOGEUSDT"):
        open_journal(tmp_path, frozenset({"linear:DOGEUSDT"}))
    session(tmp_path / "b", 1, 0, FRAMES)
    with pytest.raises(NotRecognised, match="one journal, found"):
        open_journal(tmp_path, NAMES)


def test_a_damaged_log_is_told(tmp_path):
    session(tmp_path, 1, 0, FRAMES)
    (segment,) = (tmp_path / "trading").glob("*.seg")
    raw = bytearray(segment.read_bytes())
    place = raw.find(b"private")
    raw[place] ^= 1
    segment.write_bytes(raw)
    with pytest.raises(DataError, match="journal verify"):
        open_journal(tmp_path, NAMES)
