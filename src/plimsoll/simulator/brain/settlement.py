"""What an event does to orders and money, gathered and then pushed and recorded in one go."""

from collections.abc import Iterable
from decimal import Decimal

from plimsoll.core.matching import Fill
from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.booking import Bookkeeper, push_wallet
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.order_rows import Row, fast_row, order_line, order_row
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.public import PublicMarket


class Batch:
    """The consequences of one event on one instrument; ``flush`` sends them."""

    def __init__(self, floor: Floor, market: PublicMarket, now_ns: int) -> None:
        """Gather for one event at a time."""
        self.floor = floor
        self.market = market
        self.now_ns = now_ns
        self.now_ms = now_ns // 1_000_000
        self._books = Bookkeeper(floor, market, now_ns)
        self._orders: dict[str, Order] = {}
        self._executions: dict[int, list[Row]] = {}
        self._causes: dict[int, str] = {}

    def accept(self, order: Order) -> None:
        """Register a new order; its first line in the record says ``Created``."""
        self.floor.by_uid[order.uid].orders.add(order)
        self.floor.working[order.order_id] = order
        self.floor.by_uid[order.uid].reserves.note(order)
        self._record_order(order)

    def changed(self, order: Order) -> None:
        """Note a new state of an order."""
        self._orders[order.order_id] = order
        self.floor.by_uid[order.uid].reserves.note(order)
        self._record_order(order)
        if not order.is_open:
            self.floor.working.pop(order.order_id, None)
            self.floor.by_uid[order.uid].orders.close(order)

    def fills(self, fills: Iterable[Fill], *, printed_ticks: int = 0) -> None:
        """Book fills; those the outside print does not cover go onto the tape as well."""
        for fill in fills:
            order = self.floor.working[fill.key]
            if not fill.is_maker:
                self._print(order.side, fill)
            elif not fill.counter and fill.price_ticks != printed_ticks:
                self._print(order.side.opposite, fill)
            self._book(order, fill)

    def pass_through(
        self, order: Order, price_ticks: int, exec_type: str, rate: Decimal | None = None
    ) -> None:
        """Fill an order of the venue's own whole at a price, past the book."""
        self.accept(order)
        fill = Fill(order.order_id, price_ticks, order.leaves_lots, False, "")
        self._book(order, fill, exec_type, rate)

    def funding(self, account: Account, position: Position, rate: Decimal) -> None:
        """Book the funding of a position."""
        row = self._books.funding(account, position, rate)
        self._executions.setdefault(account.uid, []).append(row)

    def session(self, account: Account, position: Position) -> None:
        """Book the session settlement of a position."""
        self._books.session(account, position)
        self._causes[account.uid] = "SessionSettlement"

    def flush(self) -> None:
        """Trim reduce-only orders, then push and record what changed."""
        for uid in list(self._executions):
            self._trim_reduce_only(self.floor.by_uid[uid])
        category = self.market.listing.instrument.category
        uids = dict.fromkeys(order.uid for order in self._orders.values())
        for uid in uids | dict.fromkeys((*self._executions, *self._causes)):
            orders = [order for order in self._orders.values() if order.uid == uid]
            if orders:
                self.floor.push(uid, "order", category, [order_row(order) for order in orders])
            executions = self._executions.get(uid, [])
            if executions:
                self.floor.push(uid, "execution", category, executions)
            fast = [fast_row(row) for row in executions if row["execType"] == "Trade"]
            if fast:
                self.floor.push(uid, "execution.fast", category, fast)
            self._push_money(self.floor.by_uid[uid], orders)

    def _book(
        self, order: Order, fill: Fill, exec_type: str = "Trade", rate: Decimal | None = None
    ) -> None:
        row = self._books.execution(order, fill, exec_type, rate)
        self._executions.setdefault(order.uid, []).append(row)
        self.changed(order)

    def _print(self, taker: Side, fill: Fill) -> None:
        self.market.print_trade(taker, fill.price_ticks, fill.qty_lots, self.now_ms)

    def _trim_reduce_only(self, account: Account) -> None:
        """Cut resting reduce-only orders to the position, the newest first."""
        if self.market.listing.is_spot:
            return
        lots = account.ledger.position(self.market.listing).lots
        orders = [
            order
            for order in account.orders.open_on(self.market.listing)
            if order.reduce_only and order.is_open
        ]
        room = {Side.BUY: max(0, -lots), Side.SELL: max(0, lots)}
        for order in orders:  # oldest first: they keep what room there is
            keep = min(order.leaves_lots, room[order.side])
            room[order.side] -= keep
            if keep == order.leaves_lots:
                continue
            if keep:
                self.market.book.amend(order.order_id, order.price_ticks, keep)
                order.qty_lots = order.cum_lots + keep
                order.updated_ms = self.now_ms
            else:
                self.market.book.cancel(order.order_id)
                order.end(self.now_ms, "CancelByReduceOnly", "EC_NoError")
            self.changed(order)

    def _push_money(self, account: Account, orders: list[Order]) -> None:
        """Push the position always, the wallet where a balance or what is locked changed."""
        item = self.market.listing.instrument
        cause = self._causes.get(account.uid, "")
        moved = bool(account.uid in self._executions or cause)
        if not item.is_spot:
            self._books.push_position(account, recorded=moved)
            coins = {item.settle} if moved else set()
        elif moved:
            coins = {item.base, item.quote}
        else:
            coins = {item.quote if order.side is Side.BUY else item.base for order in orders}
        if coins:
            push_wallet(self.floor, account, coins, self.now_ns, recorded=moved, cause=cause)

    def _record_order(self, order: Order) -> None:
        self.floor.record(self.now_ns, "order", order.uid, order_line(order))
