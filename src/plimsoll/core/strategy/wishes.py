"""Level 1: what a strategy wants to hold or quote, and the order changes that lead there.

Pure functions of a wish, the own working orders and the position; the engine asks again after each
change, so a plan never looks more than one step ahead and a restart needs no memory of it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Instrument, Order, OrderState, Regrid, Side

TARGET_LABEL: Final = "target"
QUOTE_LABEL: Final = "quote"

TRAIL_NS: Final = 1_000_000_000
"""A stop that follows is moved at the venue at most so often, and by at least a part of its
distance."""
TRAIL_PARTS: Final = 50

_RESTING: Final = frozenset({OrderState.OPEN, OrderState.PARTIAL, OrderState.ACKED})


class Target(msgspec.Struct):
    """A position to hold, in signed lots; ``stop_ticks`` 0 = no stop."""

    qty_lots: int
    stop_ticks: int = 0
    stopped_sign: int = 0
    """Direction a stop has closed; it is not entered again until another one was asked for."""
    is_held: bool = False
    """Taken over from an earlier session: nothing is traded towards it until the strategy speaks
    again, but its stop works."""
    not_before_ns: int = 0
    """A refused attempt is not repeated before this."""
    take_ticks: int = 0
    """Price of the profit to take, 0 = none."""
    passed_ns: int = 0
    """When the market passed stop or take while the venue had them: it goes first."""
    trail_ticks: int = 0
    """Distance of a stop that follows the best price, 0 = it stays where it is."""
    best_ticks: int = 0
    """Best price since this side was stated, 0 = none seen yet."""
    venue_ticks: int = 0
    """Level of a stop that follows as it is wished at the venue: the older, wider one."""
    moved_ns: int = 0
    """When that was moved last."""
    dust_lots: int = 0
    """An order that was refused for its small value: not asked for again while it is worth so."""

    @property
    def wished_stop_ticks(self) -> int:
        """Return the stop as the venue shall have it."""
        return self.venue_ticks if self.trail_ticks else self.stop_ticks

    def trailed(self, lots: int, stop_ticks: int, trail_ticks: int, instrument: Instrument) -> int:
        """Take a distance over and return the stop: the nearer of a stated and a followed one."""
        if lots * self.qty_lots <= 0:
            self.best_ticks = self.moved_ns = self.trail_ticks = 0
        followed_ticks = self.stop_ticks if self.trail_ticks and self.best_ticks else 0
        self.trail_ticks = trail_ticks if lots else 0
        if not self.trail_ticks:
            return stop_ticks
        level = 0
        if self.best_ticks:
            level = trail_level(self.best_ticks, self.trail_ticks, lots, instrument)
        stop_ticks = nearer(stop_ticks, level, lots)
        if followed_ticks:  # it never goes back: a distance may be stated from each new price
            return nearer(stop_ticks, followed_ticks, lots)
        self.venue_ticks = stop_ticks
        return stop_ticks

    def keep(self, level_ticks: int) -> None:
        """Fall behind no level that was wished before: an old checkpoint knows less."""
        sign = 1 if self.qty_lots > 0 else -1
        if nearer(self.stop_ticks, level_ticks, sign) != self.stop_ticks:
            self.stop_ticks = self.venue_ticks = level_ticks
            self.best_ticks = level_ticks + sign * self.trail_ticks

    def follow(self, price_ticks: int, now_ns: int, instrument: Instrument) -> bool:
        """Follow a price; return whether the venue's stop shall move now."""
        sign = 1 if self.qty_lots > 0 else -1
        if self.best_ticks and (price_ticks - self.best_ticks) * sign <= 0:
            level = self.stop_ticks
        else:
            self.best_ticks = price_ticks
            level = trail_level(price_ticks, self.trail_ticks, sign, instrument)
        self.stop_ticks = nearer(self.stop_ticks, level, sign)
        gained = (self.stop_ticks - self.venue_ticks) * sign
        is_enough = gained >= max(1, self.trail_ticks // TRAIL_PARTS)
        if not self.venue_ticks or (is_enough and now_ns - self.moved_ns >= TRAIL_NS):
            has_moved = self.venue_ticks != self.stop_ticks
            self.venue_ticks, self.moved_ns = self.stop_ticks, now_ns
            return has_moved
        return False

    def regrid_trail(self, regrid: Regrid) -> None:
        """Count in the new ticks."""
        self.trail_ticks *= regrid.tick
        self.best_ticks *= regrid.tick
        self.venue_ticks = self.stop_ticks if self.trail_ticks else 0


class Quote(msgspec.Struct):
    """Orders to rest, rows (price_ticks, qty_lots), best first."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    requote_ticks: int
    min_life_ns: int
    waits: dict[str, int] = {}
    """Until when changes wait whose like was refused, by ``lane``; the others go on."""


class Place(NamedTuple):
    """Wanted: a new order. ``price_ticks`` 0 = at the market."""

    side: Side
    price_ticks: int
    qty_lots: int
    reduce_only: bool


class Amend(NamedTuple):
    """Wanted: new terms."""

    order: Order
    price_ticks: int
    qty_lots: int


class Cancel(NamedTuple):
    """Wanted: an end."""

    order: Order


Change = Place | Amend | Cancel


def trail_level(best_ticks: int, trail_ticks: int, sign: int, instrument: Instrument) -> int:
    """Return the stop at a distance from the best price, rounded away from it; 0 = below zero."""
    level = best_ticks - trail_ticks if sign > 0 else best_ticks + trail_ticks
    return max(0, instrument.on_price_step(level, up=sign < 0))


def nearer(one_ticks: int, other_ticks: int, sign: int) -> int:
    """Return the stop that loses less; 0 is none."""
    if not one_ticks or not other_ticks:
        return one_ticks or other_ticks
    return max(one_ticks, other_ticks) if sign > 0 else min(one_ticks, other_ticks)


def plan_target(
    target: Target, held_lots: int, working: Sequence[Order], instrument: Instrument
) -> Change | None:
    """Return the next order towards the target, None while one is under way or it is reached.

    A reversal is two orders: reduce-only to flat first, so that the first part passes every halt.
    A remainder under the venue's minimum is dust and left alone, except that a reduction takes all.
    """
    if working:
        return None
    is_stopped = target.stopped_sign * target.qty_lots > 0
    if target.is_held and not is_stopped:
        return None
    wanted = 0 if is_stopped else target.qty_lots
    wanted_now = 0 if wanted * held_lots < 0 else wanted
    gap = wanted_now - held_lots
    if gap == 0:
        return None
    reduces = abs(wanted_now) < abs(held_lots)
    lots = abs(gap)
    if reduces and 0 < abs(wanted_now) < instrument.min_lots:
        lots = abs(held_lots)  # what would stay could not be sold any more: take the whole
    # What a coarser step leaves of a position is closed by more: the venue cuts it at zero.
    lots = instrument.on_qty_step(lots, up=reduces and not wanted_now and not instrument.is_spot)
    if lots < instrument.min_lots:
        return None
    side = Side.BUY if gap > 0 else Side.SELL
    return Place(side, 0, lots, reduces)


def lane(change: Place | Amend) -> str:
    """Return which changes of a quote are refused alike: those of a kind on a side."""
    if isinstance(change, Place):
        return f"place {change.side}"
    return f"amend {change.order.side}"


def plan_quote(
    quote: Quote, working: Sequence[Order], now_ns: int, instrument: Instrument
) -> list[Change]:
    """Return the changes that bring the resting orders to the wished rows, cancels first."""
    changes: list[Change] = []
    for side, rows in ((Side.BUY, quote.bids), (Side.SELL, quote.asks)):
        own = sorted(
            (order for order in working if order.side is side),
            key=lambda order: -order.side.sign * order.price_ticks,
        )
        changes += [Cancel(order) for order in own[len(rows) :] if _is_free(order)]
        for order, (price_ticks, qty_lots) in zip(own, rows, strict=False):
            change = _move(order, price_ticks, qty_lots, quote, now_ns)
            if change is not None:
                changes.append(change)
        changes += [
            Place(side, price_ticks, qty_lots, reduce_only=False)
            for price_ticks, qty_lots in rows[len(own) :]
            if qty_lots >= instrument.min_lots
        ]
    return changes


def _move(
    order: Order, price_ticks: int, qty_lots: int, quote: Quote, now_ns: int
) -> Change | None:
    if not _is_free(order) or now_ns - order.touched_ns < quote.min_life_ns:
        return None
    if abs(order.price_ticks - price_ticks) < quote.requote_ticks:
        return None
    return Amend(order, price_ticks, order.filled_lots + qty_lots)


def _is_free(order: Order) -> bool:
    return order.state in _RESTING and not order.is_busy
