"""What it costs to measure one market message: two clock readings apart, all that is counted.

The reference is the naive way, one number appended to a list for each distance (and kept for ever).

    python -m benchmarks.metering [--full]
"""

import time
from collections.abc import Callable

from benchmarks.report import Result, Size, middle, run

from plimsoll.core.records import BookChanged
from plimsoll.engine.metering import Meter

ROUNDS = {Size.TINY: (1, 100), Size.SMALL: (7, 100_000), Size.FULL: (15, 400_000)}
"""Rounds, and messages in each of them."""


def measure(size: Size) -> Result:
    """Measure every contestant in turns."""
    rounds, count = ROUNDS[size]
    contestants = _contestants(count)
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, handle_all in contestants.items():
            begin = time.process_time_ns()
            handle_all()
            spent[name].append((time.process_time_ns() - begin) / count)
    return Result(
        "measure one message",
        ("best ns", "median ns"),
        {name: (min(times), middle(times)) for name, times in spent.items()},
        {"ours to lists": min(spent["ours"]) / min(spent["lists"])},
    )


def _contestants(count: int) -> dict[str, Callable[[], None]]:
    books = [
        BookChanged(1, 0, 1, 0, f"linear:C{n}USDT", 50, False, 1, 1, 1_700_000_000_000, [], [])
        for n in range(8)
    ]
    messages = [(books[n % 8], 1_700_000_000_000_000_000 + n * 37_000) for n in range(count)]

    def ours() -> None:
        meter = Meter()
        for record, at_ns in messages:
            meter.received(record, at_ns, at_ns + 21_000, 1_500_000)

    def lists() -> None:
        feed: dict[str, list[int]] = {record.instrument: [] for record in books}
        strategy: dict[str, list[int]] = {record.instrument: [] for record in books}
        for record, at_ns in messages:
            feed[record.instrument].append(at_ns + 1_500_000 - record.venue_ms * 1_000_000)
            strategy[record.instrument].append(21_000)

    return {"lists": lists, "ours": ours}


if __name__ == "__main__":
    run("measure what is measured", [measure])
