"""Takes notes of a backtest while it runs: fills, round trips, equity, refusals, prices.

Memory does not grow with the length of the data: curves and prices are thinned, rows are the
newest, everything else is counted.

Bars are noted as they happen and measured in stretches: between two fills equity follows from the
prices alone, so that nobody has to be asked at each bar what it is. What was measured waits until
there is much of it: statistics, curves and prices take it in one go.
"""

from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Final

from msgspec import to_builtins

from plimsoll import __version__
from plimsoll.backtest.past import Told, funding_words, mark_words
from plimsoll.backtest.plan import Plan, Row, Series
from plimsoll.backtest.results import (
    FILLS_KEPT,
    TRIPS_KEPT,
    Curve,
    FillRow,
    OwnerResult,
    PriceSeries,
    RefusedRow,
    Results,
    TripRow,
    sealed,
)
from plimsoll.backtest.rows import daily_of, stats_of, told_of, trip_row
from plimsoll.backtest.thinning import CurveMaker, PriceMaker
from plimsoll.core.engine import Core
from plimsoll.core.model import Order
from plimsoll.core.portfolio.statistics import Day, Statistics, months_of
from plimsoll.core.records import (
    CallbackCut,
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    PaperFunded,
    PaperOrderIntended,
    ProfitMeasured,
    Record,
    StrategyStopped,
)
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy.base import parameters_of
from plimsoll.engine.guard import CallbackHung

_UNITS: Final = 10**8
_MS: Final = 1_000_000

Heard = tuple[int, Row, int]
"""A bar: place of its series, row, and when the strategies heard of it."""


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
        self.owners = {one.name: Owner(plan, core, one) for one in plan.strategies}
        self.warnings: dict[str, tuple[str, int]] = {}
        self.heard: Final[list[Heard]] = []
        """Bars that happened and are not measured yet."""
        self._measured: Final[list[Heard]] = []
        """Bars whose prices are not in the pictures yet."""
        self.is_patient = not plan.finer_ns
        """Whether bars may wait: what everybody's equity is follows from their prices."""
        self._closes = [0.0] * len(self.names)

    def bar(self, place: int, row: Row, ts_ns: int) -> None:
        """Take a bar that has happened; ``ts_ns`` is when the strategies heard of it."""
        self.heard.append((place, row, ts_ns))
        if not self.is_patient or (len(self.heard) >= STRETCH and len(self.names) == 1):
            self.measure()  # of several instruments those of one time are measured together

    def measure(self) -> None:
        """Measure prices, equity and exposure at each bar that waits for it."""
        heard = self.heard
        if not heard:
            return
        if not self.bars:
            self.began_ns = heard[0][1][0] * _MS
        self.bars += len(heard)
        self.ended_ns = heard[-1][1][0] * _MS + self.plan.span_ns
        self._measured.extend(heard)
        if self.plan.finer_ns:  # finer bars have moved those whose bar comes later
            self._closes = [self.core.markets[name].last for name in self.names]
        for owner in self.owners.values():
            owner.measure(heard, self._closes)
        for place, row, _ in heard if len(self.names) > 1 else heard[-1:]:
            self._closes[place] = row[4]
        heard.clear()
        self._judge()
        if len(self._measured) >= STRETCH:
            self._draw()

    def decided(self, record: Record) -> None:
        """Take a decision that has just been applied.

        Raises:
            CallbackHung: it says that a callback was cut off.
        """
        self.records += 1
        kind = type(record)
        if kind is ProfitMeasured:
            return
        if kind is PaperFilled or kind is PaperOrderIntended or kind is OrderDenied:
            self._of_owner(record)
        elif isinstance(record, PaperFunded):
            if record.owner in self.owners:
                self.measure()  # what was firm until here
                self.owners[record.owner].funded(record)
                self._judge()
        elif isinstance(record, CallbackCut):
            raise CallbackHung(record)
        elif isinstance(record, StrategyStopped) and record.code != "session":
            self._warn(record.owner, f"{record.owner} was stopped: {record.reason}")
        elif isinstance(record, IncidentRaised) and record.code != "strategy_stopped":
            about = f"{record.code} {record.subject}"
            self._warn(about, f"{about}: {record.text}")

    def results(self, seconds: float, told: Sequence[Told] = ()) -> Results:
        """Return everything, once the last bar has happened; ``told``: of each series' past."""
        self.measure()
        self._draw()
        owners = [owner.result(self.ended_ns) for owner in self.owners.values()]
        plan, prices = self.plan, [maker.series() for maker in self.prices]
        warnings = [
            text + (f" (and {count - 1:,} more)" if count > 1 else "")
            for text, count in self.warnings.values()
        ]
        span_ms = plan.span_ns // _MS
        refused = [told_of(one) for one in owners]
        read = [one.survey for one in plan.series if one.survey.rows]
        began_ms = min((one.first_ms for one in read), default=0)
        ended_ms = max((one.last_ms for one in read), default=0)
        missing = [
            one.survey.told(one.instrument.name, span_ms, began_ms, ended_ms) for one in plan.series
        ]
        return sealed(
            Results(
                version=__version__,
                began_ns=self.began_ns,
                ended_ns=self.ended_ns,
                source=[_source(one) for one in plan.series],
                seed=plan.seed,
                assumptions=self._assumed(told),
                warnings=[*chain.from_iterable(missing), *warnings, *chain.from_iterable(refused)],
                events=self.bars,
                seconds=seconds,
                owners=owners,
                prices=prices,
                benchmark={one.instrument: _held(one) for one in prices},
            )
        )

    # ---- inside ----

    def _draw(self) -> None:
        """Let statistics, curves and prices take what was measured."""
        measured = self._measured
        if len(self.prices) == 1:
            self.prices[0].stretch([row for _, row, _ in measured])
        else:
            for place, prices in enumerate(self.prices):
                prices.stretch([row for at, row, _ in measured if at == place])
        measured.clear()
        for owner in self.owners.values():
            owner.draw()

    def _judge(self) -> None:
        self.is_patient = not self.plan.finer_ns
        for owner in self.owners.values():
            if not owner.is_patient:
                self.is_patient = False

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
        if type(record) is OrderDenied:
            owner = self.owners.get(record.owner)
            if owner is not None:
                owner.refusals[record.code] += 1
            return
        assert isinstance(record, _OF_ORDERS)
        order = self.core.orders.find(record.client_order_id)
        if order is None or order.owner not in self.owners:
            return
        if isinstance(record, PaperFilled):
            self.measure()  # what was held until here
            self.owners[order.owner].fill(record, order)
            self._judge()
        else:
            self.owners[order.owner].ordered(order)

    def _warn(self, kind: str, text: str) -> None:
        """Keep the first words of each kind, and count the rest."""
        if kind in self.warnings or len(self.warnings) < _WARNINGS_MOST:
            first, count = self.warnings.get(kind, (text, 0))
            self.warnings[kind] = first, count + 1


