"""What one append to the journal costs beside its floors: a bare mapped store and ``os.write``.

Twice: back to back, which ranks code, and paced, which is what an order meets: between two records
the processor slept and the background thread forced, so the page's next store asks the kernel.

    python -m benchmarks.journal_append [--full]
"""

import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Result, Size, quantile, run

from plimsoll.journal import KIND_RECORD, Journal, JournalSettings

PAYLOAD = bytes(range(256))
COUNTS = {Size.TINY: (20, 4), Size.SMALL: (20_000, 400), Size.FULL: (100_000, 3_000)}
"""Records back to back, and records paced, of each contestant."""

ROUNDS = 4
PAUSE_S = 0.005
ROOT = Path(__file__).resolve().parents[1]

Store = Callable[[int], None]


def measure(size: Size) -> Result:
    """Measure every contestant in turns, back to back and paced."""
    hot, paced = COUNTS[size]
    rows: dict[str, tuple[float, ...]] = {}
    with _stores(hot + paced) as stores:
        for label, count, pause_s in (("back to back", hot, 0.0), ("paced", paced, PAUSE_S)):
            first = 0 if label == "back to back" else hot
            for name, taken in _in_turns(stores, first, count, pause_s).items():
                rows[f"{label}, {name}"] = tuple(quantile(taken, q) / 1000 for q in (0.5, 0.99))
    ours, floor = "journal append", "os.write"
    return Result(
        "append 256 bytes to the journal",
        ("p50 us", "p99 us"),
        rows,
        {
            f"{label}, to {floor}": rows[f"{label}, {ours}"][0] / rows[f"{label}, {floor}"][0]
            for label in ("back to back", "paced")
        },
    )


def _in_turns(
    stores: dict[str, Store], first: int, count: int, pause_s: float
) -> dict[str, list[int]]:
    """Return the ns of each call, by contestant."""
    taken: dict[str, list[int]] = {name: [] for name in stores}
    for turn in range(ROUNDS):
        for name, store in stores.items():
            begin = first + count * turn // ROUNDS
            end = first + count * (turn + 1) // ROUNDS
            for n in range(begin, end):
                if pause_s:
                    time.sleep(pause_s)
                at = time.perf_counter_ns()
                store(n)
                taken[name].append(time.perf_counter_ns() - at)
    return taken


@contextmanager
def _stores(count: int) -> Iterator[dict[str, Store]]:
    """Give the contestants, each on a file of its own beside the program."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        folder = Path(name)
        journal = Journal.open(folder / "journal", "bench", 1, JournalSettings())
        written = os.open(folder / "written", os.O_WRONLY | os.O_CREAT, 0o600)

        def write(_n: int) -> None:
            os.write(written, PAYLOAD)

        try:
            yield {
                "mapped store": _mapped_store(folder, count * len(PAYLOAD)),
                "os.write": write,
                "journal append": lambda n: journal.trading(n + 1, n, KIND_RECORD, PAYLOAD),
            }
        finally:
            journal.close()
            os.close(written)


def _mapped_store(folder: Path, size: int) -> Store:
    """Return a store into a mapped file nobody forces: what the hardware asks for."""
    with (folder / "plain").open("w+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)
        mapping = mmap.mmap(file.fileno(), size)
    mapping[:] = bytes(size)
    length = len(PAYLOAD)

    def store(n: int) -> None:
        mapping[n * length : (n + 1) * length] = PAYLOAD

    return store


if __name__ == "__main__":
    run("append to the journal", [measure])
