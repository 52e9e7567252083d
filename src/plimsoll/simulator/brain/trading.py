"""Create, amend, cancel: from a client's parameters to the book and back."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from plimsoll.core.matching import Outcome
from plimsoll.core.model import Side
from plimsoll.simulator.brain import filters
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funds import check_order
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.settlement import Batch

MAX_OPEN: Final = 500
_ENDS: Final = {
    "post_only": ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    "ioc": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "fok": ("UNKNOWN", "EC_NoEnoughQtyToFill"),
    "self_match": ("CancelBySmp", "EC_BySelfMatch"),
}
"""How matching ended an order: cancelType and rejectReason."""


class Trading:
    """The order-changing half of the exchange; every method raises ``VenueRefusal``."""

    def __init__(self, floor: Floor) -> None:
        """Trade on a floor."""
        self._floor = floor

    def create(self, account: Account, params: Params, now_ns: int) -> Order:
        """Accept a new order, match it, and push what follows."""
        listing = self._floor.listing(params.get("category"), params.get("symbol"))
        market = self._floor.markets[listing.name]
        order = self._draft(account, listing, market, params, now_ns // 1_000_000)
        if account.orders.is_link_used(listing, order.link_id) and order.link_id:
            raise VenueRefusal(170141 if listing.is_spot else 110072)
        self._check_open_count(account, listing)
        self._check_funds(account, market, order)
        batch = Batch(self._floor, market, now_ns)
        batch.accept(order)
        if order.smp_type in ("CancelMaker", "CancelBoth"):
            self._cancel_own_makers(batch, account, order)
        outcome = market.book.submit(
            order.order_id,
            order.side,
            order.price_ticks,
            order.qty_lots,
            order.tif,
            str(account.uid),
            smp=order.smp_type in ("CancelTaker", "CancelBoth"),
        )
        self._conclude(batch, order, outcome)
        return order

    def amend(self, account: Account, params: Params, now_ns: int) -> Order:
        """Change price or quantity of a working order."""
        order = self._open_order(account, params)
        listing = order.listing
        market = self._floor.markets[listing.name]
        price, lots = order.price_ticks, order.qty_lots
        if params.get("price") not in (None, ""):
            price = self._limited_price(
                account, market, order.side, filters.ticks_of(listing, params)
            )
        if params.get("qty") not in (None, ""):
            lots = filters.lots_of(listing, params)
        self._check_amend(account, market, order, price, lots)
        batch = Batch(self._floor, market, now_ns)
        order.price_ticks, order.qty_lots = price, lots
        order.updated_ms = batch.now_ms
        outcome = market.book.amend(order.order_id, price, order.leaves_lots)
        if outcome is None:
            raise AssertionError(f"open order {order.order_id} is not in the book")
        self._conclude(batch, order, outcome)
        return order

    def cancel(self, account: Account, params: Params, now_ns: int) -> Order:
        """Cancel a working order."""
        order = self._open_order(account, params)
        self._cancel(account, [order], now_ns)
        return order

    def cancel_all(self, account: Account, params: Params, now_ns: int) -> list[Order]:
        """Cancel the working orders of a category, by symbol, base or settle coin."""
        category, symbol = params.get("category"), params.get("symbol")
        base, settle = params.get("baseCoin"), params.get("settleCoin")
        if category not in ("linear", "spot"):
            raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
        if category == "linear" and not (symbol or base or settle):
            raise VenueRefusal(10001, "params error: symbol, baseCoin or settleCoin is needed")
        if symbol:
            self._floor.listing(category, symbol)
        orders = [
            order
            for order in account.orders.open.values()
            if (item := order.listing.instrument).category == category
            and (not symbol or item.symbol == symbol)
            and (bool(symbol) or not base or item.base == base)
            and (bool(symbol or base) or not settle or item.settle == settle)
        ]
        self._cancel(account, orders, now_ns)
        return orders

    def _cancel(self, account: Account, orders: Iterable[Order], now_ns: int) -> None:
        batches: dict[str, Batch] = {}
        for order in orders:
            name = order.listing.name
            market = self._floor.markets[name]
            batch = batches.setdefault(name, Batch(self._floor, market, now_ns))
            self._end_resting(batch, order, "CancelByUser", "EC_PerCancelRequest")
        for batch in batches.values():
            batch.flush()

    def _end_resting(self, batch: Batch, order: Order, cancel_type: str, reason: str) -> None:
        batch.market.book.cancel(order.order_id)
        batch.market.touch(batch.now_ms)
        order.end(batch.now_ms, cancel_type, reason)
        batch.changed(order)

    def _conclude(self, batch: Batch, order: Order, outcome: Outcome) -> None:
        batch.market.touch(batch.now_ms)
        batch.fills(outcome.fills)
        if outcome.end in _ENDS:
            cancel_type, reason = _ENDS[outcome.end]
            if outcome.end == "ioc" and order.cum_lots:
                reason = "EC_CancelForNoFullFill"
            order.end(batch.now_ms, cancel_type, reason)
            batch.changed(order)
        elif outcome.end == "" and not outcome.fills:
            order.rest(batch.now_ms)
            batch.changed(order)
        batch.flush()

    def _draft(
        self, account: Account, listing: Listing, market: PublicMarket, params: Params, now_ms: int
    ) -> Order:
        side, kind = filters.side_of(params), filters.kind_of(params)
        tif, link = filters.tif_of(params, kind), filters.link_of(params)
        if not market.is_ready:
            raise VenueRefusal(170198 if listing.is_spot else 110118)
        reduce_only = _is_true(params.get("reduceOnly")) and not listing.is_spot
        asked = filters.quote_value_of(listing, params) if kind == "Market" else ZERO
        if kind == "Market":
            price = self._protection_price(market, side)
        else:
            wanted = filters.ticks_of(listing, params)
            price = self._limited_price(account, market, side, wanted)
        if asked:
            lots = _affordable_lots(market, asked, price)
        elif reduce_only:
            lots = self._reducing_lots(account, listing, side, params)
        else:
            lots = filters.lots_of(listing, params)
        if not asked:
            at = market.best(side.opposite) if kind == "Market" else price
            filters.check_size(listing, kind, at, lots, reduce_only=reduce_only)
        order_id = self._floor.next_id(listing, "order")
        if listing.is_spot and not link:
            link = str(int(order_id) + 1)
        return Order(
            uid=account.uid,
            serial=self._floor.next_serial(),
            listing=listing,
            order_id=order_id,
            link_id=link,
            side=side,
            kind=kind,
            tif=tif,
            price_ticks=price,
            qty_lots=lots,
            created_ms=now_ms,
            updated_ms=now_ms,
            asked_value=asked,
            market_unit=str(params.get("marketUnit") or ""),
            reduce_only=reduce_only,
            close_on_trigger=_is_true(params.get("closeOnTrigger")),
            smp_type=str(params.get("smpType") or "None"),
            is_leverage="0" if listing.is_spot else "",
            last_ticks=market.last_ticks,
        )

    def _reducing_lots(self, account: Account, listing: Listing, side: Side, params: Params) -> int:
        """Cut a reduce-only quantity to what the position leaves for it; "0" means all of it."""
        position = account.ledger.position(listing)
        room = max(0, -side.sign * position.lots) - sum(
            order.leaves_lots
            for order in account.orders.open_on(listing)
            if order.reduce_only and order.side is side
        )
        if room <= 0:
            raise VenueRefusal(110017)
        closes_all = not filters.number_of(params, "qty")
        if closes_all and _is_true(params.get("closeOnTrigger")):
            return room
        return min(room, filters.lots_of(listing, params))

    def _protection_price(self, market: PublicMarket, side: Side) -> int:
        if market.book.best(side.opposite) is None:
            raise VenueRefusal(170198 if market.listing.is_spot else 110118)
        high, low = market.price_limits()
        return high if side is Side.BUY else low

    def _limited_price(self, account: Account, market: PublicMarket, side: Side, ticks: int) -> int:
        """Keep a limit price inside the venue's band: moved or refused, as the account chose."""
        high, low = market.price_limits()
        inside = min(ticks, high) if side is Side.BUY else max(ticks, low)
        if inside == ticks or account.adjusts_price[market.listing.instrument.category]:
            return inside
        spot = market.listing.is_spot
        if side is Side.BUY:
            raise VenueRefusal(170193 if spot else 30208)
        raise VenueRefusal(170194 if spot else 30209)

    def _check_open_count(self, account: Account, listing: Listing) -> None:
        if listing.is_spot:
            count = sum(order.listing.is_spot for order in account.orders.open.values())
        else:
            count = len(account.orders.open_on(listing))
        if count >= MAX_OPEN:
            raise VenueRefusal(170810 if listing.is_spot else 110020)

    def _check_amend(
        self, account: Account, market: PublicMarket, order: Order, price: int, lots: int
    ) -> None:
        listing = order.listing
        if (price, lots) == (order.price_ticks, order.qty_lots):
            raise VenueRefusal(10001, "order not modified")
        if lots <= order.cum_lots:
            raise VenueRefusal(170313 if listing.is_spot else 110064)
        filters.check_size(listing, order.kind, price, lots, reduce_only=order.reduce_only)
        if order.reduce_only and lots > order.qty_lots:
            raise VenueRefusal(110017)
        check_order(
            account,
            self._floor.quotes(),
            order,
            price_ticks=price,
            lots=lots - order.cum_lots,
        )

    def _check_funds(self, account: Account, market: PublicMarket, order: Order) -> None:
        cost = None
        if order.listing.is_spot and order.side is Side.BUY and order.kind == "Market":
            cost = order.asked_value or _cost_of(market, order)
        check_order(
            account,
            self._floor.quotes(),
            order,
            price_ticks=order.price_ticks,
            lots=order.leaves_lots,
            cost=cost,
        )

    def _cancel_own_makers(self, batch: Batch, account: Account, taker: Order) -> None:
        """CancelMaker: own orders the newcomer could meet leave the book first."""
        for order in account.orders.open_on(taker.listing):
            crosses = (taker.price_ticks - order.price_ticks) * taker.side.sign >= 0
            if order.is_open and order.side is not taker.side and crosses:
                self._end_resting(batch, order, "CancelBySmp", "EC_NoError")

    def _open_order(self, account: Account, params: Params) -> Order:
        listing = self._floor.listing(params.get("category"), params.get("symbol"))
        order_id = str(params.get("orderId") or "")
        link_id = str(params.get("orderLinkId") or "")
        if not (order_id or link_id):
            raise VenueRefusal(10001, "params error: orderId or orderLinkId is needed")
        spot = listing.is_spot
        order = account.orders.find(spot=spot, order_id=order_id, link_id=link_id)
        if order is None or order.listing is not listing:
            raise VenueRefusal(170213 if spot else 110001)
        if order.status == "Filled":
            raise VenueRefusal(170139 if spot else 110008)
        if not order.is_open:
            raise VenueRefusal(170142 if spot else 110010)
        return order


def _affordable_lots(market: PublicMarket, value: Decimal, limit_ticks: int) -> int:
    """Return the lots that ``value`` of quote coin buys from the book, at least one."""
    lots = 0
    for price, qty in market.book.levels(Side.SELL, 1_000_000):
        if price > limit_ticks:
            break
        take = min(qty, int(value // market.listing.value(price, 1)))
        lots += take
        value -= market.listing.value(price, take)
        if take < qty:
            break
    if not lots:
        raise VenueRefusal(170140)
    return lots


def _cost_of(market: PublicMarket, order: Order) -> Decimal:
    """Return what a market buy of so many lots costs in the present book."""
    left, cost = order.qty_lots, ZERO
    for price, qty in market.book.levels(Side.SELL, 1_000_000):
        if price > order.price_ticks or not left:
            break
        take = min(left, qty)
        cost += market.listing.value(price, take)
        left -= take
    return cost


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() == "true"
