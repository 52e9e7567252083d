"""Takes notes of one instance while a backtest runs: orders, fills, round trips, what it cost."""

from collections import Counter, deque
from contextlib import suppress
from typing import Final

from msgspec import to_builtins

from plimsoll.backtest.plan import Plan
from plimsoll.backtest.results import (
    FILLS_KEPT,
    TRIPS_KEPT,
    FillRow,
    OwnerResult,
    RefusedRow,
    TripRow,
)
from plimsoll.backtest.rows import daily_of, stats_of, trip_row
from plimsoll.backtest.thinning import CurveMaker
from plimsoll.backtest.worth import Worth
from plimsoll.core.engine import Core
from plimsoll.core.model import Order
from plimsoll.core.portfolio.statistics import Day, Statistics, months_of
from plimsoll.core.records import PaperFilled, PaperFunded
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy.base import parameters_of

_UNITS: Final = 10**8


class Owner:
    """The notes of one instance."""

    def __init__(self, plan: Plan, core: Core, settings: StrategySettings) -> None:
        self.core = core
        self.settings = settings
        self.name = settings.name
        self.worth = Worth(plan, core, settings)
        self.statistics = Statistics(settings.capital)
        self.curve = CurveMaker()
        self.fills: deque[FillRow] = deque(maxlen=FILLS_KEPT)
        self.trips: deque[TripRow] = deque(maxlen=TRIPS_KEPT)
        self.days: list[Day] = []
        self.orders = 0
        self.makers = 0
        self.refusals: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.asked: dict[str, tuple[float, int]] = {}
        """Working orders: middle when they were decided, lots asked for."""
        self.cost = self.arrival = self.value = 0.0
        """Against the price at decision and at arrival, and traded by market orders, in quote."""
        self.fundings = self.funding_units = 0
        """Payments, and what they came to: positive was paid."""

    def ordered(self, order: Order) -> None:
        """Take an order the gate let through."""
        self.orders += 1
        self.statistics.on_request(is_done=True)  # paper answers every one
        self.asked[order.id] = self._middle(order.instrument), order.qty_lots

    def fill(self, fill: PaperFilled, order: Order) -> None:
        """Take an execution that has been booked."""
        instrument = self.core.ledger.instruments[order.instrument]
        price, sign = instrument.price(fill.price_ticks), order.side.sign
        qty = instrument.qty(fill.qty_lots)
        decided, _ = self.asked.get(order.id, (price, 0))
        fee = fill.fee_units / _UNITS
        if fill.fee_coin != instrument.quote and instrument.is_spot:
            fee *= price
        self.fills.append(
            FillRow(
                fill.ts_ns,
                self.name,
                order.instrument,
                sign,
                price,
                qty,
                fee,
                fill.is_maker,
                decided,
                fill.rule,
            )
        )
        self.rules[fill.rule or "data"] += 1
        self.makers += fill.is_maker
        if not order.price_ticks or not fill.is_maker:
            self.cost += (price - decided) * sign * qty
            arrived = self._middle(order.instrument)  # it takes effect at once
            self.arrival += (price - arrived) * sign * qty
            self.value += price * qty
        trip = self.statistics.on_fill(
            fill.ts_ns,
            order.instrument,
            sign * fill.qty_lots * instrument.base_units_per_lot,
            instrument.notional_units(fill.price_ticks, fill.qty_lots),
            round(fee * _UNITS),
            lots=self.core.ledger.qty_lots(self.name, order.instrument),
            held=self.core.ledger.position(self.name, order.instrument),
        )
        if trip is not None:
            self.trips.append(trip_row(self.name, trip))
        self.worth.booked()
        if not order.is_working:
            self._ended(order)

    def funded(self, record: PaperFunded) -> None:
        """Take a funding that has been booked."""
        self.fundings += 1
        self.funding_units += record.paid_units
        self.worth.booked()

    def draw(self) -> None:
        """Count what was measured."""
        times, equities, grosses = self.worth.samples
        self.days += self.statistics.stretch(times, equities, grosses)
        capital = self.settings.capital
        shares = [gross / capital for gross in grosses] if capital else [0.0] * len(grosses)
        self.curve.stretch(times, [units / _UNITS for units in equities], shares)
        for kept in self.worth.samples:
            kept.clear()

    def result(self, ended_ns: int) -> OwnerResult:
        """Return the notes as rows."""
        self.days += self.statistics.finish()
        for order_id in list(self.asked):
            order = self.core.orders.find(order_id)
            if order is not None:
                self._ended(order)
        stats, missing = stats_of(self.statistics.measures())
        count = self.statistics.activity.fills
        settings = self.settings
        return OwnerResult(
            owner=self.name,
            class_name=settings.source.rpartition(":")[2],
            params=self._params(),
            instruments=list(settings.instruments),
            capital=settings.capital / _UNITS,
            final_equity=self.worth.equity_units / _UNITS,
            curve=self.curve.curve(),
            fills=list(self.fills),
            fills_total=count,
            trips=list(self.trips),
            trips_total=self.statistics.trips.count,
            monthly=months_of(self.days),
            daily=daily_of(self.days),
            stats=stats,
            stats_missing=missing,
            execution={
                "orders": self.orders,
                "refusals": dict(self.refusals),
                "fill_ratio": stats.get("fill_ratio"),
                "maker_share": self.makers / count if count else None,
                "slippage_decided_bps": self.cost / self.value * 1e4 if self.value else None,
                "slippage_arrival_bps": self.arrival / self.value * 1e4 if self.value else None,
                "rule_share": count and 1 - (self.rules["data"] + self.rules["intrabar"]) / count,
                "rules": dict(self.rules),
                "fundings": self.fundings,
                "funding_paid": self.funding_units / _UNITS,
                "liquidations": self.rules["liquidation"],
            },
            refused=self._refused(),
        )

    # ---- inside ----

    def _params(self) -> dict[str, object]:
        """Return the values it ran with: those that were given, and the class's own."""
        own: dict[str, object] = {}
        if self.core.settings is not None:
            kind = type(self.core.trader.desks[self.name].strategy)
            with suppress(TypeError):  # a class that was made by hand, not read from a file
                own = {name: one.default for name, one in parameters_of(kind).items()}
        found: dict[str, object] = to_builtins(own | self.settings.params)
        return found

    def _refused(self) -> list[RefusedRow]:
        """Return what its desk refused it, the most frequent first."""
        if self.core.settings is None:  # no bar was there
            return []
        kinds = self.core.trader.desks[self.name].refusals.kinds.values()
        rows = (
            RefusedRow(one.ask, one.code, one.times, one.since_ns, one.instrument, one.text)
            for one in kinds
        )
        return sorted(rows, key=lambda row: -row.times)

    def _middle(self, name: str) -> float:
        """Return what orders are held against: by bars the one price there is."""
        return self.core.markets[name].last

    def _ended(self, order: Order) -> None:
        _, lots = self.asked.pop(order.id, (0.0, order.qty_lots))
        self.statistics.on_order(lots, order.filled_lots)
