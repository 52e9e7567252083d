"""What one append to the journal costs beside its floors: a bare mapped store and os.write.

Run ``python benchmarks/journal_append.py [records]``. Prints p50 and p99 in microseconds for
256-byte payloads, back to back, interleaved in rounds, and the ratios. The journal runs with its
background forcing on. A tight loop ranks code; it does not predict the latency of a paced system.
"""

import mmap
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from plimsoll.journal import KIND_RECORD, Journal, JournalSettings

PAYLOAD = bytes(range(256))
ROUNDS = 10


def measure(store: Callable[[int], None], first: int, count: int) -> list[int]:
    """Return the ns each of ``count`` calls took."""
    now, taken = time.perf_counter_ns, []
    for n in range(first, first + count):
        begun = now()
        store(n)
        taken.append(now() - begun)
    return taken


def mapped_store(folder: Path, size: int) -> Callable[[int], None]:
    """Return a store into a mapped file: what the hardware asks for."""
    with (folder / "plain").open("w+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)
        mapping = mmap.mmap(file.fileno(), size)
    mapping[:] = bytes(size)
    length = len(PAYLOAD)

    def store(n: int) -> None:
        mapping[n * length : (n + 1) * length] = PAYLOAD

    return store


def percentile(taken: list[int], fraction: float) -> float:
    """Return a percentile in microseconds."""
    return sorted(taken)[int(len(taken) * fraction)] / 1000


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    each = count // ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = Journal.open(folder / "journal", "bench", 1, JournalSettings())
        fd = os.open(folder / "written", os.O_WRONLY | os.O_CREAT, 0o600)
        stores: dict[str, Callable[[int], None]] = {
            "mapped store": mapped_store(folder, count * len(PAYLOAD)),
            "os.write": lambda _: void(os.write(fd, PAYLOAD)),
            "journal append": lambda n: journal.trading(n + 1, n, KIND_RECORD, PAYLOAD),
        }
        taken: dict[str, list[int]] = {label: [] for label in stores}
        for turn in range(ROUNDS):
            for label, store in stores.items():
                taken[label] += measure(store, turn * each, each)
        journal.close()
        os.close(fd)
    print(f"{count} records of {len(PAYLOAD)} bytes, Python {sys.version.split()[0]}")
    floor = percentile(taken["os.write"], 0.5)
    for label, samples in taken.items():
        p50, p99 = percentile(samples, 0.5), percentile(samples, 0.99)
        print(f"{label:16} p50 {p50:7.2f} us  p99 {p99:7.2f} us  p50 / os.write {p50 / floor:5.2f}")


def void(_: int) -> None:
    """Drop a result."""


if __name__ == "__main__":
    main()
