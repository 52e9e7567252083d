"""Plausible results of a backtest that nobody ran: prices of chance, two strategies of habit."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from tests.properties.driver import ETH, INSTRUMENTS, PERP

from plimsoll.backtest.results import FILLS_KEPT, FillRow, OwnerResult, Results, sealed
from plimsoll.backtest.rows import daily_of, stats_of, trip_row
from plimsoll.backtest.thinning import CurveMaker, PriceMaker
from plimsoll.core.model import CASH_SCALE, Position, Side
from plimsoll.core.portfolio import fee_of
from plimsoll.core.portfolio.history import Booked, book_alone, worth
from plimsoll.core.portfolio.statistics import Statistics, months_of

START_NS = 1_704_067_200 * 10**9  # 2024-01-01
HOUR_NS = 3_600 * 10**9
UNITS = 10**CASH_SCALE
FIRST = {PERP: 42_000.0, ETH: 2_300.0}
TICK = 0.1


class Bar(NamedTuple):
    ts_ns: int
    open: float
    high: float
    low: float
    close: float


def bars_of(instrument: str, hours: int, seed: int) -> list[Bar]:
    chance, price, found = random.Random(f"{seed} {instrument}"), FIRST[instrument], list[Bar]()
    for hour in range(hours):
        steps = [price := price * (1 + chance.gauss(0.00002, 0.003)) for _ in range(4)]
        opened = found[-1].close if found else FIRST[instrument]
        path = [round(step, 1) for step in (opened, *steps)]
        found.append(Bar(START_NS + hour * HOUR_NS, path[0], max(path), min(path), path[-1]))
    return found


class Trader:
    """Takes a side now and then, by chance, and is measured as an instance is."""

    def __init__(self, owner: str, name: str, seed: int, patience: int, params: dict) -> None:
        self.owner, self.params, self.patience = owner, params, patience
        self.instrument = INSTRUMENTS[name]
        self.chance = random.Random(f"{seed} {owner}")
        self.capital = 10_000 * UNITS
        self.held, self.lots, self.count = Position(), 0, 0
        self.statistics = Statistics(self.capital)
        self.curve = CurveMaker()
        self.fills: deque[FillRow] = deque(maxlen=FILLS_KEPT)
        self.trips: list = []
        self.days: list = []
        self.rules: Counter[str] = Counter()
        self.cost, self.value, self.makers = 0.0, 0.0, 0

    def on_bar(self, bar: Bar, before: Bar) -> None:
        if self.chance.random() < 1 / self.patience:
            trend = 1 if bar.open > before.open else -1
            side = trend if self.chance.random() < 0.55 else -trend
            per_lot = self.instrument.base_units_per_lot / UNITS * bar.open
            wanted = side * max(1, round(4_000 / per_lot))
            if self.chance.random() < 0.3:
                wanted = 0
            if wanted != self.lots:
                self.trade(bar, before, wanted - self.lots)
        if self.lots and bar.ts_ns // HOUR_NS % 8 == 0:
            self.held.funding_units += round(worth(self.instrument, self.held.qty_units, 1) / 1_000)
        self.measure(bar)

    def trade(self, bar: Bar, before: Bar, lots: int) -> None:
        is_maker = self.chance.random() < 0.4
        sign = 1 if lots > 0 else -1
        price = round((before.close - sign * TICK) if is_maker else (bar.open + sign * 2 * TICK), 1)
        rule = "through" if is_maker else self.chance.choice(["open", "open", "", "stop-first"])
        side, ticks = Side.BUY if lots > 0 else Side.SELL, round(price / TICK)
        fee, coin = fee_of(self.instrument, side, ticks, abs(lots), is_maker=is_maker)
        fee = fee or round(self.instrument.notional_units(ticks, abs(lots)) * 0.0005)
        self.count += 1
        fill = Booked(0, 0, 0, str(self.count), side, ticks, abs(lots), fee, coin)
        book_alone(self.held, self.instrument, fill)
        self.lots += lots
        value = self.instrument.notional_units(ticks, abs(lots))
        units = lots * self.instrument.base_units_per_lot
        trip = self.statistics.on_fill(
            bar.ts_ns,
            self.instrument.name,
            units,
            value,
            fee,
            lots=self.lots,
            held=self.held,
        )
        self.statistics.on_order(value, value if self.chance.random() < 0.95 else value // 2)
        self.statistics.on_request(is_done=True)
        self.trips += [trip_row(self.owner, trip)] if trip else []
        qty = abs(units) / UNITS
        self.fills.append(
            FillRow(
                bar.ts_ns,
                self.owner,
                self.instrument.name,
                sign,
                price,
                qty,
                fee / UNITS,
                is_maker,
                before.close,
                rule,
            )
        )
        self.rules[rule] += 1
        self.makers += is_maker
        self.cost += sign * (price - before.close) * qty
        self.value += value / UNITS

    def measure(self, bar: Bar) -> None:
        ticks = round(bar.close / TICK)
        open_units = worth(self.instrument, self.held.qty_units, ticks)
        held = self.held
        profit = held.realised_units - held.fee_units - held.funding_units
        equity = self.capital + profit + open_units - held.cost_units
        gross = abs(open_units)
        ended_ns = bar.ts_ns + HOUR_NS
        self.days += self.statistics.sample(ended_ns, equity, gross_units=gross)
        self.curve.add(ended_ns, equity / UNITS, gross / self.capital)

    def result(self) -> OwnerResult:
        self.days += self.statistics.finish()
        stats, missing = stats_of(self.statistics.measures())
        curve = self.curve.curve()
        by_rule = {rule: count for rule, count in self.rules.items() if rule}
        bps = 10_000 * self.cost / self.value if self.value else None
        return OwnerResult(
            owner=self.owner,
            class_name="strategies.habit:Habit",
            params=self.params,
            instruments=[self.instrument.name],
            capital=self.capital / UNITS,
            final_equity=curve.equity[-1],
            curve=curve,
            fills=list(self.fills),
            fills_total=self.count,
            trips=self.trips[-FILLS_KEPT:],
            trips_total=len(self.trips),
            monthly=months_of(self.days),
            daily=daily_of(self.days),
            stats=stats,
            stats_missing=missing,
            execution={
                "orders": self.count + 3,
                "refusals": {"below_minimum": 2, "post_only_would_take": 1},
                "fill_ratio": stats["fill_ratio"],
                "maker_share": self.makers / self.count if self.count else None,
                "slippage_decided_bps": bps,
                "slippage_arrival_bps": None if bps is None else bps / 2,
                "rule_share": sum(by_rule.values()) / self.count if self.count else None,
                "rules": by_rule,
            },
        )


def traders(seed: int, patience: int, names: tuple[str, ...]) -> Iterator[Trader]:
    for number, owner in enumerate(names):
        name = (PERP, ETH)[number % 2]
        yield Trader(owner, name, seed, patience, {"fast": 5 + number, "slow": 20, "stop": 0.01})


def synthetic(
    days: int = 400,
    *,
    seed: int = 7,
    patience: int = 12,
    names: tuple[str, ...] = ("ema_cross", "quoter"),
) -> Results:
    """Return results of so many days; ``patience``: hours between decisions."""
    owners = list(traders(seed, patience, names))
    traded = list(dict.fromkeys(one.instrument.name for one in owners))
    bars = {name: bars_of(name, days * 24, seed) for name in traded}
    prices = {name: PriceMaker(name) for name in traded}
    holds = {name: CurveMaker() for name in traded}
    for name in traded:
        for bar in bars[name]:
            prices[name].add(*bar)
            holds[name].add(bar.ts_ns + HOUR_NS, 10_000 * bar.close / FIRST[name], 1.0)
    for one in owners:
        before = bars[one.instrument.name][0]
        for bar in bars[one.instrument.name]:
            one.on_bar(bar, before)
            before = bar
    return sealed(
        Results(
            version="0.1.0",
            began_ns=START_NS,
            ended_ns=START_NS + days * 24 * HOUR_NS,
            source=[f"{name} 1h, {days * 24:,} rows, 0 gaps" for name in traded],
            seed=seed,
            assumptions={
                "latency": "120 ms to the venue, 40 ms back",
                "spread": "2 ticks",
                "fees": "taker 0.05 %, maker 0.02 %, as of 2026-11-01",
                "queue": "a limit fills when the price trades through it by one tick",
                "funding": "the symbol's own rate, every 8 h",
                "mark": "last price: there are no mark bars",
            },
            warnings=[
                "The instruments were chosen today: those that were delisted since are missing.",
                "No mark bars: stops trigger on the last price, liquidation is not checked.",
            ],
            events=len(traded) * days * 24,
            seconds=1.25,
            owners=[one.result() for one in owners],
            prices=[one.series() for one in prices.values()],
            benchmark={name: maker.curve() for name, maker in holds.items()},
        )
    )
