"""Takes notes of a backtest while it runs: fills, round trips, equity, refusals, prices.

Memory does not grow with the length of the data: curves and prices are thinned, rows are the
newest, everything else is counted.

Bars are noted as they happen and measured in stretches: between two fills equity follows from the
prices alone, so that nobody has to be asked at each bar what it is. What was measured waits until
there is much of it: statistics, curves and prices take it in one go.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from plimsoll import __version__
from plimsoll.backtest.owner import Owner
from plimsoll.backtest.past import Told, funding_words, mark_words
from plimsoll.backtest.plan import Plan, Row, Series
from plimsoll.backtest.results import Curve, PriceSeries, Results, sealed
from plimsoll.backtest.rows import told_of
from plimsoll.backtest.thinning import CurveMaker, PriceMaker
from plimsoll.backtest.worth import Heard
from plimsoll.core.engine import Core
from plimsoll.core.records import (
    CallbackCut,
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    PaperFunded,
    PaperOrderIntended,
    Record,
    StrategyStopped,
)
from plimsoll.engine.guard import CallbackHung

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
        self.owners = {one.name: Owner(plan, core, one) for one in plan.strategies}
        self.warnings: dict[str, tuple[str, int]] = {}
        self.heard: Final[list[Heard]] = []
        """Bars that happened and are not measured yet."""
        self._measured: Final[list[Heard]] = []
        """Bars whose prices are not in the pictures yet."""
        self.is_patient = not plan.finer_ns
        """Whether bars may wait: what everybody's equity is follows from their prices."""
        self._closes = [0.0] * len(self.names)
        self._takes: dict[type[Record], Callable[[Any], None]] = {
            PaperOrderIntended: self._ordered,
            PaperFilled: self._filled,
            OrderDenied: self._denied,
            PaperFunded: self._funded,
            CallbackCut: self._cut,
            StrategyStopped: self._stopped,
            IncidentRaised: self._incident,
        }

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
            owner.worth.measure(heard, self._closes)
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
        take = self._takes.get(type(record))  # hot: of most there is nothing to note
        if take is not None:
            take(record)

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
            if not owner.worth.is_patient:
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

    # ---- decisions ----

    def _ordered(self, record: PaperOrderIntended) -> None:
        order = self.core.orders.find(record.client_order_id)
        if order is not None and order.owner in self.owners:
            self.owners[order.owner].ordered(order)

    def _filled(self, record: PaperFilled) -> None:
        order = self.core.orders.find(record.client_order_id)
        if order is not None and order.owner in self.owners:
            self.measure()  # what was held until here
            self.owners[order.owner].fill(record, order)
            self._judge()

    def _denied(self, record: OrderDenied) -> None:
        owner = self.owners.get(record.owner)
        if owner is not None:
            owner.refusals[record.code] += 1

    def _funded(self, record: PaperFunded) -> None:
        if record.owner in self.owners:
            self.measure()  # what was firm until here
            self.owners[record.owner].funded(record)
            self._judge()

    def _cut(self, record: CallbackCut) -> None:
        raise CallbackHung(record)

    def _stopped(self, record: StrategyStopped) -> None:
        if record.code != "session":
            self._warn(record.owner, f"{record.owner} was stopped: {record.reason}")

    def _incident(self, record: IncidentRaised) -> None:
        if record.code != "strategy_stopped":
            about = f"{record.code} {record.subject}"
            self._warn(about, f"{about}: {record.text}")

    def _warn(self, kind: str, text: str) -> None:
        """Keep the first words of each kind, and count the rest."""
        if kind in self.warnings or len(self.warnings) < _WARNINGS_MOST:
            first, count = self.warnings.get(kind, (text, 0))
            self.warnings[kind] = first, count + 1


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
