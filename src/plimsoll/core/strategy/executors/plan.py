"""What every executor plans with: what it may ask for, what it sees, and the sizes it may send.

A plan is asked again after every change and answers from the books alone: what is filled, what may
still match, what the market shows. It never remembers that it sent something.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from plimsoll.core.feed import Bar, Market
from plimsoll.core.model import Denied, Instrument, Order, OrderType, Refusal, Regrid, Side
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.number import Number
from plimsoll.core.strategy.random_stream import RandomStream

SECOND: Final = 1_000_000_000
SPACING_NS: Final = SECOND // 2
"""Between two orders for the same leg that rest: the same again and again is a fault (RSK-8)."""

_FALL_PERCENT: Final = 2
"""The venue's least value is measured at a price this much lower than that of now."""


class Send(NamedTuple):
    """Wanted: a new order for a leg. At the market, ``price_ticks`` is the worst price, 0 = any."""

    leg: int
    side: Side
    order_type: OrderType
    tif: Tif
    price_ticks: int
    qty_lots: int
    reduce_only: bool


class Stop(NamedTuple):
    """Wanted: the end of an order."""

    order: Order


class Sight(NamedTuple):
    """What a leg's instrument looks like now; prices 0 = not known."""

    listed: Instrument
    bid_ticks: int
    ask_ticks: int
    held_lots: int
    working: Sequence[Order]
    """Own working orders of the leg."""

    def taken_at(self, side: Side) -> int:
        """Return the best price an order of this side could take."""
        return self.ask_ticks if side is Side.BUY else self.bid_ticks

    @property
    def least_lots(self) -> int:
        """Return the smallest order the venue takes for certain."""
        listed = self.listed
        lots, least = listed.min_lots, listed.min_notional_units
        price = self.bid_ticks or self.ask_ticks
        if least and price:
            low = max(1, price - price * _FALL_PERCENT // 100)
            lots = max(lots, -(-least // listed.notional_units(low, 1)))
        return listed.on_qty_step(lots, up=True)


class Plan(Protocol):
    """The rules of one kind of executor."""

    @property
    def ends_ns(self) -> int:
        """Return when it ends at the latest, Unix ns; 0 = time does not end it."""
        ...

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return the orders to send now, at most one a leg."""
        ...

    def over(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> str:
        """Return why it is over, empty while it is not."""
        ...

    def closing(self, legs: Sequence[Leg], sights: Sequence[Sight]) -> list[Send]:
        """Return the orders that are needed before it may end."""
        ...

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count in the new steps of an instrument."""
        ...


def side_of(sign: int) -> Side:
    """Return the side of a sign."""
    return Side.BUY if sign > 0 else Side.SELL


def fitted(due_lots: int, left_lots: int, sight: Sight) -> int:
    """Return the lots of an order now, 0 = none yet.

    What is due waits until it is tradable; where what stays would not be, it is taken along.
    """
    if due_lots <= 0:
        return 0
    listed, least = sight.listed, sight.least_lots
    lots = min(due_lots, left_lots)
    if 0 < left_lots - lots < least:
        lots = left_lots
    if listed.max_lots:
        lots = min(lots, listed.max_lots)
    lots = listed.on_qty_step(lots)
    return lots if lots >= least else 0


def at_market(leg: int, side: Side, lots: int, worst_ticks: int, *, reduce_only: bool) -> Send:
    """Return an order that takes what it finds, no worse than a price (0 = the engine's band)."""
    return Send(leg, side, OrderType.MARKET, Tif.IOC, worst_ticks, lots, reduce_only)


def is_reached(limit_ticks: int, side: Side, sight: Sight) -> bool:
    """Return whether the market trades at a limit or better; where nothing is known, say so."""
    best = sight.taken_at(side)
    return not limit_ticks or not best or (limit_ticks - best) * side.sign >= 0


def usual_end(legs: Sequence[Leg], sights: Sequence[Sight]) -> str:
    """Return ``filled`` or ``dust`` where nothing more can be traded."""
    if any(leg.in_flight for leg in legs):
        return ""
    if all(leg.filled_lots >= leg.qty_lots for leg in legs):
        return "filled"
    is_known = all(sight.bid_ticks for sight in sights)
    pairs = zip(legs, sights, strict=True)
    if is_known and all(leg.left_lots < sight.least_lots for leg, sight in pairs):
        return "dust"
    return ""


# ---- reading what a strategy wrote ----


class Terms(NamedTuple):
    """What a wish is read with: the desk's own conversions and views."""

    listed: Callable[[str], Instrument | Denied]
    lots: Callable[[Instrument, Number], int | Denied]
    ticks: Callable[[Instrument, str, Number], int | Denied]
    number: Callable[[Number], Decimal | None]
    market: Callable[[str], Market]
    window: Callable[[str, str], Sequence[Bar]]
    rng: RandomStream
    now_ns: int


def wrong(text: str) -> Denied:
    """Return the refusal of a wish that says something impossible."""
    return Denied(Refusal.EXECUTOR, text)


def signed_lots(terms: Terms, listed: Instrument, qty: Number) -> tuple[int, int] | Denied:
    """Return direction and lots of a signed quantity."""
    number = terms.number(qty)
    if number is None or not number:
        return wrong(f"quantity {qty!r} is not a number other than zero")
    value = number.copy_abs() if not isinstance(qty, float) else abs(qty)
    lots = terms.lots(listed, value)
    if isinstance(lots, Denied):
        return lots
    if lots < listed.min_lots:
        text = f"{listed.name}: {qty!r} is under the minimum {listed.qty_text(listed.min_lots)}"
        return Denied(Refusal.BELOW_MINIMUM, text)
    return (1 if number > 0 else -1), lots


def limit_ticks(terms: Terms, listed: Instrument, limit: Number | None) -> int | Denied:
    """Return a limit price, 0 where there is none."""
    return 0 if limit is None else terms.ticks(listed, "limit", limit)


def span_ns(name: str, seconds: float, *, least: float, most: float) -> int | Denied:
    """Return a length of time a wish names."""
    if not least <= seconds <= most:  # also what is no number
        return wrong(f"{name} {seconds!r} is not between {least:g} and {most:g} seconds")
    return int(seconds * SECOND)
