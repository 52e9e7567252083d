"""Pages made writable ahead of the appends."""

import mmap

from plimsoll.journal.segment import Segment

PAGE = mmap.PAGESIZE


def test_opening_pages_changes_nothing_and_reaches_past_the_next_record(tmp_path):
    segment = Segment(tmp_path / "segment", 64 * PAGE)
    segment.view[:] = bytes(range(256)) * (64 * PAGE // 256)
    before = bytes(segment.view)
    for end in (100, 100, PAGE - 8, 3 * PAGE, 60 * PAGE, 64 * PAGE - 8, 64 * PAGE):
        segment.position = (end, 1)
        segment.open_pages(4 * PAGE)
        assert segment.writable >= min(end + PAGE, segment.size) or end == segment.size
    assert bytes(segment.view) == before
    segment.discard()
