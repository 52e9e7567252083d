"""Takes notes of a backtest while it runs: fills, round trips, equity, refusals, prices.

Memory does not grow with the length of the data: curves and prices are thinned, rows are the
newest, everything else is counted.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from plimsoll import __version__
from plimsoll.backtest.past import Told, funding_words, mark_words
from plimsoll.backtest.plan import Plan, Row
from plimsoll.backtest.results import (
    FILLS_KEPT,
    TRIPS_KEPT,
    Curve,
    FillRow,
    OwnerResult,
    PriceSeries,
    Results,
    TripRow,
    sealed,
)
from plimsoll.backtest.rows import daily_of, stats_of, trip_row
from plimsoll.backtest.thinning import CurveMaker, PriceMaker
from plimsoll.core.engine import Core
from plimsoll.core.feed import Market
from plimsoll.core.model import Order
from plimsoll.core.portfolio.statistics import Day, Statistics, months_of
from plimsoll.core.records import (
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    PaperFunded,
    PaperOrderIntended,
    Record,
    StrategyStopped,
)
from plimsoll.core.settings import StrategySettings

_UNITS: Final = 10**8
_MS: Final = 1_000_000


class Watch:
    """The notes of one run."""

    def __init__(self, plan: Plan, core: Core) -> None:
        """Begin before the first bar."""
        self.plan = plan
        self.core = core
        self.bars = 0
        self.records = 0
        self.began_ns = self.ended_ns = 0
        self.names = [one.instrument.name for one in plan.series]
        self.prices = [PriceMaker(name) for name in self.names]
        self.owners = {one.name: _Owner(plan, core, one) for one in plan.strategies}
        self.warnings: dict[str, tuple[str, int]] = {}

    def bar(self, place: int, row: Row, ts_ns: int) -> None:
        """Take a bar that has happened; ``ts_ns`` is when the strategies heard of it."""
        start_ns = row[0] * _MS
        if not self.bars:
            self.began_ns = start_ns
        self.bars += 1
        self.ended_ns = start_ns + self.plan.span_ns
        self.prices[place].add(start_ns, row[1], row[2], row[3], row[4])
        name = self.names[place]
        for owner in self.owners.values():
            if name in owner.instruments:
                owner.sample(ts_ns)

    def decided(self, record: Record) -> None:
        """Take a decision that has just been applied."""
        self.records += 1
        kind = type(record)
        if kind is PaperFilled or kind is PaperOrderIntended or kind is OrderDenied:
            self._of_owner(record)
        elif isinstance(record, PaperFunded):
            if record.owner in self.owners:
                self.owners[record.owner].funded(record)
        elif isinstance(record, StrategyStopped) and record.code != "session":
            self._warn(record.owner, f"{record.owner} was stopped: {record.reason}")
        elif isinstance(record, IncidentRaised) and record.code != "strategy_stopped":
            about = f"{record.code} {record.subject}"
            self._warn(about, f"{about}: {record.text}")

    def results(self, seconds: float, told: Sequence[Told] = ()) -> Results:
        """Return everything, once the last bar has happened; ``told``: of each series' past."""
        plan, prices = self.plan, [maker.series() for maker in self.prices]
        warnings = [
            text + (f" (and {count - 1:,} more)" if count > 1 else "")
            for text, count in self.warnings.values()
        ]
        return sealed(
            Results(
                version=__version__,
                began_ns=self.began_ns,
                ended_ns=self.ended_ns,
                source=[one.source for one in plan.series],
                seed=plan.seed,
                assumptions=self._assumed(told),
                warnings=warnings,
                events=self.bars,
                seconds=seconds,
                owners=[owner.result(self.ended_ns) for owner in self.owners.values()],
                prices=prices,
                benchmark={one.instrument: _held(one) for one in prices},
            )
        )

    # ---- inside ----

    def _assumed(self, told: Sequence[Told]) -> dict[str, str]:
        """Say what was known of funding and of mark prices while it ran."""
        pairs = list(zip(self.plan.series, told, strict=False))
        perpetuals = [(one, found) for one, found in pairs if not one.instrument.is_spot]
        if not perpetuals:
            return {}
        return {
            "funding": "; ".join(funding_words(*one) for one in perpetuals),
            "stops": "; ".join(mark_words(one, found) for one, found in perpetuals),
        }

    def _of_owner(self, record: Record) -> None:
        if isinstance(record, OrderDenied):
            owner = self.owners.get(record.owner)
            if owner is not None:
                owner.refusals[record.code] += 1
            return
        assert isinstance(record, PaperFilled | PaperOrderIntended)
        order = self.core.orders.find(record.client_order_id)
        if order is None or order.owner not in self.owners:
            return
        if isinstance(record, PaperFilled):
            self.owners[order.owner].fill(record, order)
        else:
            self.owners[order.owner].ordered(order)

    def _warn(self, kind: str, text: str) -> None:
        """Keep the first words of each kind, and count the rest."""
        if kind in self.warnings or len(self.warnings) < _WARNINGS_MOST:
            first, count = self.warnings.get(kind, (text, 0))
            self.warnings[kind] = first, count + 1


