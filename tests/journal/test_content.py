"""The compressed form of a segment: the same bytes, found a block at a time."""

import io
import random

import pytest
import zstandard
from tests.journal.test_tidying import PLAIN, pack_all, write

from plimsoll.journal import MARKET, JournalDamaged, Places, look_up, scan
from plimsoll.journal.content import BLOCK_BYTES, compress, open_content

SIZE = 3 * BLOCK_BYTES + 12_345


@pytest.fixture
def packed(tmp_path):
    """Return a compressed file of four blocks and what it holds."""
    choose = random.Random(5)
    content = b"".join(choose.randbytes(50) * 20 for _ in range(SIZE // 1000 + 1))[:SIZE]
    path = tmp_path / "00000000000000000001.seg.zst"
    with path.open("wb") as file:
        assert compress(io.BytesIO(content), file, lambda: False)
    return path, content


def test_any_part_of_it_is_what_was_there(packed):
    path, content = packed
    found = open_content(path)
    assert found.size == SIZE
    choose = random.Random(6)
    for _ in range(300):
        offset, count = choose.randrange(SIZE + 10), choose.choice((1, 25, 4096, BLOCK_BYTES))
        assert found.pread(count, offset) == content[offset : offset + count]
    assert found.pread(SIZE, 0) == content
    found.close()
    assert path.stat().st_size < SIZE / 5


def test_one_record_needs_one_block(packed, monkeypatch):
    path, _ = packed
    found, read = open_content(path), []
    real = zstandard.ZstdDecompressor

    class Counted:
        def decompress(self, block):
            read.append(len(block))
            return real().decompress(block)

    monkeypatch.setattr(zstandard, "ZstdDecompressor", Counted)
    found.pread(100, 2 * BLOCK_BYTES + 5)
    found.pread(100, 2 * BLOCK_BYTES + 900)
    assert len(read) == 1
    found.close()


def test_any_decompressor_reads_it(packed):
    path, content = packed
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        assert reader.read() == content


def test_every_truncation_and_flipped_bit_is_refused_or_says_nothing(packed):
    path, content = packed
    whole = path.read_bytes()
    choose = random.Random(7)

    def read():
        found = open_content(path)
        try:
            return found.pread(SIZE, 0)
        finally:
            found.close()

    for cut in (0, 1, 15, 16, 17, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(JournalDamaged, match="cannot be decompressed"):
            read()
    for _ in range(100):
        at = choose.randrange(len(whole)) if choose.random() < 0.7 else -choose.randrange(1, 40)
        changed = bytearray(whole)
        changed[at] ^= 1 << choose.randrange(8)
        path.write_bytes(changed)
        try:
            assert read() == content, at
        except JournalDamaged:
            continue


def test_a_record_is_looked_up_in_a_compressed_segment(tmp_path):
    write(tmp_path, 1, 1500, PLAIN)
    wanted = [3, 600, 900, 1500]
    before = list(look_up(tmp_path, MARKET, wanted, Places()))
    pack_all(tmp_path)
    assert list(look_up(tmp_path, MARKET, wanted, Places())) == before
    assert [entry.seq for entry in before] == wanted
    assert len(list(scan(tmp_path, MARKET))) == 500
