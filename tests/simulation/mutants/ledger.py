"""Mistakes about money and holdings."""

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.portfolio import history, ledger
from plimsoll.core.portfolio.causes import FEE, FUNDING
from plimsoll.core.portfolio.ledger import Ledger


def _added_fee(add_cash):
    def broken(self, coin, cause, units):
        add_cash(self, coin, cause, -units if cause == FEE else units)

    return broken


def _whole_holding(_book):
    def broken(held, instrument, fill, units, value, fee_units):
        sign = fill.side.sign
        held.realised_units += history.change(held, sign * units, sign * value)
        held.turnover_units += value
        held.fee_units += fee_units

    return broken


def _told_twice(cause_of):
    def broken(row, instruments):
        return cause_of(row, instruments) or ("trade" if row.kind == "TRADE" else "")

    return broken


def _flipped(change):
    def broken(held, units, value):
        before = held.qty_units
        realised = change(held, units, value)
        if before and held.qty_units and (before > 0) != (held.qty_units > 0):
            held.cost_units = value  # the new side at the value of all that was traded
        return realised

    return broken


def _as_they_come(book_in_order):
    def broken(self, instrument, fill):
        history_of = self.histories.get(instrument.name)
        if history_of is not None:
            history_of.fills.clear()
            self._restart(instrument.name)
        return book_in_order(self, instrument, fill)

    return broken


def _funding_twice(book_funding):
    def broken(self, owner, record):
        book_funding(self, owner, record)
        self._add_cash(record.fee_coin, FUNDING, -record.fee_units)

    return broken


MUTANTS = (
    Mutant(
        "the fee has the wrong sign",
        "what is paid is received",
        "ACC-4",
        replaced(Ledger, "_add_cash", _added_fee),
    ),
    Mutant(
        "the fee in coins stays in the holding",
        "a fee charged in the base coin of a spot pair is not taken off what is held",
        "ACC-3",
        replaced(history, "_book", _whole_holding),
    ),
    Mutant(
        "a trade is booked as execution and as row",
        "a row of the transaction log that tells of a trade moves the wallet as well",
        "ACC-4",
        replaced(ledger, "cause_of", _told_twice),
    ),
    Mutant(
        "a position that turns costs all that was traded",
        "the cost of the new side includes what closed the old one",
        "ACC-3",
        replaced(history, "change", _flipped),
    ),
    Mutant(
        "executions are booked as they come",
        "one that comes late is not put in its place",
        "ACC-1",
        replaced(Ledger, "_book_in_order", _as_they_come),
        test="tests/core/portfolio/test_ledger.py"
        "::test_a_late_execution_is_booked_where_it_belongs",
    ),
    Mutant(
        "funding twice",
        "a funding payment moves the wallet as execution and as profit",
        "ACC-3",
        replaced(Ledger, "_book_funding", _funding_twice),
    ),
)
