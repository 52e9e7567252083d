"""Making rows and words fit a width: whole columns go, numbers are never cut."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from plimsoll.cli.rows import Rows
from plimsoll.cli.text import RIGHT

GAP: Final = 2
"""Columns of space between two columns of a table or two segments of a line."""

_INSTRUMENT: Final = "instrument"
_SYMBOL: Final = "symbol"


def fit(rows: Rows, width: int, spare: Sequence[str]) -> Rows:
    """Return rows that are at most ``width`` wide, as far as leaving ``spare`` out can do it.

    First the category of instruments goes (``linear:BTCUSDT`` becomes ``BTCUSDT``) where all have
    the same, then the columns named in ``spare``, one after the other.
    """
    if width_of(rows) > width:
        rows = _short_names(rows)
    for title in spare:
        if width_of(rows) <= width:
            break
        rows = without(rows, (title,))
    return rows


def width_of(rows: Rows) -> int:
    """Return how wide a table of these rows is."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(cell.lstrip(RIGHT)) for cell in column) for column in columns]
    return sum(widths) + GAP * max(0, len(widths) - 1)


def without(rows: Rows, titles: Sequence[str]) -> Rows:
    """Return rows without the columns of these titles."""
    keep = [place for place, title in enumerate(rows[0]) if title.lstrip(RIGHT) not in titles]
    return [tuple(row[place] for place in keep) for row in rows]


def flow(segments: Sequence[Text], width: int) -> list[Text]:
    """Return segments on as few lines as hold them; one that is longer than a line is wrapped."""
    lines: list[Text] = []
    for segment in segments:
        if lines and lines[-1].cell_len + GAP + segment.cell_len <= width:
            lines[-1].append(" " * GAP).append_text(segment)
        else:
            lines.append(segment.copy())
    return lines


def _short_names(rows: Rows) -> Rows:
    titles, *rest = rows
    if _INSTRUMENT not in titles or not rest:
        return rows
    place = titles.index(_INSTRUMENT)
    if len({row[place].partition(":")[0] for row in rest}) > 1:
        return rows
    short = [(*row[:place], row[place].partition(":")[2], *row[place + 1 :]) for row in rest]
    return [(*titles[:place], _SYMBOL, *titles[place + 1 :]), *short]
