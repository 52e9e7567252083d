"""Small pieces of HTML; every text that is not of this program is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from plimsoll.backtest.report import words

RIGHT = ">"
"""First character of a column's title that puts it on the right."""


def signed(text: str, value: object) -> str:
    """Return a gain or a loss in its colour; the sign is in the text."""
    kind = "zero"
    if isinstance(value, int | float) and value:
        kind = "gain" if value > 0 else "loss"
    return f'<span class="{kind}">{number(text)}</span>'


def number(text: str) -> str:
    """Return a number with a true minus sign."""
    return escape(words.typographic(text))


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    kind: str = "",
) -> str:
    """Return a table of cells that are HTML already; the first of a row is its heading."""
    names = [escape(title.removeprefix(RIGHT)) for title in titles]
    kinds = ["num" if title.startswith(RIGHT) else "words" for title in titles]
    heads = "".join(
        f'<th scope="col" class="{one}">{name}</th>' for name, one in zip(names, kinds, strict=True)
    )
    told_in_cells = names if "named" in kind else ()
    body = "".join(f"<tr>{_cells(row, told_in_cells, kinds)}</tr>" for row in rows)
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    of_kind = f' class="{kind}"' if kind else ""
    return f"<table{of_kind}>{told}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Sequence[str], names: Sequence[str], kinds: Sequence[str]) -> str:
    """Return the cells of a row; a narrow screen shows the names before the values."""
    told = [f' data-name="{name}"' for name in names] or [""] * len(row)
    cells = [f'<th scope="row" class="{kinds[0]}">{row[0]}</th>']
    for cell, name, kind in zip(row[1:], told[1:], kinds[1:], strict=True):
        cells.append(f'<td class="{kind}"{name}>{cell}</td>')
    return "".join(cells)


def scroll(label: str, inner: str) -> str:
    """Return something wide that scrolls by itself, also by keys."""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{inner}</div>'
    )


def folded(title: str, inner: str) -> str:
    """Return something that is opened on demand."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def card(title: str, inner: str, level: int = 3) -> str:
    """Return a titled part of an owner."""
    return f'<div class="card"><h{level}>{escape(title)}</h{level}>{inner}</div>'


def pairs(rows: Iterable[tuple[str, str]], titles: tuple[str, str]) -> str:
    """Return names with values, both plain text, as a table."""
    return table(titles, [(escape(name), escape(value)) for name, value in rows])
