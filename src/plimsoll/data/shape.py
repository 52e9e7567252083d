"""Which column of a file is what: by the names of its header, by their number, or as told.

What can be read in two ways is refused with the option that decides it; what was recognised is
told in ``Shape.notes``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from plimsoll.data.errors import NotRecognised

_DELIMITERS: Final = (",", ";", "\t", "|")
_PRICES: Final = ("open", "high", "low", "close")

_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "time": frozenset(
        (
            *("time", "timestamp", "ts", "date", "datetime", "unix", "unixtime", "unixtimestamp"),
            *("tsms", "timems", "start", "startms", "starttime", "startat"),
            *("opentime", "opendatetime", "fundingtime", "fundingratetimestamp"),
        )
    ),
    "close_time": frozenset(("closetime", "closedatetime", "closems", "endtime", "end")),
    "open": frozenset(("open", "o", "openprice")),
    "high": frozenset(("high", "h", "highprice")),
    "low": frozenset(("low", "l", "lowprice")),
    "close": frozenset(("close", "c", "closeprice")),
    "volume": frozenset(("volume", "vol", "v", "basevolume")),
    "turnover": frozenset(("turnover", "quotevolume", "quoteassetvolume")),
    "price": frozenset(("price",)),
    "size": frozenset(("size", "qty", "quantity")),
    "symbol": frozenset(("symbol",)),
    "rate": frozenset(("rate", "fundingrate")),
}
COLUMN_WORDS: Final = (*_NAMES, "_")
"""What ``--columns`` may name; ``_`` leaves a column out."""

_BY_COUNT: Final[Mapping[int, tuple[str, ...]]] = {
    5: ("time", *_PRICES),
    6: ("time", *_PRICES, "volume"),
    7: ("time", *_PRICES, "volume", "turnover"),
    12: ("time", *_PRICES, "volume", "close_time", "turnover", "_", "_", "_", "_"),
}
"""Columns of files without a header: plain bars, the venue's klines, another venue's archive."""


class Shape(NamedTuple):
    """What a file holds."""

    content: str
    """``bars``, ``trades`` or ``funding``."""

    columns: dict[str, int]
    """Place of each known column, from 0."""

    width: int
    """Cells of every row."""

    delimiter: str
    has_header: bool
    notes: tuple[str, ...]
    """What was recognised, in words."""

    @property
    def is_closing(self) -> bool:
        """Return whether its times say when a bar ends."""
        return "time" not in self.columns

    @property
    def time(self) -> int:
        """Return the place of the time column."""
        return self.columns.get("time", self.columns.get("close_time", 0))


def shape_of(head: Sequence[str], kind: str, columns: str, where: str) -> Shape:
    """Return the shape of a text file from its first lines.

    Args:
        head: Lines that are not blank; the first may be a header.
        kind: Kind of the series the file is for.
        columns: What ``--columns`` said, empty for nothing.
        where: ``file:line`` of the first line.

    Raises:
        NotRecognised: a column is missing, named twice, or the file has no header and an unknown
            number of columns.
    """
    delimiter = next((one for one in _DELIMITERS if one in head[0]), ",")
    cells = split(head[0], delimiter)
    has_header = not any(_is_value(cell) for cell in cells)
    if has_header and len(head) == 1:
        raise NotRecognised("expected rows, found a header alone", where, "take the whole file")
    return _shape(cells, kind, columns, where, delimiter, has_header=has_header)


def shape_of_names(names: Sequence[str], kind: str, columns: str, where: str) -> Shape:
    """Return the shape of a Parquet file from the names of its columns.

    Raises:
        NotRecognised: as ``shape_of``.
    """
    return _shape(names, kind, columns, where, "", has_header=True)


def split(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, without quotes and spaces around them."""
    return [cell.strip(' "') for cell in line.split(delimiter)]


