"""How much to order: what is wanted, what limits leave, what the venue takes; rounded down always.

Theory of the volatility target: log returns of bars of length t have the standard deviation s,
taken around zero (a trend is no risk, its estimate from few bars is); a year has 365 days of 24
hours, so that the annual volatility is s x sqrt(365 d / t). A holding worth capital x target /
volatility then moves by the target in a year.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from math import ceil, log, sqrt
from typing import Final, NamedTuple

from plimsoll.core.model import Denied, Instrument, Refusal, Side
from plimsoll.core.risk.exposure import LIVE_SCOPE, Exposure
from plimsoll.core.risk.gate import PPM, Candidate, Surroundings
from plimsoll.core.risk.losses import Losses, OwnLosses
from plimsoll.core.risk.narrow import own_equity

YEAR_NS: Final = 365 * 86_400 * 1_000_000_000
RETURNS_LEAST: Final = 10


class Room(NamedTuple):
    """How many lots an order may have, and what stands against more: a limit's key, or words."""

    lots: int
    key: str


def fixed_lots(instrument: Instrument, qty: Decimal) -> int:
    """Return a quantity in whole lots."""
    return instrument.lots_of(qty, rounding=ROUND_FLOOR)


def percent_lots(
    instrument: Instrument, capital_units: int, percent: Decimal, price_ticks: int
) -> int:
    """Return the lots that per cent of a capital, in quote cash units, buy at a price."""
    value = int((capital_units * percent / 100).to_integral_value(ROUND_FLOOR))
    return value // instrument.notional_units(price_ticks, 1)


def volatility_lots(
    instrument: Instrument,
    capital_units: int,
    target_ppm: int,
    closes: Sequence[float],
    span_ns: int,
    price_ticks: int,
) -> int | Denied:
    """Return the lots that move a capital by a target in a year, as the theory above has it.

    Args:
        instrument: What is traded.
        capital_units: In quote cash units.
        target_ppm: Annual volatility wanted, parts per million.
        closes: Of bars of one length, oldest first.
        span_ns: That length.
        price_ticks: What a lot is valued at.

    Returns:
        Lots, or why there are none: fewer than ten returns, or a price that never moved.
    """
    returns = [log(b / a) for a, b in pairwise(closes) if a > 0 and b > 0]
    if len(returns) < RETURNS_LEAST:
        text = f"size(): {len(returns)} returns of bars are too few, {RETURNS_LEAST} are needed"
        return Denied(Refusal.WARMING_UP, text)
    of_a_bar = sqrt(sum(one * one for one in returns) / len(returns))
    annual_ppm = ceil(of_a_bar * sqrt(YEAR_NS / span_ns) * PPM)  # up: more of it means less of us
    if not annual_ppm:
        return Denied(Refusal.NO_REFERENCE, "size(): the price never moved in these bars")
    value = capital_units * target_ppm // annual_ppm
    return value // instrument.notional_units(price_ticks, 1)


def fitted(instrument: Instrument, wanted: int, room: Room, price_ticks: int) -> int | Denied:
    """Return the lots an order gets: what is wanted, within its room and the venue's filters."""
    lots, key = (wanted, "what was asked for") if wanted <= room.lots else room
    if instrument.max_lots and lots > instrument.max_lots:
        lots, key = instrument.max_lots, "the venue's maximum"
    if lots < instrument.min_lots:
        least = f"the minimum is {instrument.qty_text(instrument.min_lots)}"
    elif instrument.notional_units(price_ticks, lots) < instrument.min_notional_units:
        least = f"the minimum value is {instrument.min_notional} {instrument.quote}"
    else:
        return lots
    text = f"size(): {key} leaves {instrument.qty_text(max(lots, 0))}, {least}"
    return Denied(Refusal.BELOW_MINIMUM, text)


def room_of(
    order: Candidate,
    around: Surroundings,
    exposure: Exposure,
    losses: Losses,
    own: Mapping[str, OwnLosses],
    collar_ppm: int,
) -> Room:
    """Return how many lots limits leave an order on one side, valued as the gate values it.

    ``order``: its quantity and price do not count. The price taken is the collared reference; an
    order priced above it has less room.
    """
    instrument, bounds = order.instrument, around.bounds
    reference = around.reference_ticks
    per_lot = instrument.notional_units(reference + reference * collar_ppm // PPM, 1)
    found = [
        Room(bounds.order_notional // per_lot, bounds.words["order_notional"]),
        Room(bounds.order_units // instrument.base_units_per_lot, bounds.words["order_qty"]),
    ]
    if instrument.is_spot and order.side is Side.SELL:
        found.append(Room(around.free_base_lots, "what is held"))
        return min(found)
    name = instrument.name
    reach = exposure.reach_lots(order.scope, name, around.held_lots, order.side)
    amounts = [
        (bounds.account.position_notional, 0, "limits.position_notional"),
        (bounds.account.exposure, around.worst_elsewhere, "limits.exposure"),
    ]
    if order.scope == LIVE_SCOPE:
        most = bounds.account.leverage_ppm * max(losses.equity, 0) // PPM
        amounts.append((most, around.worst_elsewhere, "limits.leverage"))
    for level in bounds.narrow:
        amounts.append((level.limits.position_notional, 0, f"{level.key}.position_notional"))
        if level.owner:
            amounts.append((level.limits.exposure, around.worst_owned, f"{level.key}.exposure"))
            equity = own_equity(level, own, losses.equity)
            most = level.limits.leverage_ppm * max(equity, 0) // PPM
            amounts.append((most, around.worst_owned, f"{level.key}.leverage"))
    found += [Room((most - used) // per_lot - reach, key) for most, used, key in amounts]
    return min(found)
