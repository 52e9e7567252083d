"""Bars that are sound, files of them in every form, and a store."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zstandard

from plimsoll.data import Store, series_of

DAY_MS = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""
MINUTE_MS = 60_000
HEADER = "timestamp,open,high,low,close,volume,turnover"
MINUTES = series_of("linear:BTCUSDT", "last", "1m")


def bar(at_ms: int, *, price: float = 100.0, volume: float = 2.0) -> str:
    """Return a row as the venue writes it."""
    cells = (at_ms, price, price + 1, price - 1, price + 0.5, volume, volume * price)
    return ",".join(map(str, cells))


def bars(count: int, start_ms: int = DAY_MS, step_ms: int = MINUTE_MS) -> list[str]:
    return [bar(start_ms + place * step_ms, price=100.0 + place % 7) for place in range(count)]


def text_of(rows: Sequence[str], header: str = HEADER) -> str:
    return "\n".join([header, *rows] if header else rows) + "\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of rows, packed as its name says."""

    def write(rows: Sequence[str] | bytes, name: str = "bars.csv", *, header: str = HEADER) -> Path:
        raw = rows if isinstance(rows, bytes) else text_of(rows, header).encode()
        path = tmp_path / name
        if name.endswith(".gz"):
            raw = gzip.compress(raw)
        elif name.endswith(".zst"):
            raw = zstandard.compress(raw)
        path.write_bytes(raw)
        return path

    return write
