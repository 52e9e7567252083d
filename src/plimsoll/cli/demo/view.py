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
from plimsoll.cli.demo.fitting import fit, flow, without
from plimsoll.cli.demo.report import account_equity, reconnects
from plimsoll.cli.rows import CANCELING, Rows, order_rows, position_rows, strategy_rows
from plimsoll.cli.status import ALLOWED, safety_words
from plimsoll.core.engine import Core
from plimsoll.core.feed import Market
from plimsoll.core.records import Telemetry
from plimsoll.observe import quantile, size_of

GAIN: Final = "#5CC8FF"
LOSS: Final = "#FF9A5C"
MUTED: Final = "#9AA4B2"
WARN: Final = "#F2C14E"
WIDE: Final = 118
"""Columns from which on two panels stand side by side."""

_LADDER: Final = 30
"""Columns of one ladder with its margin."""

_LEVELS: Final = 5
_MARKETS: Final = 2 * _LEVELS + 4
"""Lines of the panel of markets where all ladders stand in one row."""

_FRAME: Final = 3
"""Lines of a panel around its rows: two borders and the titles."""

_SIDES: Final = 4
"""Columns of a panel beside its content."""

_MOST: Final = 12
"""Orders and fills shown at most, however tall the terminal is."""

_LEAST: Final = 2
_LEFT_OUT: Final = ("time", "order", "why")
_FILL_TITLES: Final = ("time", "strategy", "instrument", "side", ">quantity", ">price", "role")


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
    """Return the picture for a terminal of this width and height; no number of it is cut."""
    head, foot = _head(picture, width), _foot(picture, width)
    room = height - 1 - len(head) - len(foot)
    body = _wide(picture, width, room) if width >= WIDE else _narrow(picture, width, room)
    return Group(*head, *body, *foot)


def _wide(picture: Picture, width: int, room: int) -> list[RenderableType]:
    """Return two columns of panels below the markets, or without them on a low terminal."""
    core, half = picture.core, width // 2 - _SIDES
    strategies, held = _strategies(core, half), _held(core, half)
    left = len(strategies) + len(held) + 2 * _FRAME
    has_markets = room - _MARKETS >= max(left, 2 * (_FRAME + _LEAST))
    room -= _MARKETS if has_markets else 0
    orders, fills = _share(picture, room - 2 * _FRAME)
    beside = _beside(
        Group(_panel("strategies", _rows(strategies)), _panel("positions", _rows(held, "flat"))),
        Group(*_orders_and_fills(picture, half, orders, fills)),
    )
    return [_panel("markets (top of the book)", _markets(core, width)), beside][not has_markets :]


def _narrow(picture: Picture, width: int, room: int) -> list[RenderableType]:
    """Return panels below each other: those that matter less only where there is room."""
    core, inner = picture.core, width - _SIDES
    strategies, held = _strategies(core, inner), _held(core, inner)
    parts = [_panel("strategies", _rows(strategies)), _panel("positions", _rows(held, "flat"))]
    room -= len(strategies) + len(held) + 4
    if room - _MARKETS >= 2 * (_FRAME + _LEAST) and width >= _LADDER * len(core.markets):
        parts.insert(0, _panel("markets (top of the book)", _markets(core, width)))
        room -= _MARKETS
    if room >= 2 * (_FRAME + _LEAST):
        return parts + _orders_and_fills(picture, inner, *_share(picture, room - 2 * _FRAME))
    return parts + _orders_and_fills(picture, inner, max(1, room - _FRAME), 0)


