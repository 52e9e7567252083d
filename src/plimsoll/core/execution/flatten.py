"""Closing a position in slices: what the next order is, and what the way out may cost (RSK-10).

Pure functions of a position, the own orders that close it and the market. A slice is an IOC limit
inside a band around the reference price, no larger than what is visible inside the band and than
the venue takes; on perpetuals it is reduce-only. The engine asks again after each slice.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from plimsoll.core.model import Instrument, Order, OrderState, Side
from plimsoll.core.portfolio import fee_of

BAND_PPM: Final = 10_000
"""Half width of the band around the reference price, where the venue takes such prices."""

OF_LIMIT: Final = (4, 5)
"""The band's share of what the venue takes around its index: our reference is another price."""

LIMIT_NS: Final = 30_000_000_000
"""How long slices are sent; then a person chooses."""

FLATTEN_LABEL: Final = "flatten:"
"""Begins the label of a closing order; the id of its flatten follows."""

_PPM: Final = 1_000_000

Rows = Iterable[tuple[float, float]]
"""Rows (price, quantity) of one side of a book."""


class Slice(NamedTuple):
    """The next order."""

    side: Side
    price_ticks: int
    qty_lots: int


class Wait(NamedTuple):
    """Nothing may be sent now, and why."""

    why: str


def closing_side(held_lots: int) -> Side:
    """Return the side that makes a position smaller."""
    return Side.SELL if held_lots > 0 else Side.BUY


def band_ppm(instrument: Instrument) -> int:
    """Return the half width of the band: on spot the venue refuses prices beyond its own limit."""
    most = instrument.price_limit_ppm * OF_LIMIT[0] // OF_LIMIT[1]
    return min(BAND_PPM, most) if most else BAND_PPM


def band_ticks(instrument: Instrument, reference_ticks: int, side: Side) -> int:
    """Return the worst price inside the band, rounded towards the reference."""
    slack = reference_ticks * band_ppm(instrument) // _PPM
    return reference_ticks + slack if side is Side.BUY else max(1, reference_ticks - slack)


def visible_lots(instrument: Instrument, rows: Rows, limit_ticks: int, side: Side) -> int:
    """Return what rows of the opposite side offer at ``limit_ticks`` or better."""
    per_price, per_qty = instrument.ticks_per_price, instrument.lots_per_qty
    total = 0
    for price, qty in rows:
        ticks = int(price * per_price + 0.5)
        if (limit_ticks - ticks) * side.sign >= 0:
            total += int(qty * per_qty + 1e-9)
    return total


def least_lots(instrument: Instrument, price_ticks: int) -> int:
    """Return the smallest closing order the venue takes at a price.

    A reduction on a perpetual needs no least value; a sale on spot does. Without a price only the
    least quantity is looked at.
    """
    of_a_lot = instrument.notional_units(price_ticks, 1)
    if not instrument.is_spot or not of_a_lot:
        return instrument.min_lots
    return max(instrument.min_lots, -(-instrument.min_notional_units // of_a_lot))


def is_dust(instrument: Instrument, held_lots: int, reference_ticks: int) -> bool:
    """Return whether the venue takes no order as small as what is left of a position."""
    price_ticks = (
        band_ticks(instrument, reference_ticks, closing_side(held_lots)) if reference_ticks else 0
    )
    return abs(held_lots) < least_lots(instrument, price_ticks)


def plan_slice(
    instrument: Instrument,
    held_lots: int,
    reference_ticks: int,
    rows: Rows | None,
    closing: Sequence[Order],
    *,
    is_alone: bool,
) -> Slice | Wait:
    """Return the next order that closes a position which is more than dust.

    Args:
        instrument: What is held.
        held_lots: Signed, not zero.
        reference_ticks: Price the band is around, 0 = none is known.
        rows: Opposite side of a book that is trusted, None where there is none: then the band
            alone bounds the order.
        closing: Working orders that close it already.
        is_alone: Nobody else of the account holds the instrument. Only then a further reduce-only
            order may leave while an earlier one is UNKNOWN: the venue cuts it at zero, and zero is
            ours (ORD-11).
    """
    side = closing_side(held_lots)
    if any(order.state is not OrderState.UNKNOWN for order in closing):
        return Wait("an order is on its way")
    if closing and (instrument.is_spot or not is_alone):
        return Wait("the fate of an order is unknown")
    if not reference_ticks:
        return Wait("no price of it is known")
    limit_ticks = band_ticks(instrument, reference_ticks, side)
    wanted, least = abs(held_lots), least_lots(instrument, limit_ticks)
    most = min(wanted, instrument.max_lots) if instrument.max_lots else wanted
    visible = most if rows is None else visible_lots(instrument, rows, limit_ticks, side)
    if not visible:
        return Wait("nothing to take inside the band")
    lots = max(least, min(most, visible))
    if 0 < wanted - lots < least:
        # What would be left could not be closed: take the whole, or leave enough for another.
        lots = wanted if wanted <= most else wanted - least
    return Slice(side, limit_ticks, lots)


def slippage_units(instrument: Instrument, order: Order, reference_ticks: int) -> int:
    """Return what an order's fills cost against a reference price, in quote cash units.

    Positive is a loss. Fees stand apart.
    """
    at_reference = reference_ticks * order.filled_lots
    return (order.filled_notional - at_reference) * order.side.sign * instrument.cash_per_tick_lot


def estimate_units(
    instrument: Instrument, held_lots: int, reference_ticks: int, rows: Rows | None
) -> tuple[int, int]:
    """Return the cost against the reference and the fee of closing, in quote cash units.

    Walks the visible rows, best first; what they do not cover, and everything where there are none,
    is put at the edge of the band.
    """
    side, wanted = closing_side(held_lots), abs(held_lots)
    limit_ticks = band_ticks(instrument, reference_ticks, side)
    left, notional = wanted, 0
    for price, qty in rows or ():
        ticks = int(price * instrument.ticks_per_price + 0.5)
        lots = min(left, int(qty * instrument.lots_per_qty + 1e-9))
        if (limit_ticks - ticks) * side.sign < 0 or not left:
            break
        left, notional = left - lots, notional + lots * ticks
    notional += left * limit_ticks
    cost = (notional - reference_ticks * wanted) * side.sign * instrument.cash_per_tick_lot
    fee, _coin = fee_of(instrument, side, notional // wanted, wanted, is_maker=False)
    return cost, fee
