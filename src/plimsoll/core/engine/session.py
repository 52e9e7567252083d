"""The deciding half of one session: who decides about which record, and what follows from it.

Made anew with each ``Configured``, from the settings and checkpoints applied so far.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from plimsoll.core.engine.beats import Beats
from plimsoll.core.engine.changing import Changing
from plimsoll.core.engine.commanding import Commanding
from plimsoll.core.engine.ending import Ending
from plimsoll.core.engine.keeper import Keeper
from plimsoll.core.engine.practising import Practising
from plimsoll.core.engine.relisting import Relisting
from plimsoll.core.engine.roster import Load
from plimsoll.core.engine.starting import Starting
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.records import (
    BarChanged,
    BarReported,
    BarWalked,
    BookChanged,
    CashMoved,
    DisconnectReported,
    ExecutionReported,
    FundingReported,
    InstrumentListed,
    LinkChanged,
    OperatorCommand,
    OrderReported,
    PositionReported,
    ProtectionAnswered,
    PublicTraded,
    QueryAnswered,
    RateMeasured,
    Record,
    RequestAnswered,
    SessionStopping,
    SignalReceived,
    StreamChanged,
    TickerChanged,
    TimerFired,
    WalletReported,
    Woken,
)
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy.turns import Turns

SHADOWED: Final = (
    InstrumentListed,
    BookChanged,
    PublicTraded,
    TickerChanged,
    BarChanged,
    BarWalked,
    BarReported,
    SignalReceived,
)
"""Inputs that a shadow decides about as a session does."""

ABOUT_STRATEGIES: Final = frozenset({
    "strategy-set", "strategy-reload", "strategy-resume", "executors-cancel",
})  # fmt: skip
"""Commands of people it carries out; what others lead to is on record."""


Deciders = dict[type[Record], Callable[[Any], Iterator[Record] | None]]


class Session:
    """Everybody who decides."""

    def __init__(
        self, state: State, settings: CoreSettings, load: Load, turns: Turns, *, is_shadow: bool
    ) -> None:
        """Make them; ``is_shadow``: strategies only (see ``Core.shadow``)."""
        self.state = state
        self.is_shadow = is_shadow
        self.trader = Trader(state, settings, load, turns)
        self.keeper = Keeper(state, settings, self.trader.placer, self.trader.protecting)
        self.starting = Starting(state, self.trader)
        self.ending = Ending(state, settings, self.trader, self.keeper)
        self.changing = Changing(state, self.trader, self.starting.start)
        self.practising = Practising(state, self.trader)
        self.beats = Beats(state, self.trader, self.keeper, turns, settings.timing)
        self._orders, self._modes, self._roster = state.orders, state.modes, self.trader.roster
        self.deciders = self._table()
        if is_shadow:
            self.trader.shadow()
            self.deciders = self._shadow_table(self.deciders)

    @property
    def wake_ns(self) -> int:
        """Time of the next ``TimerFired`` it wants."""
        due = self.trader.next_due_ns()
        beat = min(self.beats.next_ns, self.state.behind_ns)
        return min(due, beat) if due else beat

    def is_quiet(self) -> bool:
        """Return whether nothing follows from a record of which nothing was decided (hot)."""
        if self.starting.waits or self.ending.until_ns or self._orders.contradictions:
            return False
        if self.state.news or self.trader.modes_seen != self._modes.serial:
            return False
        for desk in self._roster.everybody:  # noqa: SIM110 - any() makes a generator
            if desk.wish_changed:
                return False
        return True

    def decided(self, following: Iterator[Record]) -> Iterator[Record]:
        """Yield decisions, and then what else is to be decided, until nothing is."""
        yield from following
        state, trader = self.state, self.trader
        if trader.modes_seen != state.modes.serial:
            yield from self.starting.follow_modes()
        if self.starting.waits:
            yield from self.starting.ready()
        if self.is_shadow:
            state.orders.contradictions.clear()
        elif state.orders.contradictions:
            yield from self.keeper.on_contradictions()
        yield from trader.settle()
        if self.ending.until_ns:
            yield from self.ending.if_done()

    # ---- deciders of more than one room ----

    def _timer(self, record: TimerFired) -> Iterator[Record] | None:
        """Let time pass; nothing comes of a beat at which nobody waits for it (hot by bars)."""
        if self.beats.is_idle(record.ts_ns):
            self.beats.passed()
            return self.keeper.on_idle()
        return self._on_time(record)

    def _on_time(self, record: TimerFired) -> Iterator[Record]:
        yield from self.trader.on_time()
        if record.ts_ns < self.beats.next_ns:
            return
        self.beats.passed()
        yield from self.keeper.on_time()
        if self.beats.is_checkpoint():
            yield from self.ending.checkpoint()

    def _queried(self, record: QueryAnswered) -> Iterator[Record]:
        heard = self.starting.warmed_up(record)
        if heard is not None:
            return heard
        if self.trader.paying.owns(record.query_id):
            return self.trader.paying.answered(record)
        return self.keeper.on_query(record)

    def _position(self, record: PositionReported) -> Iterator[Record]:
        self.keeper.on_statement(record)
        return self.trader.on_position(record)

    def _shadow_stopping(self, _record: SessionStopping) -> Iterator[Record]:
        for desk in self.trader.desks.values():
            yield from self.trader.calling.stop(desk, "session ends")

    # ---- who decides ----

    def _table(self) -> Deciders:
        trader, keeper = self.trader, self.keeper
        commanding = Commanding(
            self.state,
            trader.placer,
            keeper.halting,
            keeper.flattening,
            keeper.adopting,
            keeper.breaking,
            self.changing,
            keeper.switching,
            self.starting.free,
        )
        return {
            InstrumentListed: Relisting(self.state, trader).on_listed,
            TimerFired: self._timer,
            BookChanged: trader.on_book,
            PublicTraded: trader.on_public_trade,
            TickerChanged: trader.on_ticker,
            BarChanged: trader.on_minute,
            BarWalked: trader.on_walked,
            BarReported: trader.on_fetched,
            FundingReported: trader.paying.on_funding,
            LinkChanged: keeper.on_link,
            StreamChanged: keeper.doubting.on_stream,
            RequestAnswered: keeper.on_answer,
            RateMeasured: keeper.on_rate,
            OrderReported: keeper.on_report,
            ExecutionReported: keeper.on_execution,
            CashMoved: keeper.on_cash,
            PositionReported: self._position,
            ProtectionAnswered: trader.on_protection,
            WalletReported: keeper.on_statement,
            QueryAnswered: self._queried,
            OperatorCommand: commanding.on_command,
            SignalReceived: trader.on_signal,
            SessionStopping: self.ending.on_stopping,
            Woken: keeper.on_woken,
            DisconnectReported: keeper.disconnecting.on_state,
        }

    def _shadow_table(self, table: Deciders) -> Deciders:
        """Return who decides in a shadow: strategies, and people about them."""
        trader, command = self.trader, table[OperatorCommand]
        return {kind: table[kind] for kind in SHADOWED} | {
            TimerFired: lambda _record: trader.on_time(),
            ProtectionAnswered: trader.on_protection,
            QueryAnswered: self.starting.warmed_up,
            SessionStopping: self._shadow_stopping,
            OperatorCommand: lambda one: command(one) if one.cmd in ABOUT_STRATEGIES else None,
        }
