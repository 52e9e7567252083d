"""How the times of a file are written: recognised from one row, then held against every row.

A number is taken for seconds, milliseconds, microseconds or nanoseconds where exactly one of them
gives a year from 2000 to 2099; a text where it is ISO 8601 or has the year first all the same, such
as ``20221213 08:00:00`` or ``2022.12.13 08:00``. Anything else is refused with what to say. A text
without a zone is UTC unless a zone was given, and that is told.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from plimsoll.data.database import literal
from plimsoll.data.errors import NotRecognised

_EARLIEST_MS: Final = 946_684_800_000  # 2000
_LATEST_MS: Final = 4_102_444_800_000  # 2100
_DAY_MS: Final = 86_400_000
_UNITS: Final = {
    "s": "CAST(floor(TRY_CAST({x} AS DOUBLE) * 1000 + 0.0005) AS BIGINT)",
    "ms": "TRY_CAST({x} AS BIGINT)",
    "us": "TRY_CAST({x} AS BIGINT) // 1000",
    "ns": "TRY_CAST({x} AS BIGINT) // 1000000",
}
_PER_MS: Final = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_UNIT_WORDS: Final = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
    r"(?: ?(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?"
)
_YEAR_FIRST: Final = (
    (re.compile(r"\d{4}\.\d{2}\.\d{2} \d{2}:\d{2}:\d{2}"), "%Y.%m.%d %H:%M:%S"),
    (re.compile(r"\d{4}\.\d{2}\.\d{2} \d{2}:\d{2}"), "%Y.%m.%d %H:%M"),
    (re.compile(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}"), "%Y/%m/%d %H:%M"),
)
"""With dots in the venue's archive of klines. The year first leaves no doubt about the rest."""

_COMPACT: Final = (
    (re.compile(r"(?:19|20)\d{6} \d{2}:\d{2}:\d{2}"), "%Y%m%d %H:%M:%S"),
    (re.compile(r"(?:19|20)\d{6} \d{2}:\d{2}"), "%Y%m%d %H:%M"),
    (re.compile(r"(?:19|20)\d{6}"), "%Y%m%d"),
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d*)?")
_ZONE: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")


class TimeWords(NamedTuple):
    """What somebody said about the times of a file; empty means: recognise it."""

    day: str = ""
    """``YYYY-MM-DD``: times count from this midnight, in ms."""

    zone: str = ""
    """``UTC`` or ``+03:00``: of times that name none themselves."""

    format: str = ""
    """As ``strptime`` writes it, such as ``%d/%m/%Y %H:%M``."""


class TimeFormat(NamedTuple):
    """How times are written."""

    word: str
    """For people."""

    sql: Callable[[str], str]
    """From an expression of a cell to one of Unix ms, NULL where it is no such time."""


def recognise(sample: str, said: TimeWords, where: str) -> TimeFormat:
    """Return how a time is written.

    Args:
        sample: The cell of the first row.
        said: What the caller knows of it.
        where: ``file:line`` of the sample.

    Raises:
        NotRecognised: it can be read in no way, or what was said does not fit.
    """
    shift_ms = _shift_ms(said.zone, where)
    if said.day:
        return _since_midnight(said.day, shift_ms, where)
    if said.format:
        return _own_format(said.format, shift_ms, said.zone)
    if _NUMBER.fullmatch(sample) and not _COMPACT[-1][0].fullmatch(sample):
        return _unix(sample, said.zone, where)
    iso = _ISO.fullmatch(sample)
    if iso:
        if iso["zone"] and said.zone:
            raise NotRecognised(
                f"times name their own zone, such as {sample}", where, "leave out --zone"
            )
        word = f"ISO 8601 with its zone, as {sample}" if iso["zone"] else _bare(sample, said.zone)
        has_zone = bool(iso["zone"])
        return TimeFormat(word, lambda x: _within(_iso(x, has_zone=has_zone), shift_ms))
    for pattern, text in (*_COMPACT, *_YEAR_FIRST):
        if pattern.fullmatch(sample):
            own = _own_format(text, shift_ms, said.zone)
            return TimeFormat(_bare(sample, said.zone), own.sql)
    raise NotRecognised(
        f"expected a time, found {sample[:40]!r}, which is written in no way that is known",
        where,
        "say how with --time-format, such as --time-format '%d/%m/%Y %H:%M'",
    )


