"""What a backtest over recordings runs: tapes of inputs, and the settings its core gets."""

from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any, Final

import msgspec

from plimsoll.backtest.plan import NEVER_NS, Plan
from plimsoll.core.model import Mode
from plimsoll.core.records import Record
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Timing

Make = Callable[[Any, int, int, int], Record | None]
"""Makes an input of what a line holds, its seq, time and epoch; None where it says nothing."""

Arrival = tuple[int, int, Make, Any]
"""When it arrived (Unix ns), the number of its tape, and what makes an input of what it holds.

An input is made when its turn has come: only then its place among the decisions is known.
"""

Rows = Callable[[str, int, int], Iterator[list[tuple[int, float, float, float, float, float]]]]
"""Minutes of an instrument between two times, Unix ms, oldest first."""

SECOND_NS: Final = 1_000_000_000


class Tape(msgspec.Struct):
    """The inputs of one source, in order of arrival; a number tells tapes of one moment apart."""

    arrivals: Callable[[int], Iterator[Arrival]]
    source: str = ""
    """In words, for the report."""


class RecordedPlan(Plan, kw_only=True):
    """A backtest over recorded books and prints; ``series`` names the instruments alone.

    ``span_ns`` is how often equity and prices are noted, ``look_ns`` how often losses are looked
    at. ``delay_ns`` is that of minutes made of prints.
    """

    tapes: list[Tape]
    span_ns: int = SECOND_NS
    look_ns: int = SECOND_NS
    base: CoreSettings | None = None
    """A project's settings, kept as they are but for what a backtest has to change."""
    begin_ns: int = 0
    """When strategies begin: what arrived before makes the market alone."""
    clock_offset_ns: int = 0
    """Clock of the venue minus that of whoever recorded."""
    minutes_of: frozenset[str] = frozenset()
    """Instruments whose minutes are made of their prints, since none were recorded."""
    history: Rows | None = None
    """Where bar windows are filled from before the first input; None: they begin empty."""


def settings_of(plan: RecordedPlan) -> CoreSettings:
    """Return the core's settings: every instance on paper, by books, prints and tickers."""
    base = plan.base or CoreSettings(
        account="backtest",
        tag="bt",
        venue_orders_per_second=1_000_000,
        repeat_max=1_000_000,
        same_action_max=1_000_000,
        max_slippage_ppm=plan.max_slippage_ppm,
        breakers=BreakerSettings(off=tuple(set(BREAKERS) - set(plan.breakers))),
    )
    timing: Timing = msgspec.structs.replace(
        base.timing,
        beat_ns=plan.look_ns,
        checkpoint_ns=NEVER_NS,
        paper_latency_ns=plan.latency_ns,
        funding_lag_ns=0,  # only tickers tell of fundings: there is nobody to ask
    )
    return msgspec.structs.replace(
        base,
        strategies=tuple(msgspec.structs.replace(one, mode=Mode.PAPER) for one in plan.strategies),
        limits=plan.limits,
        timing=timing,
        seed=plan.seed,
        by_bars=None,
    )


def arrivals_of(tapes: list[Tape]) -> Iterator[Arrival]:
    """Return what arrives on all tapes in order of time; at one time in that of the tapes."""
    streams = [tape.arrivals(number) for number, tape in enumerate(tapes)]
    return streams[0] if len(streams) == 1 else merge(*streams)
