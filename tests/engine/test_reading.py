"""Entries come back as what the core was given, or only those of books."""

import pytest
from tests.engine.test_replica import FRAME
from tests.properties.driver import T0

from plimsoll.core.records import FRAME_KIND, BookChanged, PublicTraded
from plimsoll.engine.reading import EntryReader
from plimsoll.journal import Entry

PRINT = (
    b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":2,"data":[{"T":1,"s":"BTCUSDT",'
    b'"S":"Buy","v":"0.1","p":"100.5","i":"x","BT":false}]}'
)


def read(reader: EntryReader, frame: bytes):
    return type(reader.record(Entry(1, T0, FRAME_KIND, b"\x02" + frame, 1)))


@pytest.mark.parametrize(("frame", "kind"), [(FRAME, BookChanged), (PRINT, PublicTraded)])
def test_a_frame_comes_back_as_the_input_it_was(frame, kind):
    assert read(EntryReader(), frame) is kind


def test_where_only_books_are_wanted_nothing_else_is_read():
    reader = EntryReader(books_only=True)
    assert read(reader, FRAME) is BookChanged
    assert read(reader, PRINT) is type(None)
    assert read(reader, b"nonsense") is type(None)
