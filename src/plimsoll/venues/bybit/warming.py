"""Minutes to begin with: those stored on this machine, and from the venue what is missing.

The store is believed as far as the venue agrees. A stretch of stored minutes is used where its
first and its last hour are the venue's own, to the tick; the newest hour is always the venue's.
One that differs anywhere is evidence against all of it: then everything comes from the venue, and
that is told. A stretch shorter than a page is asked for: it takes one request either way.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isclose
from typing import Final, NamedTuple

from plimsoll.core.model import Instrument
from plimsoll.core.model.instrument import whole_steps
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import decimal_in, number, required, stored
from plimsoll.venues.bybit.queries import (
    BARS_A_PAGE,
    MINUTE_MS,
    PAGES_CAP,
    Candle,
    QueryFailed,
    bar_page,
    fetch_bars,
)
from plimsoll.venues.bybit.rest import RestClient

PAGE_MS: Final = BARS_A_PAGE * MINUTE_MS
HOUR_MS: Final = 60 * MINUTE_MS
FIELDS: Final = 6
"""Numbers a stored minute has: start_ms, open, high, low, close, volume in base coin."""

_NEAR: Final = 1e-6
"""A volume that was added up from trades differs from the venue's in its last digits."""


class Minute(NamedTuple):
    """A final minute: prices in ticks, volume in lots."""

    start_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: float

    def agrees(self, other: "Minute") -> bool:
        """Return whether another one says the same."""
        is_near = isclose(self.volume_lots, other.volume_lots, rel_tol=_NEAR, abs_tol=_NEAR)
        return self[:-1] == other[:-1] and is_near


class Warmed(NamedTuple):
    """Minutes, oldest first; ``stored``: which of them come from the store."""

    minutes: list[Minute]
    stored: frozenset[int]
    differs: str
    """Why nothing stored was used although there was some."""


class _DiffersError(Exception):
    """The venue has other minutes than the store."""


async def warm_minutes(
    rest: RestClient, instrument: Instrument, since_ms: int, kept: Sequence[Minute]
) -> Warmed:
    """Return the final minutes since ``since_ms``, each once.

    Args:
        rest: The way to the venue.
        instrument: Whose.
        since_ms: First minute wanted.
        kept: Stored minutes, oldest first; they are held against the venue's.

    Raises:
        QueryFailed: a page could not be had, or too many are missing.
        ParseError: the venue has sent what is no bar.
    """
    if len(kept) < BARS_A_PAGE:
        return await _asked(rest, instrument, since_ms, "")
    try:
        return await _joined(rest, instrument, since_ms, kept)
    except _DiffersError as error:
        return await _asked(rest, instrument, since_ms, str(error))


def kept_minutes(
    instrument: Instrument, rows: Mapping[str, "array[float]"], since_ms: int
) -> list[Minute]:
    """Return the stored minutes from ``since_ms`` on; one off the tick of now counts as missing."""
    numbers = rows.get(instrument.name)
    if numbers is None:
        return []
    found = []
    per_price, per_qty = instrument.ticks_per_price, instrument.lots_per_qty
    for place in range(0, len(numbers), FIELDS):
        start_ms = int(numbers[place])
        if start_ms < since_ms:
            continue
        first, high, low, last = (
            whole_steps(price, per_price) for price in numbers[place + 1 : place + 5]
        )
        if first is None or high is None or low is None or last is None:
            continue
        volume = numbers[place + 5] * per_qty
        found.append(Minute(start_ms, first, high, low, last, volume))
    return found


def minute_of(instrument: Instrument, candle: Candle) -> Minute:
    """Return a bar of the venue's answer, exact.

    Raises:
        ParseError: a price or the volume is none.
    """
    first, high, low, last = (
        _ticks(instrument, candle, field) for field in ("open", "high", "low", "close")
    )
    return Minute(candle.start_ms, first, high, low, last, _volume_lots(instrument, candle))


# ---- inside ----


async def _asked(rest: RestClient, instrument: Instrument, since_ms: int, why: str) -> Warmed:
    candles = await fetch_bars(rest, instrument, since_ms)
    return Warmed([minute_of(instrument, one) for one in candles], frozenset(), why)


