"""Calls into strategies, and what follows from them: requests carried out, or an instance stopped.

Whatever a callback does is its own instance's affair: what it asked for before it raised, or was
cut off, is dropped, and the others go on.
"""

from collections.abc import Callable, Iterator
from typing import Final

from plimsoll.core.engine.facts import MODE
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.refusing import refused, untold
from plimsoll.core.engine.state import State
from plimsoll.core.engine.wishing import Wishing
from plimsoll.core.feed import Bar, Market
from plimsoll.core.model import PROTECTION_LABEL, Order
from plimsoll.core.records import (
    CallbackCut,
    ExecutionReported,
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    Record,
    StrategyCheckpoint,
    StrategyStopped,
)
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy import AmendRequest, CancelRequest, Desk, FillEvent, PlaceRequest
from plimsoll.core.strategy.turns import Cut, Turns

_FILLS: Final = (ExecutionReported, PaperFilled)


class Calling:
    """The way into the strategies."""

    def __init__(
        self, state: State, settings: CoreSettings, placer: Placer, wishing: Wishing, turns: Turns
    ) -> None:
        """Share the engine's state; ``turns``: counts callbacks, and cuts those off that hang."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.wishing = wishing
        self.turns = turns

    # ---- the life of an instance ----

    def start(self, desk: Desk) -> Iterator[Record]:
        """Call ``on_start``."""
        desk.is_started = True
        if desk.left_out:
            text = f"its code does not take what was changed: {', '.join(desk.left_out)}"
            yield IncidentRaised(*self.state.stamp(), "parameter_left_out", desk.name, text)
        self.wishing.start(desk)
        yield from self.call(desk, desk.strategy.on_start)

    def stop(self, desk: Desk, reason: str, code: str = "session") -> Iterator[Record]:
        """Call ``on_stop`` and let the instance hear nothing any more."""
        if desk.is_stopped:
            return
        if desk.is_started:
            yield from self.call(desk, desk.strategy.on_stop)
        if not desk.is_stopped:
            yield from self.end(desk, reason, code)

    def checkpoint(self, desk: Desk) -> Iterator[Record]:
        """Record what an instance needs to go on; one that was stopped keeps its last one."""
        if desk.is_stopped:
            return
        try:
            saved = desk.save()
        except Exception as error:  # whatever it has put there: its own fault, and its own end
            yield from self.end(desk, f"its state cannot be saved: {error}", "raised")
            return
        yield from untold(self.state, desk)
        yield StrategyCheckpoint(*self.state.stamp(), desk.name, saved)
        desk.executors.note_saved()

    def end(self, desk: Desk, reason: str, code: str) -> Iterator[Record]:
        """Stop an instance: it hears nothing more, and its orders that add risk are cancelled.

        A stop for a fault outlasts the session.
        """
        yield from untold(self.state, desk)
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

    # ---- callbacks ----

    def fire_timers(self, desk: Desk) -> Iterator[Record]:
        """Call ``on_timer`` for what is due, the earliest first."""
        if not desk.timers or not desk.is_started or desk.is_stopped:
            return
        now = self.state.ts_ns
        for due, name in sorted((due, name) for name, due in desk.timers.items() if due <= now):
            if desk.timers.get(name) == due:  # not moved by the one before
                del desk.timers[name]
                yield from self.call(desk, desk.strategy.on_timer, name)

    def hear_book(self, desk: Desk, market: Market) -> Iterator[Record] | None:
        """Let an instance hear a book; ``None`` where that led to nothing (hot: ``heard``)."""
        if not desk.is_started or desk.stop_reason:
            return None
        on_book, turns = desk.strategy.on_book, self.turns
        if turns.known:
            return self.heard(desk, on_book, market)
        desk.now_ns = self.state.ts_ns
        turns.serial += 1
        turns.nth += 1
        try:
            turns.is_inside = True
            on_book(market)
            turns.is_inside = False
        except BaseException as error:  # a cancelled future's and SystemExit are no Exception
            return self.failed(desk, on_book, error)
        return self.carry_out(desk) if desk.requests else None

    def hear_bar(self, desk: Desk, bar: Bar) -> Iterator[Record]:
        """Feed a closed bar to an instance's indicators, then to itself."""
        desk.feed_bar(bar)
        if desk.is_started and not desk.is_stopped:
            yield from self.call(desk, desk.strategy.on_bar, bar)

    def hear_order(self, desk: Desk, order: Order, execution: Record | None) -> Iterator[Record]:
        """Tell an instance of its order, and of the execution that changed it."""
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
            yield from self.call(desk, desk.strategy.on_fill, fill)
        if desk.hears_orders:
            yield from self.call(desk, desk.strategy.on_order, order)
        else:
            self._pass_over(desk)

    def _pass_over(self, desk: Desk) -> None:
        """Count a callback that a strategy leaves as it is, which does nothing (hot)."""
        desk.now_ns = self.state.ts_ns
        self.turns.serial += 1
        self.turns.nth += 1

    def call(
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
        return self.end(desk, f"{callback.__name__} raised {error!r}", "raised")

    def _cut_off(self, desk: Desk, callback: str, nth: int) -> Iterator[Record]:
        """Drop what a callback asked for that did not return, and stop its instance (P8)."""
        desk.requests.clear()
        yield CallbackCut(*self.state.stamp(), desk.name, callback, nth)
        why = f"{callback} did not return in time and was cut off"
        yield from self.end(desk, why, "quarantine")

    # ---- what follows from them ----

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
            else:
                yield refused(self.state, desk, request)

    def _repeats(self, desk: Desk) -> Iterator[Record]:
        """Stop an instance that repeats refused requests (RSK-8)."""
        now = self.state.ts_ns
        desk.denials = [at for at in desk.denials if at > now - self.settings.repeat_ns]
        desk.denials.append(now)
        if len(desk.denials) > self.settings.repeat_max and not desk.is_stopped:
            seconds = self.settings.repeat_ns // 1_000_000_000
            why = f"{len(desk.denials)} refused requests in {seconds} s"
            yield from self.end(desk, why, "repeats")
