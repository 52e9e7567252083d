"""Order book frames made beforehand: a ladder around a moving middle, each a legal change."""

import random
from collections.abc import Callable, Mapping

LADDER = 50
"""Levels a side."""

FIRST_BID = 650_000
"""Best bid of the snapshot, in ticks of 0.1."""

UNSTAMPED = b"0000000000000"
"""Stands for the two times of a frame, in ms, until ``stamped``."""


def stamped(frame: bytes, ms: int) -> bytes:
    """Return the frame as the venue would send it at ``ms``, Unix time."""
    return frame.replace(UNSTAMPED, b"%013d" % ms)


def wandering(count: int, seed: int = 7) -> tuple[bytes, list[bytes]]:
    """Return a snapshot and ``count`` deltas; the middle moves with a third of them."""
    return _frames(count, lambda rng, _index: rng.choice((0, 0, 0, 0, 1, -1)), seed)


def rising(count: int, every: int, seed: int = 7) -> tuple[bytes, list[bytes]]:
    """Return a snapshot and deltas; the best bid rises a tick with each ``every``-th, only then.

    So each best bid stands for one frame, and the price of an order tells which one led to it.
    """
    return _frames(count, lambda _rng, index: int(index % every == 0), seed)


def _frames(
    count: int, move_of: Callable[[random.Random, int], int], seed: int
) -> tuple[bytes, list[bytes]]:
    rng, bid = random.Random(seed), FIRST_BID
    first = _frame(
        "snapshot",
        0,
        {bid - step: _qty(rng) for step in range(LADDER)},
        {bid + 1 + step: _qty(rng) for step in range(LADDER)},
    )
    deltas = []
    for index in range(1, count + 1):
        bids: dict[int, str] = {}
        asks: dict[int, str] = {}
        move = move_of(rng, index)
        if move == 1:
            asks[bid + 1], bids[bid - LADDER + 1] = "0", "0"
            bid += 1
            bids[bid], asks[bid + LADDER] = _qty(rng), _qty(rng)
        elif move == -1:
            bids[bid], asks[bid + LADDER] = "0", "0"
            bid -= 1
            asks[bid + 1], bids[bid - LADDER + 1] = _qty(rng), _qty(rng)
        for _ in range(rng.randint(1, 6)):
            bids.setdefault(bid - int(rng.expovariate(0.15)) % LADDER, _qty(rng))
            asks.setdefault(bid + 1 + int(rng.expovariate(0.15)) % LADDER, _qty(rng))
        deltas.append(_frame("delta", index, bids, asks))
    return first, deltas


def _qty(rng: random.Random) -> str:
    return f"{rng.randint(1, 9999) / 1000:.3f}"


def _frame(kind: str, index: int, bids: Mapping[int, str], asks: Mapping[int, str]) -> bytes:
    stamp = UNSTAMPED.decode()
    return (
        f'{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":{stamp},"data":{{"s":"BTCUSDT",'
        f'"b":[{_rows(bids)}],"a":[{_rows(asks)}],"u":{20_000_000 + index},'
        f'"seq":{130_000_000_000 + index}}},"cts":{stamp}}}'
    ).encode()


def _rows(levels: Mapping[int, str]) -> str:
    pairs = sorted(levels.items())
    return ",".join(f'["{ticks // 10}.{ticks % 10}0","{qty}"]' for ticks, qty in pairs)
