"""All statistics of one owner: an account, or one instance of a strategy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Position, day_text
from plimsoll.core.portfolio.statistics.activity import Activity
from plimsoll.core.portfolio.statistics.catalogue import METRICS, Metric, Sample
from plimsoll.core.portfolio.statistics.moments import Z95
from plimsoll.core.portfolio.statistics.returns import Day, Returns
from plimsoll.core.portfolio.statistics.round_trips import (
    RoundTrip,
    RoundTripMaker,
    RoundTripTotals,
)

SECOND_NS: Final = 1_000_000_000


class Measure(NamedTuple):
    """A metric's value, or None with the reason, and how large its sample is."""

    value: float | int | None
    n: int
    missing: str = ""


class Statistics(msgspec.Struct):
    """What one owner did. Memory does not grow but with the number of instruments.

    Money in quote cash units. Everything here may be stored and taken up again.
    """

    capital_units: int
    """What shares of capital are of; may be set anew, and counts from then on."""
    returns: Returns = msgspec.field(default_factory=Returns)
    activity: Activity = msgspec.field(default_factory=Activity)
    trips: RoundTripTotals = msgspec.field(default_factory=RoundTripTotals)
    samples: int = 0
    under_way: dict[str, RoundTripMaker] = {}
    """Round trips by instrument."""

    @classmethod
    def of_capital(cls, capital_units: int) -> "Statistics":
        """Return those of a strategy instance: a day's return is its profit on the capital."""
        return cls(capital_units, Returns(capital_units=capital_units))

    def recapitalise(self, capital_units: int) -> None:
        """Count with another capital from the newest sample on."""
        self.capital_units = capital_units
        if self.returns.capital_units:
            self.returns.recapitalise(capital_units)

    def sample(
        self, ts_ns: int, equity_units: int, flow_units: int = 0, gross_units: int = 0
    ) -> list[Day]:
        """Take the equity at a time, not before the last.

        Args:
            ts_ns: When.
            equity_units: Cash, coins and open profit at mark, flows included.
            flow_units: What came (+) or went (-) as cash since the last sample.
            gross_units: Absolute notional of all positions, from here on.

        Returns:
            The UTC days that ended with it, oldest first.
        """
        self.samples += 1
        self.activity.sample(ts_ns, gross_units, self.capital_units)
        return self.returns.sample(ts_ns, equity_units, flow_units)

    def stretch(
        self, times_ns: Sequence[int], equity_units: Sequence[int], gross_units: Sequence[int]
    ) -> list[Day]:
        """Take samples between which nothing flowed, one after the other, as ``sample`` would."""
        if not times_ns:
            return []
        self.samples += len(times_ns)
        self.activity.stretch(times_ns, gross_units, self.capital_units)
        return self.returns.stretch(times_ns, equity_units)

    def on_fill(
        self,
        ts_ns: int,
        instrument: str,
        signed_units: int,
        value_units: int,
        fee_units: int,
        *,
        lots: int,
        held: Position,
    ) -> RoundTrip | None:
        """Take an execution and the books after it.

        Args:
            ts_ns: When.
            instrument: Its name.
            signed_units: Quantity in base cash units, bought positive.
            value_units: Price times quantity, positive.
            fee_units: What it cost in quote, negative was received.
            lots: The owner's position after it, signed, dust left out (``Ledger.qty_lots``).
            held: The owner's books after it (``Ledger.position``).

        Returns:
            The round trip it ended.
        """
        self.activity.on_fill(value_units, fee_units)
        maker = self.under_way.get(instrument)
        if maker is None:
            maker = self.under_way[instrument] = RoundTripMaker()
        trip = maker.on_fill(ts_ns, instrument, signed_units, value_units, lots=lots, held=held)
        if trip is not None:
            self.trips.add(trip)
        return trip

    def on_order(self, asked_units: int, filled_units: int) -> None:
        """Take an order that has ended: both quantities valued at one price."""
        self.activity.on_order(asked_units, filled_units)

    def on_request(self, *, is_done: bool) -> None:
        """Take the end of a request; one that was rejected or stayed UNKNOWN is not done."""
        self.activity.on_request(is_done=is_done)

    def finish(self) -> list[Day]:
        """End the day under way: the sample ends here. Returns the day, where there was one."""
        return self.returns.finish()

    def count(self, sample: Sample) -> int:
        """Return how large a sample is."""
        activity = self.activity
        return {
            Sample.DAYS: self.returns.moments.count,
            Sample.EQUITY: self.samples,
            Sample.TRIPS: self.trips.count,
            Sample.ORDERS: activity.orders,
            Sample.REQUESTS: activity.requests,
            Sample.FILLS: activity.fills,
            Sample.TIME: activity.span_ns // SECOND_NS,
        }[sample]

    def measures(self) -> dict[str, Measure]:
        """Return every metric of the catalogue by name, in its order."""
        return {name: self._measure(metric) for name, metric in METRICS.items()}

    def _measure(self, metric: Metric) -> Measure:
        count = self.count(metric.sample)
        if metric.unit == "count":
            return Measure(count, count)
        if count < metric.least:
            found = f"{count} of {metric.least}" if count else "no"
            return Measure(None, count, f"{found} {metric.sample}")
        value = _VALUES[metric.name](self)
        return Measure(value, count, "" if value is not None else metric.undefined)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _end(of: Statistics, errors: float) -> float | None:
    sharpe, error = of.returns.moments.sharpe(), of.returns.moments.sharpe_error()
    return None if sharpe is None or error is None else sharpe + errors * error


