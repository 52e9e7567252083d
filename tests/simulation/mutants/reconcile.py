"""Mistakes in comparing with the venue."""

import msgspec
from tests.simulation.mutants.mutant import Mutant, Stamp, replaced

from plimsoll.core.engine.applying import Orders
from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.records import AbsenceShown, PositionAdopted, WalletAdopted


def _adopted(_block):
    def broken(self, step):
        ours, theirs = step.counts
        stamp: Stamp = self.state.stamp()
        yield PositionAdopted(*stamp, "foreign", step.key, theirs - ours, 0)

    return broken


def _wallet_adopted(_tell):
    def broken(self, step):
        ours, theirs = step.counts
        stamp: Stamp = self.state.stamp()
        yield WalletAdopted(*stamp, step.key, theirs - ours, "difference")

    return broken


def _failed_is_done(note):
    def broken(self, answer):
        note(self, msgspec.structs.replace(answer, is_ok=True))

    return broken


def _unlisted_is_gone(inquire):
    def broken(self, step):
        order = self.state.orders.find(step.key)
        if order is not None and order.is_working and order.state in ("unknown", "sent"):
            stamp: Stamp = self.state.stamp()
            yield AbsenceShown(*stamp, order.id, "the venue does not list it")
        yield from inquire(self, step)

    return broken


def _own_only(reported):
    def broken(self, record):
        known = self.facts.orders.of_venue(record.client_order_id, record.venue_order_id)
        if known is not None:
            reported(self, record)

    return broken


MUTANTS = (
    Mutant(
        "a position is set to the venue's",
        "a difference is adopted on the spot, and its executions are booked when they come",
        "ACC-3, ACC-7",
        replaced(Comparing, "_block", _adopted),
        test="tests/core/engine/test_keeper.py"
        "::test_a_position_difference_blocks_after_four_more_looks_and_is_released_when_it_agrees",
    ),
    Mutant(
        "a balance is set to the venue's",
        "a difference is adopted on the spot, and its causes are booked when they come",
        "ACC-4, ACC-7",
        replaced(Comparing, "_tell", _wallet_adopted),
        test="tests/core/engine/test_keeper.py"
        "::test_a_wallet_difference_is_told_once_and_blocks_nothing",
    ),
    Mutant(
        "a comparison that failed counts",
        "a list that could not be had is an empty one",
        "ORD-9",
        replaced(Comparing, "note", _failed_is_done),
        test="tests/core/engine/test_keeper.py::test_a_failed_query_spoils_its_round",
    ),
    Mutant(
        "what is not listed is gone",
        "an order without an answer that is not among the open ones is given up",
        "ORD-10",
        replaced(Comparing, "_inquire", _unlisted_is_gone),
    ),
    Mutant(
        "others' orders are none of ours",
        "what the venue says of an order nobody here made is left out",
        "ORD-12",
        replaced(Orders, "_reported", _own_only),
    ),
)
