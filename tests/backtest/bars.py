"""Bars made by hand, and strategies that follow a script of them."""

import math
import random
from collections.abc import Callable
from typing import Any, ClassVar

from tests.properties.driver import CASH, INSTRUMENTS, PERP, WIDE

from plimsoll.backtest.plan import Plan, Row, Series
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy

MINUTE = 60_000
T0_MS = 1_750_000_020_000 // MINUTE * MINUTE
HALF = 100
"""Half spread of these tests, parts per million."""


class Scripted(Strategy):
    """Does at the close of the n-th bar what its script says."""

    bars: ClassVar = {"1m": 5}

    def __init__(self) -> None:
        self.script: dict[int, Callable[[Any], object]] = {}
        self.heard: list[tuple[str, Any]] = []
        self.count = 0
        self.results: list[Any] = []

    def on_bar(self, bar):
        self.heard.append(("bar", bar.close))
        action = self.script.get(self.count)
        self.count += 1
        if action is not None:
            self.results.append(action(self))

    def on_fill(self, fill):
        self.heard.append(("fill", (fill.side.sign * fill.qty_lots, fill.price_ticks)))

    def on_refusal(self, instrument, refusal):
        self.heard.append(("refusal", refusal))


def rows(*bars, start_ms=T0_MS):
    """Return rows of (open, high, low, close), one a minute; the first comes twice.

    An instance starts with the first bar and hears the second.
    """
    bars = (*flat(bars[0][0], 1), *bars)
    return [(start_ms + n * MINUTE, *map(float, bar), 1.0) for n, bar in enumerate(bars)]


def flat(price, count):
    return [(price, price, price, price)] * count


def series_of(found: list[Row], name=PERP) -> Series:
    return Series(INSTRUMENTS[name], lambda: iter([found]), len(found), "made by hand")


def plan_of(*series, script=None, strategy=None, capital=100_000, **more) -> Plan:
    made = strategy or Scripted()
    if script:
        made.script = script
    names = tuple(one.instrument.name for one in series)
    settings = StrategySettings(
        name="s", source="tests:Scripted", instruments=names, capital=capital * CASH
    )
    more.setdefault("limits", WIDE)
    return Plan(
        strategies=(settings,),
        load=lambda _one: made,
        series=list(series),
        span_ns=MINUTE * 1_000_000,
        half_spread_ppm=HALF,
        **more,
    )


def walk(count, seed=1, price=50_000.0, step=0.0005, start_ms=T0_MS) -> list[Row]:
    """Return a random walk on ticks of 0.1."""
    drawn, found = random.Random(seed), []
    for n in range(count):
        first, price = price, round(price * math.exp(drawn.gauss(0, step)), 1)
        high = round(max(first, price) * (1 + abs(drawn.gauss(0, step))), 1)
        low = round(min(first, price) * (1 - abs(drawn.gauss(0, step))), 1)
        found.append((start_ms + n * MINUTE, first, high, low, price, 1.0))
    return found
