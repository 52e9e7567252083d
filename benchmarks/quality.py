"""What ``plimsoll quality`` takes for a long log: entries a second, and how memory grows with it.

The journal is made here: nine changes of a book for each order, which is sent, answered, reported
and filled. A second one, half as long, shows what of the memory belongs to the length.

    python -m benchmarks.quality [--full]
"""

import tempfile
import time
import tracemalloc
from pathlib import Path

from benchmarks.report import Result, Size, run
from benchmarks.why import ROOT, make_journal

from plimsoll.cli.measuring import Measurer
from plimsoll.core.execution.quality import Quality, merged

ORDERS = {Size.TINY: 40, Size.SMALL: 8_000, Size.FULL: 72_000}
FRAMES = 9
"""Book frames before each order: with its five records 14 entries an order."""


def measure(size: Size) -> Result:
    """Make two journals and measure both."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    rows = {}
    peaks = []
    for orders in (ORDERS[size] // 2, ORDERS[size]):
        with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
            folder = Path(name) / "journal"
            make_journal(folder, orders, frames=FRAMES)
            begin = time.perf_counter()
            read = Measurer(folder, Quality(), books_only=True, told=_silent).read()
            took_s = time.perf_counter() - begin
            assert merged(read.measure.cells.values()).fills == orders
            peaks.append(_peak_mb(folder))
            rows[f"{read.records:,} entries"] = (took_s, read.records / took_s, peaks[-1])
    return Result(
        f"quality of {ORDERS[size]:,} orders",
        ("seconds", "entries/s", "peak MB"),
        rows,
        {"memory, twice the log to once": peaks[1] / peaks[0]},
    )


def _silent(_entries: int, _ts_ns: int) -> None:
    """Leave the report alone."""


def _peak_mb(folder: Path) -> float:
    tracemalloc.start()
    Measurer(folder, Quality(), books_only=True, told=_silent).read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    run("execution quality", [measure])
