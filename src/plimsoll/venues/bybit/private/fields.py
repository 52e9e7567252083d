"""Reads the fields of items; each error names its item, its field and what was found."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from plimsoll.core.model import Instrument, Side, cash_units
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import Text, number, stored

Figure = str | int | float | None
"""What the decoder accepts as a number; ``numbers`` says what it means."""

Word = str | None
"""Plain text; null and "" both mean "no value"."""

SIDES: Final = MappingProxyType({"Buy": Side.BUY, "Sell": Side.SELL})
NO_SIDE: Final = frozenset({None, "", "None"})

_T = TypeVar("_T")


def word_in(table: Mapping[str, _T], word: Word, what: str, field: str) -> _T:
    """Return what a word means by a table of the venue's words."""
    if word is None or word not in table:
        raise ParseError(f"{what}: {field} expected one of {sorted(table)}, found {word!r}")
    return table[word]


def lots_in(value: Figure, instrument: Instrument, what: str, field: str) -> int:
    """Return a quantity in lots, not negative."""
    found = number(value, what, field)
    try:
        lots = stored(instrument.lots_of(found))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error
    if lots < 0:
        raise ParseError(f"{what}: {field} expected not negative, found {value}")
    return lots


def ticks_in(
    value: Figure, instrument: Instrument, what: str, field: str, rounding: str | None
) -> int:
    """Return a price in ticks; without a rounding it must be a whole number of them."""
    found = number(value, what, field)
    try:
        return stored(instrument.ticks_of(found, rounding=rounding))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error


def cash_in(value: Text, what: str, field: str, *, up: bool = False) -> int:
    """Return an amount in cash units, rounded down unless ``up``."""
    found = number(value, what, field)
    try:
        return stored(cash_units(str(found), up=up))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error
