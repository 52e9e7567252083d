"""``Core``: the two doors of the brain.

``apply(record)`` is total and strategy-free. ``decide(record)`` runs after the input was applied
and yields decisions; whoever drives it logs and applies each before asking for the next. Driving
it twice over the same records gives the same decisions, byte for byte.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from plimsoll.core.engine.beats import Beats
from plimsoll.core.engine.changing import Changing
from plimsoll.core.engine.commanding import Commanding
from plimsoll.core.engine.facts import NEVER
from plimsoll.core.engine.flattening import STOP_ID
from plimsoll.core.engine.hashing import books_hash, state_hash
from plimsoll.core.engine.keeper import Keeper
from plimsoll.core.engine.practising import Practising
from plimsoll.core.engine.relisting import Relisting
from plimsoll.core.engine.roster import Load
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.engine.valuing import equity_of, unrealised
from plimsoll.core.execution import OrderStore
from plimsoll.core.feed import Market
from plimsoll.core.model import ACCOUNT
from plimsoll.core.portfolio import Ledger
from plimsoll.core.records import (
    BarChanged,
    BarReported,
    BarWalked,
    BookChanged,
    CashMoved,
    Configured,
    DifferenceFound,
    DisconnectReported,
    ExecutionReported,
    FundingReported,
    HashTaken,
    IncidentRaised,
    InstrumentListed,
    LinkChanged,
    OperatorCommand,
    OrderIntended,
    OrderReported,
    PositionReported,
    ProtectionAnswered,
    PublicTraded,
    QueryAnswered,
    QueryIntended,
    RateMeasured,
    Record,
    RequestAnswered,
    SessionEnded,
    SessionStopping,
    SignalReceived,
    StreamChanged,
    TickerChanged,
    TimerFired,
    WalletReported,
    Woken,
)
from plimsoll.core.risk import Losses, Safety
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy import Desk
from plimsoll.core.strategy.turns import Turns

_WARM_UP_SLACK: Final = 3
"""Minutes fetched beyond what the bar windows need: the newest may still be open."""

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


class Core:
    """The brain of one account. Without ``load`` it only applies: a replica."""

    def __init__(self, load: Load | None = None, state: State | None = None) -> None:
        """Start from a restored state or from nothing; ``load`` makes strategy objects."""
        self.state = state or State()
        self.turns = Turns()
        self._load = load
        self._trader: Trader | None = None
        self._keeper: Keeper | None = None
        self._changing: Changing | None = None
        self._practising: Practising | None = None
        self._stop_until_ns = 0
        self._beats: Beats | None = None
        self._waits: frozenset[str] = frozenset()
        """Instances not started yet."""
        self._is_shadow = False
        self.apply: Final = self.state.apply
        self._deciders: dict[type[Record], Callable[[Any], Iterator[Record] | None]] = {
            Configured: self._configured
        }

    # ---- what readers use ----

    @property
    def settings(self) -> CoreSettings | None:
        """Settings of the newest session."""
        return self.state.settings

    @property
    def orders(self) -> OrderStore:
        """All orders."""
        return self.state.orders

    @property
    def ledger(self) -> Ledger:
        """Positions and cash."""
        return self.state.ledger

    @property
    def safety(self) -> Safety:
        """Halts, blocks, links, readiness."""
        return self.state.safety

    @property
    def losses(self) -> Losses:
        """Equity, daily loss, drawdown of the live account."""
        return self.state.losses

    @property
    def markets(self) -> dict[str, Market]:
        """Markets by instrument name."""
        return self.state.markets

    @property
    def incidents(self) -> deque[IncidentRaised]:
        """Newest incidents."""
        return self.state.incidents

    @property
    def differences(self) -> deque[DifferenceFound]:
        """Newest differences to the venue."""
        return self.state.differences

    @property
    def epoch(self) -> int:
        """Epoch of the newest session."""
        return self.state.epoch

    @property
    def seq(self) -> int:
        """Seq of the newest record applied."""
        return self.state.seq

    @property
    def ts_ns(self) -> int:
        """Time of the newest record applied, Unix ns."""
        return self.state.ts_ns

    @property
    def is_ended(self) -> bool:
        """Whether the newest session ended cleanly."""
        return self.state.is_ended

    @property
    def open_ends(self) -> int:
        """Return how many orders are left of those that the end of the session waited for."""
        return len(self._keeper.halting.open_ends()) if self._keeper else 0

    @property
    def counts(self) -> dict[str, int]:
        """Records applied so far, by tag."""
        return self.state.counts

    def equity_of(self, owner: str) -> int:
        """Return an instance's equity in quote cash units."""
        return equity_of(self.state, owner)

    def unrealised(self, owner: str, instrument: str) -> int:
        """Return an open profit in quote cash units."""
        return unrealised(self.state, owner, instrument)

    def books_hash(self) -> str:
        """Return the hash of orders, positions and balances."""
        return books_hash(self.state)

    def state_hash(self) -> str:
        """Return the hash of everything; within one build."""
        return state_hash(self.state, self.saved() if self._trader else {})

    # ---- the second door ----

    @property
    def wake_ns(self) -> int:
        """Time of the next ``TimerFired`` the core wants, 0 = none."""
        if self._trader is None or self._beats is None:
            return 0
        due = self._trader.next_due_ns()
        beat = min(self._beats.next_ns, self.state.behind_ns)
        return min(due, beat) if due else beat

    @property
    def changing(self) -> Changing | None:
        """Return who judges changes of instances; ``None`` before ``Configured``."""
        return self._changing

    def awaits(self, instrument: str) -> bool:
        """Return whether a paper order, stop or trigger waits for prices here; by bars only (hot).

        A backtest says the open of a bar only where somebody waits for it.
        """
        trader = self._trader
        return (
            trader is not None and trader.by_bars is not None and trader.by_bars.awaits(instrument)
        )

    def attends(self, instrument: str) -> bool:
        """Return whether prices inside a bar matter: somebody holds, waits or has a timer.

        A backtest by finer bars passes the others by.
        """
        trader = self._trader
        if trader is None or trader.by_bars is None:
            return False
        return (
            trader.by_bars.awaits(instrument)
            or trader.by_bars.is_held(instrument)
            or any(desk.timers for desk in trader.desks.values())
        )

    def decide(self, record: Record) -> Iterable[Record]:
        """Yield what follows from an input that has just been applied.

        What a strategy says to a market input may be heard at once; what follows comes as a
        generator, or as nothing at all in the usual case (hot).
        """
        decider = self._deciders.get(type(record))
        if decider is None and self._trader is None:
            return ()
        self.state.cause = record.seq
        self.turns.nth = 0
        following = decider(record) if decider is not None else None
        if following is None and self._is_quiet():
            return ()
        return self._decided(following or iter(()))

    def practised(self) -> OrderIntended | None:
        """Return a decision about an order nobody wants, which goes nowhere (``Practising``)."""
        is_over = self._practising is None or self._is_shadow or self.state.safety.is_stopping
        return None if is_over or self._practising is None else self._practising.order()

    # ---- what ``QuietBars`` asks ----

    @property
    def trader(self) -> Trader:
        """The strategies' half of ``decide``."""
        return self._with_trader()

    @property
    def beats(self) -> Beats:
        """When the safety half looks at things."""
        assert self._beats is not None
        return self._beats

    def quiet_until_ns(self) -> int:
        """Begin a quiet stretch: until when nothing happens by itself, 0 where something does."""
        if not self._is_quiet() or self.turns.known:
            return 0
        self.beats.begin()
        return self.wake_ns or NEVER

    def pass_beats(self, until_ns: int, follow: Callable[[Iterable[Record]], None]) -> int:
        """Let the beats up to a time happen that find nobody waiting for them.

        Does what a ``TimerFired`` at each of them would do. ``follow`` applies what is decided.

        Returns:
            As ``quiet_until_ns``; 0 also where something else is due, or a beat that is no such.
        """
        state, beats, keeper = self.state, self.beats, self._with_keeper()
        while True:
            if not beats.is_open and (next_ns := beats.pass_calm(until_ns)):
                return next_ns
            if not beats.is_open:
                due_ns = self.wake_ns
                if not due_ns or due_ns > until_ns:
                    return due_ns or NEVER
                if not beats.is_idle(max(due_ns, state.ts_ns)):
                    return 0
                beats.pass_idle(follow)
            beats.is_open = False
            following = keeper.on_told()
            if following is not None:
                follow(self.followed(following))
                if not self._is_quiet():
                    return 0
                beats.begin()

    def followed(self, following: Iterator[Record] | None) -> Iterable[Record]:
        """Return what is decided once a market input was heard, as ``decide`` does."""
        first = None if following is None else next(following, None)
        if first is None and self._is_quiet():
            return ()
        if following is None or first is None:
            return self._decided(iter(()))
        return self._decided(chain((first,), following))

    # ---- inside ----

    def _is_quiet(self) -> bool:
        trader, state = self._trader, self.state
        if trader is None or self._waits or self._stop_until_ns or state.orders.contradictions:
            return False
        if state.news or trader.modes_seen != state.modes.serial:
            return False
        for desk in trader.roster.everybody:  # noqa: SIM110 - any() makes a generator
            if desk.wish_changed:
                return False
        return True

    def _decided(self, following: Iterator[Record]) -> Generator[Record, None, None]:
        yield from following
        trader, keeper = self._trader, self._keeper
        assert trader is not None
        assert keeper is not None
        if trader.modes_seen != self.state.modes.serial:
            yield from self._follow_modes()
        if self._waits:
            yield from self._start_ready()
        if self._is_shadow:
            self.state.orders.contradictions.clear()
        elif self.state.orders.contradictions:
            yield from keeper.on_contradictions()
        yield from trader.settle()
        if self._stop_until_ns:
            yield from self._end_if_done()

    # ---- deciders ----

    def _configured(self, _record: Configured) -> Iterator[Record]:
        self._begin()
        return self._with_keeper().take_over()

    def shadow(self, without: frozenset[str] = frozenset()) -> None:
        """Run the strategies from here on as the session before did, from its checkpoints.

        ``without``: instances that were cut off later; they would not return this time either.

        For working out their newest state: the recorded decisions are applied in the place of what
        ``decide`` yields. Only strategies run. What else decides (breakers, the venue of paper, the
        comparison of books) counts on its decisions being applied, and all of it is on record.
        """
        self._begin_shadow()
        self._waits = frozenset()
        trader = self._with_trader()
        for desk in trader.desks.values():
            if desk.name in without:
                desk.stop_reason = "cut off"
            else:
                deque(trader.calling.start(desk), maxlen=0)

    def shadow_again(self, owner: str) -> None:
        """Go on with what a checkpoint says that has just been applied: it was so."""
        trader = self._with_trader()
        deque(self._follow_modes(), maxlen=0)
        if owner in trader.desks and not trader.desks[owner].is_stopped:
            trader.roster.renew(owner)
            deque(trader.calling.start(trader.desks[owner]), maxlen=0)

    def settled(self) -> Iterator[Record]:
        """Let a shadow's strategies hear what recorded decisions have brought about."""
        return self._decided(iter(()))

    def holds(self, owner: str, saved: bytes) -> bool:
        """Return whether an instance knows exactly what a checkpoint says."""
        desk = self._with_trader().desks.get(owner)
        return desk is not None and desk.is_started and not desk.is_stopped and desk.save() == saved

    def saved(self) -> dict[str, bytes]:
        """Return the state of every instance that is not stopped."""
        desks = self._with_trader().desks.values()
        return {desk.name: desk.save() for desk in desks if not desk.is_stopped}

    def _begin(self) -> None:
        """Make the deciding half from the settings and checkpoints applied so far."""
        settings = self.state.settings
        assert settings is not None
        assert self._load is not None
        self.state.news.clear()  # left by records applied without deciding
        self.state.taken.clear()
        self.state.moved.clear()
        self._trader = Trader(self.state, settings, self._load, self.turns)
        trader = self._trader
        self._keeper = Keeper(self.state, settings, trader.placer, trader.protecting)
        self._practising = Practising(self.state, trader)
        self._deciders = self._table(self._trader, self._keeper)
        self._waits = frozenset(self._trader.desks) - self.state.faulty.keys()
        self._stop_until_ns = 0
        self._is_shadow = False
        self._beats = Beats(self.state, self._trader, self._keeper, self.turns, settings.timing)

    def _begin_shadow(self) -> None:
        """Begin to run strategies only: as a session begins, and where a next one does."""
        self._begin()
        self._is_shadow = True
        self._with_trader().shadow()
        self._deciders = self._shadow_table(self._deciders)

    def _timer(self, record: TimerFired) -> Iterator[Record] | None:
        """Let time pass; nothing comes of a beat at which nobody waits for it (hot by bars)."""
        beats, keeper = self.beats, self._with_keeper()
        if beats.is_idle(record.ts_ns):
            beats.passed()
            return keeper.on_idle()
        return self._on_time(record, beats, keeper)

    def _on_time(self, record: TimerFired, beats: Beats, keeper: Keeper) -> Iterator[Record]:
        yield from self._with_trader().on_time()
        if record.ts_ns < beats.next_ns:
            return
        beats.passed()
        yield from keeper.on_time()
        if beats.is_checkpoint():
            yield from self._checkpoint()

    def _queried(self, record: QueryAnswered) -> Iterator[Record]:
        trader = self._with_trader()
        for desk in trader.desks.values():
            if record.query_id in desk.waits_for_bars:
                return self._warmed_up(desk, record)
        if trader.paying.owns(record.query_id):
            return trader.paying.answered(record)
        return self._with_keeper().on_query(record)

    def _warmed_up(self, desk: Desk, record: QueryAnswered) -> Iterator[Record]:
        desk.waits_for_bars.discard(record.query_id)
        if not record.is_ok:
            text = f"{record.reason}; bars begin empty"
            yield IncidentRaised(*self.state.stamp(), "warm_up_failed", desk.name, text)
        elif record.reason:  # all is there, and what is stored on this machine is not what it says
            yield IncidentRaised(*self.state.stamp(), "store_differs", desk.name, record.reason)
        if not desk.waits_for_bars:
            yield from self._with_trader().on_warmed_up(desk)

    def _position(self, record: PositionReported) -> Iterator[Record]:
        self._with_keeper().on_statement(record)
        return self._with_trader().on_position(record)

    def _stopping(self, record: SessionStopping) -> Iterator[Record]:
        trader, keeper, settings = self._trader, self._keeper, self.state.settings
        assert trader is not None
        assert keeper is not None
        assert settings is not None
        self._stop_until_ns = record.ts_ns + settings.timing.stop_ns
        yield from self._checkpoint()
        for desk in trader.desks.values():
            yield from trader.calling.stop(desk, "session ends")
        yield from keeper.halting.on_stopping(record)
        if settings.end_policy == "flatten":
            name, why = f"{STOP_ID}{record.seq}", record.reason
            yield from keeper.flattening.begin(name, ACCOUNT, "end_policy", why)

    def _end_if_done(self) -> Iterator[Record]:
        keeper = self._with_keeper()
        open_ends, is_unsure = keeper.halting.open_ends(), keeper.halting.sweeping.is_open
        is_open = bool(open_ends) or is_unsure or keeper.flattening.is_open
        if is_open and self.state.ts_ns < self._stop_until_ns:
            return
        self._stop_until_ns = 0
        yield from keeper.flattening.on_end()
        if is_unsure:
            text = "the venue's lists did not confirm, twice in a row, that everything is cancelled"
            yield IncidentRaised(*self.state.stamp(), "unconfirmed_at_stop", "", text)
        if open_ends:
            names = ", ".join(f"{order.id} {order.state}" for order in open_ends[:5])
            yield IncidentRaised(
                *self.state.stamp(), "open_at_stop", "", f"{len(open_ends)} orders: {names}"
            )
        yield HashTaken(*self.state.stamp(), self.books_hash(), self.state_hash())
        yield SessionEnded(*self.state.stamp(), "stopped")

    def _checkpoint(self) -> Iterator[Record]:
        trader = self._with_trader()
        for desk in trader.desks.values():
            yield from trader.calling.checkpoint(desk)
        yield HashTaken(*self.state.stamp(), self.books_hash(), self.state_hash())

    # ---- starting instances ----

    def _start_ready(self) -> Iterator[Record]:
        trader = self._trader
        assert trader is not None
        for desk in trader.roster.startable():
            self._waits -= {desk.name}
            yield from self._start(desk)

    def _start(self, desk: Desk) -> Iterator[Record]:
        trader = self._with_trader()
        yield from self._warm_up(desk)  # first: until it is done no risk may be added
        yield from trader.calling.start(desk)
        yield from trader.calling.checkpoint(desk)  # from here on nothing is forgotten

    def _warm_up(self, desk: Desk) -> Iterator[Record]:
        """Ask for the minutes an instance's bar windows need."""
        state = self.state
        if self._with_trader().by_bars is not None:
            return  # a backtest begins before what it is about: there is nobody to ask
        for name in desk.names:
            spans = [
                maker.span * (maker.window.maxlen or 0)
                for key, maker in desk.makers.items()
                if key[0] == name and not maker.is_own and key not in desk.has_bars
            ]
            if not spans:
                continue
            stamp = state.stamp()
            since = state.ts_ns + state.safety.clock_offset_ns - max(spans)
            minutes_ms = 60_000 * _WARM_UP_SLACK
            desk.waits_for_bars.add(stamp[0])
            category = state.instruments[name].category
            yield QueryIntended(
                *stamp, stamp[0], "bars", category, "", name, "", since // 1_000_000 - minutes_ms
            )

    def _follow_modes(self) -> Iterator[Record]:
        """End the instances that no mode wants any more; new ones start when they may."""
        trader = self._with_trader()
        yield from trader.follow_modes()
        self._waits = (self._waits & trader.desks.keys()) | trader.roster.not_started()

    def _free(self, name: str) -> None:
        """Let a stopped instance start again, as soon as its markets are LIVE."""
        trader = self._with_trader()
        if name not in trader.desks:  # it could not be made, or no mode wants it
            trader.modes_seen = -1
            return
        trader.roster.renew(name)
        trader.desks[name].executors.end_all("stopped")  # it was stopped for a fault
        self._waits |= {name}

    def _table(
        self, trader: Trader, keeper: Keeper
    ) -> dict[type[Record], Callable[[Any], Iterator[Record] | None]]:
        self._changing = Changing(self.state, trader, self._start)
        commanding = Commanding(
            self.state,
            trader.placer,
            keeper.halting,
            keeper.flattening,
            keeper.adopting,
            keeper.breaking,
            self._changing,
            keeper.switching,
            self._free,
        )
        return {
            Configured: self._configured,
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
            SessionStopping: self._stopping,
            Woken: keeper.on_woken,
            DisconnectReported: keeper.disconnecting.on_state,
        }

    def _shadow_table(
        self, table: dict[type[Record], Callable[[Any], Iterator[Record] | None]]
    ) -> dict[type[Record], Callable[[Any], Iterator[Record] | None]]:
        """Return who decides in a shadow: strategies, and people about them."""
        trader, command = self._with_trader(), table[OperatorCommand]
        return {kind: table[kind] for kind in SHADOWED} | {
            Configured: lambda _record: self._begin_shadow(),
            TimerFired: lambda _record: trader.on_time(),
            ProtectionAnswered: trader.on_protection,
            QueryAnswered: self._shadow_queried,
            SessionStopping: self._shadow_stopping,
            OperatorCommand: lambda one: command(one) if one.cmd in ABOUT_STRATEGIES else None,
        }

    def _shadow_queried(self, record: QueryAnswered) -> Iterator[Record] | None:
        desks = self._with_trader().desks.values()
        waiting = next((one for one in desks if record.query_id in one.waits_for_bars), None)
        return self._warmed_up(waiting, record) if waiting is not None else None

    def _shadow_stopping(self, _record: SessionStopping) -> Iterator[Record]:
        for desk in self._with_trader().desks.values():
            yield from self._with_trader().calling.stop(desk, "session ends")

    def _with_trader(self) -> Trader:
        assert self._trader is not None
        return self._trader

    def _with_keeper(self) -> Keeper:
        assert self._keeper is not None
        return self._keeper