_WARNINGS_MOST: Final = 50


def _held(prices: PriceSeries) -> Curve:
    """Return what buying with the whole capital at the first open, and holding, came to."""
    maker = CurveMaker()
    for ts_ns, close in zip(prices.ts_ns, prices.close, strict=True):
        maker.add(ts_ns, close / prices.open[0], 1.0)
    return maker.curve()


class _Owner:
    """The notes of one instance."""

    def __init__(self, plan: Plan, core: Core, settings: StrategySettings) -> None:
        self.plan = plan
        self.core = core
        self.settings = settings
        self.name = settings.name
        self.instruments = settings.instruments
        self.capital_units = settings.capital
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
        self.equity_units = settings.capital
        self._is_flat = True
        self._held: list[tuple[Market, int]] = []
        """Perpetuals held, and quote cash units that a tick moves each by, signed."""
        self._firm_units = 0
        """Equity without what the held ones are worth at their last price."""

    def ordered(self, order: Order) -> None:
        """Take an order the gate let through."""
        self.orders += 1
        self.statistics.on_request(is_done=True)  # paper answers every one
        market = self.core.markets[order.instrument]
        self.asked[order.id] = market.last, order.qty_lots

    def fill(self, fill: PaperFilled, order: Order) -> None:
        """Take an execution that has been booked."""
        instrument = self.core.ledger.instruments[order.instrument]
        tick, lot = float(instrument.tick), float(instrument.lot)
        price, qty, sign = fill.price_ticks * tick, fill.qty_lots * lot, order.side.sign
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
            arrived = self.core.markets[order.instrument].last  # it takes effect at once
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
        self._is_flat = False
        self._note_held()
        if not order.is_working:
            self._ended(order)

    def funded(self, record: PaperFunded) -> None:
        """Take a funding that has been booked."""
        self.fundings += 1
        self.funding_units += record.paid_units
        self._is_flat = False
        self._note_held()

    def sample(self, ts_ns: int) -> None:
        """Measure equity and exposure at the newest prices."""
        gross = 0
        if self._held:
            worth = self._firm_units
            for market, units in self._held:
                value = units * round(market.last * market.scale)
                worth, gross = worth + value, gross + abs(value)
            self.equity_units = worth
        elif not self._is_flat:
            gross = self._gross()
            self.equity_units = self.core.equity_of(self.name)
            self._is_flat = not gross
        self.days += self.statistics.sample(ts_ns, self.equity_units, 0, gross)
        share = gross / self.capital_units if self.capital_units else 0.0
        self.curve.add(ts_ns, self.equity_units / _UNITS, share)

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
            params=dict(settings.params),
            instruments=list(self.instruments),
            capital=self.capital_units / _UNITS,
            final_equity=self.equity_units / _UNITS,
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
        )

    # ---- inside ----

    def _note_held(self) -> None:
        """Note what is held of perpetuals: their worth then follows from the price alone.

        Coins of a spot pair are valued anew each time: fees leave parts of a lot.
        """
        core = self.core
        names = [name for name in self.instruments if core.ledger.qty_lots(self.name, name)]
        instruments = [core.ledger.instruments[name] for name in names]
        self._held = []
        if any(one.is_spot for one in instruments):
            return
        firm = core.equity_of(self.name)
        for one in instruments:
            market = core.markets[one.name]
            units = core.ledger.qty_lots(self.name, one.name) * one.cash_per_tick_lot
            firm -= units * round(market.last * market.scale)
            self._held.append((market, units))
        self._firm_units = firm

    def _gross(self) -> int:
        core, gross = self.core, 0
        for name in self.instruments:
            lots = core.ledger.qty_lots(self.name, name)
            if lots:
                instrument, market = core.ledger.instruments[name], core.markets[name]
                gross += instrument.notional_units(round(market.last * market.scale), abs(lots))
        return gross

    def _ended(self, order: Order) -> None:
        _, lots = self.asked.pop(order.id, (0.0, order.qty_lots))
        self.statistics.on_order(lots, order.filled_lots)
