"""Everything ``apply`` changes: a total, strategy-free function of the records.

Restart, replicas, dashboards and the trading process all build it the same way, from the log.
What happened to orders while one record was applied is left in ``news`` for ``decide``.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.core.engine.changes import Changes
from plimsoll.core.execution import OrderStore
from plimsoll.core.execution.graduation.stages import Standing, standing_after
from plimsoll.core.execution.modes import Modes
from plimsoll.core.execution.owners import outsider
from plimsoll.core.execution.protection import Protections
from plimsoll.core.feed import STREAM_DEAD, STREAM_LIVE, STREAM_SUSPECT, BarMarket, Market
from plimsoll.core.model import (
    FOREIGN,
    NOT_OURS,
    OUTSIDE,
    IdMaker,
    Instrument,
    LiveStage,
    Order,
    OrderState,
    Regrid,
    common,
    strategy_of,
)
from plimsoll.core.model.ids import counter_of
from plimsoll.core.portfolio import KNOWN_KINDS, PAR, Ledger, Streak, is_flow
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    AskRefused,
    BarChanged,
    BarWalked,
    Blocked,
    BookChanged,
    CancelIntended,
    CashMoved,
    ClockMeasured,
    Configured,
    ConnectionEnded,
    DifferenceFound,
    DisconnectReported,
    EquityMeasured,
    ExecutionReported,
    FlattenBegun,
    FlattenEnded,
    FlowMeasured,
    FundingReported,
    Halted,
    HealthMeasured,
    IncidentRaised,
    InstrumentListed,
    LeaseTaken,
    LimitsChanged,
    LinkChanged,
    LiveEnded,
    MarkBarChanged,
    ModeSet,
    Observed,
    ObservingEnded,
    OrderDenied,
    OrderIntended,
    OrderMoved,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
    PaperOrderIntended,
    PaperReported,
    ParametersChanged,
    Paused,
    PositionAdopted,
    PositionMoved,
    PositionReported,
    ProfitMeasured,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
    PublicTraded,
    RateMeasured,
    Rearmed,
    Reconciled,
    Record,
    Released,
    RequestAnswered,
    Reset,
    SendRefused,
    SessionEnded,
    SessionStopping,
    SignalReceived,
    SpaceChanged,
    StageChanged,
    StrategyCheckpoint,
    StrategyFreed,
    StrategyReloaded,
    StrategyRestored,
    StrategyStopped,
    StreamChanged,
    Swept,
    TickerChanged,
    Tripped,
    Unpaused,
    WalletAdopted,
    WalletDoubted,
    Woken,
)
from plimsoll.core.risk import (
    Exposure,
    Health,
    LimitBook,
    Losses,
    OwnLosses,
    Pacing,
    Safety,
    Trips,
    VenueRates,
    group_of,
    pace_of,
)
from plimsoll.core.risk.habits import Habits
from plimsoll.core.risk.limits import ACCOUNT
from plimsoll.core.settings import CoreSettings, from_text, with_code

KEEP: Final = 200
"""Newest incidents, differences and denials kept for readers; all of them stand in the log."""

MODE: Final = "mode"
"""Code of ``StrategyStopped`` where a switch ends an instance: no trouble, and nothing to free."""

NEVER: Final = 1 << 62

FAULTS: Final = frozenset({"raised", "repeats", "quarantine"})
"""Codes of ``StrategyStopped`` that only a person takes back (RSK-8)."""


class Relisted(NamedTuple):
    """A change of an instrument's steps; ``trouble``: why it could not be taken over."""

    stated: Instrument
    regrid: Regrid
    trouble: str = ""


class FundingOwed(msgspec.Struct):
    """A span of time whose fundings a paper position has not paid; see ``PaperFundingOwed``."""

    owner: str
    instrument: str
    since_ms: int
    until_ms: int
    qty_units: int


