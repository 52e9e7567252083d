"""The strategies' half of ``decide``: what an input means to instances, wishes and paper orders.

Everything here yields decisions one at a time; the loop logs and applies each before asking for the
next, so every check sees the order before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from plimsoll.core.engine.backlog import Backlog
from plimsoll.core.engine.by_bars import ByBars
from plimsoll.core.engine.calling import Calling
from plimsoll.core.engine.facts import MODE, NEVER
from plimsoll.core.engine.papering import Papering
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.protecting import Protecting
from plimsoll.core.engine.roster import Load, Roster
from plimsoll.core.engine.state import State
from plimsoll.core.engine.wishing import Wishing
from plimsoll.core.feed import DEPTH, Market
from plimsoll.core.model import (
    Denied,
    Refusal,
    Regrid,
    strategy_of,
)
from plimsoll.core.records import (
    BarChanged,
    BarReported,
    BarWalked,
    BookChanged,
    IncidentRaised,
    PositionReported,
    ProtectionAnswered,
    PublicTraded,
    Record,
    SignalReceived,
    StrategyStopped,
    TickerChanged,
)
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import (
    Desk,
)
from plimsoll.core.strategy.signals import read_signal
from plimsoll.core.strategy.turns import Turns

ROUNDS_MAX: Final = 50
"""Rounds of news and callbacks within one input; more is a strategy answering itself for ever."""


class Trader:
    """All strategy instances of a session."""

    def __init__(self, state: State, settings: CoreSettings, load: Load, turns: Turns) -> None:
        """Load the instances and restore what the newest checkpoints hold."""
        self.state = state
        self.settings = settings
        self.papering = Papering(state, settings)
        self.paper = self.papering.venue
        self.placer = Placer(state, settings, self.paper)
        self.protecting = Protecting(state, settings.timing)
        self.wishing = Wishing(state, self.placer, self.protecting)
        self.backlog = Backlog(state, settings.timing)
        self.paying = self.papering.paying
        self.margining = self.placer.margining
        self.roster = Roster(state, settings, load, self.placer)
        self.desks = self.roster.desks
        self.calling = Calling(state, settings, self.placer, self.wishing, turns)
        self.by_bars: ByBars | None = None
        if settings.by_bars is not None:
            self.by_bars = ByBars(
                state,
                self.paper,
                self.wishing,
                self.margining,
                self.roster.on,
                self.papering.by_rule,
                self.settle,
            )
        self.modes_seen = state.modes.serial
        """Of the modes whose instances these are."""

    def shadow(self) -> None:
        """Run strategies only: what paper orders meet is on record already."""
        self.papering.shadow()

    # ---- modes ----

    def follow_modes(self) -> Iterator[Record]:
        """End the instances that no mode wants any more, and make those that one wants now."""
        state = self.state
        self.modes_seen = state.modes.serial
        if state.settings is None:
            return
        self.settings = self.roster.settings = state.settings
        self.placer.reroute()
        self.margining.follow(self.settings)
        self.papering.follow()
        wanted = {one.name: one for one in self.settings.strategies}
        for name in [name for name in self.desks if name not in wanted]:
            desk = self.desks[name]
            yield from self.calling.checkpoint(desk)
            yield from self.calling.stop(desk, "its strategy has another mode now", MODE)
            del self.desks[name]
        for name, one in wanted.items():
            if name in self.desks:
                self.desks[name].settings = one
                self.desks[name].capital_units = one.capital
            else:
                yield from self._enter(one)
        self.roster.arrange()

    def _enter(self, one: StrategySettings) -> Iterator[Record]:
        """Make an instance of a strategy in the middle of a session."""
        try:
            self.desks[one.name] = self.roster.desk(one)
        except Exception as error:  # the user's code, and a file that may have changed since
            why = f"it cannot be made: {error!r}"
            yield StrategyStopped(*self.state.stamp(), one.name, why, "raised")
            yield IncidentRaised(*self.state.stamp(), "strategy_stopped", one.name, why)
            return
        if one.name in self.state.faulty:
            self.desks[one.name].stop_reason = self.state.stopped[one.name]

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
        papering, paper = self.papering, self.paper
        if paper.matching or paper.waiting or papering.resumes:
            return _unless_empty(self._book_on_paper(change, market))
        hearers = self._hearers(market)
        hear_book = self.calling.hear_book
        for desk in hearers:
            following = hear_book(desk, market)
            if following is not None:
                others = hearers[hearers.index(desk) + 1 :]
                return chain(following, self._book_heard(others, market))
        return None

    def _book_on_paper(self, change: BookChanged, market: Market) -> Iterator[Record]:
        yield from self.papering.on_book(change, market)
        yield from self._book_heard(self._hearers(market), market)

    def _hearers(self, market: Market) -> Sequence[Desk]:
        """Return the instances that may hear the book that has come (hot)."""
        hearers = self.roster.book_hearers.get(market.instrument.name, ())
        if not hearers or market.fault is not None:  # never a torn book (MKT-4)
            return ()
        backlog = self.backlog
        may_hold = market.age_ms > backlog.lag_ms or backlog.waiting
        if may_hold and backlog.holds(market):  # not every one while we lag (MKT-5)
            return ()
        return hearers

    def _book_heard(self, desks: Iterable[Desk], market: Market) -> Iterator[Record]:
        for desk in desks:
            yield from self.calling.hear_book(desk, market) or ()

    def on_public_trade(self, traded: PublicTraded) -> Iterator[Record] | None:
        """Match paper orders, make bars, let the instances hear prints.

        Returns:
            What is decided, ``None`` where it led to nothing: the usual case (hot).
        """
        market = self.state.markets.get(traded.instrument)
        return None if market is None else _unless_empty(self._prints(traded, market))

    def _prints(self, traded: PublicTraded, market: Market) -> Iterator[Record]:
        rows = market.fresh_rows  # a late print still belongs to a bar; nobody hears it (MKT-4)
        yield from self.papering.on_public_trade(traded, market)
        for desk in self.roster.on(traded.instrument):
            for maker in desk.own_makers:
                if maker.instrument == traded.instrument:
                    began_ns = maker.start_ns
                    for bar in maker.on_public_trade(traded):
                        yield from self.calling.hear_bar(desk, bar)
                    if maker.start_ns != began_ns:
                        self.state.rearm()
            if desk.hears_trades:
                for price, qty, is_buy, _ms in rows:
                    yield from self.calling.call(
                        desk, desk.strategy.on_trade, traded.instrument, price, qty, is_buy=is_buy
                    )
            desk.executors.on_public_trade(traded)
        desks = self.roster.on(traded.instrument)
        self.wishing.check_stops(desks, traded.instrument)
        if self.paper.untriggered:
            yield from self.papering.on_last(market)

    def on_ticker(self, ticker: TickerChanged) -> Iterator[Record] | None:
        """Watch stops and conditional paper orders against the new prices."""
        if self.by_bars is not None:
            return self.by_bars.on_open(ticker)
        market = self.state.markets.get(ticker.instrument)
        paid = self.paying.on_ticker(market) if self.papering.pays and market is not None else None
        desks = self.roster.on(ticker.instrument)
        self.wishing.check_stops(desks, ticker.instrument)
        found = [] if paid is None else [paid]
        owners = self._holders(ticker.instrument) if self.papering.pays else None
        if owners:
            found.append(self.margining.look(owners))
        if self.paper.untriggered and market is not None:
            found.append(self.papering.on_prices(market))
        return chain(*found) if found else None

    def _holders(self, name: str) -> list[str]:
        """Return the paper instances that hold an instrument."""
        held = self.state.ledger.positions
        return [
            desk.name
            for desk in self.roster.on(name)
            if (one := held.get((desk.name, name))) is not None and one.qty_units
        ]

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
                yield from self.calling.call(desk, desk.strategy.on_signal, found)
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
            yield from self.calling.call(desk, desk.strategy.on_refusal, answer.instrument, refusal)

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
        for desk in self.roster.on(bar.instrument):
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
                    yield from self.calling.hear_bar(desk, closed)

    def on_fetched(self, bar: BarReported) -> Iterator[Record]:
        """Hand a fetched minute to the instances that wait for it."""
        tick = float(self.state.instruments[bar.instrument].tick)
        for desk in self.roster.on(bar.instrument):
            if bar.query_id in desk.waits_for_bars:
                for (name, _), maker in desk.makers.items():
                    if name == bar.instrument and not maker.is_own:
                        for closed in maker.on_fetched(bar, tick):
                            yield from self.calling.hear_bar(desk, closed)

    def on_time(self) -> Iterator[Record]:
        """Let paper requests take effect, close own bars, try refused wishes again."""
        if self.papering.pays:
            yield from self.paying.on_time()
            yield from self.margining.look()
        if self.by_bars is None:  # by bars nothing takes effect between an open and the next
            yield from self.papering.round(iter(()))
        self.wishing.check_late_stops(self.roster.everybody)
        if self.state.protections.wishes:
            yield from self.protecting.on_time()
        for name in self.backlog.due() if self.backlog.waiting else ():
            market = self.state.markets[name]
            if market.fault is None:
                yield from self._book_heard(self.roster.book_hearers[name], market)
        venue_ns = self.state.ts_ns + self.state.safety.clock_offset_ns
        until = venue_ns - self.settings.timing.bar_grace_ns
        for desk in self.desks.values():
            for maker in desk.own_makers:
                for bar in maker.close_until(until):
                    yield from self.calling.hear_bar(desk, bar)
            if desk.timers:
                yield from self.calling.fire_timers(desk)
            desk.wish_changed.update(desk.targets)
            desk.wish_changed.update(desk.quotes)
            if desk.executors.count:
                desk.wish_changed.update(desk.names)

    # ---- what follows from it ----

    @property
    def _is_done(self) -> bool:
        """Return whether settling would do nothing (hot)."""
        if self.state.news:
            return False
        for desk in self.roster.everybody:
            if desk.wish_changed or desk.executors.runs:
                return False
            if desk.repetition is not None and desk.repetition.excess:
                return False
        return True

    def settle(self) -> Iterator[Record]:
        """Tell instances about their orders and carry out their wishes until nothing is left."""
        for _ in range(ROUNDS_MAX):
            if self._is_done:
                return
            if self.state.news:
                yield from self._told()
            everybody = self.roster.everybody
            if any(not desk.stop_reason and desk.executors.is_unsaved for desk in everybody):
                for desk in everybody:  # all of them: a restart begins where the newest are
                    yield from self.calling.checkpoint(desk)
            yield from self.wishing.carry_out(self.desks.values())
            for desk in everybody:
                for handle in desk.executors.news() if desk.executors.runs else ():
                    yield from self.calling.call(desk, desk.strategy.on_executor, handle)
            for desk in everybody:
                if desk.repetition is not None and desk.repetition.excess and not desk.is_stopped:
                    yield from self.calling.end(desk, desk.repetition.excess, "repeats")
            if not self.state.news and not any(desk.wish_changed for desk in everybody):
                return
        text = f"stopped after {ROUNDS_MAX} rounds in one input"
        yield IncidentRaised(*self.state.stamp(), "endless_answers", "", text)

    def _told(self) -> Iterator[Record]:
        """Tell instances about their orders."""
        news, self.state.news = self.state.news, []
        for order, execution in news:
            desk = self.desks.get(order.owner)
            if desk is not None:
                yield from self.calling.hear_order(desk, order, execution)

    def next_due_ns(self) -> int:
        """Return the next time something happens by itself, 0 = nothing will."""
        least = NEVER if self.by_bars is not None else self.paper.next_due_ns or NEVER
        if self.papering.pays:
            least = min(least, self.paying.next_due_ns() or NEVER)
        for desk in self.roster.everybody:
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
        for desk in self.roster.everybody:
            if desk.timers or desk.quotes or desk.executors.count or desk.own_makers:
                return False
            for name, target in desk.targets.items():
                if not self.wishing.is_reached(desk, name, target):
                    return False
        return True

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count wishes and paper orders of an instrument in its new steps."""
        for desk in self.roster.on(instrument):
            desk.regrid(instrument, regrid)
        self.papering.regrid(instrument, regrid)


def _unless_empty(following: Iterator[Record]) -> Iterator[Record] | None:
    """Return decisions, None where there is not one: what leads to the first one happens here."""
    first = next(following, None)
    return None if first is None else chain((first,), following)
