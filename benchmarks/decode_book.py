"""Measures what it costs to turn an order book frame into a record, and into a book.

Compares, interleaved, with the practical limit written by hand: one typed decode, and a sorted-list
book without checks. Only the ratios mean anything across machines. Run:

    python benchmarks/decode_book.py [--frames 20000] [--rounds 7]
"""

import argparse
import random
import time
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any

import msgspec

from plimsoll.core.book import OrderBook
from plimsoll.venues.bybit import PublicParser

LADDER = 50
"""Levels a side."""


def book_frames(count, seed=7):
    """Return (snapshot, deltas) of a ladder around a moving middle; each a legal change."""
    rng, mid = random.Random(seed), 650_000
    ladder = range(LADDER)
    first = _frame("snapshot", 0, {mid - i: _qty(rng) for i in ladder}, _asks(rng, mid, ladder))
    frames = []
    for index in range(1, count + 1):
        bids, asks = {}, {}
        move = rng.choice((0, 0, 0, 0, 1, -1))
        if move == 1:
            asks[mid + 1], bids[mid - LADDER + 1] = "0", "0"
            mid += 1
            bids[mid], asks[mid + LADDER] = _qty(rng), _qty(rng)
        elif move == -1:
            bids[mid], asks[mid + LADDER] = "0", "0"
            mid -= 1
            asks[mid + 1], bids[mid - LADDER + 1] = _qty(rng), _qty(rng)
        for _ in range(rng.randint(1, 6)):
            bids.setdefault(mid - int(rng.expovariate(0.15)) % LADDER, _qty(rng))
            asks.setdefault(mid + 1 + int(rng.expovariate(0.15)) % LADDER, _qty(rng))
        frames.append(_frame("delta", index, bids, asks))
    return first, frames


def _asks(rng, mid, ladder):
    return {mid + 1 + i: _qty(rng) for i in ladder}


def _qty(rng):
    return f"{rng.randint(1, 9999) / 1000:.3f}"


def _frame(kind, index, bids, asks):
    def rows(levels):
        pairs = sorted(levels.items())
        return ",".join(f'["{ticks // 10}.{ticks % 10}0","{qty}"]' for ticks, qty in pairs)

    stamp = 1_700_000_000_000 + index
    return (
        f'{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":{stamp},"data":{{"s":"BTCUSDT",'
        f'"b":[{rows(bids)}],"a":[{rows(asks)}],"u":{20_000_000 + index},'
        f'"seq":{130_000_000_000 + index}}},"cts":{stamp - 5}}}'
    ).encode()


# ---- the limit: the least a Python client can do -------------------------------------------


class LimitRows(msgspec.Struct, gc=False):
    """The used part of a book message's data."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    u: int
    seq: int


class LimitBook(msgspec.Struct, gc=False):
    """The used part of a book message."""

    topic: str
    type: str
    ts: int
    data: LimitRows


decode_limit = msgspec.json.Decoder(LimitBook, strict=False).decode


class SortedBook:
    """A dict and a sorted key list a side, best last; no sequence check, no fault."""

    def __init__(self, first):
        self.sides = []
        for rows, sign in ((first.data.b, 1), (first.data.a, -1)):
            levels = dict(rows)
            self.sides.append((levels, sorted(sign * price for price in levels), sign))

    def apply(self, message):
        """Apply one delta."""
        for (levels, keys, sign), rows in zip(
            self.sides, (message.data.b, message.data.a), strict=True
        ):
            for price, qty in rows:
                if qty == 0.0:
                    if levels.pop(price, None) is not None:
                        del keys[bisect_left(keys, sign * price)]
                else:
                    if price not in levels:
                        insort(keys, sign * price)
                    levels[price] = qty


# ---- measuring -----------------------------------------------------------------------------


def contestants(first, frames):
    """Return name -> function that handles every frame once."""
    parse: Callable[[bytes, int, int, int], Any] = PublicParser("linear").parse

    def limit_decode():
        for raw in frames:
            decode_limit(raw)

    def our_decode():
        for raw in frames:
            parse(raw, 1, 2, 3)

    def limit_book():
        book = SortedBook(decode_limit(first))
        for raw in frames:
            book.apply(decode_limit(raw))

    def our_book():
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


def measure(count, rounds):
    """Return name -> best CPU microseconds a frame over interleaved rounds."""
    first, frames = book_frames(count)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, run in contestants(first, frames).items():
            begin = time.process_time_ns()
            run()
            spent = (time.process_time_ns() - begin) / 1000 / count
            best[name] = min(spent, best.get(name, spent))
    return best


def main():
    """Print the figures and the two ratios."""
    parser = argparse.ArgumentParser(description="decode and apply order book frames")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    best = measure(chosen.frames, chosen.rounds)
    for name, spent in best.items():
        print(f"{name:24} {spent:6.2f} us a frame")
    for part in ("decode", "decode and book"):
        ratio = best[f"ours, {part}"] / best[f"limit, {part}"]
        print(f"ratio, {part}: {ratio:.2f}")


if __name__ == "__main__":
    main()
