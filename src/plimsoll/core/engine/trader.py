"""The strategies' half of ``decide``: callbacks, wishes, and what paper orders do.

Everything here yields decisions one at a time; the loop logs and applies each before asking for the
next, so every check sees the order before it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Final

from plimsoll.core.engine.backlog import Backlog
from plimsoll.core.engine.by_bars import ByBars
from plimsoll.core.engine.paying import Paying
from plimsoll.core.engine.placing import LAST, MARK, Placer
from plimsoll.core.engine.protecting import Protecting
from plimsoll.core.engine.sizing import Sizing
from plimsoll.core.engine.state import MODE, NEVER, State
from plimsoll.core.engine.valuing import profit_of, unrealised
from plimsoll.core.engine.wishing import Wishing
from plimsoll.core.feed import DEPTH, Bar, Market
from plimsoll.core.matching.paper import MarketRows, PaperEvent, PaperVenue
from plimsoll.core.model import (
    PROTECTION_LABEL,
    Denied,
    Order,
    OrderState,
    Refusal,
    Regrid,
    strategy_of,
)
from plimsoll.core.portfolio import fee_of
from plimsoll.core.records import (
    BarChanged,
    BarReported,
    BarWalked,
    BookChanged,
    CallbackCut,
    ExecutionReported,
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    PaperReported,
    PositionReported,
    ProtectionAnswered,
    PublicTraded,
    Record,
    SignalReceived,
    StrategyCheckpoint,
    StrategyStopped,
    TickerChanged,
)
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import (
    AmendRequest,
    CancelRequest,
    Desk,
    FillEvent,
    Holding,
    PlaceRequest,
    Strategy,
    parameters_of,
)
from plimsoll.core.strategy.desk import Reader
from plimsoll.core.strategy.parameters import read_hot
from plimsoll.core.strategy.repetition import Repetition
from plimsoll.core.strategy.signals import read_signal
from plimsoll.core.strategy.turns import Cut, Turns

Load = Callable[[StrategySettings], Strategy]
"""Makes a strategy object from its settings; effects (imports, files) are the caller's."""

_SECOND_BOOK: Final = 500
"""Between the random streams of a strategy's two instances."""

ROUNDS_MAX: Final = 50
"""Rounds of news and callbacks within one input; more is a strategy answering itself for ever."""


_FILLS: Final = (ExecutionReported, PaperFilled)


