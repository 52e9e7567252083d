"""The follower: feed it every record of the trading log in order, and it keeps all track records.

Theory: books are those of ``State``, which every reader of the log uses; requests are those of
``Quality``. What one record did to orders and positions is left in ``State.news`` and ``taken``,
and is looked at before the next one. Profit is what the engine measured each second and recorded;
a day that nobody measured is flat, and what prices did in it counts on the day it was seen.
"""

import msgspec

from plimsoll.core.engine import State
from plimsoll.core.execution.quality import Quality
from plimsoll.core.model import DAY_NS, Order, strategy_of
from plimsoll.core.portfolio.fees import fee_in_quote
from plimsoll.core.portfolio.statistics import Statistics
from plimsoll.core.records import (
    Configured,
    ExecutionReported,
    ModeSet,
    OrderIntended,
    PaperFilled,
    PaperOrderIntended,
    ParametersChanged,
    ProfitMeasured,
    Record,
    StrategyReloaded,
)
from plimsoll.core.settings import StrategySettings
from plimsoll.track.record import Requests, Track, began_anew


class Tracks:
    """Track records of all instances. ``of`` is the result, at any time."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.of: dict[str, Track] = {}
        """The newest record of each instance, also of those no longer configured."""
        self.earlier: dict[str, int] = {}
        """How many came before it."""
        self.state = State()
        self.quality = Quality()

    def apply(self, record: Record) -> None:
        """Take one record. Total: those that say nothing about an instance change the books."""
        state = self.state
        state.apply(record)
        self.quality.apply(record)
        if isinstance(record, ProfitMeasured):
            self._measured(record)
        elif isinstance(record, Configured):
            self._renew_all(record)
        elif isinstance(record, ModeSet):
            self._renew_all(record, record.strategy)
        elif isinstance(record, ParametersChanged | StrategyReloaded):
            self._renew_all(record, strategy_of(record.owner))
        elif isinstance(record, OrderIntended | PaperOrderIntended):
            self._intended(record)
        for order, fill in state.news:
            if isinstance(fill, ExecutionReported | PaperFilled):
                self._filled(order, fill)
        for owner, execution, units in state.taken:
            self._taken(owner, execution, units)
        state.news.clear()
        state.taken.clear()
        state.moved.clear()
        state.orders.contradictions.clear()

    def requests(self, owner: str, *, is_paper: bool) -> Requests:
        """Return the requests of an instance so far."""
        found = Requests()
        for key, cell in self.quality.cells.items():
            if key.owner == owner and key.is_paper is is_paper:
                found.requests += cell.requests
                found.failed += cell.failed
                found.ended += cell.ended
                found.asked_units += cell.asked_units
                found.filled_units += cell.filled_units
        return found

    def least_capital(self, track: Track) -> int:
        """Return the capital below which its smallest order is none; 0 where it had no order."""
        listed = self.state.instruments
        return max((one.capital_for(listed[name]) for name, one in track.least.items()), default=0)

    def requests_of(self, track: Track) -> Requests:
        """Return the same of a record's instance in its mode."""
        return self.requests(track.settings.name, is_paper=track.is_paper)

    # ---- inside ----

    def _renew_all(self, record: Record, strategy: str = "") -> None:
        """Take what instances are from this record on: all of them, or those of one strategy."""
        settings = self.state.settings
        for one in settings.strategies if settings is not None else ():
            if strategy in ("", strategy_of(one.name)):
                self._renew(record, self._in_force(one))

    def _in_force(self, one: StrategySettings) -> StrategySettings:
        """Return an instance with what a person has changed of it."""
        changed = self.state.changes.of(one.name)
        if not changed:
            return one
        return msgspec.structs.replace(one, params=one.params | changed)

    def _renew(self, record: Record, settings: StrategySettings) -> None:
        """Take what an instance is from this record on: whatever says so, at a start or later."""
        name = settings.name
        track = self.of.get(name)
        why = began_anew(track.settings if track else None, settings)
        if track is not None and not why:
            track.recapitalise(settings)
            return
        if track is not None:
            self.earlier[name] = self.earlier.get(name, 0) + 1
        self.of[name] = self._begun(record, settings, why)

    def _begun(self, record: Record, settings: StrategySettings, why: str) -> Track:
        so_far = self.requests(settings.name, is_paper=settings.mode == "paper")
        track = Track(
            settings,
            record.ts_ns,
            record.seq,
            why,
            Statistics.of_capital(settings.capital),
            before=so_far,
            closed=so_far,
        )
        for (owner, name), held in self.state.ledger.positions.items():
            if owner == settings.name:
                lots = self.state.ledger.qty_lots(owner, name)
                track.holds(record.ts_ns, name, lots, held)
        return track

    def _measured(self, record: ProfitMeasured) -> None:
        track = self.of.get(record.owner)
        if track is None:
            return
        gross = sum(
            abs(held.cost_units)
            for (owner, name), held in self.state.ledger.positions.items()
            if owner == record.owner and self.state.ledger.qty_lots(owner, name)
        )
        # Counted by day: only the sample that ends one, and the first, need the requests.
        so_far = track.closed
        if not track.statistics.samples or record.ts_ns // DAY_NS > track.day:
            so_far = self.requests_of(track)
        track.profit(record.ts_ns, record.profit_units, gross, so_far)
        track.first_seq = track.first_seq or record.seq
        track.last_seq = record.seq

    def _intended(self, record: OrderIntended | PaperOrderIntended) -> None:
        track = self.of.get(record.owner)
        instrument = self.state.instruments.get(record.instrument)
        if track is None or instrument is None or record.reduce_only:
            return
        held = self.state.ledger.qty_lots(record.owner, record.instrument)
        ticks = record.price_ticks or record.trigger_ticks
        if held * record.side.sign >= 0 and ticks:
            value = instrument.notional_units(ticks, record.qty_lots)
            base = record.qty_lots * instrument.base_units_per_lot
            track.ordered(record.instrument, value, base)

    def _filled(self, order: Order, fill: ExecutionReported | PaperFilled) -> None:
        track = self.of.get(order.owner)
        if track is None:
            return
        instrument = self.state.instruments[order.instrument]
        fee = fee_in_quote(instrument, fill.fee_units, fill.fee_coin, fill.price_ticks)
        track.fill(
            fill.ts_ns,
            order.instrument,
            order.side.sign * fill.qty_lots * instrument.base_units_per_lot,
            instrument.notional_units(fill.price_ticks, fill.qty_lots),
            fee or 0,
            lots=self.state.ledger.qty_lots(order.owner, order.instrument),
            held=self.state.ledger.position(order.owner, order.instrument),
        )

    def _taken(self, owner: str, fill: ExecutionReported, units: int) -> None:
        """Take what somebody else closed of an instance's position: it may end a round trip."""
        track = self.of.get(owner)
        if track is None:
            return
        instrument = self.state.instruments[fill.instrument]
        lots = units // instrument.base_units_per_lot
        track.fill(
            fill.ts_ns,
            fill.instrument,
            fill.side.sign * units,
            instrument.notional_units(fill.price_ticks, lots),
            0,
            lots=self.state.ledger.qty_lots(owner, fill.instrument),
            held=self.state.ledger.position(owner, fill.instrument),
        )
