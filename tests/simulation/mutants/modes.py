"""Mistakes about switches of mode."""

from typing import Any

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.engine.placing import PAPER_ROUTE, Placer, Route
from plimsoll.core.engine.switching import Switching
from plimsoll.core.execution.modes import Modes
from plimsoll.core.records import LiveEnded

_SWITCHING = "tests/core/engine/test_switching.py::"


def _not_restrained(_restrained):
    def broken(self):
        return {}

    return broken


def _paper_as_before(route):
    def broken(self, owner):
        found = route(self, owner)
        is_second = owner.endswith(".paper") and found is PAPER_ROUTE
        return Route.LIVE if is_second else found

    return broken


def _ends_at_once(_end_if_done):
    ended: Any = LiveEnded

    def broken(self, found):
        yield ended(*self.state.stamp(), found.strategy, found.strategy)

    return broken


def _one_book(_paper_book):
    def broken(self, strategy):
        return strategy

    return broken


MUTANTS = (
    Mutant(
        "a switch keeps sending",
        "a strategy that went to paper goes on adding risk in its live book",
        "RSK-6",
        replaced(Modes, "restrained", _not_restrained),
        f"{_SWITCHING}test_run_off_cancels_entries_and_lets_the_live_book_only_reduce",
    ),
    Mutant(
        "new entries go the way of before",
        "orders of a strategy's paper instance go to the venue where it was live before",
        "ORD-12",
        replaced(Placer, "_route", _paper_as_before),
        f"{_SWITCHING}test_a_live_strategy_without_a_position_goes_to_paper_at_once",
    ),
    Mutant(
        "a live instance ends with its switch",
        "nobody looks after what the live book still holds",
        "ORD-12",
        replaced(Switching, "_end_if_done", _ends_at_once),
        f"{_SWITCHING}test_run_off_cancels_entries_and_lets_the_live_book_only_reduce",
    ),
    Mutant(
        "one book for both",
        "paper and live orders of a strategy stand in the same book",
        "ORD-12",
        replaced(Modes, "paper_book", _one_book),
        f"{_SWITCHING}test_a_live_strategy_without_a_position_goes_to_paper_at_once",
    ),
)