class Trader:
    """All strategy instances of a session."""

    def __init__(self, state: State, settings: CoreSettings, load: Load, turns: Turns) -> None:
        """Load the instances and restore what the newest checkpoints hold."""
        self.state = state
        self.turns = turns
        self.settings = settings
        self.paper = PaperVenue(
            settings.timing.paper_latency_ns,
            state.orders.find,
            state.ledger.qty_lots,
            self._trusted_rows,
            state.instruments.__getitem__,
            settings.timing.paper_queue_ppm,
        )
        self.placer = Placer(state, settings, self.paper)
        self.protecting = Protecting(state, settings.timing)
        self.wishing = Wishing(state, self.placer, self.protecting)
        self.backlog = Backlog(state, settings.timing)
        self.paying = Paying(state, settings.timing)
        self.margining = self.placer.margining
        self._is_shadow = False
        self.pays = self._pays()
        """Whether funding is paid by what tickers tell; in a backtest the past is told."""
        reader = Reader(
            state.markets.__getitem__,
            state.instruments.get,
            self._holding,
            lambda owner, name: list(state.orders.of_owner(owner, name)),
            partial(profit_of, state),
            lambda request: self.sizing.lots(request),
            state.safety.pause_of,
            self._is_there,
        )
        self.rule = ""
        """What decides paper fills just now, where the data does not (``PaperFilled.rule``)."""
        self.by_bars: ByBars | None = None
        if settings.by_bars is not None:
            self.by_bars = ByBars(
                state,
                self.paper,
                self.wishing,
                self.margining,
                self._on,
                self._by_rule,
                self.settle,
            )
        self._load = load
        self._reader = reader
        self.modes_seen = state.modes.serial
        """Of the modes whose instances these are."""
        self.desks: dict[str, Desk] = {one.name: self._desk(one) for one in settings.strategies}
        self.sizing = Sizing(state, self.placer, self.desks)
        for owner in state.faulty.keys() & self.desks.keys():
            self.desks[owner].stop_reason = state.stopped[owner]  # until a person frees it (RSK-8)
        self._arrange()
        self.resumes = [order for order in state.orders.working.values() if order.is_paper]
        """Paper orders of an earlier session, waiting for their instrument's first book."""

    def _desk(self, one: StrategySettings, saved: bytes | None = None) -> Desk:
        """Make an instance, with what its newest checkpoint holds; ``saved``: of other code."""
        settings = self.settings
        strategy = self._load(one)
        left_out = _set_changed(strategy, self.state.changes.of(one.name))
        desk = Desk(one, strategy, self._reader, settings.seed * 1_000 + self._place(one))
        desk.left_out = left_out
        desk.repetition = Repetition(settings.same_action_max, settings.repeat_ns)
        if settings.by_bars is not None:
            for maker in desk.makers.values():
                maker.base_ns = settings.by_bars.span_ns
        if saved is not None:
            desk.restore(saved, of_other_code=True)
        elif one.name in self.state.checkpoints:
            desk.restore(self.state.checkpoints[one.name])
        return desk

    def _place(self, one: StrategySettings) -> int:
        """Return a number of its own for each instance; a second one of a strategy is far off."""
        names = list(self.state.modes.standings)
        name = strategy_of(one.name)
        place = names.index(name) if name in names else 0
        return place if one.name == name else place + _SECOND_BOOK

    def _arrange(self) -> None:
        """Note who hears what."""
        self.everybody = tuple(self.desks.values())
        """All of them; another tuple once one was renewed."""
        self.on_instrument: dict[str, list[Desk]] = {}
        for desk in self.desks.values():
            for name in desk.names:
                self.on_instrument.setdefault(name, []).append(desk)
        self.book_hearers = {
            name: [desk for desk in desks if desk.hears_book]
            for name, desks in self.on_instrument.items()
        }

    def _pays(self) -> bool:
        is_by_bars = self.settings.by_bars is not None
        return bool(self.state.paper_owners) and not is_by_bars and not self._is_shadow

    def shadow(self) -> None:
        """Run strategies only: what paper orders meet is on record already."""
        self._is_shadow = True
        self.pays = False
        self.paper.is_told = True
        self.resumes.clear()

    # ---- starting and ending ----

    def renew(self, owner: str) -> None:
        """Put a new object in the place of a stopped instance; it starts when it may."""
        self.desks[owner] = self._desk(self.desks[owner].settings)
        self._arrange()

    def made(self, settings: StrategySettings) -> Desk:
        """Return an instance with other code that goes on where the one at work stands.

        It is not put in its place yet: whatever comes out of the new code, the old one goes on.
        """
        before = self.desks[settings.name]
        saved = self.state.checkpoints.get(settings.name) if before.is_stopped else before.save()
        desk = self._desk(settings, saved)
        desk.stop_reason = before.stop_reason
        desk.go_on_from(before)
        return desk

    def put(self, desk: Desk) -> None:
        """Put an instance in the place of the one that has its name."""
        self.desks[desk.name] = desk
        self._arrange()

    def follow_modes(self) -> Iterator[Record]:
        """End the instances that no mode wants any more, and make those that one wants now."""
        state = self.state
        self.modes_seen = state.modes.serial
        if state.settings is None:
            return
        self.settings = state.settings
        self.placer.reroute()
        self.margining.follow(self.settings)
        self.pays = self._pays()
        wanted = {one.name: one for one in self.settings.strategies}
        for name in [name for name in self.desks if name not in wanted]:
            desk = self.desks[name]
            yield from self.checkpoint(desk)
            yield from self.stop(desk, "its strategy has another mode now", MODE)
            del self.desks[name]
        for name, one in wanted.items():
            if name in self.desks:
                self.desks[name].settings = one
                self.desks[name].capital_units = one.capital
            else:
                yield from self._enter(one)
        self._arrange()

    def _enter(self, one: StrategySettings) -> Iterator[Record]:
        """Make an instance of a strategy in the middle of a session."""
        try:
            self.desks[one.name] = self._desk(one)
        except Exception as error:  # the user's code, and a file that may have changed since
            why = f"it cannot be made: {error!r}"
            yield StrategyStopped(*self.state.stamp(), one.name, why, "raised")
            yield IncidentRaised(*self.state.stamp(), "strategy_stopped", one.name, why)
            return
        if one.name in self.state.faulty:
            self.desks[one.name].stop_reason = self.state.stopped[one.name]

    def not_started(self) -> frozenset[str]:
        """Return the instances that have not started and may."""
        return frozenset(
            desk.name for desk in self.desks.values() if not desk.is_started and not desk.is_stopped
        )

    def startable(self) -> list[Desk]:
        """Return the instances whose markets are LIVE and, for live ones, whose books agree."""
        state = self.state
        return [
            desk
            for desk in self.desks.values()
            if not desk.is_started
            and not desk.is_stopped
            and all(
                name in state.markets
                and state.markets[name].doubt(state.ts_ns, desk.streams) is None
                for name in desk.names
            )
            and (state.is_paper(desk.name) or state.safety.is_reconciled)
        ]

    def start(self, desk: Desk) -> Iterator[Record]:
        """Call ``on_start``."""
        desk.is_started = True
        if desk.left_out:
            text = f"its code does not take what was changed: {', '.join(desk.left_out)}"
            yield IncidentRaised(*self.state.stamp(), "parameter_left_out", desk.name, text)
        self.wishing.start(desk)
        yield from self._call(desk, desk.strategy.on_start)

    def stop(self, desk: Desk, reason: str, code: str = "session") -> Iterator[Record]:
        """Call ``on_stop`` and let the instance hear nothing any more."""
        if desk.is_stopped:
            return
        if desk.is_started:
            yield from self._call(desk, desk.strategy.on_stop)
        if not desk.is_stopped:
            yield from self._end(desk, reason, code)

    def checkpoint(self, desk: Desk) -> Iterator[Record]:
        """Record what an instance needs to go on; one that was stopped keeps its last one."""
        if desk.is_stopped:
            return
        try:
            saved = desk.save()
        except Exception as error:  # whatever it has put there: its own fault, and its own end
            yield from self._end(desk, f"its state cannot be saved: {error}", "raised")
            return
        yield StrategyCheckpoint(*self.state.stamp(), desk.name, saved)
        desk.executors.note_saved()

    # ---- market inputs ----

    def on_book(self, change: BookChanged) -> Iterator[Record] | None:
        """Match paper orders, then let the instances hear the book that want to.

        Returns:
            What is decided, ``None`` where hearing it led to nothing: the usual case costs no
            generator (hot).
        """
        market = self.state.markets.get(change.instrument)
        if market is None or change.depth != DEPTH:
            return None
        if self.paper.matching or self.paper.waiting or self.resumes:
            return _unless_empty(self._book_on_paper(change, market))
        return self._book_heard(market)

    def _book_on_paper(self, change: BookChanged, market: Market) -> Iterator[Record]:
        is_whole = market.book.fault is None  # a refused message moves no paper order either
        yield from self._paper_round(self.paper.on_book(change) if is_whole else iter(()))
        if self.resumes:
            yield from self._resume(change.instrument)
        yield from self._book_heard(market) or ()

    def _book_heard(self, market: Market) -> Iterator[Record] | None:
        hearers = self.book_hearers.get(market.instrument.name)
        if not hearers or market.fault is not None:  # never a torn book (MKT-4)
            return None
        backlog = self.backlog
        may_hold = market.age_ms > backlog.lag_ms or backlog.waiting
        if may_hold and backlog.holds(market):  # not every one while we lag (MKT-5)
            return None
        for place, desk in enumerate(hearers, start=1):
            following = self._hear_book(desk, market)
            if following is not None:
                return self._and_the_others(following, hearers[place:], market)
        return None

    def _and_the_others(
        self, following: Iterator[Record], desks: Iterable[Desk], market: Market
    ) -> Iterator[Record]:
        yield from following
        for desk in desks:
            yield from self._hear_book(desk, market) or ()

    def on_public_trade(self, traded: PublicTraded) -> Iterator[Record] | None:
        """Match paper orders, make bars, let the instances hear prints.

        Returns:
            What is decided, ``None`` where it led to nothing: the usual case (hot).
        """
        market = self.state.markets.get(traded.instrument)
        return None if market is None else _unless_empty(self._prints(traded, market))

    def _prints(self, traded: PublicTraded, market: Market) -> Iterator[Record]:
        rows = market.fresh_rows  # a late print still belongs to a bar; nobody hears it (MKT-4)
        if self.paper.matching or self.paper.waiting:
            yield from self._paper_round(self.paper.on_public_trade(traded.instrument, rows))
        for desk in self.on_instrument.get(traded.instrument, ()):
            for maker in desk.own_makers:
                if maker.instrument == traded.instrument:
                    for bar in maker.on_public_trade(traded):
                        yield from self.hear_bar(desk, bar)
            if desk.hears_trades:
                for price, qty, is_buy, _ms in rows:
                    yield from self._call(
                        desk, desk.strategy.on_trade, traded.instrument, price, qty, is_buy=is_buy
                    )
            desk.executors.on_public_trade(traded)
        desks = self.on_instrument.get(traded.instrument, ())
        self.wishing.check_stops(desks, traded.instrument)
        if self.paper.untriggered:
            yield from self._paper_round(self._triggered(market, LAST, market.last))

    def on_ticker(self, ticker: TickerChanged) -> Iterator[Record] | None:
        """Watch stops and conditional paper orders against the new prices."""
        if self.by_bars is not None:
            return self.by_bars.on_open(ticker)
        market = self.state.markets.get(ticker.instrument)
        paid = self.paying.on_ticker(market) if self.pays and market is not None else None
        desks = self.on_instrument.get(ticker.instrument, ())
        self.wishing.check_stops(desks, ticker.instrument)
        found = [] if paid is None else [paid]
        owners = self._holders(ticker.instrument) if self.pays else None
        if owners:
            found.append(self.margining.look(owners))
        if self.paper.untriggered and market is not None:
            found.append(self._paper_prices(market))
        return chain(*found) if found else None

    def _holders(self, name: str) -> list[str]:
        """Return the paper instances that hold an instrument."""
        held = self.state.ledger.positions
        return [
            desk.name
            for desk in self.on_instrument.get(name, ())
            if (one := held.get((desk.name, name))) is not None and one.qty_units
        ]

    def _paper_prices(self, market: Market) -> Iterator[Record]:
        yield from self._paper_round(self._triggered(market, MARK, market.mark))
        yield from self._paper_round(self._triggered(market, LAST, market.last))

    def on_signal(self, signal: SignalReceived) -> Iterator[Record]:
        """Let the books of a strategy hear a signal; one they cannot read is an incident."""
        why = "no instance takes such signals"
        for desk in list(self.desks.values()):
            kind = desk.strategy.signal
            if strategy_of(desk.name) != signal.owner or kind is None:
                continue
            try:
                found, why = read_signal(kind, signal.payload), ""
            except ValueError as error:
                why = str(error)
            else:
                yield from self._call(desk, desk.strategy.on_signal, found)
        if why:
            yield IncidentRaised(*self.state.stamp(), "signal_refused", signal.owner, why)

    def on_position(self, position: PositionReported) -> Iterator[Record]:
        """Compare the protection a position shows with what was wished."""
        yield from self.protecting.look_at(position.instrument)

    def on_protection(self, answer: ProtectionAnswered) -> Iterator[Record]:
        """Tell the instance whose stop or take the venue refused."""
        yield from self.protecting.on_answer(answer)
        if answer.outcome != "refused":
            return
        desk = self.desks.get(self.state.protections.of(answer.instrument).owner)
        if desk is not None and desk.is_started and not desk.is_stopped:
            refusal = Denied(Refusal.PROTECTION, f"{answer.code} {answer.text}")
            yield from self._call(desk, desk.strategy.on_refusal, answer.instrument, refusal)

    def on_minute(self, bar: BarChanged) -> Iterator[Record] | None:
        """Hand a final minute to the frames made from it.

        Returns:
            What is decided, ``None`` where hearing it led to nothing: the usual case (hot).
        """
        if not bar.is_final:
            return None
        return _unless_empty(self._minute_heard(bar))

    def _minute_heard(self, bar: BarChanged) -> Iterator[Record]:
        if self.by_bars is not None:
            yield from self.by_bars.on_bar(bar)
        for desk in self.on_instrument.get(bar.instrument, ()):
            if desk.waits_for_bars:
                desk.early_minutes.append(bar)
            else:
                yield from self._minute(desk, bar)

    def on_walked(self, bar: BarWalked) -> Iterator[Record] | None:
        """Let paper orders meet a finer bar that no strategy hears."""
        return _unless_empty(self.by_bars.on_bar(bar)) if self.by_bars is not None else None

    def on_warmed_up(self, desk: Desk) -> Iterator[Record]:
        """Deliver the live minutes that came while the older ones were fetched."""
        early, desk.early_minutes = desk.early_minutes, []
        for bar in early:
            yield from self._minute(desk, bar)

    def _minute(self, desk: Desk, bar: BarChanged) -> Iterator[Record]:
        for (name, _), maker in desk.makers.items():
            if name == bar.instrument and not maker.is_own:
                for closed in maker.on_minute(bar):
                    yield from self.hear_bar(desk, closed)

    def on_fetched(self, bar: BarReported) -> Iterator[Record]:
        """Hand a fetched minute to the instances that wait for it."""
        tick = float(self.state.instruments[bar.instrument].tick)
        for desk in self.on_instrument.get(bar.instrument, ()):
            if bar.query_id in desk.waits_for_bars:
                for (name, _), maker in desk.makers.items():
                    if name == bar.instrument and not maker.is_own:
                        for closed in maker.on_fetched(bar, tick):
                            yield from self.hear_bar(desk, closed)

    def on_time(self) -> Iterator[Record]:
        """Let paper requests take effect, close own bars, try refused wishes again."""
        if self.pays:
            yield from self.paying.on_time()
            yield from self.margining.look()
        if self.by_bars is None:  # by bars nothing takes effect between an open and the next
            yield from self._paper_round(iter(()))
        self.wishing.check_late_stops(self.everybody)
        yield from self.protecting.on_time()
        for name in self.backlog.due():
            market = self.state.markets[name]
            for desk in self.book_hearers[name] if market.fault is None else ():
                yield from self._hear_book(desk, market) or ()
        venue_ns = self.state.ts_ns + self.state.safety.clock_offset_ns
        until = venue_ns - self.settings.timing.bar_grace_ns
        for desk in self.desks.values():
            for maker in desk.own_makers:
                for bar in maker.close_until(until):
                    yield from self.hear_bar(desk, bar)
            yield from self._fire_timers(desk)
            desk.wish_changed.update(desk.targets)
            desk.wish_changed.update(desk.quotes)
            if desk.executors.count:
                desk.wish_changed.update(desk.names)

    # ---- what follows from it ----

    @property
    def is_settled(self) -> bool:
        """Return whether nobody has to be told anything and no wish has changed (hot)."""
        if self.state.news:
            return False
        for desk in self.everybody:  # noqa: SIM110 - any() makes a generator
            if desk.wish_changed:
                return False
        return True

    @property
    def _is_done(self) -> bool:
        """Return whether settling would do nothing (hot)."""
        if self.state.news:
            return False
        for desk in self.everybody:
            if desk.wish_changed or desk.executors.runs:
                return False
            if desk.repetition is not None and desk.repetition.excess:
                return False
        return True

    def settle(self) -> Iterator[Record]:
        """Tell instances about their orders and carry out their wishes until nothing is left."""
        state = self.state
        for _ in range(ROUNDS_MAX):
            if self._is_done:
                return
            if state.news:
                news, state.news = state.news, []
                for order, execution in news:
                    yield from self._hear_order(order, execution)
            if any(not desk.stop_reason and desk.executors.is_unsaved for desk in self.everybody):
                for desk in self.everybody:  # all of them: a restart begins where the newest are
                    yield from self.checkpoint(desk)
            yield from self.wishing.carry_out(self.desks.values())
            for desk in self.everybody:
                for handle in desk.executors.news() if desk.executors.runs else ():
                    yield from self._call(desk, desk.strategy.on_executor, handle)
            for desk in self.everybody:
                if desk.repetition is not None and desk.repetition.excess and not desk.is_stopped:
                    yield from self._end(desk, desk.repetition.excess, "repeats")
            if self.is_settled:
                return
        yield IncidentRaised(
            *state.stamp(), "endless_answers", "", f"stopped after {ROUNDS_MAX} rounds in one input"
        )

    def next_due_ns(self) -> int:
        """Return the next time something happens by itself, 0 = nothing will."""
        least = NEVER if self.by_bars is not None else self.paper.next_due_ns or NEVER
        if self.pays:
            least = min(least, self.paying.next_due_ns() or NEVER)
        for desk in self.everybody:
            if desk.timers and desk.is_started and not desk.is_stopped:
                least = min(least, *desk.timers.values())
            for maker in desk.own_makers:
                if maker.start_ns:
                    offset = self.state.safety.clock_offset_ns
                    close_ns = maker.start_ns + maker.span
                    least = min(least, close_ns - offset + self.settings.timing.bar_grace_ns)
        return least if least != NEVER else 0

    @property
    def is_idle(self) -> bool:
        """Return whether ``on_time``, and settling after it, would change nothing; by bars only.

        No timer runs, no bar of ours is open, and each target is reached and watches no price.
        """
        if self.by_bars is None or self.backlog.waiting or self.state.protections.wishes:
            return False
        for desk in self.everybody:
            if desk.timers or desk.quotes or desk.executors.count or desk.own_makers:
                return False
            for name, target in desk.targets.items():
                if not self.wishing.is_reached(desk, name, target):
                    return False
        return True

    # ---- callbacks ----

    def _fire_timers(self, desk: Desk) -> Iterator[Record]:
        """Call ``on_timer`` for what is due, the earliest first."""
        if not desk.timers or not desk.is_started or desk.is_stopped:
            return
        now = self.state.ts_ns
        for due, name in sorted((due, name) for name, due in desk.timers.items() if due <= now):
            if desk.timers.get(name) == due:  # not moved by the one before
                del desk.timers[name]
                yield from self._call(desk, desk.strategy.on_timer, name)

    def _hear_book(self, desk: Desk, market: Market) -> Iterator[Record] | None:
        if not desk.is_started or desk.stop_reason:
            return None
        return self.heard(desk, desk.strategy.on_book, market)

    def hear_bar(self, desk: Desk, bar: Bar) -> Iterator[Record]:
        """Feed a closed bar to an instance's indicators, then to itself."""
        desk.feed_bar(bar)
        if desk.is_started and not desk.is_stopped:
            yield from self._call(desk, desk.strategy.on_bar, bar)

    def _hear_order(self, order: Order, execution: Record | None) -> Iterator[Record]:
        desk = self.desks.get(order.owner)
        if desk is None:
            return
        if order.label == PROTECTION_LABEL and execution is not None:
            self.wishing.on_protected(desk, order)  # also of what happened before it started
        if not desk.is_started:
            return
        desk.wish_changed.add(order.instrument)
        self.wishing.on_order(desk, order)
        if desk.is_stopped:
            return
        if execution is not None and not desk.hears_fills:
            self._pass_over(desk)
        elif isinstance(execution, _FILLS):
            fill = FillEvent(
                order.instrument,
                order.side,
                execution.price_ticks,
                execution.qty_lots,
                execution.fee_units,
                execution.is_maker,
                order.id,
            )
            yield from self._call(desk, desk.strategy.on_fill, fill)
        if desk.hears_orders:
            yield from self._call(desk, desk.strategy.on_order, order)
        else:
            self._pass_over(desk)

    def _pass_over(self, desk: Desk) -> None:
        """Count a callback that a strategy leaves as it is, which does nothing (hot)."""
        desk.now_ns = self.state.ts_ns
        self.turns.serial += 1
        self.turns.nth += 1

    def _call(
        self, desk: Desk, callback: Callable[..., None], *args: object, **named: object
    ) -> Iterator[Record]:
        """Call; not before the start, and never again after a stop, even within one input."""
        if desk.is_started and not desk.is_stopped:
            yield from self.heard(desk, callback, *args, **named) or ()

    def heard(
        self, desk: Desk, callback: Callable[..., None], *args: object, **named: object
    ) -> Iterator[Record] | None:
        """Call into a strategy; what it asked for is carried out, or dropped where it raised."""
        desk.now_ns = self.state.ts_ns
        turns = self.turns
        turns.serial += 1
        turns.nth += 1
        try:
            if turns.known and (self.state.cause, turns.nth) in turns.known:
                raise Cut
            turns.is_inside = True
            try:
                callback(*args, **named)
            finally:
                turns.is_inside = False
        except BaseException as error:  # a cancelled future's and SystemExit are no Exception
            return self.failed(desk, callback, error)
        return self.carry_out(desk) if desk.requests else None

    def failed(
        self, desk: Desk, callback: Callable[..., None], error: BaseException
    ) -> Iterator[Record]:
        """Return what follows from a callback that did not return."""
        self.turns.is_inside = False  # a cut may have come before the caller's own line
        if isinstance(error, Cut):
            return self._cut_off(desk, callback.__name__, self.turns.nth)
        if isinstance(error, KeyboardInterrupt):  # a person's, who wants a replay to end
            raise error
        desk.requests.clear()
        return self._end(desk, f"{callback.__name__} raised {error!r}", "raised")

    def _cut_off(self, desk: Desk, callback: str, nth: int) -> Iterator[Record]:
        """Drop what a callback asked for that did not return, and stop its instance (P8)."""
        desk.requests.clear()
        yield CallbackCut(*self.state.stamp(), desk.name, callback, nth)
        why = f"{callback} did not return in time and was cut off"
        yield from self._end(desk, why, "quarantine")

    def carry_out(self, desk: Desk) -> Iterator[Record]:
        """Decide about what an instance asked for."""
        for request in desk.drain():
            if isinstance(request, PlaceRequest):
                for decision in self.placer.place(desk, request):
                    yield decision
                    if isinstance(decision, OrderDenied):
                        yield from self._repeats(desk)
            elif isinstance(request, AmendRequest):
                yield from self.placer.amend(desk, request)
            elif isinstance(request, CancelRequest):
                yield from self.placer.cancel(request.order, request.reason)

    def _repeats(self, desk: Desk) -> Iterator[Record]:
        """Stop an instance that repeats refused requests (RSK-8)."""
        now = self.state.ts_ns
        desk.denials = [at for at in desk.denials if at > now - self.settings.repeat_ns]
        desk.denials.append(now)
        if len(desk.denials) > self.settings.repeat_max and not desk.is_stopped:
            seconds = self.settings.repeat_ns // 1_000_000_000
            why = f"{len(desk.denials)} refused requests in {seconds} s"
            yield from self._end(desk, why, "repeats")

    def _end(self, desk: Desk, reason: str, code: str) -> Iterator[Record]:
        """Stop an instance: it hears nothing more, and its orders that add risk are cancelled.

        A stop for a fault outlasts the session.
        """
        desk.stop_reason = reason
        desk.targets.clear()
        desk.quotes.clear()
        if code != "session":
            desk.executors.end_all("stopped")
        state = self.state
        yield StrategyStopped(*state.stamp(), desk.name, reason, code)
        if code != "session":
            if code != MODE:
                yield IncidentRaised(*state.stamp(), "strategy_stopped", desk.name, reason)
            for order in list(state.orders.working.values()):
                if order.owner == desk.name and not order.is_protective:
                    yield from self.placer.cancel(order, "its strategy was stopped")

    # ---- paper ----

    def _paper_round(self, events: Iterator[PaperEvent]) -> Iterator[Record]:
        for event in self.paper.until(self.state.ts_ns):
            yield from self._paper(event)
        for event in events:
            yield from self._paper(event)

    def _by_rule(self, events: Iterator[PaperEvent], rule: str) -> Iterator[Record]:
        """Put paper events on record that a rule decided, not the data."""
        self.rule = rule
        for event in events:
            yield from self._paper(event)
        self.rule = ""

    def _on(self, instrument: str) -> Iterable[Desk]:
        return self.on_instrument.get(instrument, ())

    def _triggered(self, market: Market, by: str, price: float) -> Iterator[PaperEvent]:
        ticks = int(price * market.scale + 0.5)
        return self.paper.on_price(market.instrument.name, by, ticks)

    def _paper(self, event: PaperEvent) -> Iterator[Record]:
        state = self.state
        order = state.orders.find(event.order_id)
        if order is None:
            return
        if event.status is not None:
            yield PaperReported(
                *state.stamp(),
                order.id,
                event.status,
                event.price_ticks,
                event.qty_lots,
                event.reason,
                event.is_untriggered,
                event.trigger_ticks,
            )
            return
        instrument = state.instruments[order.instrument]
        if self.pays and not instrument.is_spot:
            yield from self.paying.before_fill(instrument.name)
        fee_units, coin = fee_of(
            instrument, order.side, event.price_ticks, event.qty_lots, is_maker=event.is_maker
        )
        stamp = state.stamp()
        yield PaperFilled(
            *stamp,
            order.id,
            f"paper-{stamp[0]}",
            event.price_ticks,
            event.qty_lots,
            fee_units,
            coin,
            event.is_maker,
            self.rule or event.rule,
        )

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count wishes and paper orders of an instrument in its new steps."""
        for desk in self.on_instrument.get(instrument, ()):
            desk.regrid(instrument, regrid)
        self.paper.regrid(instrument, regrid)
        for order in self.state.orders.on_instrument.get(instrument, {}).values():
            rests = order.state is not OrderState.INTENT  # one on its way comes by itself
            if order.is_paper and rests and order not in self.resumes:
                self.resumes.append(order)

    def _resume(self, instrument: str) -> Iterator[Record]:
        if self.state.markets[instrument].fault is None:
            back = [order for order in self.resumes if order.instrument == instrument]
            self.resumes = [order for order in self.resumes if order.instrument != instrument]
            for order in back:
                if not order.is_working:  # ended while it was out of the book
                    continue
                for event in self.paper.resume(order, self.state.ts_ns):
                    yield from self._paper(event)

    def _trusted_rows(self, name: str) -> tuple[MarketRows, MarketRows]:
        book = self.state.markets[name].book
        return book.rows() if book.fault is None else ([], [])

    # ---- reading for desks ----

    def _is_there(self, owner: str, name: str, lots: int) -> bool:
        state = self.state
        if state.ledger.qty_lots(owner, name) != lots or state.protections.wishes:
            return False
        working = state.orders.on_instrument.get(name)
        return not working or next(state.orders.of_owner(owner, name), None) is None

    def _holding(self, owner: str, name: str) -> Holding:
        state = self.state
        instrument = state.instruments[name]
        held = state.ledger.position(owner, name)
        lots = state.ledger.qty_lots(owner, name)
        entry = 0.0
        if held.qty_units:
            units_per_price = instrument.cash_per_tick_lot / instrument.base_units_per_lot
            entry = held.cost_units / held.qty_units / units_per_price * float(instrument.tick)
        return Holding(
            lots,
            lots * float(instrument.lot),
            entry,
            unrealised(state, owner, name) / 1e8,
            held.realised_units / 1e8,
        )


def _set_changed(strategy: Strategy, changed: dict[str, object]) -> list[str]:
    """Set the parameters a person changed; return the names of those its class does not take."""
    if not changed:
        return []
    kind = type(strategy)
    found, _ = read_hot(kind.__name__, parameters_of(kind), changed)
    for name, value in found.items():
        setattr(strategy, name, value)
    return [name for name in changed if name not in found]


def _unless_empty(following: Iterator[Record]) -> Iterator[Record] | None:
    """Return decisions, None where there is not one: what leads to the first one happens here."""
    first = next(following, None)
    return None if first is None else chain((first,), following)