async def _joined(
    rest: RestClient, instrument: Instrument, since_ms: int, kept: Sequence[Minute]
) -> Warmed:
    now_ms = rest.signed_ms()
    last_ms = now_ms - now_ms % MINUTE_MS
    held = {one.start_ms: one for one in kept if one.start_ms < last_ms - HOUR_MS}
    pages = _Pages(rest, instrument)
    found: dict[int, Minute] = {}
    used: set[int] = set()
    at, tail = since_ms + -since_ms % MINUTE_MS, range(0)
    for stretch in _stretches(held):
        head = range(stretch.start, stretch.start + HOUR_MS, MINUTE_MS)
        new = await pages.of(at, head.stop)  # with the last hour of the stretch before
        _compare(instrument, held, new, (*tail, *head))
        used |= {*stretch}
        found |= new
        at, tail = stretch.stop - HOUR_MS, stretch[-60:]
    new = await pages.of(at, last_ms)
    _compare(instrument, held, new, tail)
    used -= new.keys() | found.keys()
    found |= new
    found |= {start: held[start] for start in used}
    return Warmed([found[start] for start in sorted(found)], frozenset(used), "")


def _stretches(held: Mapping[int, Minute]) -> Iterator[range]:
    """Yield the stretches of stored minutes without a hole that save asking, oldest first."""
    start = end = -1
    for at in (*sorted(held), -1):
        if at != end:
            if end - start >= PAGE_MS:
                yield range(start, end, MINUTE_MS)
            start = at
        end = at + MINUTE_MS


class _Pages:
    """Asks for minutes, a page at a time, and not for ever."""

    def __init__(self, rest: RestClient, instrument: Instrument) -> None:
        self._rest = rest
        self._instrument = instrument
        self._count = 0

    async def of(self, first_ms: int, end_ms: int) -> dict[int, Minute]:
        """Return the minutes that begin in a span, by their start."""
        found: dict[int, Minute] = {}
        for start in range(first_ms, end_ms, PAGE_MS):
            self._count += 1
            if self._count > PAGES_CAP:
                raise QueryFailed(f"bars of {self._instrument.name} since {first_ms} are too many")
            last = min(start + PAGE_MS, end_ms)
            for candle in await bar_page(self._rest, self._instrument, start, last - 1):
                if start <= candle.start_ms < last:
                    found[candle.start_ms] = minute_of(self._instrument, candle)
        return found


def _compare(
    instrument: Instrument,
    held: Mapping[int, Minute],
    theirs: Mapping[int, Minute],
    starts: Iterable[int],
) -> None:
    """Hold stored minutes against the venue's.

    Raises:
        _DiffersError: one is another, or the venue has none.
    """
    for start in starts:
        other = theirs.get(start)
        if other is None or not held[start].agrees(other):
            found = "none" if other is None else _words(other)
            raise _DiffersError(
                f"stored minutes of {instrument.name} are not the venue's: at {start} (Unix ms) "
                f"{_words(held[start])} is stored, the venue has {found}. Nothing stored was used; "
                "`plimsoll data verify` looks at it, `data fetch` with another --store begins anew"
            )


def _words(one: Minute) -> str:
    return f"{one.open_ticks} {one.high_ticks} {one.low_ticks} {one.close_ticks} ticks"


def _ticks(instrument: Instrument, candle: Candle, field: str) -> int:
    """Return a price in ticks; a bar always has all four, so that "no value" is an error here."""
    text = getattr(candle, field)
    try:
        price = decimal_in(text)
        if price <= 0:
            raise ValueError(f"expected a positive price, found {text!r}")
        return stored(instrument.ticks_of(price))
    except ValueError as error:
        raise ParseError(f"bar {candle.start_ms} {field}: {error}") from error


def _volume_lots(instrument: Instrument, candle: Candle) -> float:
    what = f"bar {candle.start_ms}"
    volume = number(required(candle.volume, what, "volume"), what, "volume")
    if volume < 0:
        raise ParseError(f"{what} volume: no quantity: {candle.volume!r}")
    return float(volume) * instrument.lots_per_qty
