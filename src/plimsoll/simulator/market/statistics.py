"""What a market looks like in numbers: the same for a recording and for the calibrated market.

Both are brought to one form first: changes of the book gathered for the recording's own push
period, and prints. Distances are basis points of the middle, values are USDT.
"""

import itertools
from collections import Counter
from math import log
from statistics import fmean, median, pstdev
from typing import Final

from plimsoll.core.matching import MatchingBook
from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, Printed

REACH_BP: Final = 25
_DEPTHS_BP: Final = (1, 5, 10, 25)
_SECOND_NS: Final = 1_000_000_000
_FRAME_BYTES: Final = 165
_ROW_BYTES: Final = 24
"""A frame without levels, and one level in it, as the venue writes them."""
_TOGETHER_NS: Final = 1_000_000
"""Prints of one side this close belong to one order."""


class Tally:
    """Takes events in time order and counts."""

    def __init__(self, instrument: Instrument, period_ns: int) -> None:
        """Gather book changes for ``period_ns``; 0 takes each as a message of its own."""
        self._unit = float(instrument.tick * instrument.lot)
        self._period_ns = period_ns
        self._book = MatchingBook()
        self._window = -1
        self._rows: dict[tuple[Side, int], int] = {}
        self._messages: list[tuple[int, int, int]] = []
        self._gaps_ns: list[int] = []
        self._changed_ns = 0
        self._spreads: list[float] = []
        self._depths: dict[int, list[float]] = {bp: [] for bp in _DEPTHS_BP}
        self._middles: dict[int, float] = {}
        self._orders: list[list[float]] = []
        self._first_ns = self._last_ns = 0

    def take(self, at_ns: int, event: MarketEvent) -> None:
        """Count one event."""
        self._first_ns = self._first_ns or at_ns
        self._last_ns = at_ns
        if isinstance(event, BookChanged):
            self._on_book(at_ns, event)
        elif isinstance(event, Printed):
            self._on_print(at_ns, event)

    def result(self) -> dict[str, float]:
        """Return every statistic by its name; those nothing was seen for are left out."""
        self._close(self._last_ns)
        seconds = max(1, self._last_ns - self._first_ns) / _SECOND_NS
        levels = sorted(count for _, count, _ in self._messages)
        found = {"messages a second": len(levels) / seconds}
        if levels:
            deleted = sum(gone for _, _, gone in self._messages)
            found |= {
                f"levels a message within {REACH_BP} bp, median": _at(levels, 0.5),
                f"levels a message within {REACH_BP} bp, p90": _at(levels, 0.9),
                "bytes a message, median": _FRAME_BYTES + _ROW_BYTES * _at(levels, 0.5),
                "deletions among level changes, %": 100 * deleted / max(1, sum(levels)),
                "spread, bp, median": median(self._spreads),
            }
            found |= {
                f"bid value within {bp} bp, thousand": fmean(values) / 1000
                for bp, values in self._depths.items()
                if values
            }
        gaps = sorted(gap / 1e6 for gap in self._gaps_ns)
        if gaps:
            found |= _gap_statistics("book changes", gaps)
        return found | self._moves() | self._order_statistics(seconds)

    def _on_book(self, at_ns: int, event: BookChanged) -> None:
        if event.whole:
            self._book.replace(event.bids, event.asks)
            return
        if self._changed_ns:
            self._gaps_ns.append(at_ns - self._changed_ns)
        self._changed_ns = at_ns
        window = at_ns // self._period_ns if self._period_ns else self._window + 1
        if window != self._window and self._rows:
            self._close(at_ns)
        self._window = window
        for side, rows in ((Side.BUY, event.bids), (Side.SELL, event.asks)):
            self._book.set_levels(side, rows)
            self._rows.update(((side, price), lots) for price, lots in rows)
            for price, lots in rows:
                self._uncross(side, price, lots)

    def _uncross(self, side: Side, price: int, lots: int) -> None:
        """Drop what a newer level contradicts: recordings can miss a deletion."""
        other, sign = side.opposite, side.sign
        while lots and (best := self._book.best(other)) is not None and price * sign >= best * sign:
            self._book.set_level(other, best, 0)

    def _close(self, at_ns: int) -> None:
        """End a message: count its levels and look at the book."""
        bid, ask = self._book.best(Side.BUY), self._book.best(Side.SELL)
        if bid is None or ask is None or not self._rows:
            return
        middle = (bid + ask) / 2
        reach = middle * REACH_BP / 10_000
        near = [lots for (_, price), lots in self._rows.items() if abs(price - middle) <= reach]
        self._messages.append((at_ns, len(near), near.count(0)))
        self._rows.clear()
        self._spreads.append((ask - bid) / middle * 10_000)
        self._middles[at_ns // _SECOND_NS] = middle
        if len(self._messages) % 10 == 1:
            self._look_deep(middle)

    def _look_deep(self, middle: float) -> None:
        worst = int(middle * (1 - _DEPTHS_BP[-1] / 10_000))
        prices = self._book.prices_between(Side.BUY, None, worst)
        levels = self._book.quantities(Side.BUY, prices)
        for bp, values in self._depths.items():
            limit = middle * (1 - bp / 10_000)
            values.append(
                sum(price * lots * self._unit for price, lots in levels if price >= limit)
            )

    def _on_print(self, at_ns: int, event: Printed) -> None:
        value = event.price_ticks * event.qty_lots * self._unit
        last = self._orders[-1] if self._orders else None
        if last and last[1] == event.taker.sign and at_ns - last[0] < _TOGETHER_NS:
            last[2] += value
            last[3] += 1
        else:
            self._orders.append([at_ns, event.taker.sign, value, 1])

    def _moves(self) -> dict[str, float]:
        seconds = sorted(self._middles)
        moves = [
            log(self._middles[late] / self._middles[early]) * 10_000
            for early, late in itertools.pairwise(seconds)
        ]
        return {"move of the middle in a second, bp, deviation": pstdev(moves)} if moves else {}

    def _order_statistics(self, seconds: float) -> dict[str, float]:
        orders = self._orders
        found = {"orders that take, a second": len(orders) / seconds}
        if len(orders) < _ORDERS_LEAST:
            return found if orders else {}
        values = sorted(order[2] for order in orders)
        gaps = sorted((late[0] - early[0]) / 1e6 for early, late in itertools.pairwise(orders))
        counts = Counter(int(order[0]) // _SECOND_NS for order in orders)
        first, last = min(counts), max(counts)
        each = [counts.get(second, 0) for second in range(first, last + 1)]
        signs = [order[1] for order in orders]
        return (
            found
            | {
                "prints an order, mean": fmean(order[3] for order in orders),
                "order value, median": _at(values, 0.5),
                "order value, p90": _at(values, 0.9),
                "clustering: variance over mean of orders in a second": (
                    pstdev(each) ** 2 / fmean(each)
                ),
                "sides of orders, autocorrelation at 1": _autocorrelation(signs, 1),
                "sides of orders, autocorrelation at 10": _autocorrelation(signs, 10),
            }
            | _gap_statistics("orders", gaps)
        )


_ORDERS_LEAST: Final = 30
"""Fewer orders say nothing about their gaps and sides."""


def _gap_statistics(what: str, gaps_ms: list[float]) -> dict[str, float]:
    return {
        f"gap of {what}, ms, median": _at(gaps_ms, 0.5),
        f"gap of {what}, ms, p90": _at(gaps_ms, 0.9),
        f"gaps of {what} below 20 ms, %": 100 * sum(gap < 20 for gap in gaps_ms) / len(gaps_ms),
        f"gaps of {what} below 1 ms, %": 100 * sum(gap < 1 for gap in gaps_ms) / len(gaps_ms),
    }


def _at(ordered: list[float] | list[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _autocorrelation(values: list[float], lag: int) -> float:
    mean = fmean(values)
    spread = sum((value - mean) ** 2 for value in values)
    if not spread:
        return 1.0
    pairs = zip(values, values[lag:], strict=False)
    return sum((early - mean) * (late - mean) for early, late in pairs) / spread