def _whole(part: int, count: int) -> int | None:
    """Return an average of money, rounded half to even."""
    return round(part / count) if count else None


_VALUES: Final[Mapping[str, Callable[[Statistics], float | int | None]]] = {
    "total_return": lambda of: of.returns.total_return(),
    "cagr": lambda of: of.returns.cagr(),
    "volatility": lambda of: of.returns.moments.volatility(),
    "sharpe": lambda of: of.returns.moments.sharpe(),
    "sharpe_low": lambda of: _end(of, -Z95),
    "sharpe_high": lambda of: _end(of, Z95),
    "sortino": lambda of: of.returns.moments.sortino(),
    "drawdown_max": lambda of: of.returns.drawdown.deepest,
    "drawdown_now": lambda of: of.returns.drawdown.now,
    "drawdown_longest": lambda of: of.returns.drawdown.longest_ns,
    "calmar": lambda of: _share(of.returns.cagr(), of.returns.drawdown.deepest),
    "var_95": lambda of: of.returns.value_at_risk(),
    "best_day": lambda of: of.returns.moments.best,
    "worst_day": lambda of: of.returns.moments.worst,
    "win_rate": lambda of: of.trips.wins / of.trips.count,
    "profit_factor": lambda of: _share(of.trips.won_units, of.trips.lost_units),
    "average_win": lambda of: _whole(of.trips.won_units, of.trips.wins),
    "average_loss": lambda of: _whole(of.trips.lost_units, of.trips.losses),
    "largest_win": lambda of: of.trips.largest_win_units,
    "largest_loss": lambda of: of.trips.largest_loss_units,
    "average_hold": lambda of: of.trips.held_ns // of.trips.count,
    "fees": lambda of: of.activity.fee_units,
    "turnover": lambda of: _share(of.activity.traded_units, of.activity.capital(of.capital_units)),
    "fill_ratio": lambda of: _share(of.activity.filled_units, of.activity.asked_units),
    "execution_success": lambda of: 1 - of.activity.failures / of.activity.requests,
    "time_in_market": lambda of: of.activity.in_market_ns / of.activity.span_ns,
    "average_exposure": lambda of: _share(of.activity.gross_unit_ns, of.activity.capital_unit_ns),
}


def months_of(days: list[Day]) -> dict[str, float]:
    """Return the linked return of each UTC month, ``2024-01``, in order of the days."""
    grown: dict[str, float] = {}
    for day in days:
        month = day_text(day.day)[:7]
        grown[month] = grown.get(month, 1.0) * (1 + day.gain)
    return {month: growth - 1 for month, growth in grown.items()}
