"""Backtests drawn by chance: data, strategies, rules and limits of one number each.

What a run did is told whole: the results' hash, every decision, and everything the strategies could
see at each bar. Two ways of computing the same must tell the same.
"""

import hashlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import msgspec
import pytest
from tests.backtest.bars import MINUTE, T0_MS
from tests.properties.driver import CASH, ETH, INSTRUMENTS, PERP, PRICE, SPOT, WIDE

from plimsoll.backtest.plan import OPEN_BREAKERS, Plan, Rate, Row, Series
from plimsoll.backtest.results import Results
from plimsoll.backtest.run import run
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine.trader import Trader
from plimsoll.core.model import Side
from plimsoll.core.records import ProfitMeasured, Record, encode
from plimsoll.core.risk import OwnLosses
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import Limits, StrategySettings
from plimsoll.core.strategy import Strategy, Twap

HABITS = ("usual", "limits", "stops", "quotes", "mixed", "timers", "raises", "holds", "flat")
"""What a strategy of chance does most."""


@dataclass
class Told:
    """What a run told of itself."""

    results: Results
    decisions: list[bytes] = field(default_factory=list)
    """All but measured profits, whose record a calm beat leaves out."""
    profits: list[tuple[int, int]] = field(default_factory=list)
    """What was measured of all instances, and when."""
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """Names of the decisions there were."""

    @property
    def digest(self) -> str:
        """Return one hash of all of it."""
        found = hashlib.sha256(self.results.hash.encode())
        for one in self.decisions:
            found.update(one)
        found.update(repr(self.profits).encode())
        found.update(repr(self.seen).encode())
        found.update("".join(self.hashes).encode())
        return found.hexdigest()