def of_timestamps(zone: str, where: str, *, has_zone: bool) -> TimeFormat:
    """Return how a Parquet column of timestamps is read.

    Raises:
        NotRecognised: a zone was given where the column has one.
    """
    if has_zone:
        if zone:
            raise NotRecognised(
                "the timestamps have a zone of their own", where, "leave out --zone"
            )
        return TimeFormat(
            "timestamps with a zone",
            lambda x: _within(f"epoch_ms(CAST({x} AS TIMESTAMPTZ))", 0),
        )
    shift_ms = _shift_ms(zone, where)
    word = f"timestamps without a zone, taken as {zone or 'UTC'}"
    return TimeFormat(word, lambda x: _within(f"epoch_ms(CAST({x} AS TIMESTAMP))", shift_ms))


def _unix(sample: str, zone: str, where: str) -> TimeFormat:
    number = float(sample)
    units = [u for u, per in _PER_MS.items() if _EARLIEST_MS <= number / per < _LATEST_MS]
    if not units:
        raise NotRecognised(
            f"expected Unix time of a year from 2000 to 2099, found {sample}",
            where,
            "times that count the milliseconds of one day need that day: --day 2022-12-13"
            if number < _DAY_MS
            else "say how times are written with --time-format",
        )
    if zone:
        raise NotRecognised(f"Unix time is UTC, found {sample}", where, "leave out --zone")
    unit = units[0]  # the windows of the units are a factor of 1000 apart and do not touch
    return TimeFormat(f"Unix {_UNIT_WORDS[unit]}", lambda x: _within(_UNITS[unit].format(x=x), 0))


def _since_midnight(day: str, shift_ms: int, where: str) -> TimeFormat:
    try:
        first = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    except ValueError:
        raise NotRecognised(
            f"expected a day, found {day!r}", where, "write it as --day 2022-12-13"
        ) from None
    start_ms = int(first.timestamp()) * 1000 - shift_ms

    def sql(x: str) -> str:
        cell = f"TRY_CAST({x} AS BIGINT)"
        return f"CASE WHEN {cell} >= 0 AND {cell} < {_DAY_MS} THEN {start_ms} + {cell} END"

    return TimeFormat(f"milliseconds from {day} 00:00", sql)


def _own_format(text: str, shift_ms: int, zone: str) -> TimeFormat:
    def sql(x: str) -> str:
        return _within(f"epoch_ms(TRY_STRPTIME({x}, {literal(text)}))", shift_ms)

    return TimeFormat(f"{text}, taken as {zone or 'UTC'}", sql)


def _iso(x: str, *, has_zone: bool) -> str:
    """Return the time of a text; NULL where it names a zone and others do not, or the reverse."""
    zone = (
        f"(ends_with({x}, 'Z') OR ends_with({x}, 'UTC') OR contains({x}, '+') "
        f"OR contains(substr({x}, 11), '-'))"
    )
    time = f"epoch_ms(TRY_CAST(replace({x}, ',', '.') AS TIMESTAMPTZ))"
    return f"CASE WHEN {'' if has_zone else 'NOT '}{zone} THEN {time} END"


def _bare(sample: str, zone: str) -> str:
    return f"without a zone, as {sample}: taken as {zone or 'UTC'}"


def _within(sql: str, shift_ms: int) -> str:
    """Return the shifted time where it is of this century, else NULL."""
    moved = f"({sql}) - {shift_ms}" if shift_ms else f"({sql})"
    return f"CASE WHEN {moved} >= {_EARLIEST_MS} AND {moved} < {_LATEST_MS} THEN {moved} END"


def _shift_ms(zone: str, where: str) -> int:
    """Return how far a zone is ahead of UTC."""
    if zone in ("", "UTC", "Z"):
        return 0
    found = _ZONE.fullmatch(zone)
    if found is None:
        raise NotRecognised(
            f"expected a zone, found {zone!r}",
            where,
            "write it as --zone UTC, --zone +03:00 or --zone=-05:00",
        )
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return int(ahead.total_seconds() * 1000) * (1 if found[1] == "+" else -1)
