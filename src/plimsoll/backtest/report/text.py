"""Results as text for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from plimsoll.backtest.report import plot, words
from plimsoll.backtest.results import EXECUTION, OwnerResult, Results
from plimsoll.core.portfolio.statistics import METRICS

PLOT_LINES: Final = 7
_LABEL: Final = 24
_COLUMN: Final = 20
"""Characters a label and an instance's column need at least."""


def summary(results: Results, width: int = 100) -> RenderableType:
    """Return what a person wants to know first, for a terminal of a width."""
    parts: list[RenderableType] = [_head(results)]
    for owner in results.owners:
        parts += [Text(""), *_curve(owner, width)]
    beside = max(1, (width - _LABEL) // _COLUMN)
    for first in range(0, len(results.owners), beside):
        some = results.owners[first : first + beside]
        parts += [Text(""), _statistics(some), Text(""), _execution(some)]
    for owner in results.owners:
        if owner.refused:
            parts += [Text(""), *_refused(owner)]
    parts += [Text(""), _named("assumption", results.assumptions or {"none": "was named"})]
    parts += [Text(f"warning: {one}", style="yellow") for one in results.warnings]
    parts += [Text(f"source: {one}") for one in results.source]
    return Group(*parts)


def _head(results: Results) -> Text:
    began, ended = words.day(results.began_ns), words.day(results.ended_ns)
    took = f"{results.events:,} events in {results.seconds:.1f} s"
    made = f"version {results.version}, seed {results.seed}, hash {results.hash[:12] or words.DASH}"
    return Text.assemble((f"Backtest {began} to {ended} UTC", "bold"), f"  {took}\n", (made, "dim"))


def _curve(owner: OwnerResult, width: int) -> Iterator[Text]:
    change = owner.final_equity - owner.capital
    title = Text(f"{owner.owner}", style="bold")
    title.append(f"  {owner.class_name}  {', '.join(owner.instruments)}", style="dim")
    yield title
    came = f"{words.money(owner.capital)} became {words.money(owner.final_equity)}"
    yield Text(f"{came}, {words.money(change, signed=True)} ({words.stat(owner, 'total_return')})")
    if not owner.curve.ts_ns:
        yield Text("no equity was measured", style="dim")
        return
    lines = plot.plot(owner.curve.ts_ns, owner.curve.equity, min(width, 100), PLOT_LINES)
    yield from (Text(line, no_wrap=True) for line in lines)


def _statistics(owners: Sequence[OwnerResult]) -> Table:
    table = _beside("statistic", owners)
    for name, metric in METRICS.items():
        if name in words.FOLDED:
            continue
        table.add_row(metric.label, *(_stat(owner, name) for owner in owners))
        if name == "sharpe":
            table.add_row("  95 % interval", *(words.interval(one) or words.DASH for one in owners))
    return table


def _stat(owner: OwnerResult, name: str) -> Text:
    reason = words.why_not(owner, name)
    if reason:
        return Text.assemble(words.DASH, (f" {reason}", "dim"))
    shown = Text(words.stat(owner, name))
    sample = words.sample(owner, name) if name == "sharpe" else ""
    return Text.assemble((f"({sample}) ", "dim"), shown) if sample else shown


def _execution(owners: Sequence[OwnerResult]) -> Table:
    table = _beside("execution", owners)
    names = list(dict.fromkeys([*EXECUTION, *(name for one in owners for name in one.execution)]))
    for name in names:
        if any(name in one.execution for one in owners):
            cells = (words.execution(name, one.execution.get(name)) for one in owners)
            table.add_row(name.replace("_", " "), *map(Text, cells))
    return table


def _refused(owner: OwnerResult) -> Iterator[Text]:
    yield Text(f"{owner.owner}: refused at once, before any check", style="bold")
    for row in owner.refused:
        call, code, times, first, text = words.refused(row)
        yield Text(f"  {times} x {call}: {code}, first {first}")
        yield Text(f"  {text}", style="dim")


def _beside(title: str, owners: Sequence[OwnerResult]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(title, no_wrap=True)
    for owner in owners:
        table.add_column(Text(owner.owner), justify="right", overflow="fold")
    return table


def _named(title: str, rows: dict[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(title, no_wrap=True)
    table.add_column("in this run")
    for name, value in rows.items():
        table.add_row(Text(name), Text(value))
    return table