def _share(picture: Picture, rows: int) -> tuple[int, int]:
    """Divide rows between working orders and fills; what the orders do not need, the fills get."""
    working = len(picture.core.orders.working)
    orders = max(1, min(_MOST, working, max(rows // 2, rows - len(picture.fills))))
    return orders, max(1, min(_MOST, rows - orders))


def _orders_and_fills(
    picture: Picture, width: int, orders: int, fills: int
) -> list[RenderableType]:
    working = fit(_short_orders(picture.core, orders), width, ("filled", "strategy"))
    found = [_panel("working orders", _rows(working, "none"))]
    if fills:
        lines = [
            (*fill[:6], "maker" if fill.is_maker else "taker") for fill in picture.fills[:fills]
        ]
        rows = fit([_FILL_TITLES, *lines], width, ("role", "time", "strategy"))
        found.append(_panel("newest fills", _rows(rows, "none yet")))
    return found


def _strategies(core: Core, width: int) -> Rows:
    return fit(strategy_rows(core), width, ("working", "mode", "fills"))


def _held(core: Core, width: int) -> Rows:
    return fit(position_rows(core), width, ("strategy",))


def _head(picture: Picture, width: int) -> list[Text]:
    core = picture.core
    name = Text("PLIMSOLL demo ", style="bold")
    name.append(" SIMULATOR ", style="reverse")
    state = "running" if picture.is_alive else "DOWN, starting again"
    words = safety_words(core)
    links = [
        Text(f"{link} {'up' if is_up else 'DOWN'}", style="" if is_up else WARN)
        for link, is_up in core.safety.links.items()
    ]
    segments = [
        name,
        Text(f"{picture.elapsed_s:,.0f} s"),
        Text(f"engine {state}, epoch {core.epoch}", style="" if picture.is_alive else WARN),
        Text(words, style="" if words == ALLOWED else WARN),
        *links,
    ]
    losses = core.losses
    if losses.is_known:
        today = losses.equity - losses.baseline
        money = Text(f"equity {text.money(account_equity(core))}  today ")
        money.append(text.money(today, signed=True), style=_colour(today))
        money.append(f"  drawdown {text.percent(losses.drawdown_ppm)}")
        segments.append(money)
    return flow(segments, width)


def _foot(picture: Picture, width: int) -> list[Text]:
    core, telemetry = picture.core, picture.telemetry
    words = []
    if telemetry is not None:
        buckets = telemetry.histograms.get("tick_to_order_us", [])
        p50, p99 = quantile(buckets, 0.5), quantile(buckets, 0.99)
        words += [
            f"tick to order p50 {p50:,.0f} us, p99 {p99:,.0f} us ({size_of(buckets):,})",
            f"feed {telemetry.counters.get('feed_messages', 0):,} messages, "
            f"{telemetry.counters.get('feed_gaps', 0)} gaps, {reconnects(telemetry)} reconnects",
        ]
    words.append(f"kills {picture.kills}, restarts {picture.restarts}")
    words.append(f"incidents {core.counts.get('incident', 0)}")
    incidents = [
        Text(f"{text.clock(one.ts_ns)} {one.code} {one.subject}: {one.text}", style=WARN)
        for one in list(core.incidents)[-2:]
    ]
    for incident in incidents:
        incident.truncate(width, overflow="ellipsis")
    stop = [Text("Ctrl-C stops it and prints the account", style=MUTED)]
    stop.append(Text(str(picture.root), style=MUTED))
    numbers = flow([Text(word, style=MUTED) for word in words], width)
    return [*numbers, *incidents, *flow(stop, width)]


def _markets(core: Core, width: int) -> RenderableType:
    """Return one small ladder for each instrument, beside or below each other."""
    ladders = [_ladder(market, core.ts_ns) for market in core.markets.values()]
    if not ladders:
        return Text("waiting for market data", style=MUTED)
    beside = max(1, min(len(ladders), width // _LADDER))
    grid = Table.grid(padding=(0, 2))
    for start in range(0, len(ladders), beside):
        grid.add_row(*ladders[start : start + beside])
    return grid


def _ladder(market: Market, now_ns: int) -> RenderableType:
    instrument = market.instrument
    bids, asks = market.book.depth(_LEVELS)
    found = _plain()
    found.add_column(instrument.name, justify="right", no_wrap=True)
    found.add_column(f"{market.last:g}" if market.last else "-", justify="right", no_wrap=True)
    places = _places(instrument.tick_size)
    for price, qty in reversed(asks):
        found.add_row(f"{price:.{places}f}", f"{qty:g}", style=MUTED)
    doubt = market.doubt(now_ns)
    words = str(doubt.cause) if doubt else f"mark {market.mark:.{places}f}"
    found.add_row(Text(words, style=WARN if doubt else "bold"), "")
    for price, qty in bids:
        found.add_row(f"{price:.{places}f}", f"{qty:g}")
    return found


def _short_orders(core: Core, most: int) -> Rows:
    """Return the newest working orders without the columns a screen has no room for."""
    orders = list(core.orders.working.values())[-most:]
    titles, *rows = without(order_rows(core, orders), _LEFT_OUT)
    # Who is paper stands in the panel of strategies.
    return [titles, *(tuple(map(_brief, row)) for row in rows)]


def _brief(cell: str) -> str:
    return "cancel" if cell.endswith(CANCELING) else cell.removesuffix(" (paper)")


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
