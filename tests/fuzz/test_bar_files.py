"""Mutated bar files: refused with words, or read exactly as a naive reading does; never a crash.

``FUZZ=full`` reads ten times as many. ``FUZZ_SEED=n`` repeats a run.
"""

import gzip
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.data.conftest import HEADER, MINUTE_MS, MINUTES, bars, text_of
from tests.fuzz.mutating import mutated

from plimsoll.data import DataError, Row, Store, import_file, read_file, verify

SEED = int(os.environ.get("FUZZ_SEED", "1"))
COUNT = 600 if os.environ.get("FUZZ") == "full" else 60
TEXT = text_of(bars(6)).encode()


def attempt(work: Callable[..., Any], *given: object) -> tuple[Any, DataError | None]:
    """Return what came of it, or the refusal; anything else is a finding."""
    try:
        return work(*given), None
    except DataError as error:
        return None, error


def rows_of(path: Path) -> list[Row]:
    return [row for chunk in read_file(path, "1m") for row in chunk]


def naive(raw: bytes) -> list[tuple[float, ...]]:
    """Return start, prices and volume of each line, as Python reads them."""
    lines = [line for line in raw.decode().replace("\r\n", "\n").split("\n")[1:] if line]
    rows = [[cell.strip(' "') for cell in line.split(",")] for line in lines]
    return [(int(float(row[0])), *map(float, row[1:6])) for row in rows]


def test_a_mutated_text_is_refused_or_read_as_it_stands(tmp_path: Path) -> None:
    path, taken = tmp_path / "bars.csv", 0
    for number, raw in enumerate(mutated([TEXT], COUNT, SEED)):
        path.write_bytes(raw)
        rows, refused = attempt(rows_of, path)
        if refused is not None:
            assert refused.what, number
            assert refused.where.startswith(str(path)), number
            assert refused.how, number
            continue
        assert all(later[0] > row[0] for row, later in pairwise(rows)), number
        for start_ms, open_, high, low, close, volume in rows:
            assert start_ms % MINUTE_MS == 0, number
            assert 0 < low <= min(open_, close) <= max(open_, close) <= high < float("inf"), number
            assert 0 <= volume < float("inf"), number
        if raw.startswith(HEADER.encode() + b"\n"):
            taken += 1
            assert rows == naive(raw), number
    assert taken, "every mutation was refused: nothing was compared"


@pytest.mark.parametrize("form", ["gz", "zst", "parquet"])
def test_a_mutated_packed_file_is_refused_or_sound(tmp_path: Path, form: str) -> None:
    if form == "parquet":
        made = Store(tmp_path / "made")
        source = tmp_path / "source.csv"
        source.write_bytes(TEXT)
        import_file(made, source, MINUTES)
        whole = made.files(MINUTES)[0].read_bytes()
    else:
        whole = gzip.compress(TEXT) if form == "gz" else zstandard.compress(TEXT)
    path = tmp_path / f"bars.{form}"
    for number, raw in enumerate(mutated([whole], COUNT // 3, SEED)):
        path.write_bytes(raw)
        store = Store(tmp_path / f"store-{number}")
        _, refused = attempt(import_file, store, path, MINUTES)
        if refused is not None:
            assert refused.how, number
            assert not list(store.directory.rglob("*.parquet")), number
            continue
        assert verify(store).counts.keys() <= {"gap", "zero_volume"}, number
