"""``quality``: how well orders were executed, from the logs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.measuring import ALL, Measurer, Read, epoch_of, must_be_there, session_text
from plimsoll.cli.output import print_json
from plimsoll.config.books import Books, load_books
from plimsoll.core.execution.quality import (
    Cell,
    Key,
    Kind,
    Measured,
    Quality,
    measured,
    merged,
    totals,
)

_FIGURES: Final = ("p50", "p95", "p99")


class Pair(NamedTuple):
    """One instance in one instrument, on paper or live."""

    owner: str
    instrument: str
    is_paper: bool

    @property
    def mode(self) -> str:
        """Return the word for whether it is paper."""
        return _mode(self.is_paper)


def quality(
    project: str, env: str, *, json: bool, strategy: str, instrument: str, session: str
) -> Exit:
    """Print what was measured of each instance in each instrument.

    Raises:
        Failure: there is no such session, instance or instrument, or the log is damaged.
    """
    books = load_books(Path(project), env)
    read = _read(books, session)
    cells = read.measure.cells
    must_be_there("strategy", strategy, [key.owner for key in cells])
    must_be_there("instrument", instrument, [key.instrument for key in cells])
    wanted = {
        key: cell
        for key, cell in cells.items()
        if strategy in ("", key.owner) and instrument in ("", key.instrument)
    }
    if json:
        print_json(_document(read, session, wanted))
    else:
        print("\n".join(_lines(read, session, wanted)))
    return Exit.DONE


# ---- what was asked for ----


def _read(books: Books, session: str) -> Read[Quality]:
    folder = journal_of(books)
    with damage_told(books):
        epoch = epoch_of(folder, session)
        return Measurer(folder, Quality(), epoch, books_only=True).read()


def _by_pair(cells: Mapping[Key, Cell]) -> dict[Pair, dict[Kind, Cell]]:
    found: dict[Pair, dict[Kind, Cell]] = {}
    for key, cell in sorted(cells.items()):
        found.setdefault(Pair(*key[:3]), {})[key.kind] = cell
    return found


def _mode(is_paper: bool) -> str:
    return "paper" if is_paper else "live"


# ---- JSON ----


def _document(read: Read[Quality], session: str, cells: Mapping[Key, Cell]) -> dict[str, Any]:
    rows = []
    for pair, kinds in _by_pair(cells).items():
        head = {"strategy": pair.owner, "instrument": pair.instrument, "mode": pair.mode}
        for kind, cell in kinds.items():
            if kind is not Kind.NONE:
                rows.append(head | {"kind": str(kind)} | _fields(cell))
        rows.append(head | {"kind": ALL} | _fields(merged(kinds.values())))
    return {
        "session": session,
        "records": read.records,
        "from_ns": read.first_ns,
        "to_ns": read.last_ns,
        "market_from_seq": read.market_from,
        "outside_fills": read.measure.outside,
        "quality": rows,
        "totals": [
            {"mode": _mode(is_paper)} | _fields(cell) for is_paper, cell in totals(cells).items()
        ],
    }


def _fields(cell: Cell) -> dict[str, Any]:
    return {
        "orders": cell.orders,
        "fills": cell.fills,
        "worth": text.exact(cell.worth_units),
        "metrics": {one.metric.name: _metric(one) for one in measured(cell)},
    }


def _metric(one: Measured) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": one.metric.unit, "n": one.n, **one.figures}
    return found | ({"reason": one.reason} if one.reason else {})


# ---- for people ----


def _lines(read: Read[Quality], session: str, cells: Mapping[Key, Cell]) -> list[str]:
    span = f"{text.moment(read.first_ns)} to {text.moment(read.last_ns)} UTC"
    lines = [f"{session_text(session)}, {read.records:,} records, {span}"]
    if not cells:
        return [*lines, "no order was asked for"]
    pairs = _by_pair(cells)
    for pair, kinds in pairs.items():
        title = f"{pair.owner}  {pair.instrument}  {pair.mode}"
        denied = sum(cell.denied for cell in kinds.values())
        lines += ["", f"{title}  denied by us: {denied}" if denied else title]
        for kind, cell in kinds.items():
            if kind is not Kind.NONE:
                lines += _table(f"{kind} orders", cell)
    if len(pairs) > 1:
        for is_paper, cell in totals(cells).items():
            lines += ["", f"everything {_mode(is_paper)}", *_table("orders", cell)]
    return lines + _notes(read, cells)


def _table(title: str, cell: Cell) -> list[str]:
    head = f"  {title}: {cell.orders}, fills: {cell.fills}, worth {text.money(cell.worth_units)}"
    rows = [_row(one) for one in measured(cell) if one.metric.name != "denied"]
    titles = ("metric", ">value", ">p50", ">p95", ">p99", ">n", "")
    return [head, text.table(titles, rows, indent="    ")]


def _row(one: Measured) -> tuple[str, ...]:
    """Return a line: the mean or only figure, the quantiles, n, and why a figure is missing."""
    main = next((name for name in ("mean", "value") if name in one.figures), "")
    cells = [_shown(one, name) for name in (main, *_FIGURES)]
    return one.metric.title, *cells, str(one.n), one.reason


def _shown(one: Measured, name: str) -> str:
    if name not in one.figures:
        return ""
    value = one.figures[name]
    if value is None:
        return "-"
    return _WRITTEN[one.metric.unit](value)


def _duration(ms: float) -> str:
    if ms < 10_000:
        return f"{ms:.1f} ms"
    return f"{ms / 1_000:.1f} s" if ms < 600_000 else f"{ms / 60_000:.0f} min"


_WRITTEN: Final[Mapping[str, Callable[[float], str]]] = {
    "bps": lambda value: f"{round(value, 2) or 0.0:+.2f} bps",
    "share": lambda value: f"{value:.1%}",
    "ms": _duration,
    "count": lambda value: f"{value:.0f}",
}


def _notes(read: Read[Quality], cells: Mapping[Key, Cell]) -> list[str]:
    lines = ["", "positive costs are against us; - : too few to say, with the n it takes"]
    fills = sum(cell.fills for cell in cells.values())
    without = fills - sum(cell.at_fill.n for cell in cells.values())
    if without:
        lines.append(
            f"{without} of {fills} fills have no middle to be held against: the book was not "
            "known or not trusted then, or nothing came after them"
        )
    if read.market_from:
        lines.append(f"market data before seq {read.market_from} are gone (journal.market_keep)")
    if any(not key.is_paper for key in cells):
        lines.append("what paper would have given the same live orders: plimsoll gap")
    if read.measure.outside:
        lines.append(f"{read.measure.outside} fills of orders nobody here asked for are left out")
    return lines
