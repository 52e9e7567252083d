"""How long a year of one-minute bars takes: from a store, from single files, into a store.

The limit is a tight loop over the same text with Python's own reader, which judges nothing. It
needs the extra ``data``; ``make bench`` does without, so it stands alone.

    python -m benchmarks.bar_reading [--full]
"""

import csv
import gzip
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zstandard
from benchmarks.report import Result, Size, run

from plimsoll.data import Store, import_file, read_bars, read_file, series_of, verify

YEARS = {Size.TINY: (1, 0.001), Size.SMALL: (3, 1.0), Size.FULL: (5, 4.0)}
"""Rounds, and years of minutes."""

_YEAR = 525_600
_START_MS = 1_577_836_800_000
_SERIES = series_of("linear:BTCUSDT", "last", "1m")


def measure(size: Size) -> Result:
    """Measure each way in turns; the best of all rounds counts."""
    rounds, years = YEARS[size]
    with tempfile.TemporaryDirectory(prefix="plimsoll-bench-") as name:
        ways = _ways(Path(name), int(years * _YEAR))
        spent: dict[str, list[float]] = {label: [] for label in ways}
        for _ in range(rounds):
            for label, work in ways.items():
                begin = time.perf_counter()
                work()
                spent[label].append(time.perf_counter() - begin)
    best = {label: min(times) for label, times in spent.items()}
    return Result(
        f"{int(years * _YEAR):,} one-minute bars",
        ("best s", "million/s"),
        {label: (took, years * _YEAR / took / 1e6) for label, took in best.items()},
        {label: best[label] / best["limit, unjudged"] for label in ("store", "file, csv")},
    )


def _ways(directory: Path, count: int) -> dict[str, Callable[[], object]]:
    """Return label -> what reads or writes every bar once."""
    text = directory / "bars.csv"
    _write(text, count)
    raw = text.read_bytes()
    (directory / "bars.csv.gz").write_bytes(gzip.compress(raw))
    (directory / "bars.csv.zst").write_bytes(zstandard.compress(raw))
    store = Store(directory / "store")
    import_file(store, text, _SERIES)
    imports = iter(range(1_000))

    def read(path: Path) -> Callable[[], object]:
        return lambda: sum(map(len, read_file(path, "1m")))

    return {
        "limit, unjudged": lambda: _limit(text),
        "store": lambda: sum(
            map(len, read_bars(store.directory, "linear:BTCUSDT", "1m", 0, 1 << 60))
        ),
        "file, csv": read(text),
        "file, csv.gz": read(directory / "bars.csv.gz"),
        "file, csv.zst": read(directory / "bars.csv.zst"),
        "import, csv": lambda: import_file(
            Store(directory / f"import-{next(imports)}"), text, _SERIES
        ),
        "verify": lambda: verify(store),
    }


def _write(path: Path, count: int) -> None:
    """Write a random walk with the digits prices have."""
    draw, price = random.Random(1), 42_000.0
    with path.open("w", encoding="utf-8") as file:
        file.write("start_ms,open,high,low,close,volume,turnover\n")
        for place in range(count):
            close = round(price * (1 + draw.gauss(0, 0.0005)), 1)
            high, low = max(price, close) + 5.3, min(price, close) - 4.1
            volume = round(draw.expovariate(0.05), 3)
            file.write(
                f"{_START_MS + place * 60_000},{price},{high:.1f},{low:.1f},{close},"
                f"{volume},{volume * close:.4f}\n"
            )
            price = close


def _limit(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return len([(int(row[0]), *map(float, row[1:6])) for row in rows])


if __name__ == "__main__":
    run("reading bars of the past", [measure])
