"""Wishes carried out: targets held, quotes rested, stops watched.

The plans are pure (``strategy.wishes``); here they meet the books, go through the gate like every
order, and wait where they were refused.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Final

from plimsoll.core.engine.executing import Executing
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.protecting import Protecting
from plimsoll.core.engine.state import State
from plimsoll.core.execution.protection import Level
from plimsoll.core.model import Order, OrderType, Side
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.records import OrderDenied, Record
from plimsoll.core.strategy import AmendRequest, Desk, PlaceRequest, Target
from plimsoll.core.strategy.wishes import (
    QUOTE_LABEL,
    TARGET_LABEL,
    Amend,
    Cancel,
    Change,
    Place,
    lane,
    plan_quote,
    plan_target,
)

RETRY_NS: Final = 1_000_000_000
"""A wish that was refused is tried again after this."""

QUOTE_RETRY_NS: Final = 100_000_000
"""A row of a quote that the venue did not rest is placed again after this: by then it mostly does
not take any more."""

VENUE_FIRST_NS: Final = 2_000_000_000
"""The engine's stop waits so long for the venue's, which triggers by the same price."""


class Wishing:
    """Brings positions and resting orders to what the strategies asked for."""

    def __init__(self, state: State, placer: Placer, protecting: Protecting) -> None:
        """Share the engine's state."""
        self.state = state
        self.placer = placer
        self.protecting = protecting
        self.executing = Executing(state, placer)

    def on_order(self, desk: Desk, order: Order) -> None:
        """Wait a while after an order that came to nothing: at once it would come to nothing again.

        Without this a reduction the venue refuses (it knows no such position), or a post-only row
        that would take, repeats itself as fast as the venue answers.
        """
        self.executing.hear(desk, order)
        if order.is_working or order.venue_cum_lots:
            return
        target = desk.targets.get(order.instrument)
        if target is not None and order.label == TARGET_LABEL:
            target.not_before_ns = self.state.ts_ns + RETRY_NS
        quote = desk.quotes.get(order.instrument)
        if quote is not None and order.label == QUOTE_LABEL and not order.cancels:
            quote.waits[f"place {order.side}"] = self.state.ts_ns + QUOTE_RETRY_NS

    def on_protected(self, owner: Desk, order: Order) -> None:
        """Hold a target flat whose stop or take the venue has carried out (X23 for our own)."""
        target = owner.targets.get(order.instrument)
        if target is not None and target.qty_lots * order.side.sign < 0:
            target.stopped_sign = -order.side.sign
            target.not_before_ns = self.state.ts_ns + VENUE_FIRST_NS

    def check_stops(self, desks: Iterable[Desk], instrument: str) -> None:
        """Make a target flat whose stop or take has been passed; the venue's own goes first."""
        for desk in desks:
            target = desk.targets.get(instrument)
            if target is None or target.stopped_sign or not target.qty_lots:
                continue
            if target.trail_ticks:
                self._follow(desk, target, instrument)
            if not target.stop_ticks and not target.take_ticks:
                continue
            sign = 1 if target.qty_lots > 0 else -1
            if target.is_held and self.state.ledger.qty_lots(desk.name, instrument) * sign <= 0:
                continue  # the stop of another session's other direction
            if not target.passed_ns and not self._is_passed(target, instrument, sign):
                continue
            target.passed_ns = target.passed_ns or self.state.ts_ns
            if self._venue_acts(desk.name, instrument, target):
                continue
            target.stopped_sign, target.passed_ns = sign, 0
            desk.wish_changed.add(instrument)

    def check_late_stops(self, desks: Iterable[Desk]) -> None:
        """Look again at what the venue was given time for."""
        for desk in desks:
            if desk.targets:
                for name in [name for name, one in desk.targets.items() if one.passed_ns]:
                    self.check_stops((desk,), name)

    def is_reached(self, desk: Desk, name: str, target: Target) -> bool:
        """Return whether a target is held and asks for nothing more; no order may be working."""
        return (
            target.qty_lots == self.state.ledger.qty_lots(desk.name, name)
            and not target.stopped_sign
            and not target.is_held
            and not target.stop_ticks
            and not target.take_ticks
            and not target.trail_ticks
            and not target.passed_ns
        )

    def start(self, desk: Desk) -> None:
        """Take up what an instance had under way, whatever its checkpoint still knows of it."""
        self.executing.take_up(desk)
        for name, target in desk.targets.items():
            wish = self.state.protections.wishes.get((desk.name, name))
            if not target.trail_ticks or wish is None or wish.side.sign * target.qty_lots <= 0:
                continue
            target.keep(wish.level.stop_ticks)

    def _follow(self, desk: Desk, target: Target, instrument: str) -> None:
        """Let a stop follow the price that triggers it."""
        ticks = self._trigger_ticks(instrument)
        listed = self.state.instruments[instrument]
        if ticks and target.follow(ticks, self.state.ts_ns, listed):
            desk.wish_changed.add(instrument)

    def _trigger_ticks(self, instrument: str) -> int:
        """Return the price stops look at: mark on perpetuals, last on spot; 0 = not known."""
        market = self.state.markets[instrument]
        price = market.last if market.instrument.is_spot else market.mark or market.last
        return int(price * market.scale + 0.5)

    def _is_passed(self, target: Target, instrument: str, sign: int) -> bool:
        ticks = self._trigger_ticks(instrument)
        if not ticks:
            return False
        is_lost = target.stop_ticks and (target.stop_ticks - ticks) * sign >= 0
        is_won = target.take_ticks and (ticks - target.take_ticks) * sign >= 0
        return bool(is_lost or is_won)

    def _venue_acts(self, owner: str, instrument: str, target: Target) -> bool:
        """Return whether the venue's own stop may still do it: it shows one, and had no time."""
        state = self.state
        if not state.keeps_at_venue(owner, instrument):
            return False
        if not state.ledger.qty_lots(owner, instrument):
            return False
        shown = state.protections.of(instrument).shown
        stands = shown.stop_ticks == target.stop_ticks and shown.take_ticks == target.take_ticks
        return stands and state.ts_ns - target.passed_ns < VENUE_FIRST_NS

    def carry_out(self, desks: Iterable[Desk]) -> Iterator[Record]:
        """Take the next step towards every wish that changed."""
        for desk in desks:
            if not desk.wish_changed:
                continue
            changed, desk.wish_changed = desk.wish_changed, set()
            if desk.is_stopped or not desk.is_started or self.state.safety.is_stopping:
                continue
            for name in sorted(changed):
                target = desk.targets.get(name)
                if target is not None:
                    yield from self._to_target(desk, name, target)
                if name in desk.quotes:
                    yield from self._to_quote(desk, name)
            if desk.executors.count:  # no order of an executor is older than the first
                yield from self.executing.carry_out(desk, sorted(changed))

    def _to_target(self, desk: Desk, name: str, target: Target) -> Iterator[Record]:
        state = self.state
        watches = target.stop_ticks or target.take_ticks or target.trail_ticks
        is_plain = not watches and not state.protections.wishes  # hot: nothing to state or check
        if target.qty_lots and (not target.is_held or target.trail_ticks) and not is_plain:
            side = Side.BUY if target.qty_lots > 0 else Side.SELL
            if target.trail_ticks and not target.stopped_sign:
                self._follow(desk, target, name)  # an entry carries its stop
            level = Level(target.wished_stop_ticks, target.take_ticks)
            yield from self.protecting.wish(desk.name, name, side, level)
            self.check_stops((desk,), name)  # nothing is entered behind a stop that is passed
        if state.ts_ns < target.not_before_ns or state.orders.lagging(desk.name, name):
            return  # while executions are on their way the position is not what it seems
        working = [o for o in state.orders.of_owner(desk.name, name) if o.label == TARGET_LABEL]
        held = state.ledger.qty_lots(desk.name, name)
        change = plan_target(target, held, working, state.instruments[name])
        if change is not None and not self._is_dust(name, change, target):
            denied = yield from self._change(desk, name, change, TARGET_LABEL, target)
            if denied:
                target.not_before_ns = state.ts_ns + RETRY_NS

    def _is_dust(self, name: str, change: Change, target: Target) -> bool:
        """Return whether an order is worth less than the venue takes, and was refused for that."""
        listed, market = self.state.instruments[name], self.state.markets[name]
        if not isinstance(change, Place) or (change.reduce_only and not listed.is_spot):
            return False
        ticks = market.reference_ticks(self.state.ts_ns)
        value = listed.notional_units(ticks, change.qty_lots)
        if not ticks or value >= listed.min_notional_units:
            target.dust_lots = 0
            return False
        is_told, target.dust_lots = target.dust_lots == change.qty_lots, change.qty_lots
        return is_told

    def _to_quote(self, desk: Desk, name: str) -> Iterator[Record]:
        state = self.state
        quote = desk.quotes[name]
        working = [o for o in state.orders.of_owner(desk.name, name) if o.label == QUOTE_LABEL]
        for change in plan_quote(quote, working, state.ts_ns, state.instruments[name]):
            if isinstance(change, Cancel):
                yield from self._change(desk, name, change, QUOTE_LABEL)
            elif state.ts_ns >= quote.waits.get(lane(change), 0):
                denied = yield from self._change(desk, name, change, QUOTE_LABEL)
                if denied:
                    quote.waits[lane(change)] = state.ts_ns + RETRY_NS

    def _change(
        self, desk: Desk, name: str, change: Change, label: str, target: Target | None = None
    ) -> Generator[Record, None, bool]:
        """Carry a planned change out; return whether it was denied."""
        if isinstance(change, Cancel):
            yield from self.placer.cancel(change.order, label)
            return False
        if isinstance(change, Amend):
            request = AmendRequest(change.order, change.price_ticks, change.qty_lots)
            decisions = self.placer.amend(desk, request)
        else:
            decisions = self.placer.place(desk, _wished(name, change, label, target))
        denied = False
        for decision in decisions:
            yield decision
            denied = denied or isinstance(decision, OrderDenied)
        return denied


def _wished(name: str, change: Place, label: str, target: Target | None) -> PlaceRequest:
    at_market = not change.price_ticks
    stop = take = 0
    if target is not None and not change.reduce_only and change.side.sign * target.qty_lots > 0:
        stop, take = target.wished_stop_ticks, target.take_ticks
    return PlaceRequest(
        name,
        change.side,
        OrderType.MARKET if at_market else OrderType.LIMIT,
        Tif.IOC if at_market else Tif.POST_ONLY,
        change.price_ticks,
        change.qty_lots,
        change.reduce_only,
        label,
        None,
        stop_ticks=stop,
        take_ticks=take,
    )