class Chancer(Strategy):
    """Does what its habit and its own chance say, and notes what it sees."""

    bars: ClassVar = {"1m": 30, "5m": 10, "1h": 3}

    def __init__(self, seed: int, habit: str, told: list[tuple[Any, ...]], *, looks: bool) -> None:
        self.chance, self.habit, self.told, self.looks = random.Random(seed), habit, told, looks
        self.heard = 0
        self.raises_at = 40 + seed % 300
        self.handles: list[Any] = []

    def note(self, *what: Any) -> None:
        self.told.append(what)

    def on_start(self):
        self.note("start", self.now)
        if self.habit == "timers":
            self.timer("every", 90)

    def on_stop(self):
        self.note("stop", self.now)

    def on_fill(self, fill):
        self.note("fill", self.now, fill)
        if self.habit == "raises" and self.heard > self.raises_at and self.chance.random() < 0.1:
            raise RuntimeError("a strategy's own mistake")

    def on_order(self, order):
        self.note("order", self.now, order.id, order.state, order.filled_lots)

    def on_timer(self, name):
        self.note("timer", self.now, name, self.equity)
        self.timer(name, self.chance.choice([1, 45, 60, 61, 400]))
        if self.chance.random() < 0.2:
            self.act(self.chance.choice(self.instruments))

    def on_bar(self, bar):
        self.heard += 1
        name = bar.instrument
        fast, slow = self.ema(name, "1m", 5), self.sma(name, "1m", 20)
        if self.looks and not self.heard % 7:
            self.look(bar)
        self.note(bar, fast.value, slow.value, slow.is_ready)
        if bar.frame != "1m":
            return
        if self.habit == "raises" and self.heard == self.raises_at + 500:
            raise RuntimeError("a strategy's own mistake")
        if self.habit == "usual" and slow.is_ready:
            self.target(name, self.qty(name) * (1 if fast.value > slow.value else -1))
        elif self.chance.random() < {"holds": 0.004, "flat": 0.001}.get(self.habit, 0.08):
            self.act(name)

    def look(self, bar):
        """Note everything a strategy may read."""
        name, chance = bar.instrument, self.chance
        market = self.market(name)
        self.note(
            self.now,
            self.equity,
            self.position(name),
            [order.id for order in self.orders(name)],
            market.last,
            market.mark,
            market.mark_ns,
            market.bid_ticks,
            market.ask_ticks,
            market.messages,
            market.book.rows(),
            market.book.best_bid,
            market.book.mid,
            market.fault,
            market.status(self.now),
            market.reference_ticks(self.now),
            len(self.window(name, "1m")),
            self.atr(name, "1m", 14).value,
            self.rsi(name, "5m", 3).value,
            self.size(name, chance.choice(list(Side)), percent=1),
        )

    def qty(self, name: str) -> float:
        return {PERP: 0.02, ETH: 0.4, SPOT: 0.02}[name]

    def act(self, name: str) -> None:
        """Do one thing of those its habit knows."""
        known = {
            "limits": ("limit", "cancel", "amend", "market"),
            "stops": ("stop", "trail", "trigger", "flat"),
            "quotes": ("quote", "quote", "withdraw"),
            "usual": ("side",),
            "holds": ("side", "more", "flat"),
            "flat": ("flat",),
            "timers": ("side", "timer", "limit"),
        }.get(self.habit)
        kinds = (
            "side",
            "more",
            "flat",
            "limit",
            "cancel",
            "amend",
            "market",
            "stop",
            "trail",
            "trigger",
            "quote",
            "withdraw",
            "timer",
            "twap",
            "nonsense",
        )
        getattr(self, "do_" + self.chance.choice(known or kinds))(name)

    def do_side(self, name):
        self.note(self.target(name, self.qty(name) * self.chance.choice([-2, -1, 1, 2])))

    def do_more(self, name):
        self.note(self.target(name, weight=self.chance.choice([-0.4, 0.1, 0.5])))

    def do_flat(self, name):
        self.note(self.target(name, 0))

    def do_limit(self, name):
        away = self.chance.gauss(0, 0.002)
        side, price = self.chance.choice([self.buy, self.sell]), self.market(name).last * (1 + away)
        self.handles.append(side(name, self.qty(name), price, post_only=self.chance.random() < 0.5))
        self.note(self.handles[-1].refusal)

    def do_market(self, name):
        side = self.chance.choice([self.buy, self.sell])
        self.handles.append(side(name, self.qty(name), reduce_only=self.chance.random() < 0.4))

    def do_trigger(self, name):
        level = self.market(name).last * (1 + self.chance.gauss(0, 0.002))
        side = self.chance.choice([self.buy, self.sell])
        self.handles.append(side(name, self.qty(name), trigger=level))

    def do_cancel(self, _name):
        if self.handles:
            self.note(self.chance.choice(self.handles).cancel())

    def do_amend(self, name):
        if self.handles:
            price = self.market(name).last * (1 + self.chance.gauss(0, 0.003))
            self.note(self.chance.choice(self.handles).amend(price=price))

    def do_stop(self, name):
        sign, last = self.chance.choice([-1, 1]), self.market(name).last
        stop, take = last * (1 - 0.002 * sign), last * (1 + 0.003 * sign)
        more = {"take": take} if self.chance.random() < 0.6 else {}
        self.note(self.target(name, self.qty(name) * sign, stop=stop, **more))

    def do_trail(self, name):
        sign = self.chance.choice([-1, 1])
        trail = self.market(name).last * 0.002
        self.note(self.target(name, self.qty(name) * sign, trail=trail))

    def do_quote(self, name):
        last, qty = self.market(name).last, self.qty(name)
        away = self.chance.choice([0.0003, 0.001, 0.004])
        self.note(self.quote(name, [(last * (1 - away), qty)], [(last * (1 + away), qty)]))

    def do_withdraw(self, name):
        self.note(self.quote(name))

    def do_timer(self, name):
        self.timer(name, self.chance.choice([0, 30, 60, 200]))

    def do_twap(self, name):
        self.target(name, 0)
        handle = self.execute(Twap(self.qty(name) * 5, over_s=600, slice_s=120), name)
        self.note(handle.is_done, handle.refusal)

    def do_nonsense(self, name):
        self.note(self.target(name, float("nan")), self.target("linear:NONE", 1))
        self.note(self.buy(name, 1e9).refusal)


