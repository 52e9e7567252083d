"""The exits of a position: which orders they are, what its row says of them, and their pairs.

They are conditional orders that only reduce. In mode ``Full`` there is one of each, for the whole
position; in mode ``Partial`` pairs of them, for parts (Bybit v5 docs, trading-stop).
"""

from typing import Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.orders import Order

FULL: Final = ("TakeProfit", "StopLoss", "TrailingStop")
PARTIAL: Final = ("PartialTakeProfit", "PartialStopLoss")
PARTIAL_MOST: Final = 20
CLEARED: Final = "CancelByTpSlTsClear"


def exits_on(account: Account, listing: Listing) -> list[Order]:
    """Return the untriggered exits of a position, oldest first."""
    kinds = FULL + PARTIAL
    return [one for one in account.orders.waiting_on(listing) if one.stop_type in kinds]


def full_exit(account: Account, listing: Listing, stop_type: str) -> Order | None:
    """Return the one exit of this kind that stands for the whole position."""
    return next((o for o in exits_on(account, listing) if o.stop_type == stop_type), None)


def exit_fields(account: Account, listing: Listing) -> dict[str, str]:
    """Return what a position row says about its exits; those of parts are not shown there."""
    found = {one.stop_type: one for one in exits_on(account, listing)}
    prices = listing.prices

    def shown(stop_type: str, name: str) -> str:
        return prices.text(getattr(found[stop_type], name)) if stop_type in found else ""

    return {
        "takeProfit": shown("TakeProfit", "trigger_ticks"),
        "stopLoss": shown("StopLoss", "trigger_ticks"),
        "trailingStop": shown("TrailingStop", "trail_ticks") or "0",
        "tpslMode": account.tpsl_modes.get(listing.name, "Full"),
    }


def bind(first: Order, second: Order) -> None:
    """Make two exits a pair: what cancels or triggers one cancels the other."""
    first.pair_id, second.pair_id = second.order_id, first.order_id


def unbind(account: Account, order: Order) -> None:
    """End the bond of a pair."""
    pair = account.orders.waiting.get(order.pair_id)
    order.pair_id = ""
    if pair is not None:
        pair.pair_id = ""


def pair_of(floor: Floor, order: Order) -> Order | None:
    """Return the other half of a pair while it waits."""
    return floor.by_uid[order.uid].orders.waiting.get(order.pair_id)
