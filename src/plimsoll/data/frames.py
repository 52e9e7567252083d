"""The time frames and kinds of stored series, and the months they are filed by: pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from plimsoll.data.errors import DataError

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 1440 * _MINUTE_MS
_MONDAY_MS: Final = 4 * _DAY_MS
"""The Unix epoch was a Thursday: weeks start four days later."""

FUNDING_MOST_MS: Final = 8 * 60 * _MINUTE_MS
"""Longest time between two settlements of a perpetual (Bybit v5 docs, instruments-info)."""

KINDS: Final = ("last", "mark", "funding")
"""Bars of the last price, bars of the mark price, funding rates."""


class Frame(NamedTuple):
    """Length of a bar, in UTC; weeks begin on Monday."""

    word: str
    interval: str
    """The venue's word for it."""

    span_ms: int

    @property
    def offset_ms(self) -> int:
        """Return when the first bar after the Unix epoch begins, in ms."""
        return _MONDAY_MS if self.word == "1w" else 0

    def floor(self, at_ms: int) -> int:
        """Return when the bar that holds a moment begins."""
        return at_ms - (at_ms - self.offset_ms) % self.span_ms

    def ceil(self, at_ms: int) -> int:
        """Return when the first bar begins that begins at a moment or after it."""
        return at_ms + (self.offset_ms - at_ms) % self.span_ms


FRAMES: Final[Mapping[str, Frame]] = MappingProxyType(
    {
        word: Frame(word, interval, minutes * _MINUTE_MS)
        for word, interval, minutes in (
            ("1m", "1", 1),
            ("3m", "3", 3),
            ("5m", "5", 5),
            ("15m", "15", 15),
            ("30m", "30", 30),
            ("1h", "60", 60),
            ("2h", "120", 120),
            ("4h", "240", 240),
            ("6h", "360", 360),
            ("12h", "720", 720),
            ("1d", "D", 1440),
            ("1w", "W", 7 * 1440),
        )
    }
)
"""Every frame the venue has bars of, but months."""

NO_FRAME: Final = Frame("", "", 1)
"""Of funding rates: they have times, not lengths."""


class Series(NamedTuple):
    """What one row of files holds: one kind of one instrument in one frame."""

    instrument: str
    kind: str
    frame: Frame

    @property
    def name(self) -> str:
        """Return words for messages, such as ``linear:BTCUSDT last 1m``."""
        return f"{self.instrument} {self.kind} {self.frame.word}".rstrip()

    @property
    def is_funding(self) -> bool:
        """Return whether its rows are rates instead of bars."""
        return self.kind == "funding"

    @property
    def time(self) -> str:
        """Return the name of its time column, Unix ms."""
        return "ts_ms" if self.is_funding else "start_ms"

    @property
    def values(self) -> tuple[str, ...]:
        """Return the names of its other columns, each a DOUBLE."""
        if self.is_funding:
            return ("rate",)
        return ("open", "high", "low", "close", "volume", "turnover")

    def directory(self, store_dir: Path) -> Path:
        """Return where its files are."""
        last = "funding" if self.is_funding else f"{self.kind}-{self.frame.word}"
        return instrument_dir(store_dir, self.instrument) / last


def frame_of(word: str) -> Frame:
    """Return the frame of a word such as ``1m`` or ``4h``.

    Raises:
        DataError: the venue has no bars of it.
    """
    if word not in FRAMES:
        raise DataError(
            f"expected one of {', '.join(FRAMES)}, found {word!r}",
            "frame",
            "longer frames are made of 1m bars",
        )
    return FRAMES[word]


def series_of(instrument: str, kind: str, frame: str) -> Series:
    """Return a series; funding rates have no frame.

    Raises:
        DataError: instrument, kind or frame is none.
    """
    category, _, symbol = instrument.partition(":")
    if category not in ("linear", "spot") or not _is_symbol(symbol):
        raise DataError(
            f"expected linear:SYMBOL or spot:SYMBOL in capitals, found {instrument!r}",
            "instrument",
            "such as linear:BTCUSDT",
        )
    if kind not in KINDS:
        raise DataError(
            f"expected one of {', '.join(KINDS)}, found {kind!r}", "kind", "`last` is the usual one"
        )
    if category == "spot" and kind != "last":
        raise DataError(f"spot has no {kind}", instrument, "ask for the perpetual")
    return Series(instrument, kind, NO_FRAME if kind == "funding" else frame_of(frame))


def _is_symbol(symbol: str) -> bool:
    """Return whether it is safe as part of a path, too."""
    return symbol == symbol.upper() and symbol.replace("-", "").isalnum() and symbol.isascii()


def instrument_dir(store_dir: Path, instrument: str) -> Path:
    """Return the directory of an instrument: ``linear:BTCUSDT`` is in ``linear-BTCUSDT``."""
    return store_dir / instrument.replace(":", "-", 1)


def series_in(store_dir: Path) -> Iterator[Series]:
    """Yield every series that has a directory in a store, by name."""
    for directory in sorted(store_dir.glob("*-*/*")):
        category, _, symbol = directory.parent.name.partition("-")
        kind, _, word = directory.name.partition("-")
        try:
            series = series_of(f"{category}:{symbol}", kind, word)
        except DataError:
            continue  # not ours
        if directory.is_dir() and series.directory(store_dir) == directory:
            yield series


# ---- months ----------------------------------------------------------------------------------


def month_of(at_ms: int) -> str:
    """Return the month of a time in UTC, such as ``2024-01``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def month_span(month: str) -> tuple[int, int]:
    """Return when a month begins and when the next one does, Unix ms.

    Raises:
        ValueError: it is no month.
    """
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    year, place = divmod(first.year * 12 + first.month, 12)
    following = datetime(year, place + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * 1000, int(following.timestamp()) * 1000


def moment(at_ms: int) -> str:
    """Return a time as people read it, in UTC: ``2024-01-01 00:00``, with seconds where any."""
    found = datetime.fromtimestamp(at_ms / 1000, UTC).replace(tzinfo=None)
    if at_ms % _MINUTE_MS == 0:
        return found.isoformat(sep=" ", timespec="minutes")
    return found.isoformat(sep=" ", timespec="milliseconds")
