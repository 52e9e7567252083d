"""Orders of the venue itself: cancels, closing orders and what passes by the book."""

from collections.abc import Iterable
from decimal import Decimal

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.settlement import settle


class Passing:
    """What the venue does to an account without being asked."""

    def __init__(self, floor: Floor) -> None:
        """Act on a floor."""
        self._floor = floor

    def cancel(
        self,
        orders: Iterable[Order],
        cancel_type: str,
        now_ns: int,
        reject_reason: str = "EC_NoError",
    ) -> None:
        """Cancel live orders for one of the venue's reasons."""
        batches: dict[str, Batch] = {}
        for order in list(orders):
            if not order.is_live:
                continue
            name = order.listing.name
            if name not in batches:
                batches[name] = Batch(self._floor, self._floor.markets[name], now_ns)
            batches[name].end(order, cancel_type, reject_reason)
        for batch in batches.values():
            settle(batch)

    def order(
        self,
        account: Account,
        listing: Listing,
        side: Side,
        lots: int,
        price_ticks: int,
        create_type: str,
        now_ns: int,
    ) -> Order:
        """Return a new order that closes part of a position; it has no client id."""
        now_ms = now_ns // 1_000_000
        return Order(
            uid=account.uid,
            serial=self._floor.next_serial(),
            listing=listing,
            order_id=self._floor.next_id(listing, "order"),
            link_id="",
            side=side,
            kind="Limit",
            tif=TimeInForce.IOC,
            price_ticks=price_ticks,
            qty_lots=lots,
            created_ms=now_ms,
            updated_ms=now_ms,
            reduce_only=True,
            create_type=create_type,
            last_ticks=self._floor.markets[listing.name].last_ticks,
        )

    def offer(self, order: Order, now_ns: int) -> int:
        """Offer an order to the book and return the lots nobody took."""
        market = self._floor.markets[order.listing.name]
        batch = Batch(self._floor, market, now_ns)
        batch.accept(order)
        outcome = market.book.submit(
            order.order_id, order.side, order.price_ticks, order.qty_lots, order.tif, str(order.uid)
        )
        market.touch(batch.now_ms)
        batch.fills(outcome.fills)
        if outcome.leaves_lots:
            order.end(batch.now_ms, "UNKNOWN", "EC_NoImmediateQtyToFill")
            batch.changed(order)
        settle(batch)
        return outcome.leaves_lots

    def fill(self, order: Order, exec_type: str, now_ns: int, rate: Decimal | None = None) -> None:
        """Fill an order whole at its price, past the book."""
        batch = Batch(self._floor, self._floor.markets[order.listing.name], now_ns)
        batch.pass_through(order, order.price_ticks, exec_type, rate)
        settle(batch)
