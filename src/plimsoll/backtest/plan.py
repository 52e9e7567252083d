"""What a backtest runs, and the settings its core gets."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat
from typing import Final

import msgspec

from plimsoll.backtest.survey import Survey
from plimsoll.core.model import Instrument, Mode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import (
    BarRules,
    BreakerSettings,
    CoreSettings,
    Limits,
    StrategySettings,
    Timing,
)
from plimsoll.core.strategy import Strategy
from plimsoll.engine.guard import PAST_LIMIT_NS

Row = tuple[int, float, float, float, float, float]
"""A bar: beginning in Unix ms, open, high, low, close, volume."""

Rate = tuple[int, float]
"""Time of a funding in Unix ms, and its rate: positive where longs pay."""

Load = Callable[[StrategySettings], Strategy]

NEVER_NS: Final = 1 << 62
_DAY_NS: Final = 86_400_000_000_000

OPEN_BREAKERS: Final = ("daily_loss", "drawdown")
"""Breakers that a backtest keeps by default: the others are about a venue and its answers."""


class Series(msgspec.Struct):
    """The bars of one instrument: read once, in order."""

    instrument: Instrument
    chunks: Callable[[], Iterator[list[Row]]]
    rows: int = 0
    """How many there are, for the progress bar; 0 = not known."""
    source: str = ""
    """In words, for the report."""
    rates: Callable[[], Iterator[list[Rate]]] | None = None
    """Funding rates, oldest first; None = none are known."""
    marks: Callable[[], Iterator[list[Row]]] | None = None
    """Bars of the mark price, as long as those that are walked: the finer ones where there are."""
    survey: Survey = msgspec.field(default_factory=Survey)
    """What is missing in the bars, once they were read."""
    finer: Callable[[], Iterator[list[Row]]] | None = None
    """Finer bars that decide the walk inside a bar, ``Plan.finer_ns`` long."""


class Plan(msgspec.Struct, kw_only=True):
    """A backtest over bars."""

    strategies: tuple[StrategySettings, ...]
    load: Load
    series: list[Series]
    span_ns: int
    """Length of the bars."""
    limits: Limits
    half_spread_ppm: int = 50
    delay_ns: int = 100_000_000
    """From the close of a bar until a strategy hears of it."""
    latency_ns: int = 20_000_000
    """From a decision until it takes effect."""
    look_ns: int = 300_000_000_000
    """How often losses and breakers are looked at between the orders, which are all checked."""
    seed: int = 1
    breakers: tuple[str, ...] = OPEN_BREAKERS
    max_slippage_ppm: int = 2_000
    finer_ns: int = 0
    """Length of the finer bars; 0 = there are none."""
    callback_limit_ns: int = PAST_LIMIT_NS
    """Processor time a callback may take before the run ends with its name; 0 = any."""
    leverage_ppm: int = 0
    """What margin is counted with; 0 = the venue's default."""


def settings_of(plan: Plan) -> CoreSettings:
    """Return the core's settings: every instance on paper, markets by bars."""
    look_ns = max(plan.look_ns, plan.span_ns)
    return CoreSettings(
        account="backtest",
        tag="bt",
        strategies=tuple(msgspec.structs.replace(one, mode=Mode.PAPER) for one in plan.strategies),
        limits=plan.limits,
        timing=Timing(
            beat_ns=look_ns,
            checkpoint_ns=NEVER_NS,
            paper_latency_ns=plan.latency_ns,
            doubt_ns=_DAY_NS,
        ),
        breakers=BreakerSettings(off=tuple(set(BREAKERS) - set(plan.breakers))),
        venue_orders_per_second=1_000_000,
        repeat_max=1_000_000,
        same_action_max=1_000_000,
        max_slippage_ppm=plan.max_slippage_ppm,
        seed=plan.seed,
        venue_leverage_ppm=plan.leverage_ppm,
        by_bars=BarRules(span_ns=plan.span_ns, half_spread_ppm=plan.half_spread_ppm),
    )


Placed = tuple[int, Row]
"""A bar and the place of its series."""

PIECE: Final = 1_024
"""Most bars that are handed out at once."""


def merged(series: Iterable[Series], span_ns: int) -> Iterator[list[Placed]]:
    """Yield (series, bar) of all series in order of time, some at once; at one time in order.

    Those that begin at one time come in one piece.
    """
    streams = [rows_of(one, span_ns) for one in series]
    bars = zip(repeat(0), streams[0]) if len(streams) == 1 else _in_time(streams)
    held: list[Placed] = []
    while piece := held + list(islice(bars, PIECE)):
        held = []
        if len(streams) > 1 and len(piece) >= PIECE:
            last = piece[-1][1][0]
            while len(piece) > 1 and piece[-1][1][0] == last:
                held.insert(0, piece.pop())
        yield piece


def _in_time(streams: list[Iterator[Row]]) -> Iterator[Placed]:
    heads: list[Row | None] = [next(stream, None) for stream in streams]
    while True:
        place, first = -1, 0
        for number, head in enumerate(heads):
            if head is not None and (place < 0 or head[0] < first):
                place, first = number, head[0]
        if place < 0:
            return
        head = heads[place]
        assert head is not None
        yield place, head
        heads[place] = next(streams[place], None)


def rows_of(series: Series, span_ns: int) -> Iterator[Row]:
    """Yield the bars of a series, one by one, and survey them."""
    return chain.from_iterable(series.survey.of(series.chunks(), span_ns // 1_000_000))
