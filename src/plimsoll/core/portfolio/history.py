"""The executions of one instrument in the order the venue made them, and whose each of them is.

All live owners of an instrument are booked together: what an execution from outside takes from an
instance depends on what the instance held just then, so one that comes late (fetched after a broken
link, while newer ones streamed in) is put in its place and the newer ones are booked again, for
everybody (ACC-1, ORD-12).
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from plimsoll.core.model import OUTSIDE, Instrument, Position, Side

NET: Final = ""
"""Stands for the whole account where an owner is named."""

REORDER_FILLS: Final = 256
"""Executions of one instrument that a late one may still be put in front of."""


class Booked(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """One booked execution; sorts as the venue made them.

    Within a millisecond its cross sequence tells; fills made at once share that, and then a taker
    walks away from the best price: ``walk`` is the signed price.
    """

    executed_ms: int
    venue_seq: int
    walk: int
    execution_id: str
    side: Side
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str
    owner: str = ""
    settled_units: int = 0
    """Open profit the venue turned into cash here; then nothing was traded."""


class History(msgspec.Struct):
    """The newest executions of an instrument, and every live owner's position before them."""

    base: dict[str, Position] = {}
    fills: list[Booked] = []

    def enter(self, owner: str, held: Position) -> None:
        """Begin an owner's history with what he holds, where he has none yet."""
        if owner not in self.base:
            self.base[owner] = msgspec.structs.replace(held)

    def restart(self, held: Mapping[str, Position]) -> None:
        """Begin anew from what everybody holds: a late execution is not put before it."""
        self.base = {owner: msgspec.structs.replace(one) for owner, one in held.items()}
        self.fills = []


def book_fill(
    held: Mapping[str, Position], instrument: Instrument, fill: Booked, spare_units: int
) -> None:
    """Book one execution on the account's net position and on the owners it belongs to.

    Args:
        held: Positions by owner, all there that may have a part.
        instrument: What was traded.
        fill: The execution.
        spare_units: Spot: base coins in the wallet that no execution brought, a deposit for one.
    """
    if fill.settled_units:
        _settle(held[NET], fill.settled_units)
        return
    units = fill.qty_lots * instrument.base_units_per_lot
    value = instrument.notional_units(fill.price_ticks, fill.qty_lots)
    if not instrument.is_spot:
        _book(held[NET], instrument, fill, units, value, fill.fee_units)
    parts = list(_parts(held, instrument, fill, units, spare_units))
    value_left, fee_left = value, fill.fee_units
    for number, (owner, part) in enumerate(parts, start=1):
        if number == len(parts):
            value_part, fee_part = value_left, fee_left
        else:  # an instance's part, rounded against it
            up = fill.side is Side.BUY
            value_part = -(-value * part // units) if up else value * part // units
            fee_part = -(-fill.fee_units * part // units)
        value_left, fee_left = value_left - value_part, fee_left - fee_part
        one = held[owner]
        _book(one, instrument, fill, part, value_part, fee_part)
        one.fills += number == 1
        if owner not in OUTSIDE and fill.owner in OUTSIDE:
            one.outside_units += part


def book_alone(held: Position, instrument: Instrument, fill: Booked) -> None:
    """Book an execution on an owner who shares with nobody: a paper instance."""
    units = fill.qty_lots * instrument.base_units_per_lot
    value = instrument.notional_units(fill.price_ticks, fill.qty_lots)
    _book(held, instrument, fill, units, value, fill.fee_units)
    held.fills += 1


def change(held: Position, units: int, value: int) -> int:
    """Add a signed quantity at a signed value; return the profit realised by what it closed."""
    before = held.qty_units
    if before == 0 or (before > 0) == (units > 0):
        held.qty_units += units
        held.cost_units += value
        return 0
    closing = min(abs(units), abs(before))
    # Ceiling for both signs: a long gives up more cost, a short gets back less. Against us.
    removed = -(-held.cost_units * closing // abs(before))
    closed_value = value if closing == abs(units) else value * closing // abs(units)
    held.qty_units += units if closing == abs(units) else (closing if units > 0 else -closing)
    held.cost_units -= removed
    rest_units = abs(units) - closing
    if rest_units:
        held.qty_units += rest_units if units > 0 else -rest_units
        held.cost_units += value - closed_value
    return -closed_value - removed


def worth(instrument: Instrument, base_units: int, price_ticks: int) -> int:
    """Return the quote cash units of a base quantity, rounded down (towards a loss)."""
    per_lot = instrument.base_units_per_lot
    return base_units * price_ticks * instrument.cash_per_tick_lot // per_lot


# ---- inside ----


def _settle(net: Position, units: int) -> None:
    """Turn open profit into cash: what is open counts from a later price, nobody gains or loses."""
    net.realised_units += units
    if net.qty_units:
        net.cost_units += units


def _parts(
    held: Mapping[str, Position], instrument: Instrument, fill: Booked, units: int, spare_units: int
) -> Iterator[tuple[str, int]]:
    """Yield whose an execution is, with how much of it.

    One from outside closes what its own owner holds, then what the instances hold, then what other
    outsiders do; the rest is its own owner's. On spot the outsiders' coins are the wallet's, which
    nobody can tell apart: they come first, all of them.
    """
    if fill.owner not in OUTSIDE:
        yield fill.owner, units
        return
    left = units
    own = min(left, _room(held, instrument, fill, spare_units))
    left -= own
    names = sorted(name for name in held if name not in (NET, fill.owner))
    for owner in sorted(names, key=lambda name: name in OUTSIDE):  # stable: the instances first
        part = min(left, max(0, -held[owner].qty_units * fill.side.sign))
        if part and not (instrument.is_spot and owner in OUTSIDE):
            left -= part
            yield owner, part
    if own + left:
        yield fill.owner, own + left


def _room(
    held: Mapping[str, Position], instrument: Instrument, fill: Booked, spare_units: int
) -> int:
    """Return how much an execution from outside may close before it touches an instance."""
    if not instrument.is_spot:
        return max(0, -held[fill.owner].qty_units * fill.side.sign)
    if fill.side is Side.BUY:
        return fill.qty_lots * instrument.base_units_per_lot
    outside = sum(one.qty_units for owner, one in held.items() if owner in OUTSIDE)
    return max(0, spare_units + outside)


def _book(
    held: Position, instrument: Instrument, fill: Booked, units: int, value: int, fee_units: int
) -> None:
    """Book unsigned quantity and value, and the fee."""
    sign = fill.side.sign
    held.realised_units += change(held, sign * units, sign * value)
    held.turnover_units += value
    if instrument.is_spot and fill.fee_coin == instrument.base:
        # The coin paid as fee leaves the holding; its worth at this price is the fee.
        paid = -worth(instrument, -fee_units, fill.price_ticks)
        held.qty_units -= fee_units
        held.cost_units -= paid
        held.fee_units += paid
    else:
        held.fee_units += fee_units