class State:
    """The books and switches of one account."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.seq = 0
        self.ts_ns = 0
        self.epoch = 0
        self.known_epoch = 0
        """Epoch of the session before: ids above it that the log does not know show an old copy."""
        self.cause = 0
        """Seq of the input being handled."""
        self.account = ""
        self.settings: CoreSettings | None = None
        """Of the newest session, with the instances that run now (``Modes``)."""
        self.modes: Final = Modes()
        self.ids = IdMaker("x", 0)
        self.orders = OrderStore("")
        self.ledger = Ledger()
        self.instruments: Final = self.ledger.instruments
        """Listed instruments by name."""
        self.safety = Safety()
        self.exposure = Exposure()
        self.losses = Losses()
        self.own_losses: dict[str, OwnLosses] = {}
        """By instance."""
        self.limits = LimitBook()
        self.changes = Changes()
        self.codes: dict[str, str] = {}
        """Hash of the code of strategies that got another one since the session began."""
        self.trips = Trips()
        self.streaks: dict[tuple[str, str], Streak] = {}
        """By instance and instrument."""
        self.health = Health()
        self.habits: defaultdict[str, Habits] = defaultdict(Habits)
        """What is usual for each instance."""
        self.noted = 0
        """How often something was noted of them."""
        self.pacings: defaultdict[str, Pacing] = defaultdict(Pacing)
        self.rates = VenueRates()
        self.markets: dict[str, Market] = {}
        self.paper_owners: frozenset[str] = frozenset()
        self.funding_owed: dict[int, FundingOwed] = {}
        """Spans of paper positions the venue is asked about, by the seq of their record."""
        self.checkpoints: dict[str, bytes] = {}
        self.stopped: dict[str, str] = {}
        """Instances stopped, and why."""
        self.faulty: dict[str, str] = {}
        """Those of them that only a person frees, by code (RSK-8)."""
        self.stages: dict[str, Standing] = {}
        """Where strategies stand on their way to real money; one left out is on paper."""
        self.flattens: dict[str, FlattenBegun] = {}
        """Flattens under way."""
        self.flattened: deque[FlattenEnded] = deque(maxlen=KEEP)
        """Newest ends of flattens, for readers."""
        self.swept: dict[str, Swept] = {}
        """Scopes whose cancels the venue's lists have confirmed in this session."""
        self.is_ended = False
        self.incidents: deque[IncidentRaised] = deque(maxlen=KEEP)
        self.differences: deque[DifferenceFound] = deque(maxlen=KEEP)
        self.denials: deque[OrderDenied] = deque(maxlen=KEEP)
        self.refused: dict[tuple[str, str, str], AskRefused] = {}
        """What strategies asked for and were refused at once in this session, for readers: the
        newest record by instance, call and reason."""
        self.doubts: dict[str, IncidentRaised] = {}
        """Markets told of as dead or long SUSPECT, by instrument, until told of as LIVE again."""
        self.disconnect: dict[str, DisconnectReported] = {}
        """Disconnect protection by product, of this session."""
        self.coalesced = 0
        """Book messages no strategy heard, because a newer state was there (MKT-5)."""
        self.behind_ns = NEVER
        """When a book that strategies have not heard yet is due at the latest."""
        self.tally: dict[type[Record], int] = {}
        """Records applied so far, by type."""
        self.protections = Protections()
        self.relisted: Relisted | None = None
        """Change of steps by the record being applied."""
        self.news: list[tuple[Order, Record | None]] = []
        """Orders changed by the record being applied; a fill carries its record."""
        self.taken: list[tuple[str, ExecutionReported, int]] = []
        """Instances the record being applied took something from, by whom, how many base units."""
        self.moved: list[tuple[CashMoved, str]] = []
        """Rows of the transaction log the record being applied booked, and under which cause."""
        self.orders.listener = self.exposure.on_order
        self.orders.protected_by = self.protected_by
        self._handlers = self._table()

    def apply(self, record: Record) -> None:
        """Change state by one record. Total: no record of this build is refused."""
        self.seq = record.seq
        self.ts_ns = record.ts_ns
        kind = type(record)
        self.tally[kind] = self.tally.get(kind, 0) + 1
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(record)

    def count(self, kind: type[Record], times: int) -> None:
        """Count inputs whose effect was brought about in one go (``QuietBars``)."""
        if times:
            self.tally[kind] = self.tally.get(kind, 0) + times

    def stamp(self) -> tuple[int, int, int, int]:
        """Return seq, time, epoch and cause of the next decision."""
        return self.seq + 1, self.ts_ns, self.epoch, self.cause

    @property
    def counts(self) -> dict[str, int]:
        """Records applied so far, by tag."""
        return {str(kind.__struct_config__.tag): count for kind, count in self.tally.items()}

    # ---- what readers ask ----

    @property
    def venue_ms(self) -> int:
        """Return the venue's time of the newest record."""
        return (self.ts_ns + self.safety.clock_offset_ns) // 1_000_000

    def is_paper(self, owner: str) -> bool:
        """Return whether the owner is a paper instance."""
        return owner in self.paper_owners

    def keeps_at_venue(self, owner: str, instrument: str) -> bool:
        """Return whether the owner's stop stands at the venue: a live one's on a perpetual."""
        listed = self.instruments.get(instrument)
        return listed is not None and not listed.is_spot and owner not in self.paper_owners

    def protected_by(self, instrument: str) -> str:
        """Return whom an order belongs to that the venue makes to protect a position (ORD-12)."""
        found = self.protections.at_venue.get(instrument)
        return found.owner if found is not None and found.owner else self.holder(instrument)

    def holder(self, instrument: str) -> str:
        """Return the live owner of a position: funding is paid on it, exits protect it."""
        for (owner, name), held in self.ledger.positions.items():
            if name == instrument and held.qty_units and owner not in self.paper_owners:
                return owner
        return FOREIGN

    def held_lots(self, scope: str, instrument: str) -> int:
        """Return the signed position of a scope: a paper instance, or the live account."""
        if scope:
            return self.ledger.qty_lots(scope, instrument)
        return self.ledger.account_lots(instrument, self.paper_owners)

    def standing(self, owner: str) -> Standing:
        """Return where the strategy of a book stands; on paper where nobody has decided."""
        return self.stages.get(strategy_of(owner)) or Standing()

    # ---- sessions ----

    def _lease(self, record: LeaseTaken) -> None:
        self.known_epoch, self.epoch = self.epoch, record.epoch
        self.account = record.account
        self.ids = IdMaker(record.tag, record.epoch)
        self.orders.tag = record.tag
        self.is_ended = False
        self.stopped = {owner: self.stopped[owner] for owner in self.faulty}
        self.swept.clear()
        self.doubts.clear()
        self.refused.clear()
        self.disconnect.clear()
        self.safety.on_lease(record)
        self.orders.disconnect_all()
        self.protections.restart(record.ts_ns)
        self.rates.forget_closures()
        self.health.forget()
        for market in self.markets.values():
            market.restart()

    def _configured(self, record: Configured) -> None:
        settings = from_text(record.settings)
        self.limits.configure(settings)
        self.codes.clear()  # a session begins with what the files hold
        self.changes.configure(settings)
        self.modes.configure(settings, record.ts_ns)
        self._enlist()

    def resume(self, configured: CoreSettings, codes: dict[str, str]) -> None:
        """Go on inside a session: its configuration, and the code that was replaced since."""
        self.limits.configure(configured)
        self.modes.resume(configured)
        self.codes = dict(codes)
        self._enlist()

    def _mode(self, record: ModeSet) -> None:
        before = self.modes.standings.get(record.strategy)
        is_fresh = before is not None and before.stage is not LiveStage.LIVE
        self.modes.on_set(record)
        self._enlist()
        if is_fresh and record.stage is LiveStage.LIVE:
            self._forget_life(self.modes.live_book(record.strategy))

    def _forget_life(self, book: str) -> None:
        """Let a live book begin anew: nothing that its instance wanted or knew is left."""
        self.checkpoints.pop(book, None)
        for key in [key for key in self.protections.wishes if key[0] == book]:
            del self.protections.wishes[key]

    def _live_ended(self, record: LiveEnded) -> None:
        self.modes.on_ended(record)
        self._enlist()

    def _enlist(self) -> None:
        """Let the rest of the state know which instances run, and what their books may do."""
        self.paper_owners = self.modes.paper_owners
        self.safety.restrained = self.modes.restrained()
        settings = self.modes.effective()
        if settings is not None:  # else a session is read from its middle
            for strategy, source_hash in self.codes.items():
                settings = with_code(settings, strategy, source_hash)
            self.settings = settings
            self.limits.enlist(settings, self.modes.caps())

    def _listed(self, record: InstrumentListed) -> None:
        instrument = self._counted(record.instrument)
        self.ledger.instruments[instrument.name] = instrument
        market = self.markets.get(instrument.name)
        if market is None:
            rules = self.settings.by_bars if self.settings is not None else None
            market = Market(instrument) if rules is None else BarMarket(instrument, rules)
            self.markets[instrument.name] = market
        market.relist(instrument)
        if self.settings is not None:
            market.adopt(self.settings.timing)

    def _counted(self, stated: Instrument) -> Instrument:
        """Return an instrument in steps that fit all that is open, and bring that to them."""
        self.relisted = None
        old = self.instruments.get(stated.name)
        if old is None:
            return stated
        steps = (old.tick * old.price_step, old.lot * old.qty_step)
        try:
            new = common(old, stated)
        except ValueError as error:
            self.relisted = Relisted(stated, Regrid(1, 1), str(error))
            return old
        regrid = Regrid.between(old, new)
        if (stated.tick, stated.lot) != steps:
            self.relisted = Relisted(stated, regrid)
        if regrid.is_needed:
            self.orders.regrid(new.name, regrid)
            self.ledger.forget_order_of(new.name)
            self.protections.regrid(new.name, regrid)
            for habits in self.habits.values():
                habits.prices.clear()  # in ticks of before
        return new

    def _measured(self, record: EquityMeasured) -> None:
        self.losses.measure(record.equity_units, record.ts_ns)

    def _profit(self, record: ProfitMeasured) -> None:
        own = self.own_losses.setdefault(record.owner, OwnLosses())
        own.measure(record.profit_units, record.ts_ns)

    def _tripped(self, record: Tripped) -> None:
        self.trips.on_tripped(record)
        owner, _, instrument = record.scope.partition("/")
        if record.breaker == "losing_streak" and (owner, instrument) in self.streaks:
            self.streaks[owner, instrument].lost = 0

    def _reset(self, record: Reset) -> None:
        self.trips.on_reset(record)
        if record.breaker == "drawdown":
            if record.scope == ACCOUNT:
                self.losses.forgive()
            elif record.scope in self.own_losses:
                self.own_losses[record.scope].forgive()

    def _link(self, record: LinkChanged) -> None:
        self.safety.on_link(record)
        kind, _, category = record.link.partition(".")
        if kind == "public" and not record.is_up:
            for name, market in self.markets.items():
                if name.startswith(f"{category}:"):
                    market.drop("link down")

    def _stream(self, record: StreamChanged) -> None:
        market = self.markets.get(record.instrument)
        if market is not None:
            market.on_stream(record)

    def _connection_ended(self, record: ConnectionEnded) -> None:
        self.orders.disconnect(record.connection)

    def _woken(self, record: Woken) -> None:
        self.safety.on_woken(record)
        for market in self.markets.values():
            market.drop("the process was paused")

    def _disconnect(self, record: DisconnectReported) -> None:
        self.disconnect[record.product] = record

    def _stopping(self, _record: SessionStopping) -> None:
        self.safety.is_stopping = True

    def _ended(self, _record: SessionEnded) -> None:
        self.is_ended = True

    # ---- market ----

    def _book(self, record: BookChanged) -> None:
        market = self.markets.get(record.instrument)
        if market is not None:
            market.on_book(record, self.safety.clock_offset_ns)

    def _public_trade(self, record: PublicTraded) -> None:
        market = self.markets.get(record.instrument)
        if market is not None:
            market.on_public_trade(record, self.safety.clock_offset_ns)

    def _ticker(self, record: TickerChanged) -> None:
        market = self.markets.get(record.instrument)
        if market is not None:
            market.on_ticker(record, self.safety.clock_offset_ns)

    def _bar(self, record: BarChanged) -> None:
        market = self.markets.get(record.instrument)
        if market is not None:
            market.on_bar(record, self.safety.clock_offset_ns)

    def _mark_bar(self, record: MarkBarChanged) -> None:
        market = self.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.mark_bar = record

    def _funding(self, record: FundingReported) -> None:
        market = self.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.on_funding(record)

    def _walked(self, record: BarWalked) -> None:
        market = self.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.on_walk(record)

    # ---- orders ----

    def _intended(self, record: OrderIntended | PaperOrderIntended) -> None:
        self.ids.counter = max(self.ids.counter, counter_of(record.client_order_id))
        order = self.orders.intend(record)
        self._note("create", order, record.ts_ns)
        self._habit(order, record.ts_ns, record.price_ticks, record.qty_lots)
        if isinstance(record, OrderIntended):
            self.protections.entering(record)

    def _amended(self, record: AmendIntended | PaperAmendIntended) -> None:
        order = self.orders.working.get(record.client_order_id)
        if order is not None:
            self.orders.intend_amend(record)
            self._note("amend", order, record.ts_ns)
            self._habit(order, record.ts_ns, record.price_ticks, record.qty_lots)

    def _cancelled(self, record: CancelIntended | PaperCancelIntended) -> None:
        self.orders.intend_cancel(record)
        order = self.orders.find(record.client_order_id)
        if order is not None:
            self._note("cancel", order, record.ts_ns)

    def _habit(self, order: Order, ts_ns: int, price_ticks: int, qty_lots: int) -> None:
        instrument = self.instruments.get(order.instrument)
        if instrument is None or order.owner in OUTSIDE or order.trigger_ticks:
            return
        place = order.instrument + " " + order.side
        value = instrument.notional_units(price_ticks, qty_lots)
        self.noted += 1
        self.habits[order.owner].ordered(ts_ns, place, price_ticks, value)

    def _note(self, action: str, order: Order, ts_ns: int) -> None:
        scope = order.owner if order.is_paper else ""
        self.pacings[scope].note(ts_ns, group_of(action, order.instrument))
        if action != "cancel":  # an instance's and an instrument's own limits count these
            self.pacings[pace_of(scope, order.instrument)].count(ts_ns)
            if not scope:
                self.pacings[order.owner].count(ts_ns)

    def _denied(self, record: OrderDenied) -> None:
        self.denials.append(record)

    def _ask_refused(self, record: AskRefused) -> None:
        self.refused[record.owner, record.ask, record.code] = record

    def _tell(self, order: Order | None, before: OrderState | None = None) -> None:
        if order is not None and order.state is not before:
            self.news.append((order, None))

    def _refused(self, record: SendRefused) -> None:
        if record.action == "protect":
            self.protections.refused(record.client_order_id, record.ts_ns)
        else:
            self._tell(self.orders.refused(record))

    def _answered(self, record: RequestAnswered) -> None:
        order = self.orders.find(record.client_order_id)
        before = order.state if order else None
        self._tell(self.orders.answered(record), before)

    def _lost(self, record: OutcomeLost) -> None:
        if record.action == "protect":
            self.protections.lost(record.client_order_id, record.ts_ns)
        else:
            self._tell(self.orders.lost(record))

    def _absent(self, record: AbsenceShown) -> None:
        self.orders.shown_absent(record)
        self._tell(self.orders.find(record.client_order_id))

    def _reported(self, record: OrderReported) -> None:
        known = self.orders.of_venue(record.client_order_id, record.venue_order_id)
        before = known.state if known else None
        self._tell(self.orders.reported(record), before)

    def _executed(self, record: ExecutionReported) -> None:
        if record.kind not in KNOWN_KINDS or record.instrument not in self.instruments:
            return  # the keeper blocks the instrument and tells a person
        if not self.ledger.is_new(record):
            return
        if record.kind == "Funding":
            self.ledger.book_execution(self.holder(record.instrument), record)
            return
        # Position and profit first, then anyone is told (ACC-6).
        order = self.orders.executed(record)
        owner = order.owner
        if owner in NOT_OURS:
            owner = outsider(record.create_type, record.kind)
        taken = self.ledger.book_execution(owner, record)
        self.taken += [(instance, record, units) for instance, units in taken]
        self.protections.moved(record.instrument, record.ts_ns)
        self._streak(order, record.ts_ns, record.qty_lots)
        self.news.append((order, record))

    def _paper_reported(self, record: PaperReported) -> None:
        known = self.orders.find(record.client_order_id)
        before = known.state if known else None
        self._tell(self.orders.paper_reported(record), before)

    def _paper_filled(self, record: PaperFilled) -> None:
        order = self.orders.paper_filled(record)
        if order is not None:
            by_bars = self.settings is not None and self.settings.by_bars is not None
            settled_ms = 0 if by_bars else self.venue_ms  # the time within a bar is nobody's
            self.ledger.book_paper(order.owner, order.instrument, order.side, record, settled_ms)
            self._streak(order, record.ts_ns, record.qty_lots)
            self.news.append((order, record))

    def _paper_funded(self, record: PaperFunded) -> None:
        if record.instrument not in self.instruments:
            return
        if record.owed:
            owed = self.funding_owed.get(record.owed)
            if owed is None or record.funding_ms <= owed.since_ms:
                return
            owed.since_ms = record.funding_ms
        self.ledger.book_paper_funding(record)

    def _paper_owed(self, record: PaperFundingOwed) -> None:
        if record.instrument not in self.instruments:
            return
        terms = (record.since_ms, record.until_ms, record.qty_units)
        self.funding_owed[record.seq] = FundingOwed(record.owner, record.instrument, *terms)
        held = self.ledger.position(record.owner, record.instrument)
        held.funded_ms = max(held.funded_ms, record.until_ms)

    def _paper_settled(self, record: PaperFundingSettled) -> None:
        self.funding_owed.pop(record.owed, None)

    def _position(self, record: PositionReported) -> None:
        if record.instrument in self.instruments:
            self.protections.stated(record)

    def _streak(self, order: Order, ts_ns: int, lots: int) -> None:
        if order.owner in OUTSIDE:
            return
        key = (order.owner, order.instrument)
        held = self.ledger.qty_lots(*key)
        self.noted += 1
        self.habits[order.owner].filled(ts_ns, held - order.side.sign * lots, held)
        streak = self.streaks.get(key)
        if streak is None:
            streak = self.streaks[key] = Streak()
        streak.on_fill(held, self.ledger.position(*key))

    # ---- money and safety ----

    def _reconciled(self, record: Reconciled) -> None:
        self.safety.on_reconciled(record)
        if not self.ledger.cursor_ms:
            self.ledger.begun_ms = record.cash_ms
        self.ledger.cursor_ms = max(self.ledger.cursor_ms, record.cursor_ms)

        self.ledger.cash_ms = max(self.ledger.cash_ms, record.cash_ms)

    def _cash_moved(self, record: CashMoved) -> None:
        cause = self.ledger.book_row(record)
        if not cause:
            return
        self.moved.append((record, cause))
        if is_flow(record) and record.coin in PAR:
            self.losses.flow(record.change_units)

    def _flow(self, record: FlowMeasured) -> None:
        self.losses.flow(record.worth_units)

    def _paused(self, record: Paused | Unpaused) -> None:
        """Take a pause or its end; either says that what was taken until now is known."""
        held = self.ledger.positions.get((record.owner, record.instrument))
        if held is not None:
            held.told_units = held.outside_units
        if isinstance(record, Paused):
            self.safety.on_paused(record)
        else:
            self.safety.on_unpaused(record)

    def _move_position(self, record: PositionMoved) -> None:
        if record.instrument not in self.instruments:
            return
        self.ledger.move_position(
            record.from_owner,
            record.to_owner,
            record.instrument,
            record.qty_lots,
            record.cost_units,
        )
        self.protections.handed(record.instrument, record.from_owner, record.to_owner)

    def _adopt_position(self, record: PositionAdopted) -> None:
        self.ledger.adopt_position(
            record.owner, record.instrument, record.qty_lots, record.cost_units
        )

    def _adopt_cash(self, record: WalletAdopted) -> None:
        self.ledger.adopt_cash(record.coin, record.delta_units)
        if record.coin in PAR:
            self.losses.flow(record.delta_units)

    def _checkpoint(self, record: StrategyCheckpoint | StrategyRestored) -> None:
        self.checkpoints[record.owner] = record.state

    def _incident(self, record: IncidentRaised) -> None:
        self.incidents.append(record)
        instrument = record.subject.partition(" ")[0]
        if record.code in (STREAM_DEAD, STREAM_SUSPECT):
            self.doubts[instrument] = record
        elif record.code == STREAM_LIVE:
            self.doubts.pop(instrument, None)

    def _strategy_stopped(self, record: StrategyStopped) -> None:
        if record.code == MODE:
            return
        self.stopped[record.owner] = record.reason
        if record.code in FAULTS:
            self.faulty[record.owner] = record.code

    def _freed(self, record: StrategyFreed) -> None:
        self.stopped.pop(record.owner, None)
        self.faulty.pop(record.owner, None)

    def _parameters(self, record: ParametersChanged) -> None:
        self.changes.on_parameters(record, self.settings)

    def _reloaded(self, record: StrategyReloaded) -> None:
        strategy = strategy_of(record.owner)
        self.codes[strategy] = record.source_hash
        if self.settings is not None:
            self.settings = with_code(self.settings, strategy, record.source_hash)
        for key in [key for key in self.refused if strategy_of(key[0]) == strategy]:
            del self.refused[key]  # the new code counts anew

    def _staged(self, record: StageChanged) -> None:
        strategy, before = strategy_of(record.owner), self.standing(record.owner)
        now = self.stages[strategy] = standing_after(before, record)
        if before.stage.is_promoted and not now.stage.is_promoted:
            self.modes.on_fall(strategy)

    def _halted(self, record: Halted) -> None:
        self.safety.on_halted(record)
        self.swept.pop(record.scope, None)

    def _swept(self, record: Swept) -> None:
        self.swept[record.scope] = record

    def _flatten_begun(self, record: FlattenBegun) -> None:
        self.flattens[record.id] = record

    def _flatten_ended(self, record: FlattenEnded) -> None:
        self.flattens.pop(record.id, None)
        self.flattened.append(record)

    def _table(self) -> dict[type[Record], Callable[[Any], None]]:
        orders, safety = self.orders, self.safety
        return {
            LeaseTaken: self._lease,
            Configured: self._configured,
            InstrumentListed: self._listed,
            ClockMeasured: safety.on_clock,
            LinkChanged: self._link,
            StreamChanged: self._stream,
            SpaceChanged: safety.on_space,
            Woken: self._woken,
            DisconnectReported: self._disconnect,
            EquityMeasured: self._measured,
            ProfitMeasured: self._profit,
            HealthMeasured: self.health.on_measured,
            Tripped: self._tripped,
            Reset: self._reset,
            LimitsChanged: self.limits.on_changed,
            StageChanged: self._staged,
            SessionStopping: self._stopping,
            SessionEnded: self._ended,
            BookChanged: self._book,
            PublicTraded: self._public_trade,
            TickerChanged: self._ticker,
            BarChanged: self._bar,
            MarkBarChanged: self._mark_bar,
            BarWalked: self._walked,
            FundingReported: self._funding,
            OrderIntended: self._intended,
            AmendIntended: self._amended,
            CancelIntended: self._cancelled,
            PaperOrderIntended: self._intended,
            PaperAmendIntended: self._amended,
            PaperCancelIntended: self._cancelled,
            PaperReported: self._paper_reported,
            PaperFilled: self._paper_filled,
            PaperFunded: self._paper_funded,
            PaperFundingOwed: self._paper_owed,
            PaperFundingSettled: self._paper_settled,
            OrderDenied: self._denied,
            AskRefused: self._ask_refused,
            ProtectionWished: self.protections.wished,
            ProtectionIntended: self.protections.intended,
            ProtectionAnswered: self.protections.answered,
            PositionReported: self._position,
            ConnectionEnded: self._connection_ended,
            OrderSent: orders.sent,
            SendRefused: self._refused,
            RequestAnswered: self._answered,
            RateMeasured: self.rates.on_measured,
            OrderReported: self._reported,
            ExecutionReported: self._executed,
            OutcomeLost: self._lost,
            AbsenceShown: self._absent,
            Reconciled: self._reconciled,
            DifferenceFound: self.differences.append,
            CashMoved: self._cash_moved,
            FlowMeasured: self._flow,
            PositionAdopted: self._adopt_position,
            PositionMoved: self._move_position,
            OrderMoved: orders.move,
            WalletAdopted: self._adopt_cash,
            Blocked: safety.on_blocked,
            Released: safety.on_released,
            Observed: safety.on_observed,
            ObservingEnded: safety.on_observing_ended,
            WalletDoubted: safety.on_wallet_doubted,
            Halted: self._halted,
            Rearmed: safety.on_rearmed,
            Paused: self._paused,
            Unpaused: self._paused,
            Swept: self._swept,
            FlattenBegun: self._flatten_begun,
            FlattenEnded: self._flatten_ended,
            StrategyStopped: self._strategy_stopped,
            StrategyFreed: self._freed,
            ModeSet: self._mode,
            LiveEnded: self._live_ended,
            IncidentRaised: self._incident,
            StrategyCheckpoint: self._checkpoint,
            StrategyRestored: self._checkpoint,
            SignalReceived: self.changes.on_signal,
            ParametersChanged: self._parameters,
            StrategyReloaded: self._reloaded,
        }
