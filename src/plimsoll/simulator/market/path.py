"""The way a price takes through one bar: prints that reproduce it exactly."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.market.bars import Bar
from plimsoll.simulator.market.draw import Draw

SECOND_NS: Final = 1_000_000_000
BAR_NS: Final = 60 * SECOND_NS
_FIRST_NS: Final = SECOND_NS // 20
_LAST_NS: Final = BAR_NS - SECOND_NS // 5
"""No print in a bar's last 200 ms: one processed late still falls into its minute."""
_PRINTS: Final = 120


class PathPrint(msgspec.Struct, frozen=True):
    """One public trade, ``at_ns`` after the start of its bar."""

    at_ns: int
    taker: Side
    price_ticks: int
    qty_lots: int


def prints_of(bar: Bar, draw: Draw) -> Iterator[PathPrint]:
    """Yield the prints of a bar: open, its two extremes, close, and a walk between them.

    A rising bar meets its low first, a falling one its high. The quantities sum to the bar's;
    a bar with fewer lots than turning points prints one lot at each, an empty one nothing.
    """
    if not bar.lots:
        return
    prices = _prices(bar, draw)
    lots = _split(max(bar.lots, len(prices)), len(prices), draw)
    moments = sorted(draw.randrange(_FIRST_NS, _LAST_NS) for _ in prices)
    last = prices[0]
    for at_ns, price, qty in zip(moments, prices, lots, strict=True):
        up = price > last or (price == last and draw.random() < 0.5)
        yield PathPrint(at_ns, Side.BUY if up else Side.SELL, price, qty)
        last = price


def _prices(bar: Bar, draw: Draw) -> list[int]:
    first, second = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    turns = [bar.open]
    turns += [
        price for before, price in pairwise((bar.open, first, second, bar.close)) if price != before
    ]
    count = max(len(turns), min(_PRINTS, bar.lots))
    if len(turns) == 1:
        return turns * count
    extra = _split(count - 1, len(turns) - 1, draw)
    prices = [turns[0]]
    for (start, end), steps in zip(pairwise(turns), extra, strict=True):
        reach = (bar.high - bar.low) / 12
        for step in range(1, steps):
            wanted = start + (end - start) * step / steps + draw.gauss(0, reach)
            prices.append(min(bar.high, max(bar.low, round(wanted))))
        prices.append(end)
    return prices


def _split(total: int, parts: int, draw: Draw) -> list[int]:
    """Split a whole into positive parts of random size; ``total`` is at least ``parts``."""
    weights = [draw.expovariate(1) + 0.01 for _ in range(parts)]
    spare, scale = total - parts, sum(weights)
    shares = [1 + int(spare * weight / scale) for weight in weights]
    shares[draw.randrange(parts)] += total - sum(shares)
    return shares
