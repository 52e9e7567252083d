"""What it costs to turn an order book frame into a record, and into a book.

Compares, in turns, with the practical limit written by hand (``limit.py``). CPU time in a tight
loop: it ranks code, and does not predict the latency of a paced system.

    python -m benchmarks.decode_book [--full]
"""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.frames import stamped, wandering
from benchmarks.limit import SortedBook, decode
from benchmarks.report import Result, Size, middle, run

from plimsoll.core.book import OrderBook
from plimsoll.venues.bybit import PublicParser

ROUNDS = {Size.TINY: (1, 50), Size.SMALL: (7, 10_000), Size.FULL: (15, 20_000)}
"""Rounds, and frames in each of them."""

_MS = 1_700_000_000_000


def measure(size: Size) -> Result:
    """Measure every contestant in turns."""
    rounds, count = ROUNDS[size]
    snapshot, deltas = wandering(count)
    contestants = _contestants(stamped(snapshot, _MS), [stamped(one, _MS) for one in deltas])
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, handle_all in contestants.items():
            begin = time.process_time_ns()
            handle_all()
            spent[name].append((time.process_time_ns() - begin) / 1000 / count)
    best = {name: min(times) for name, times in spent.items()}
    return Result(
        "decode and apply an orderbook.50 delta",
        ("best us", "median us"),
        {name: (best[name], middle(times)) for name, times in spent.items()},
        {
            part: best[f"ours, {part}"] / best[f"limit, {part}"]
            for part in ("decode", "decode and book")
        },
    )


def _contestants(first: bytes, frames: list[bytes]) -> dict[str, Callable[[], None]]:
    """Return name -> function that handles every frame once."""
    parse: Callable[[bytes, int, int, int], Any] = PublicParser("linear").parse

    def limit_decode() -> None:
        for raw in frames:
            decode(raw)

    def our_decode() -> None:
        for raw in frames:
            parse(raw, 1, 2, 3)

    def limit_book() -> None:
        book = SortedBook(decode(first))
        for raw in frames:
            book.apply(decode(raw))

    def our_book() -> None:
        book = OrderBook()
        book.apply(parse(first, 1, 2, 3))
        for raw in frames:
            book.apply(parse(raw, 1, 2, 3))

    return {
        "limit, decode": limit_decode,
        "ours, decode": our_decode,
        "limit, decode and book": limit_book,
        "ours, decode and book": our_book,
    }


if __name__ == "__main__":
    run("decode and apply order book frames", [measure])
