"""A fault as somebody asks for it, checked against the catalogue."""

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from plimsoll.simulator.faults.catalogue import CATALOGUE, Kind, Manner

SCOPES: Final = ("account", "kind", "connection", "topic", "symbol", "endpoint")
EVERY_LEAST_S: Final = 0.01
NUMBER_MOST: Final = 1e9
_BOUNDS: Final = {
    "share": (-0.99, 10.0),
    "share of one": (1e-6, 1.0),
    "rate": (-1.0, 1.0),
    "bytes": (1, 1e8),
    "levels": (1, 1e7),
}
"""Smallest and largest magnitude by its unit."""
_PLACES_MOST: Final = 30
_STEP_LEAST: Final = Decimal("1e-12")
CONNECTION_KINDS: Final = ("rest", "public", "linear", "spot", "private", "trade")


class FaultError(Exception):
    """A fault that cannot be had: which key of it, and what is allowed."""

    def __init__(self, key: str, text: str) -> None:
        """Name the key, "" for the whole."""
        self.key = key
        self.text = text
        super().__init__(f"{key}: {text}" if key else text)


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to do, to whom, how often and for how long; an empty scope reaches everything."""

    name: str
    at_s: float = 0.0
    """Seconds after the start of the exchange; 0 is at once."""
    duration_s: float = 0.0
    """0 lasts until it is stopped; what happens once is over at once, unless ``every_s``."""
    rate: float = 1.0
    every_s: float = 0.0
    """Mean seconds between two occurrences; for faults that happen once."""
    magnitude: float | None = None
    code: int | None = None
    account: str = ""
    """A key, or a uid as text."""
    kind: str = ""
    connection: int = 0
    topic: str = ""
    symbol: str = ""
    endpoint: str = ""
    values: dict[str, str] = {}

    @property
    def entry(self) -> Kind:
        """Return its entry in the catalogue."""
        return CATALOGUE[self.name]

    @property
    def size(self) -> float:
        """Return the magnitude asked for, or the usual one."""
        return self.entry.magnitude if self.magnitude is None else self.magnitude

    @property
    def answer_code(self) -> int:
        """Return the code asked for, or the usual one."""
        return self.entry.code if self.code is None else self.code


def ask_of(found: Mapping[str, Any]) -> Ask:
    """Return the fault a table of a scenario or a JSON body asks for.

    Raises:
        FaultError: naming the key that is unknown or has a value nothing can be done with.
    """
    for key, value in found.items():
        if key not in Ask.__struct_fields__:
            raise FaultError(key, f"unknown key; one of {', '.join(Ask.__struct_fields__)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise FaultError(key, f"must be a finite number, found {value}")
    try:
        ask = msgspec.convert(found, Ask)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        raise FaultError(path.rstrip("`"), text) from None
    check(ask)
    return ask


def check(ask: Ask) -> None:
    """Refuse a fault the catalogue does not offer in this form.

    Raises:
        FaultError: naming the key.
    """
    if ask.name not in CATALOGUE:
        raise FaultError("name", f"no fault {ask.name!r}; one of {', '.join(CATALOGUE)}")
    _check_numbers(ask)
    _check_scope(ask)
    for key in ask.values:
        if key not in ask.entry.values:
            allowed = ", ".join(ask.entry.values) or "nothing"
            raise FaultError(f"values.{key}", f"{ask.name} takes {allowed}")
    if ask.name == "filters_changed":
        _check_filters(ask)
    if ask.name == "fees_changed":
        _check_fees(ask)


def _check_numbers(ask: Ask) -> None:
    entry = ask.entry
    for key in ("at_s", "duration_s", "every_s"):
        if not 0 <= getattr(ask, key) <= NUMBER_MOST:
            raise FaultError(key, f"must be from 0 to {NUMBER_MOST:g}, found {getattr(ask, key)}")
    if not 0 <= ask.rate <= 1:
        raise FaultError("rate", f"must be from 0 to 1, found {ask.rate}")
    if 0 < ask.every_s < EVERY_LEAST_S:
        raise FaultError("every_s", f"must be at least {EVERY_LEAST_S}, found {ask.every_s}")
    if ask.every_s and entry.manner is not Manner.ONCE:
        raise FaultError("every_s", f"{ask.name} is no event: give it duration_s and rate")
    if ask.magnitude is not None and not entry.unit:
        raise FaultError("magnitude", f"{ask.name} has none")
    least, most = _BOUNDS.get(entry.unit, (-NUMBER_MOST, NUMBER_MOST))
    if not least <= ask.size <= most:
        raise FaultError("magnitude", f"must be from {least:g} to {most:g}, found {ask.size}")
    if ask.code is not None and not entry.code:
        raise FaultError("code", f"{ask.name} has none")
    if ask.name.startswith("http_error") and not 400 <= ask.answer_code <= 599:
        raise FaultError("code", f"an HTTP status from 400 to 599, found {ask.answer_code}")
    if ask.name == "goodbye" and not 1000 <= ask.answer_code <= 4999:
        raise FaultError("code", f"a close code from 1000 to 4999, found {ask.answer_code}")


def _check_scope(ask: Ask) -> None:
    for key in SCOPES:
        if getattr(ask, key) and key not in ask.entry.scope:
            allowed = ", ".join(ask.entry.scope) or "nothing"
            raise FaultError(key, f"{ask.name} is narrowed by {allowed}")
    if ask.kind and ask.kind not in CONNECTION_KINDS:
        raise FaultError("kind", f"one of {', '.join(CONNECTION_KINDS)}, found {ask.kind!r}")


def _check_filters(ask: Ask) -> None:
    if not ask.values:
        raise FaultError("values", f"{ask.name} needs one of {', '.join(ask.entry.values)}")
    for key, text in ask.values.items():
        number = number_of(text)
        if number is None or not _STEP_LEAST <= number <= NUMBER_MOST:
            raise FaultError(f"values.{key}", f"must be a number above 0, found {text[:40]!r}")


def _check_fees(ask: Ask) -> None:
    for key, text in ask.values.items():
        if key == "category":
            if text not in ("linear", "spot"):
                raise FaultError("values.category", f"linear or spot, found {text[:40]!r}")
            continue
        number = number_of(text)
        if number is None or not -1 <= number <= 1:
            raise FaultError(f"values.{key}", f"must be a rate from -1 to 1, found {text[:40]!r}")


def number_of(value: object) -> Decimal | None:
    """Return a finite number of sane size, ``None`` for anything else."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _PLACES_MOST else None