def _shape(
    cells: Sequence[str], kind: str, columns: str, where: str, delimiter: str, *, has_header: bool
) -> Shape:
    names: Sequence[str]
    if columns:
        names, how = _told(columns, len(cells), where), "as told"
    elif has_header:
        names, how = [_known(cell) for cell in cells], "by the header"
    else:
        names, how = _counted(len(cells), kind, where), f"no header, {len(cells)} columns"
    places = _places(names, cells, where)
    content = _content(places, kind, cells, where)
    wanted = _wanted(content, kind)
    kept = {name: place for name, place in places.items() if name in wanted}
    shown = ", ".join(f"{name} = column {place + 1}" for name, place in kept.items())
    return Shape(content, kept, len(cells), delimiter, has_header, (f"columns {how}: {shown}",))


def _told(columns: str, count: int, where: str) -> list[str]:
    names = [name.strip() for name in columns.split(",")]
    unknown = [name for name in names if name not in COLUMN_WORDS]
    if unknown:
        raise NotRecognised(
            f"--columns names {', '.join(unknown)}", where, f"known are {', '.join(COLUMN_WORDS)}"
        )
    if len(names) != count:
        raise NotRecognised(
            f"--columns names {len(names)}, found {count} columns",
            where,
            "name each column in its order; `_` leaves one out",
        )
    return names


def _counted(count: int, kind: str, where: str) -> Sequence[str]:
    if kind == "funding" and count == 2:
        return ("time", "rate")
    if kind != "funding" and count in _BY_COUNT and (count != 5 or kind == "mark"):
        return _BY_COUNT[count]
    raise NotRecognised(
        f"expected a header, found none and {count} columns, which may mean anything",
        where,
        "name them in their order, such as --columns time,open,high,low,close,volume",
    )


def _places(names: Sequence[str], cells: Sequence[str], where: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in places:
            raise NotRecognised(
                f"columns {places[name] + 1} ({cells[places[name]]}) and {place + 1} "
                f"({cells[place]}) may both be {name}",
                where,
                "say which with --columns; `_` leaves one out",
            )
        if name != "_":
            places[name] = place
    return places


def _content(places: Mapping[str, int], kind: str, cells: Sequence[str], where: str) -> str:
    """Return what the columns make of the file.

    Raises:
        NotRecognised: something is missing for it.
    """
    is_trades = "price" in places and not any(name in places for name in _PRICES)
    if is_trades and kind == "last":
        content, missing = "trades", {"time", "size"} - places.keys()
        if "volume" in places:  # the archive of spot calls the size so
            missing.discard("size")
    elif kind == "funding":
        content, missing = "funding", {"time", "rate"} - places.keys()
    else:
        content, missing = "bars", {*_PRICES} - places.keys()
        if kind == "last" and "volume" not in places:
            missing.add("volume")
        if not places.keys() & {"time", "close_time"}:
            missing.add("time")
    if missing:
        raise NotRecognised(
            f"expected {content}, found no column {', '.join(sorted(missing))} in "
            f"{', '.join(cells)[:160]}",
            where,
            "name the columns in their order with --columns, or choose --kind",
        )
    return content


def _wanted(content: str, kind: str) -> tuple[str, ...]:
    if content == "funding":
        return ("time", "rate")
    if content == "trades":
        return ("time", "price", "size", "volume", "symbol")
    if kind == "mark":
        return ("time", "close_time", *_PRICES)
    return ("time", "close_time", *_PRICES, "volume", "turnover", "symbol")


def _known(cell: str) -> str:
    plain = re.sub("[^a-z0-9]", "", cell.lower())
    return next((name for name, words in _NAMES.items() if plain in words), "_")


def _is_value(cell: str) -> bool:
    """Return whether a cell is a number or begins as a time does."""
    try:
        float(cell)
    except ValueError:
        return bool(re.match(r"\d{4}", cell))
    return cell.lower() not in ("nan", "inf", "infinity")
