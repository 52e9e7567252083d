"""Text files: whole or not, text or not, with the line where it ends."""

import gzip
import os
import zipfile

import pytest
import zstandard
from tests.data.conftest import bars, text_of

from plimsoll.data import DataError, FileCut, NotRecognised
from plimsoll.data.files import is_parquet, unpacked

TEXT = text_of(bars(20_000)).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_whatever_it_is_packed_with_the_text_is_the_same(tmp_path, pack):
    path = tmp_path / "given"  # known by its bytes, not by its name
    path.write_bytes(pack(TEXT))
    found = unpacked(path, tmp_path)
    assert found.text.read_bytes() == TEXT
    assert found.head[0].startswith("timestamp")
    assert found.has_end
    assert found.lines({1, 20_001}) == {1: TEXT[:45].decode(), 20_001: bars(20_000)[-1]}


def test_several_frames_are_one_text(tmp_path):
    path = tmp_path / "bars.csv.zst"
    path.write_bytes(zstandard.compress(b"a,b\n") + zstandard.compress(b"1,2\n"))
    assert unpacked(path, tmp_path).head == ["a,b", "1,2"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_packed_file_that_is_cut_is_refused_wherever_it_was_cut(tmp_path, pack, share):
    # What packs badly has many blocks, so that the cut leaves whole lines before it.
    whole = pack(b"".join(f"{word.hex()}\n".encode() for word in [os.urandom(60)] * 1 + [TEXT]))
    path = tmp_path / "bars.csv.packed"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileCut) as refused:
        unpacked(path, tmp_path)
    assert refused.value.where.startswith(f"{path}:")


def test_damage_inside_a_packed_file_is_found(tmp_path):
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(packed)
    with pytest.raises(FileCut):
        unpacked(path, tmp_path)


def test_mark_and_line_ends_of_other_systems_are_no_part_of_the_rows(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(b"\xef\xbb\xbf\r\na,b\r\n1,2")
    found = unpacked(path, tmp_path)
    assert found.head == ["a,b", "1,2"]
    assert found.first_line == 2
    assert not found.has_end


@pytest.mark.parametrize(
    ("raw", "kind", "line"),
    [
        (b"a,b\n1,\xff\xfe\n", NotRecognised, 2),
        (b"a,b\n1,2\n\0\0\0\0", FileCut, 3),
        (b"", NotRecognised, 0),
        (b"\n\n \n", NotRecognised, 0),
        (b"PK\x03\x04rest", FileCut, 1),
    ],
)
def test_what_is_no_table_of_text_is_refused(tmp_path, raw, kind, line):
    path = tmp_path / "bars.csv"
    path.write_bytes(raw)
    with pytest.raises(kind) as refused:
        unpacked(path, tmp_path)
    assert refused.value.where == (f"{path}:{line}" if line else str(path))


def test_a_zip_of_one_file_is_read_as_it_and_one_of_several_is_refused(tmp_path):
    path = tmp_path / "bars.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("bars.csv", TEXT)
    assert unpacked(path, tmp_path).text.read_bytes() == TEXT
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("more.csv", TEXT)
    with pytest.raises(NotRecognised, match="a zip with one file, found 2"):
        unpacked(path, tmp_path)


def test_a_letter_across_two_chunks_is_one_letter(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(b"a" * ((1 << 20) - 1) + "é\n".encode())
    assert unpacked(path, tmp_path).text.read_text(encoding="utf-8").endswith("é\n")


def test_no_space_to_unpack_in_is_told_as_that(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_bytes(TEXT)
    target = tmp_path / "full"
    target.mkdir()
    (target / "text").symlink_to("/dev/full")
    with pytest.raises(DataError, match="no space to unpack") as refused:
        unpacked(path, target)
    assert "TMPDIR" in refused.value.how


def test_a_file_that_is_not_there(tmp_path):
    for read in (is_parquet, lambda path: unpacked(path, tmp_path)):
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "none.csv")