_OF_ORDERS: Final = (PaperFilled, PaperOrderIntended)
_WARNINGS_MOST: Final = 50
STRETCH: Final = 1_024
"""Most bars that wait to be measured."""


def _source(series: Series) -> str:
    rows, gaps = series.survey.rows, series.survey.gaps
    return f"{series.source}, bars {rows:,}, gaps {gaps:,}" if rows else series.source


def _held(prices: PriceSeries) -> Curve:
    """Return what buying with the whole capital at the first open, and holding, came to."""
    maker = CurveMaker()
    for ts_ns, close in zip(prices.ts_ns, prices.close, strict=True):
        maker.add(ts_ns, close / prices.open[0], 1.0)
    return maker.curve()


class Owner:
    """The notes of one instance."""

    def __init__(self, plan: Plan, core: Core, settings: StrategySettings) -> None:
        self.plan = plan
        self.core = core
        self.settings = settings
        self.name = settings.name
        self.instruments = settings.instruments
        names = [one.instrument.name for one in plan.series]
        self.places = {place for place, name in enumerate(names) if name in self.instruments}
        self._by_mark = {place for place, one in enumerate(plan.series) if one.marks is not None}
        """Places of those whose mark price is known: what is held is worth that."""
        self.hears_all = len(self.places) == len(names)
        self.place_of = {name: place for place, name in enumerate(names)}
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
        self._samples: Final[tuple[list[int], list[int], list[int]]] = [], [], []
        """Times, equities and gross values that were measured and are not counted yet."""
        self._is_flat = True
        self._is_marked = False
        """Whether one of those held has a mark price of its own."""
        self._held: list[tuple[int, float, int]] = []
        """Perpetuals held: place, ticks per price, and quote cash units a tick moves each by."""
        self._firm_units = 0
        """Equity without what the held ones are worth at their last price."""

    def ordered(self, order: Order) -> None:
        """Take an order the gate let through."""
        self.orders += 1
        self.statistics.on_request(is_done=True)  # paper answers every one
        self.asked[order.id] = self._middle(order.instrument), order.qty_lots

    def fill(self, fill: PaperFilled, order: Order) -> None:
        """Take an execution that has been booked."""
        instrument = self.core.ledger.instruments[order.instrument]
        price = float(fill.price_ticks * instrument.tick)
        qty, sign = float(fill.qty_lots * instrument.lot), order.side.sign
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

    @property
    def is_patient(self) -> bool:
        """Return whether equity follows from bars until the next fill: not on spot or by marks."""
        return self._is_flat or (bool(self._held) and not self._is_marked)

    def measure(self, heard: list[Heard], closes: list[float]) -> None:
        """Measure equity and exposure at each bar of a stretch without fills.

        Args:
            heard: Bars of all series, in order of time.
            closes: Of each series, before them.
        """
        own = heard if self.hears_all else [one for one in heard if one[0] in self.places]
        if not own:
            return
        times = [ts_ns for _, _, ts_ns in own]
        if self._held and self._is_marked:
            equities, grosses = self._marked()
        elif self._held:
            equities, grosses = self._valued(own, closes)
        else:
            gross = 0
            if not self._is_flat:
                gross = self._gross()
                self.equity_units = self.core.equity_of(self.name)
                self._is_flat = not gross
            equities, grosses = [self.equity_units] * len(own), [gross] * len(own)
        self.equity_units = equities[-1]
        for kept, found in zip(self._samples, (times, equities, grosses), strict=True):
            kept.extend(found)

    def draw(self) -> None:
        """Count what was measured."""
        times, equities, grosses = self._samples
        self.days += self.statistics.stretch(times, equities, grosses)
        capital = self.capital_units
        shares = [gross / capital for gross in grosses] if capital else [0.0] * len(grosses)
        self.curve.stretch(times, [units / _UNITS for units in equities], shares)
        for kept in self._samples:
            kept.clear()

    def _marked(self) -> tuple[list[int], list[int]]:
        """Return equity at the mark prices of now, and gross value at the last ones."""
        equity, gross, markets = self._firm_units, 0, self.core.markets
        for place, scale, units in self._held:
            market = markets[self.plan.series[place].instrument.name]
            equity += units * int(market.mark * scale + 0.5)
            gross += abs(units) * int(market.last * scale + 0.5)
        return [equity], [gross]

    def _valued(self, own: list[Heard], closes: list[float]) -> tuple[list[int], list[int]]:
        """Return equity and gross value at each bar, of what is held of perpetuals (hot)."""
        firm, held = self._firm_units, self._held
        if len(held) == 1 and len(self.places) == 1:
            ((_, scale, units),) = held
            values = [units * int(row[4] * scale + 0.5) for _, row, _ in own]
            return [firm + value for value in values], [abs(value) for value in values]
        values_of = {
            place: units * int(closes[place] * scale + 0.5) for place, scale, units in held
        }
        terms = {place: (scale, units) for place, scale, units in held}
        equities, grosses, at_ms = [], [], -1
        for number, (at, row, _) in enumerate(own):
            start_ms, known = row[0], {at: row[4]}
            if start_ms != at_ms:  # what closed at one time is known at one time
                at_ms = start_ms
                known = self._known(own, number)
            for place, close in known.items():
                if place in terms:
                    scale, units = terms[place]
                    values_of[place] = units * int(close * scale + 0.5)
            equities.append(firm + sum(values_of.values()))
            grosses.append(sum(map(abs, values_of.values())))
        return equities, grosses

    def _params(self) -> dict[str, object]:
        """Return the values it ran with: those that were given, and the class's own."""
        own: dict[str, object] = {}
        if self.core.settings is not None:
            kind = type(self.core.trader.desks[self.name].strategy)
            with suppress(TypeError):  # a class that was made by hand, not read from a file
                own = {name: one.default for name, one in parameters_of(kind).items()}
        found: dict[str, object] = to_builtins(own | self.settings.params)
        return found

    def _known(self, own: list[Heard], number: int) -> dict[int, float]:
        """Return the closes of the bars that closed with one, heard or not."""
        start_ms = own[number][1][0]
        found: dict[int, float] = {}
        for place, row, _ in islice(own, number, None):
            if row[0] != start_ms:
                return found
            found.setdefault(place, row[4])  # the first, where one comes twice
        for place in self.places - found.keys():  # they are heard in a moment
            market = self.core.markets[self.plan.series[place].instrument.name]
            if getattr(market, "walked_ms", 0) == start_ms + self.plan.span_ns // _MS:
                found[place] = market.last
        return found

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
            refused=self._refused(),
        )

    # ---- inside ----

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

    def _note_held(self) -> None:
        """Note what is held of perpetuals: their worth then follows from the price alone.

        Coins of a spot pair are valued anew each time: fees leave parts of a lot.
        """
        ledger, firm = self.core.ledger, self.capital_units
        self._held, self._is_marked = [], False
        for (owner, name), position in ledger.positions.items():
            if owner != self.name:
                continue
            firm += position.realised_units - position.fee_units - position.funding_units
            firm -= position.cost_units
            lots, one = ledger.qty_lots(owner, name), ledger.instruments[name]
            if lots and one.is_spot:
                self._held = []
                return
            if lots:
                held = self.place_of[name], one.ticks_per_price, lots * one.cash_per_tick_lot
                self._held.append(held)
                self._is_marked = self._is_marked or held[0] in self._by_mark
            elif position.qty_units:  # dust of a coin: at the price of now
                firm += position.cost_units + self.core.unrealised(owner, name)
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
