"""Create, amend, cancel: from a client's request to its effect, at once or a while later."""

from typing import Final

from plimsoll.simulator.brain import funds
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.amending import terms_of
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.cancelling import SPOT_FILTERS, meant_by
from plimsoll.simulator.brain.door import Door
from plimsoll.simulator.brain.drafting import drafts_of
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import CLEARED, pair_of
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.later import Change
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.settlement import settle
from plimsoll.simulator.brain.triggers import Triggers

MAX_OPEN: Final = 500
MAX_CONDITIONAL: Final = {False: 10, True: 30}
"""Untriggered orders of one kind and symbol, linear and spot (Bybit v5 docs, create-order)."""


class Trading:
    """The order-changing half of the exchange; clients' methods raise ``VenueRefusal``."""

    def __init__(self, floor: Floor) -> None:
        """Trade on a floor."""
        self._floor = floor
        self._door = Door(floor)
        self._triggers = Triggers(floor, self._door)
        self._later = floor.later

    def catch_up(self, now_ns: int) -> None:
        """Let what is due have its effect, and what that triggers."""
        if self._later.is_due(now_ns):
            for change in self._later.until(now_ns):
                self._effect(change, now_ns)
                self._triggers.look(now_ns)

    def look(self, now_ns: int) -> None:
        """Look at the triggers: prices may have changed."""
        self._triggers.look(now_ns)

    def create(self, account: Account, params: Params, now_ns: int) -> Order:
        """Accept a new order; its effect follows."""
        orders = drafts_of(self._floor, account, params, now_ns // 1_000_000)
        first = orders[0]
        if first.link_id and account.orders.is_link_used(first.listing, first.link_id):
            raise VenueRefusal(170141 if first.listing.is_spot else 110072)
        _check_count(account, first)
        funds.check_new(self._floor, account, first)
        for order in orders:
            self._batch(order, now_ns).accept(order)
            self._ask(Change("create", order, 0, order.qty_lots), now_ns)
        return first

    def amend(self, account: Account, params: Params, now_ns: int) -> Order:
        """Accept other terms for a live order."""
        order = self._live_order(account, params)
        self._refuse_if_busy(order)
        terms = terms_of(self._floor, account, order, params)
        self._ask(Change("amend", order, order.cum_lots, order.qty_lots, terms), now_ns)
        return order

    def cancel(self, account: Account, params: Params, now_ns: int) -> Order:
        """Accept to cancel a live order."""
        order = self._live_order(account, params)
        wanted = params.get("orderFilter") or "Order"
        if order.listing.is_spot and order.filter != wanted:
            if wanted not in SPOT_FILTERS:
                raise VenueRefusal(10001, f"params error: orderFilter invalid {wanted!r}")
            raise VenueRefusal(170213)  # the venue looks among orders of that kind only
        if self._is_being_cancelled(order):
            raise VenueRefusal(170212 if order.listing.is_spot else 110079)
        self._cancel([order], now_ns)
        return order

    def cancel_all(self, account: Account, params: Params, now_ns: int) -> tuple[list[Order], bool]:
        """Accept to cancel all orders meant; return them and whether none was left out."""
        meant = meant_by(self._floor, account, params)
        orders = [order for order in meant if not self._is_being_cancelled(order)]
        self._cancel(orders, now_ns)
        return orders, len(orders) == len(meant)

    def _cancel(self, orders: list[Order], now_ns: int) -> None:
        """Ask for cancels; those that have their effect at once share an event."""
        delay_ms = self._floor.settings.cancel_delay_ms
        batches: dict[str, Batch] = {}
        for order in orders:
            change = Change("cancel", order, order.cum_lots, order.qty_lots)
            if not self._later.ask(change, now_ns, delay_ms):
                batch = batches.setdefault(order.listing.name, self._batch(order, now_ns))
                self._effect_cancel(batch, order)
        for batch in batches.values():
            settle(batch)

    def _ask(self, change: Change, now_ns: int) -> None:
        if not self._later.ask(change, now_ns, self._floor.settings.match_delay_ms):
            self._effect(change, now_ns)

    def _effect(self, change: Change, now_ns: int) -> None:
        order = change.order
        batch = self._batch(order, now_ns)
        if change.kind == "create":
            self._effect_create(batch, order)
        elif change.kind == "amend":
            self._effect_amend(batch, change)
        else:
            self._effect_cancel(batch, order)
        settle(batch)

    def _effect_create(self, batch: Batch, order: Order) -> None:
        if order.status != "Created":  # cancelled by the venue on its way
            return
        if order.is_waiting:
            batch.wait(order)
        else:
            self._door.enter(batch, order)

    def _effect_amend(self, batch: Batch, change: Change) -> None:
        """Change the terms, unless the order ended or was filled as far on the way."""
        order, terms = change.order, change.terms
        if terms is None or not order.is_live:
            return
        price, lots = terms.price_ticks, terms.qty_lots
        if lots == change.qty_lots:
            lots = order.qty_lots  # not asked for: it may have followed the position since
        elif order.reduce_only and order.is_open:
            lots = min(lots, order.qty_lots)
        if order.cum_lots and lots <= order.cum_lots:
            return
        order.tpsl_mode = terms.tpsl_mode
        order.take_profit, order.stop_loss = terms.take_profit, terms.stop_loss
        if order.is_open and (price, lots) != (order.price_ticks, order.qty_lots):
            self._door.change(batch, order, price, lots)
            return
        if order.is_waiting:
            order.price_ticks, order.qty_lots = price, lots
            order.trigger_ticks, order.trigger_by = terms.trigger_ticks, terms.trigger_by
            order.trigger_direction = terms.trigger_direction
            self._floor.waits += 1
        order.updated_ms = batch.now_ms
        batch.changed(order)

    def _effect_cancel(self, batch: Batch, order: Order) -> None:
        """Cancel an order and its pair; one that was filled meanwhile says so once more."""
        if order.status == "Filled":
            order.cancel_type, order.reject_reason = "CancelByUser", "EC_OrigClOrdIDDoesNotExist"
            order.updated_ms = batch.now_ms
            batch.changed(order)
        elif order.is_live:
            pair = pair_of(self._floor, order) if order.is_waiting else None
            batch.end(order, "CancelByUser", "EC_PerCancelRequest")
            if pair is not None:
                batch.end(pair, CLEARED if not pair.oco else "CancelByUser", "EC_NoError")

    def _batch(self, order: Order, now_ns: int) -> Batch:
        return Batch(self._floor, self._floor.markets[order.listing.name], now_ns)

    def _is_being_cancelled(self, order: Order) -> bool:
        return any(change.kind == "cancel" for change in self._later.of(order))

    def _refuse_if_busy(self, order: Order) -> None:
        """Refuse an amendment while another change is on its way.

        Raises:
            VenueRefusal: 40004 where the order was filled since that was asked; else 110079
                (linear), 170144 (spot).
        """
        pending = self._later.of(order)
        if pending and pending[0].cum_lots != order.cum_lots:
            raise VenueRefusal(40004)
        if pending:
            raise VenueRefusal(170144 if order.listing.is_spot else 110079)

    def _live_order(self, account: Account, params: Params) -> Order:
        """Return the live order a request names.

        Raises:
            VenueRefusal: 110001, 110008, 110010 (linear), 170213, 170139, 170142 (spot).
        """
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
        if not order.is_live:
            raise VenueRefusal(170142 if spot else 110010)
        return order


def _check_count(account: Account, order: Order) -> None:
    """Refuse an order beyond the venue's limits of open ones.

    Raises:
        VenueRefusal: 110009, 110020 (linear), 170810 (spot).
    """
    listing = order.listing
    if order.is_waiting:
        alike = [o for o in account.orders.waiting_on(listing) if o.stop_type == order.stop_type]
        if len(alike) >= MAX_CONDITIONAL[listing.is_spot]:
            raise VenueRefusal(170810 if listing.is_spot else 110009)
    if listing.is_spot:
        count = sum(one.listing.is_spot for one in account.orders.live())
    else:
        count = 0 if order.is_waiting else len(account.orders.open_on(listing))
    if count >= MAX_OPEN:
        raise VenueRefusal(170810 if listing.is_spot else 110020)
