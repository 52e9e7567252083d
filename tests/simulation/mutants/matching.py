"""Mistakes in matching, which the simulator shares with the engine: both ends agree, and are wrong.

The world cannot see them. The naive twin of the book, and the examples beside it, do.
"""

from typing import Final

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.matching import MatchingBook

TWIN: Final = "tests/core/matching/test_book.py::test_same_as_the_naive_twin"
EXAMPLE: Final = (
    "tests/core/matching/test_book.py::test_amend_keeps_its_place_only_when_it_shrinks_in_place"
)


def _in_front(rest):
    def broken(self, order):
        rest(self, order)
        order.ahead_lots = 0

    return broken


def _newest_first(rest):
    def broken(self, order):
        rest(self, order)
        own = self._halves[order.side].level(order.price_ticks).own
        own.insert(0, own.pop())

    return broken


def _keeps_its_place(amend):
    def broken(self, key, price_ticks, leaves_lots):
        order = self._resting.get(key)
        if order is not None and price_ticks == order.price_ticks and leaves_lots > 0:
            order.leaves_lots = leaves_lots
            return amend(self, key, price_ticks, leaves_lots)
        return amend(self, key, price_ticks, leaves_lots)

    return broken


MUTANTS = (
    Mutant(
        "an order stands in front of the queue",
        "what is displayed at its price is behind it",
        "price-time priority",
        replaced(MatchingBook, "_rest", _in_front),
        test=TWIN,
    ),
    Mutant(
        "the newest order is first",
        "own orders at one price match in the wrong order of time",
        "price-time priority",
        replaced(MatchingBook, "_rest", _newest_first),
        test=TWIN,
    ),
    Mutant(
        "an order that grows keeps its place",
        "a larger quantity is not put to the end of the queue",
        "price-time priority",
        replaced(MatchingBook, "amend", _keeps_its_place),
        test=EXAMPLE,
    ),
)