def walked(chance: random.Random, name: str, count: int, span_ms: int) -> list[Row]:
    """Return bars with holes, jumps, stretches that stand still, and bars that come twice."""
    price, start, tick = PRICE[name], T0_MS // span_ms * span_ms, float(INSTRUMENTS[name].tick)
    start += span_ms * chance.choice([0, 0, 0, 3])
    step, found = chance.choice([0.0004, 0.001]), list[Row]()
    for _ in range(count):
        first = price
        if chance.random() < 0.002:
            first = price * (1 + chance.gauss(0, 0.01))
        if chance.random() > 0.03:
            price = first * math.exp(chance.gauss(0, step))
        first, price = (round(round(one / tick) * tick, 2) for one in (first, price))
        high = round(max(first, price) * (1 + abs(chance.gauss(0, step))), 2)
        low = round(min(first, price) * (1 - abs(chance.gauss(0, step))), 2)
        found.append((start, first, high, low, price, round(chance.random() * 9, 3)))
        draw = chance.random()
        start += 0 if draw < 0.002 else span_ms * (chance.randrange(2, 90) if draw < 0.005 else 1)
    return found


def drawn(seed: int, count: int = 700) -> tuple[Plan, list[tuple[Any, ...]]]:
    """Return a plan made of one number, and where its strategies note what they see."""
    chance = random.Random(f"plan {seed}")
    seen: list[tuple[Any, ...]] = []
    names = chance.choice([(PERP,), (PERP,), (ETH,), (SPOT,), (PERP, ETH), (PERP, SPOT, ETH)])
    span_ms = chance.choice([MINUTE, MINUTE, MINUTE, 5 * MINUTE])
    strategies, made = [], dict[str, Callable[[], Strategy]]()
    for number in range(chance.choice([1, 1, 1, 2, 3])):
        name = f"s{number}"
        habit = HABITS[seed % len(HABITS)] if not number else chance.choice(HABITS)
        traded = names if chance.random() < 0.7 else (chance.choice(names),)
        own = chance.choice([None, None, _tight(chance)])
        frames = {} if span_ms == MINUTE else {"1m": "5m"}
        strategies.append(
            StrategySettings(
                name=name,
                source="tests:Chancer",
                instruments=traded,
                capital=chance.choice([5_000, 100_000]) * CASH,
                limits=own,
                frames=frames,
            )
        )
        looks = chance.random() < 0.5
        made[name] = partial(Chancer, seed * 10 + number, habit, seen, looks=looks)
    series = [
        Series(INSTRUMENTS[one], partial(_cut, walked(chance, one, count, span_ms), seed))
        for one in names
    ]
    plan = Plan(
        strategies=tuple(strategies),
        load=lambda one: made[one.name](),
        series=series,
        span_ns=span_ms * 1_000_000,
        limits=chance.choice([WIDE, WIDE, _tight(chance)]),
        half_spread_ppm=chance.choice([0, 50, 400]),
        delay_ns=chance.choice([0, 100_000_000, 100_000_000, 70_000_000_000]),
        latency_ns=chance.choice([0, 20_000_000, 20_000_000, 90_000_000_000]),
        look_ns=chance.choice([60_000_000_000, 300_000_000_000, 300_000_000_000, 10**15]),
        seed=seed,
        breakers=chance.choice([OPEN_BREAKERS, OPEN_BREAKERS, tuple(BREAKERS), ()]),
    )
    give_past(random.Random(f"past {seed}"), plan, seed)
    return plan, seen


def give_past(chance: random.Random, plan: Plan, seed: int) -> None:
    """Give a plan funding rates, mark bars, finer bars, and leverage that may be too much."""
    for one in plan.series:
        rows = [row for chunk in one.chunks() for row in chunk]
        if one.instrument.is_spot:
            continue
        if chance.random() < 0.5:
            one.rates = partial(_cut, _rates(chance, rows), seed)
        if chance.random() < 0.3:
            one.marks = partial(_cut, _marks(chance, rows), seed)
    if chance.random() < 0.5:
        plan.leverage_ppm = chance.choice([30, 100, 100]) * 1_000_000
        capital = chance.choice([14, 20, 30, 30, 60]) * CASH
        plan.strategies = tuple(
            msgspec.structs.replace(one, capital=capital) if chance.random() < 0.8 else one
            for one in plan.strategies
        )
    if chance.random() < 0.1:
        give_finer(chance, plan, seed)


