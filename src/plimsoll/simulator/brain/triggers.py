"""Conditional orders: which of them the market has reached, in which order, and what then."""

from typing import Final

from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.conditions import INDEX, LAST, MARK
from plimsoll.simulator.brain.door import Door
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import CLEARED, FULL, pair_of
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funds import check_new, covers_positions
from plimsoll.simulator.brain.margin import totals_of
from plimsoll.simulator.brain.orders import RISES, Order
from plimsoll.simulator.brain.pricing import book_price, lots_for
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.settlement import settle

_REJECTS: Final = {
    30208: "EC_ReachRiskPriceLimit",
    30209: "EC_ReachRiskPriceLimit",
    170193: "EC_ReachRiskPriceLimit",
    170194: "EC_ReachRiskPriceLimit",
    110118: "EC_ReachMarketPriceLimit",
    170198: "EC_ReachMarketPriceLimit",
}
"""rejectReason of a triggered order by the code a client would have been refused with."""


class Triggers:
    """Looks at the conditional orders of an instrument after every change of its prices."""

    def __init__(self, floor: Floor, door: Door) -> None:
        """Watch a floor and let triggered orders in by the door."""
        self._floor = floor
        self._door = door
        self._seen: dict[str, tuple[int, int, int]] = {}

    def look(self, now_ns: int) -> None:
        """Trigger what the market has reached, and what that leads to in turn."""
        if not self._floor.waiting:
            return
        for name in list(self._floor.waiting):
            market = self._floor.markets[name]
            if not market.is_ready:
                continue
            while steps := self._steps(name, market):
                for by, ticks in steps:
                    for order in self._reached(name, by, ticks):
                        if order.status == "Untriggered":  # its pair may have been first
                            self._trigger(market, order, now_ns)

    def _steps(self, name: str, market: PublicMarket) -> list[tuple[str, int]]:
        """Return the prices to look at: each last price on the way, then mark and index."""
        now = market.mark_ticks, market.index_ticks, self._floor.waits
        passed = list(market.passed)
        market.passed.clear()
        if name not in self._floor.waiting or (not passed and self._seen.get(name) == now):
            return []
        self._seen[name] = now
        steps = [(LAST, ticks) for ticks in passed or [market.last_ticks]]
        return [*steps, (MARK, now[0]), (INDEX, now[1])]

    def _reached(self, name: str, by: str, ticks: int) -> list[Order]:
        """Return the orders a price triggers: those it passed first come first, then by age."""
        waiting = self._floor.waiting.get(name, {})
        if by == LAST:
            for order in waiting.values():
                if order.trail_ticks:
                    _trail(order, ticks)
        found = [one for one in waiting.values() if one.trigger_by == by and _is_at(one, ticks)]
        return sorted(found, key=lambda one: (-abs(one.trigger_ticks - ticks), one.serial))

    def _trigger(self, market: PublicMarket, order: Order, now_ns: int) -> None:
        """Say that an order triggered, end its pair, and let it in."""
        batch = Batch(self._floor, market, now_ns)
        pair = pair_of(self._floor, order)
        batch.activate(order)
        order.trigger(batch.now_ms)
        if order.oco:
            order.oco = "OcoTriggerByTp" if _is_profit(order) else "OcoTriggerBySl"
        batch.changed(order)
        if pair is not None:
            pair.oco = order.oco
            batch.end(pair, _pair_word(order), "EC_NoError")
        settle(batch)
        batch = Batch(self._floor, market, now_ns)
        try:
            self._complete(batch, market, order)
        except VenueRefusal as refusal:
            batch.reject(order, _REJECTS.get(refusal.code, "EC_Others"))
        else:
            self._door.enter(batch, order)
        settle(batch)

    def _complete(self, batch: Batch, market: PublicMarket, order: Order) -> None:
        """Give a triggered order its price and quantity of now, and look whether it is paid for.

        Raises:
            VenueRefusal: what a client would be refused with.
        """
        account = self._floor.by_uid[order.uid]
        order.price_ticks = book_price(account, market, order)
        if order.asked_value:
            order.qty_lots = lots_for(market, order)
        if order.close_on_trigger:
            self._free_margin(batch, order)
            if order.stop_type in FULL or not order.qty_lots:
                order.qty_lots = abs(account.ledger.position(order.listing).lots)
        account.reserves.put(order.order_id, None)  # so that it is not counted twice
        check_new(self._floor, account, order)

    def _free_margin(self, batch: Batch, order: Order) -> None:
        """Cancel the newest orders that add risk until the account is not short any more."""
        account = self._floor.by_uid[order.uid]
        for other in reversed(account.orders.open_on(order.listing)):
            if covers_positions(account, totals_of(account, self._floor.quotes())):
                return
            if other is not order and other.is_open and not other.reduce_only:
                batch.end(other, "UNKNOWN", "EC_Others")


def _is_at(order: Order, ticks: int) -> bool:
    if order.status != "Untriggered" or not order.trigger_ticks:
        return False
    if order.trigger_direction == RISES:
        return ticks >= order.trigger_ticks
    return ticks <= order.trigger_ticks


def _trail(order: Order, ticks: int) -> None:
    """Move a trailing stop behind the best last price, once its active price was reached."""
    sign = order.side.sign  # +1 buys back a short: it falls with the market
    if order.active_ticks:
        if (ticks - order.active_ticks) * -sign < 0:
            return
        order.active_ticks = 0
    wanted = ticks + sign * order.trail_ticks
    if not order.trigger_ticks or (wanted - order.trigger_ticks) * -sign > 0:
        order.trigger_ticks = max(wanted, 1)


def _is_profit(order: Order) -> bool:
    return (order.trigger_direction == RISES) is (order.side.sign < 0)


def _pair_word(order: Order) -> str:
    """Return the cancelType of the other half of a pair."""
    if not order.oco:
        return CLEARED
    if _is_profit(order):
        return "CancelByOCOSlCanceledByTpTriggered"
    return "CancelByOCOTpCanceledBySlTriggered"
