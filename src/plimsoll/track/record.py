"""The record of one instance, since its code, parameters, instruments and mode are as they are.

A strategy that was changed is another one: what the old one earned says nothing about the new one,
and whoever changes it until a screen passes would have been choosing by luck. A change of capital
is no change of the strategy; profit is measured on the capital of its time.
"""

import msgspec

from plimsoll.core.execution.graduation import DayRow
from plimsoll.core.model import Instrument, Position
from plimsoll.core.portfolio.statistics import RoundTrip, RoundTripMaker, Statistics, Streak
from plimsoll.core.settings import StrategySettings


class Requests(msgspec.Struct):
    """Requests and orders of an instance so far, as execution quality counts them."""

    requests: int = 0
    failed: int = 0
    ended: int = 0
    asked_units: int = 0
    filled_units: int = 0

    def less(self, other: "Requests") -> "Requests":
        """Return what has come since another moment."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Requests(*(now - before for now, before in pairs))


class Least(msgspec.Struct, frozen=True):
    """The smallest order of an instance that opens or adds, and the capital it was of."""

    value_units: int
    base_units: int
    capital_units: int

    def capital_for(self, instrument: Instrument) -> int:
        """Return the capital with which such an order is the smallest the venue takes."""
        least_base = instrument.min_lots * instrument.base_units_per_lot
        by_value = -(-self.capital_units * instrument.min_notional_units // self.value_units)
        return max(by_value, -(-self.capital_units * least_base // self.base_units))


class Track(msgspec.Struct):
    """Days, statistics and smallest orders of one instance."""

    settings: StrategySettings
    since_ns: int
    since_seq: int
    why: str
    """Why a record begins here: it was new, or what of it has changed."""
    statistics: Statistics
    before: Requests
    """Requests when the record began."""
    rows: list[DayRow] = []
    base_units: int | None = None
    """Profit when it began; None until it was measured."""
    flow_units: int = 0
    """Change of capital not sampled yet."""
    first_seq: int = 0
    """Of the first and the newest record that was counted."""
    last_seq: int = 0
    lost: int = 0
    """Round trips lost in a row."""
    least: dict[str, Least] = {}
    """Smallest order that opens or adds, by instrument, as a share of its capital."""
    high: float = 1.0
    low: float = 1.0
    fall: float = 0.0
    """Levels of the day under way."""
    trips: int = 0
    wins: int = 0
    won_units: int = 0
    lost_units: int = 0
    """Round trips of the day under way."""
    closed: Requests = msgspec.field(default_factory=Requests)
    """Requests when the day under way began."""

    @property
    def is_paper(self) -> bool:
        """Return whether it trades on paper."""
        return self.settings.mode == "paper"

    @property
    def capital_units(self) -> int:
        """What its returns are measured on."""
        return self.statistics.capital_units

    @property
    def day(self) -> int:
        """The day under way, counted from 1970."""
        return self.statistics.returns.day

    def recapitalise(self, settings: StrategySettings) -> None:
        """Go on with another capital."""
        self.settings = settings
        if settings.capital != self.capital_units:
            if self.base_units is not None:
                self.flow_units += settings.capital - self.capital_units
            self.statistics.recapitalise(settings.capital)

    def profit(self, ts_ns: int, profit_units: int, gross_units: int, so_far: Requests) -> None:
        """Take the profit at a time, that of before the record included.

        Args:
            ts_ns: When.
            profit_units: Realised and open, less costs.
            gross_units: Value of what is held, at what it cost.
            so_far: Requests until now.
        """
        if self.base_units is None:
            self.base_units = profit_units
        equity = self.capital_units + profit_units - self.base_units
        flow, self.flow_units = self.flow_units, 0
        returns = self.statistics.returns
        ended = self.statistics.sample(ts_ns, equity, flow, gross_units)
        level = returns.total.level(equity)
        self._level(level)
        for nth, day in enumerate(ended):
            if nth:
                self.rows.append(DayRow(day.day, day.gain, level, level, 0.0))
            else:
                self.rows.append(self._row(day.day, day.gain, so_far))
        if ended:
            self.high = self.low = level
            self.fall = 0.0
            self.trips = self.wins = self.won_units = self.lost_units = 0
            self.closed = so_far

    def fill(
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
        """Take an execution and the books after it; see ``Statistics.on_fill``."""
        trip = self.statistics.on_fill(
            ts_ns, instrument, signed_units, value_units, fee_units, lots=lots, held=held
        )
        if trip is not None:
            profit = trip.profit_units
            self.trips += 1
            self.wins += profit > 0
            self.won_units += max(0, profit)
            self.lost_units += max(0, -profit)
            self.lost = self.lost + 1 if profit < 0 else 0
        return trip

    def ordered(self, instrument: str, value_units: int, base_units: int) -> None:
        """Take an order that opens or adds."""
        if self.capital_units <= 0 or value_units <= 0:
            return
        least = self.least.get(instrument)
        is_smaller = (
            least is None
            or value_units * least.capital_units < least.value_units * self.capital_units
        )
        if is_smaller:
            self.least[instrument] = Least(value_units, base_units, self.capital_units)

    def holds(self, ts_ns: int, instrument: str, lots: int, held: Position) -> None:
        """Begin with a position that was there before: its profit until now is none of this."""
        net = held.realised_units - held.fee_units - held.funding_units
        sign = (lots > 0) - (lots < 0)
        self.statistics.under_way[instrument] = RoundTripMaker(
            streak=Streak(sign, net),
            opened_ns=ts_ns,
            side=sign,
            most_units=abs(held.qty_units),
            opened_units=abs(held.qty_units),
            opened_value_units=abs(held.cost_units),
            fee_units=held.fee_units,
            funding_units=held.funding_units,
        )

    def today(self, so_far: Requests) -> DayRow:
        """Return the day under way as far as it is known."""
        return self._row(self.day, self.statistics.returns.today_return(), so_far)

    def counted(self, so_far: Requests) -> Statistics:
        """Return the statistics with what execution quality has counted of its requests."""
        since, activity = so_far.less(self.before), self.statistics.activity
        activity.requests, activity.failures = since.requests, since.failed
        activity.orders = since.ended
        activity.asked_units, activity.filled_units = since.asked_units, since.filled_units
        return self.statistics

    # ---- inside ----

    def _level(self, level: float) -> None:
        self.high = max(self.high, level)
        self.low = min(self.low, level)
        if self.high > 0:
            self.fall = max(self.fall, (self.high - level) / self.high)

    def _row(self, day: int, gain: float, so_far: Requests) -> DayRow:
        since = so_far.less(self.closed)
        return DayRow(
            day,
            gain,
            self.high,
            self.low,
            self.fall,
            self.trips,
            self.wins,
            self.won_units,
            self.lost_units,
            since.requests,
            since.failed,
        )


def began_anew(before: StrategySettings | None, now: StrategySettings) -> str:
    """Return why a record begins anew, empty where it goes on."""
    if before is None:
        return "new"
    changes = {
        "mode": (before.mode, now.mode),
        "class": (before.source, now.source),
        "code": (before.source_hash, now.source_hash),
        "parameters": (before.params, now.params),
        "instruments": (set(before.instruments), set(now.instruments)),
        "time frames": (before.frames, now.frames),
    }
    changed = [name for name, (old, new) in changes.items() if old != new]
    return f"changed: {', '.join(changed)}" if changed else ""
