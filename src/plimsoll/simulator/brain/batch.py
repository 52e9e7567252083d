"""What an event does to orders and money, gathered to be pushed and recorded in one go."""

from collections.abc import Iterable, Iterator
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
    """The consequences of one event on one instrument; ``settlement.settle`` sends them."""

    def __init__(self, floor: Floor, market: PublicMarket, now_ns: int) -> None:
        """Gather for one event at a time."""
        self.floor = floor
        self.market = market
        self.now_ns = now_ns
        self.now_ms = now_ns // 1_000_000
        self._books = Bookkeeper(floor, market, now_ns)
        self.orders: dict[str, Order] = {}
        """The orders that changed, by id."""
        self._executions: dict[int, list[Row]] = {}
        self._filled: dict[str, int] = {}
        self._trims: dict[int, None] = {}
        self._causes: dict[int, str] = {}
        self.amended: Order | None = None
        """The order this event gave other terms."""

    def accept(self, order: Order) -> None:
        """Register a new order; its first line in the record says ``Created``."""
        self.floor.by_uid[order.uid].orders.add(order)
        if not order.is_waiting:
            self.floor.working[order.order_id] = order
        self._note(order)

    def wait(self, order: Order) -> None:
        """Let a conditional order wait for its trigger."""
        self.floor.waiting.setdefault(order.listing.name, {})[order.order_id] = order
        self.floor.waits += 1
        self.market.is_watched = True
        order.wait(self.now_ms)
        self.changed(order)

    def activate(self, order: Order) -> None:
        """Take a triggered order out of the waiting ones and count it among the open ones."""
        self._unwait(order)
        self.floor.by_uid[order.uid].orders.activate(order)
        self.floor.working[order.order_id] = order

    def end(self, order: Order, cancel_type: str, reject_reason: str) -> None:
        """Cancel what is left of a live order, in the book or before its trigger."""
        if order.is_open:
            self.market.book.cancel(order.order_id)
            self.market.touch(self.now_ms)
        order.end(self.now_ms, cancel_type, reject_reason)
        self.changed(order)

    def reject(self, order: Order, reject_reason: str) -> None:
        """Refuse an order that was accepted and is not in the book."""
        order.reject(self.now_ms, reject_reason)
        self.changed(order)

    def changed(self, order: Order) -> None:
        """Note a new state of an order."""
        self.orders[order.order_id] = order
        if not order.is_live:
            self.floor.working.pop(order.order_id, None)
            self._unwait(order)
            self.floor.by_uid[order.uid].finish(order)
        self._note(order)

    def trim(self, account: Account) -> None:
        """Look at the account's reduce-only orders although it did not trade."""
        self._trims[account.uid] = None

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

    def traded(self) -> Iterator[tuple[Account, list[tuple[Order, int]]]]:
        """Yield who had executions, with his orders and how many lots of each were filled."""
        for uid in self._executions:
            mine = [(self.orders[one], lots) for one, lots in self._filled.items()]
            yield self.floor.by_uid[uid], [(o, lots) for o, lots in mine if o.uid == uid]

    def to_trim(self) -> Iterator[Account]:
        """Yield whose reduce-only orders are to be looked at."""
        for uid in self._executions | self._trims:
            yield self.floor.by_uid[uid]

    def push(self) -> None:
        """Push and record what changed."""
        uids = dict.fromkeys(order.uid for order in self.orders.values())
        for uid in uids | dict.fromkeys((*self._executions, *self._causes)):
            self._push(self.floor.by_uid[uid])

    def _push(self, account: Account) -> None:
        uid, category = account.uid, self.market.listing.instrument.category
        orders = [order for order in self.orders.values() if order.uid == uid]
        if orders:
            self.floor.push(uid, "order", category, [order_row(order) for order in orders])
        executions = self._executions.get(uid, [])
        if executions:
            self.floor.push(uid, "execution", category, executions)
        turned = self.amended.order_id if self.amended is not None else ""
        fast = [fast_row(row, turned) for row in executions if row["execType"] == "Trade"]
        if fast:
            self.floor.push(uid, "execution.fast", category, fast)
        self._push_money(account, orders)

    def _book(
        self, order: Order, fill: Fill, exec_type: str = "Trade", rate: Decimal | None = None
    ) -> None:
        row = self._books.execution(order, fill, exec_type, rate)
        self._executions.setdefault(order.uid, []).append(row)
        self._filled[order.order_id] = self._filled.get(order.order_id, 0) + fill.qty_lots
        self.changed(order)

    def _print(self, taker: Side, fill: Fill) -> None:
        self.market.print_trade(taker, fill.price_ticks, fill.qty_lots, self.now_ms)

    def _unwait(self, order: Order) -> None:
        waiting = self.floor.waiting.get(order.listing.name, {})
        if order.order_id in waiting:
            del waiting[order.order_id]
            if not waiting:
                del self.floor.waiting[order.listing.name]
                self.market.is_watched = False
                self.market.passed.clear()

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

    def _note(self, order: Order) -> None:
        """Write an order into the record, and what it claims into its account's sums."""
        account = self.floor.by_uid[order.uid]
        account.reserves.note(order, account.orders)
        self.floor.record(self.now_ns, "order", order.uid, order_line(order))