def give_finer(chance: random.Random, plan: Plan, seed: int) -> None:
    """Put finer bars inside the bars; marks are as long as what is walked."""
    plan.finer_ns = plan.span_ns // 5
    for one in plan.series:
        rows, finer = [row for chunk in one.chunks() for row in chunk], list[Row]()
        for start, first, high, low, last, volume in rows:
            if chance.random() < 0.9:
                step = plan.finer_ns // 1_000_000
                prices = (first, low, high, (high + low) / 2, last, last)
                for at, (begin, end) in enumerate(pairwise(prices)):
                    extremes = max(begin, end), min(begin, end)
                    finer.append((start + at * step, begin, *extremes, end, volume / 5))
        one.finer = partial(_cut, finer, seed)
        if one.marks is not None:
            one.marks = partial(_cut, _marks(chance, finer), seed)


def _rates(chance: random.Random, rows: list[Row]) -> list[Rate]:
    """Return rates from before the first bar on, on bars and between them."""
    at, found = rows[0][0] - 7 * MINUTE, list[Rate]()
    while at < rows[-1][0] + 10 * MINUTE:
        found.append((at, chance.choice([0.0, 0.0001, -0.0004, 0.01, -0.02])))
        at += chance.choice([MINUTE // 2, MINUTE, 20 * MINUTE, 60 * MINUTE, 90 * MINUTE])
    return found


def _marks(chance: random.Random, rows: list[Row]) -> list[Row]:
    """Return mark bars near the last price, of a part of the time and with holes."""
    begin, end = sorted(chance.choice([0.0, 0.3, 0.7, 1.0]) for _ in range(2))
    if begin == end:
        begin, end = 0.0, 1.0
    found, newest = list[Row](), -1
    for start, *prices, _ in rows[int(len(rows) * begin) : int(len(rows) * end)]:
        if start > newest and chance.random() > 0.02:
            off = 1 + chance.gauss(0, 0.0005)
            first, high, low, last = (round(price * off, 2) for price in prices)
            found.append((start, first, high, low, last, 0.0))
            newest = start
    return found


def _cut(rows: list[Any], seed: int):
    """Hand rows out in pieces, as files are read."""
    size = 1 + seed % 97
    return (rows[at : at + size] for at in range(0, len(rows), size))


def _tight(chance: random.Random) -> Limits:
    return Limits(
        price_distance_ppm=50_000,
        order_notional=chance.choice([2_000, 200_000]) * CASH,
        orders_per_second=chance.choice([1, 100]),
        orders_per_day=chance.choice([30, 10_000]),
        open_orders=chance.choice([2, 50]),
        position_notional=chance.choice([3_000, 10**6]) * CASH,
        exposure=10**7 * CASH,
        daily_loss=chance.choice([20, 10**6]) * CASH,
        drawdown_ppm=chance.choice([3_000, 900_000]),
        leverage_ppm=chance.choice([500_000, 10**9]),
    )


def told(seed: int, count: int = 700, *, is_plain: bool = False) -> Told:
    """Run the plan of a number and return everything it told.

    ``is_plain``: nothing is passed over as quiet or idle, and every bar is measured by itself.
    """
    plan, seen = drawn(seed, count)
    decisions: list[bytes] = []
    hashes: list[str] = []
    kinds: set[str] = set()
    profits: list[tuple[int, int]] = []
    measure = OwnLosses.measure

    def measured(own: OwnLosses, profit: int, ts_ns: int) -> None:
        profits.append((profit, ts_ns))
        measure(own, profit, ts_ns)

    class Noting(Watch):
        def bar(self, place: int, row: Row, ts_ns: int) -> None:
            super().bar(place, row, ts_ns)
            if is_plain:
                self.measure()

        def decided(self, record: Record) -> None:
            kinds.add(type(record).__name__)
            super().decided(record)
            if isinstance(record, ProfitMeasured):
                return
            decisions.append(encode(record))
            if not len(decisions) % 50:
                hashes.append(self.core.state_hash())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plimsoll.backtest.session.Watch", Noting)
        patch.setattr(OwnLosses, "measure", measured)
        if is_plain:
            patch.setattr(Trader, "is_idle", False)
        results = run(plan, is_plain=is_plain)
    return Told(results, decisions, profits, seen, hashes, kinds)
