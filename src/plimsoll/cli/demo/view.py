"""The picture of a running demo, from a replica of its logs. Pure: a state in, lines out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from plimsoll.cli import text
from plimsoll.cli.demo.fills import FillLine
from plimsoll.cli.demo.report import account_equity, reconnects
from plimsoll.cli.rows import Rows, order_rows, position_rows, strategy_rows
from plimsoll.cli.status import safety_words
from plimsoll.core.engine import Core
from plimsoll.core.feed import Market
from plimsoll.core.records import Telemetry
from plimsoll.observe import quantile

GAIN: Final = "#5CC8FF"
LOSS: Final = "#FF9A5C"
MUTED: Final = "#9AA4B2"
WARN: Final = "#F2C14E"
WIDE: Final = 118
"""Columns from which on two panels stand side by side."""

_LADDER: Final = 30
"""Columns of one ladder with its margin."""

_LEVELS: Final = 5
_ORDERS: Final = 6
_FILLS: Final = 6
_LEFT_OUT: Final = ("time", "order", "why")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn."""

    core: Core
    telemetry: Telemetry | None
    fills: list[FillLine]
    elapsed_s: float
    restarts: int
    kills: int
    is_alive: bool
    root: Path


def draw(picture: Picture, width: int, height: int) -> RenderableType:
    """Return the picture for a terminal of this width and height."""
    core = picture.core
    markets = _panel("markets (top of the book)", _markets(core, width))
    strategies = _panel("strategies", _rows(strategy_rows(core)))
    held = _panel("positions", _rows(position_rows(core), "flat"))
    working = _panel("working orders", _rows(_short_orders(core), "none"))
    fills = _panel("newest fills", _fill_table(picture.fills))
    if width >= WIDE:
        parts: list[RenderableType] = [
            _head(picture),
            markets,
            _beside(Group(strategies, held), Group(working, fills)),
        ]
    elif height >= 45:
        parts = [_head(picture), markets, strategies, held, working, fills]
    else:  # a small terminal: what matters most
        parts = [_head(picture), strategies, held, working]
    return Group(*parts, _foot(picture))


def _head(picture: Picture) -> RenderableType:
    core = picture.core
    line = Text("PLIMSOLL demo ", style="bold")
    line.append(" SIMULATOR ", style="reverse")
    state = "running" if picture.is_alive else "DOWN, starting again"
    line.append(f"  {picture.elapsed_s:,.0f} s  engine {state}, epoch {core.epoch}  ")
    for name, is_up in core.safety.links.items():
        word = "up" if is_up else "DOWN"
        line.append(f"{name} {word}  ", style="" if is_up else WARN)
    words = safety_words(core)
    line.append(words, style="" if words == "trading allowed" else WARN)
    losses = core.losses
    if losses.is_known:
        today = losses.equity - losses.baseline
        line.append(f"\nequity {text.money(account_equity(core))}  today ")
        line.append(text.money(today, signed=True), style=_colour(today))
        line.append(f"  drawdown {text.percent(losses.drawdown_ppm)}")
    return line


def _foot(picture: Picture) -> RenderableType:
    core, telemetry = picture.core, picture.telemetry
    line = Text(style=MUTED)
    if telemetry is not None:
        buckets = telemetry.histograms.get("tick_to_order_us", [])
        p50, p99 = quantile(buckets, 0.5), quantile(buckets, 0.99)
        line.append(
            f"tick to order p50 {p50:,.0f} us, p99 {p99:,.0f} us ({sum(buckets):,})   "
            f"feed {telemetry.counters.get('feed_messages', 0):,} messages, "
            f"{telemetry.counters.get('feed_gaps', 0)} gaps, {reconnects(telemetry)} reconnects   "
        )
    line.append(f"kills {picture.kills}, restarts {picture.restarts}\n")
    incidents = list(core.incidents)[-2:]
    line.append(f"incidents {core.counts.get('incident', 0)}")
    for one in incidents:
        line.append(f"\n  {text.clock(one.ts_ns)} {one.code} {one.subject}: {one.text}", style=WARN)
    line.append(f"\nCtrl-C stops it and prints the account   {picture.root}")
    return line


def _markets(core: Core, width: int) -> RenderableType:
    """Return one small ladder for each instrument, beside or below each other."""
    ladders = [_ladder(market) for market in core.markets.values()]
    if not ladders:
        return Text("waiting for market data", style=MUTED)
    beside = max(1, min(len(ladders), width // _LADDER))
    grid = Table.grid(padding=(0, 2))
    for start in range(0, len(ladders), beside):
        grid.add_row(*ladders[start : start + beside])
    return grid


def _ladder(market: Market) -> RenderableType:
    instrument = market.instrument
    bids, asks = market.book.depth(_LEVELS)
    found = _plain()
    found.add_column(instrument.name, justify="right", no_wrap=True)
    found.add_column(f"{market.last:g}" if market.last else "-", justify="right", no_wrap=True)
    places = _places(instrument.tick_size)
    for price, qty in reversed(asks):
        found.add_row(f"{price:.{places}f}", f"{qty:g}", style=MUTED)
    fault = str(market.fault) if market.fault else f"mark {market.mark:.{places}f}"
    found.add_row(Text(fault, style=WARN if market.fault else "bold"), "")
    for price, qty in bids:
        found.add_row(f"{price:.{places}f}", f"{qty:g}")
    return found


def _short_orders(core: Core) -> Rows:
    """Return the newest working orders without the columns a screen has no room for."""
    orders = list(core.orders.working.values())[-_ORDERS:]
    titles, *rows = order_rows(core, orders)
    keep = [place for place, title in enumerate(titles) if title not in _LEFT_OUT]
    return [tuple(row[place] for place in keep) for row in (titles, *rows)]


def _fill_table(fills: list[FillLine]) -> RenderableType:
    if not fills:
        return Text("none yet", style=MUTED)
    found = _plain()
    for title in ("time", "strategy", "instrument", "side"):
        found.add_column(title, no_wrap=True)
    found.add_column("quantity", justify="right")
    found.add_column("price", justify="right")
    found.add_column("", no_wrap=True)
    for fill in fills[:_FILLS]:
        found.add_row(*fill[:6], "maker" if fill.is_maker else "taker")
    return found


def _rows(rows: Rows, empty: str = "") -> RenderableType:
    """Return rows as a table; cells that begin with a sign are coloured as gain or loss."""
    titles, *rest = rows
    if not rest and empty:
        return Text(empty, style=MUTED)
    found = _plain()
    for title in titles:
        is_right = title.startswith(text.RIGHT)
        justify = "right" if is_right else "left"
        found.add_column(title.lstrip(text.RIGHT), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rest:
        cells = [
            Text(cell, style=_sign_colour(cell, title))
            for cell, title in zip(row, titles, strict=True)
        ]
        found.add_row(*cells)
    return found


def _sign_colour(cell: str, title: str) -> str:
    if title not in (">realised", ">open"):
        return ""
    return {"+": GAIN, "-": LOSS}.get(cell[:1], MUTED)


def _colour(units: int) -> str:
    return GAIN if units > 0 else LOSS if units < 0 else MUTED


def _places(step: str) -> int:
    return len(step.partition(".")[2])


def _plain() -> Table:
    return Table(box=None, padding=(0, 1), pad_edge=False, header_style=MUTED)


def _panel(title: str, content: RenderableType) -> RenderableType:
    return Panel(content, title=title, title_align="left", border_style=MUTED, padding=(0, 1))


def _beside(left: RenderableType, right: RenderableType) -> RenderableType:
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(left, right)
    return grid
