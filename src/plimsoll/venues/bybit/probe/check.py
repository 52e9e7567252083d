"""What a check is: one question to the venue, what we take for granted, and how to find out."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple

import msgspec

from plimsoll.venues.bybit.probe.desk import Desk


class Verdict(StrEnum):
    """What became of a check."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """It could not be seen here; the row says why."""


class Seen(NamedTuple):
    """What was found, in the words of the expected value, and what else is worth telling."""

    value: str
    note: str = ""


class Check(NamedTuple):
    """One row of the venue's behaviour.

    ``find`` gets a desk for an instrument of ``category`` and returns what it saw; it raises
    ``Unknown`` where that is not possible. What it opened is taken back behind it.
    """

    name: str
    category: str
    """``linear`` or ``spot``; empty: any instrument will do."""

    question: str
    expected: str
    """As our code and our simulator take it for granted."""

    find: "Callable[[Desk], Awaitable[str | Seen]]"
    page: str
    """The venue's page about it, below ``docs/v5``."""

    is_slow: bool = False
    """Waits for minutes: only where slow checks are asked for."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A check and its verdict."""

    name: str
    instrument: str
    question: str
    expected: str
    seen: str
    verdict: Verdict
    note: str = ""
    """Why it is unknown, or what else was seen."""

    page: str = ""
    took_ms: int = 0


def row_of(check: Check, instrument: str, seen: Seen | None, note: str, took_ms: int) -> Row:
    """Return the row of a check; without something seen it is unknown, for the reason ``note``."""
    verdict = Verdict.UNKNOWN
    if seen is not None:
        verdict = Verdict.EQUAL if seen.value == check.expected else Verdict.DIFFERENT
    return Row(
        name=check.name,
        instrument=instrument,
        question=check.question,
        expected=check.expected,
        seen=seen.value if seen is not None else "",
        verdict=verdict,
        note=seen.note if seen is not None else note,
        page=check.page,
        took_ms=took_ms,
    )
