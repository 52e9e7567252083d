"""The judge: what must never be, read from the exchange's record and the bytes of the log.

Orders are judged by the exchange's record alone: it is told apart from what clients are told, so it
is true whatever faults do. It shares no code with what it judges but the decoding of records.
"""

import re
from collections import Counter, defaultdict, deque
from decimal import Decimal
from itertools import islice
from typing import Any, Final, Protocol

import msgspec
from tests.simulation.world.books import Books
from tests.simulation.world.changes import ChangesJudge
from tests.simulation.world.facts import Intent, Stop, VenueOrder, Violation

from plimsoll.core.engine import Core, State
from plimsoll.core.model import FOREIGN, OrderState, Side
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    CancelIntended,
    Halted,
    LinkChanged,
    LiveEnded,
    ModeSet,
    OperatorCommand,
    OrderIntended,
    PaperOrderIntended,
    Rearmed,
    Reconciled,
    SendRefused,
    decode,
)
from plimsoll.core.settings import CoreSettings

_REQUESTS: Final = frozenset({OrderIntended, AmendIntended, CancelIntended})
_LINK: Final = re.compile(rb'"orderLinkId":"([^"]+)"')
_CLOSED_LOOKED_AT: Final = 20
_PRICES_KEPT: Final = 60
_UNIT: Final = 10**8


class Witness(Protocol):
    """Who hears what a machine does."""

    def recorded(self, seq: int, payload: bytes) -> None:
        """Hear of a record in the trading log."""

    def began(self, epoch: int, state: State) -> None:
        """Hear of a session and what it knows."""

    def died(self, *, power: bool) -> None:
        """Hear of a death."""

    def ended(self, *, is_clean: bool) -> None:
        """Hear of an end."""


class Judge:
    """Looks at every line of the record and every record of the log as they come."""

    def __init__(self, settings: CoreSettings) -> None:
        """Judge an engine with these settings."""
        self.orders: dict[str, VenueOrder] = {}
        self.working: dict[str, dict[str, VenueOrder]] = {}
        """Orders that may still match, by instrument and number."""
        self.by_link: dict[str, str] = {}
        self.live: dict[str, VenueOrder] = {}
        """Orders of ours that may still match, by our id."""
        self.intents: dict[str, Intent] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.positions: dict[str, Decimal] = {}
        self.wallet: dict[str, Decimal] = {}
        self.counts: Counter[str] = Counter()
        self.records = 0
        self.halts: dict[str, Stop] = {}
        """Halts in force by scope; the account's is the empty one."""
        self.is_excused = False
        """Whether exposure may be above the limit through no fault of ours: an order by hand, or
        intents the disk lost with the power."""
        self.has_lost_intents = False
        """Whether the disk lost some with the power: then an order may be more than we know."""
        self.fates: dict[str, tuple[int, OrderState]] = {}
        self._tag = settings.tag
        self._limits = settings.limits
        self._prices: dict[str, deque[Decimal]] = {}
        self.torn: set[int] = set()
        """Sessions whose newest frames may be gone with the power: no replay of them is whole."""
        self.absent: set[str] = set()
        """Orders held for certainly not there."""
        self.own_coins: defaultdict[str, Decimal] = defaultdict(Decimal)
        """Coins of spot pairs that orders of ours brought and have not sold, by instrument."""
        self.base_fees: defaultdict[str, Decimal] = defaultdict(Decimal)
        """Fees charged in the base coin of a spot pair, by instrument."""
        self.books = Books(settings)
        self._is_compared = False
        """Whether the books have been compared since there was a reason to (RSK-6)."""
        self._is_told_to_halt = False
        self._epoch = 0
        self._last_seq = 0
        self._lost_power = False
        self.changes = ChangesJudge()

    @property
    def is_halted(self) -> bool:
        """Whether the whole account is."""
        return "" in self.halts

    # ---- the exchange's record ---------------------------------------------------------------

    def lines(self, lines: list[bytes]) -> None:
        """Look at new lines of the record."""
        for text in lines:
            line = msgspec.json.decode(text)
            kind = line["kind"]
            if kind == "order":
                self._order(line)
            elif kind == "execution":
                self._execution(line)
            elif kind == "position":
                sign = -1 if line["side"] == "Sell" else 1
                size = sign * Decimal(line["size"] or "0")
                self.positions[f"{line.get('category', 'linear')}:{line['symbol']}"] = size
            elif kind == "wallet":
                for coin in line["coin"]:
                    self.wallet[coin["coin"]] = Decimal(coin["walletBalance"])
            elif kind == "market" and "lastPrice" in line:
                self._price(line["symbol"], Decimal(line["lastPrice"]))
            elif kind == "fault":
                self.counts["effects"] += line["event"] == "effect"
                self.is_excused = self.is_excused or line["name"].startswith("hand_")

    def _order(self, line: dict[str, Any]) -> None:
        number, link = line["orderId"], line["orderLinkId"]
        order = self.orders.get(number)
        is_new = order is None
        if order is None:
            name = f"{line['category']}:{line['symbol']}"
            is_buy = line["side"] == "Buy"
            order = self.orders[number] = VenueOrder(link, name, is_buy, line["reduceOnly"])
        order.status = line["orderStatus"]
        filled = Decimal(line["cumExecQty"])
        if filled < order.filled:
            raise Violation(f"the exchange unfilled {number}")
        order.filled = filled
        order.leaves = Decimal(line["qty"]) - filled
        working = self.working.setdefault(order.name, {})
        if order.is_live:
            working[number] = order
        else:
            working.pop(number, None)
        if link.startswith(f"{self._tag}-"):
            self.counts["orders"] += is_new
            self._own(number, order, is_new=is_new)

    def _own(self, number: str, order: VenueOrder, *, is_new: bool) -> None:
        link = order.link
        if self.by_link.setdefault(link, number) != number:
            raise Violation(f"order doubled: {link}")
        intent = self.intents.get(link)
        if intent is None:
            raise Violation(f"order at the venue without an intent: {link}")
        if intent.is_halted and not intent.reduces:
            raise Violation(f"order that adds risk was meant after a halt: {link}")
        if link in self.books.paper_orders:
            raise Violation(f"order of a paper book is at the venue: {link}")
        if link in self.absent:
            raise Violation(f"order that was shown absent is at the venue: {link}")
        if order.is_live:
            self.live[link] = order
        else:
            self.live.pop(link, None)
        if is_new and not order.reduce_only and not self.is_excused:
            self._exposed(order)
            count = sum(not one.reduce_only for one in self.live.values())
            if count > self._limits.open_orders:
                raise Violation(f"{link}: {count} orders work, limit {self._limits.open_orders}")

    def _exposed(self, new: VenueOrder) -> None:
        """Compare the worst case with the limits, at the lowest price of the last minute.

        The gate valued it at today's price and a collar on top, so what it let through is below.
        """
        limits = self._limits
        worst = self._reach(new.name, is_buy=new.is_buy) * self._least(new.name)
        if worst * _UNIT > limits.position_notional:
            raise Violation(
                f"{new.link}: worst case of {new.name} is {worst:.2f}, "
                f"limit {limits.position_notional / _UNIT:.2f}"
            )
        total = worst
        for name in self.working:
            if name != new.name:
                reach = max(self._reach(name, is_buy=True), self._reach(name, is_buy=False))
                total += reach * self._least(name)
        if total * _UNIT > limits.exposure:
            raise Violation(
                f"{new.link}: worst case of the account is {total:.2f}, "
                f"limit {limits.exposure / _UNIT:.2f}"
            )

    def _reach(self, name: str, *, is_buy: bool) -> Decimal:
        held = self.positions.get(name, Decimal(0))
        going = sum(
            (
                order.leaves
                for order in self.working.get(name, {}).values()
                if order.is_buy is is_buy and not order.reduce_only
            ),
            Decimal(0),
        )
        if name.startswith("spot:") and not is_buy:
            return Decimal(0)  # sells what is held: never more than that
        return max(held if is_buy else -held, Decimal(0)) + going

    def _execution(self, line: dict[str, Any]) -> None:
        number = line["execId"]
        if number in self.executions:
            raise Violation(f"execution twice in the record: {number}")
        self.executions[number] = line
        self.counts["executions"] += 1
        name = f"{line['category']}:{line['symbol']}"
        if name.startswith("spot:"):
            self._coins(name, line)

    def _coins(self, name: str, line: dict[str, Any]) -> None:
        """Count what a spot execution brought or took: ours never sell what ours did not bring."""
        change = Decimal(line["execQty"]) * (1 if line["side"] == "Buy" else -1)
        is_in_base = line["feeCurrency"] and line["symbol"].startswith(line["feeCurrency"])
        fee = Decimal(line["execFee"]) if is_in_base else Decimal(0)
        self.positions[name] = self.positions.get(name, Decimal(0)) + change
        self.base_fees[name] += fee
        if line["orderLinkId"].startswith(f"{self._tag}-"):
            self.own_coins[name] += change - fee
            if self.own_coins[name] < 0 and not self.is_excused:
                raise Violation(f"{line['orderLinkId']} sold {name} that was not held")

    def _price(self, name: str, price: Decimal) -> None:
        kept = self._prices.setdefault(name, deque(maxlen=_PRICES_KEPT))
        if price:
            kept.append(price)

    def _least(self, name: str) -> Decimal:
        return min(self._prices.get(name) or [Decimal(0)])

    # ---- the log -----------------------------------------------------------------------------

    def recorded(self, seq: int, payload: bytes) -> None:
        """Look at a record that has just been appended to the trading log."""
        record = decode(payload)
        self.records += 1
        self.changes.recorded(record)
        self._last_seq = seq
        kind = type(record)
        self.counts["requests"] += kind in _REQUESTS
        if isinstance(record, OrderIntended):
            self._intended(record)
        elif isinstance(record, CancelIntended):
            self._cancelled(record)
        elif isinstance(record, PaperOrderIntended | ModeSet | LiveEnded):
            self._booked(record)
        elif isinstance(record, AbsenceShown | SendRefused):
            self._absent(record)
        elif isinstance(record, Halted):
            self._halted(record)
        elif isinstance(record, Rearmed):
            self.halts.pop(record.scope, None)
        elif isinstance(record, OperatorCommand):
            self._is_told_to_halt = record.cmd == "halt"
        elif isinstance(record, LinkChanged) and record.link == "private":
            self._is_compared = False
        elif kind is Reconciled:
            self._is_compared = True

    def _intended(self, record: OrderIntended) -> None:
        link = record.client_order_id
        if link in self.intents:
            raise Violation(f"id intended twice: {link}")
        if not (self._is_compared or record.reduce_only):
            raise Violation(f"order was meant before the books were compared: {link}")
        is_sale = record.instrument.startswith("spot:") and record.side is Side.SELL
        reduces = record.reduce_only or is_sale
        why = self.books.why_not(record.owner, reduces=reduces)
        if why:
            raise Violation(f"{why}: {link}")
        if link in self.books.paper_orders:
            raise Violation(f"order in a paper book and a live one: {link}")
        self.intents[link] = Intent(record.epoch, reduces, record.reduce_only, self.is_halted)

    def _booked(self, record: PaperOrderIntended | ModeSet | LiveEnded) -> None:
        """Note an order on paper, or what a live book may do from now on."""
        if isinstance(record, PaperOrderIntended):
            link = record.client_order_id
            if link in self.intents:
                raise Violation(f"order in a live book and a paper one: {link}")
            if self.books.is_live(record.owner):
                raise Violation(f"order on paper in a live book: {link}")
            self.books.paper_orders.add(link)
        else:
            self.counts["switches"] += isinstance(record, ModeSet) and record.actor == "person"
            self.counts["live lives ended"] += isinstance(record, LiveEnded)
            self.books.switched(record)

    def _halted(self, record: Halted) -> None:
        """Note a halt; a second one of its scope takes nothing back of what the first one does."""
        self._is_told_to_halt = False
        before = self.halts.get(record.scope, Stop(keeps_orders=True))
        self.halts[record.scope] = Stop(
            keeps_orders=record.keeps_orders and before.keeps_orders,
            with_protections=record.with_protections or before.with_protections,
        )

    def _cancelled(self, record: CancelIntended) -> None:
        """A halt is on record before its cancels; unless told to, it leaves what protects."""
        intent = self.intents.get(record.client_order_id)
        if self._is_told_to_halt:
            raise Violation(f"cancel of {record.client_order_id} before the halt it belongs to")
        is_meant = any(one.with_protections for one in self.halts.values())
        is_exit = intent is not None and intent.reduce_only
        if is_exit and not is_meant and record.reason.startswith("halt:"):
            raise Violation(f"a halt cancels a protection: {record.client_order_id}")

    def _absent(self, record: AbsenceShown | SendRefused) -> None:
        link = record.client_order_id
        if record.action == "create":
            self.absent.add(link)
            if link in self.by_link:
                raise Violation(f"order that is at the venue was shown absent: {link}")

    def stood_still(self) -> None:
        """Note that the process has not run for long: what it knew is old (P7)."""
        self._is_compared = False

    def sent(self, payload: bytes) -> None:
        """Look at what leaves the machine: no order of ours without an intent (ORD-4)."""
        for found in _LINK.findall(payload):
            link = found.decode()
            if link.startswith(f"{self._tag}-") and link not in self.intents:
                raise Violation(f"order sent without an intent: {link}")

    def died(self, *, power: bool) -> None:
        """Note how a process ended; with the power what was not forced may be gone."""
        self._lost_power = self._lost_power or power
        if power:
            self.torn.add(self._epoch)
        self.counts["power losses" if power else "kills"] += 1
        self.fates.clear()

    def ended(self, *, is_clean: bool) -> None:
        """Note the end of a process that was not killed."""
        self.counts["clean ends" if is_clean else "ends"] += 1
        self.fates.clear()

    def began(self, epoch: int, state: State) -> None:
        """Compare what a restart knows with what was written before."""
        self._epoch = epoch
        self._is_compared = self._is_told_to_halt = False
        self.changes.began(state, lost_power=self._lost_power)
        if self._lost_power:
            self._lost_power = False
            self.books.take(state)
            if state.seq < self._last_seq:
                self.is_excused = self.has_lost_intents = True
            self.halts = {
                scope.text: Stop(halt.keeps_orders, halt.with_protections)
                for scope, halt in state.safety.halts.items()
            }
        elif state.seq < self._last_seq:
            lost = f"{self._last_seq} was written"
            raise Violation(f"epoch {epoch} begins at seq {state.seq}, {lost}")
        if {scope.text for scope in state.safety.halts} != set(self.halts):
            raise Violation("a halt did not survive the death of the process")
        forgotten = self.books.forgotten(state)
        if forgotten:
            raise Violation(f"a switch did not survive the death of the process: {forgotten}")
        self._last_seq = state.seq

    # ---- the books while it runs -------------------------------------------------------------

    def look(self, core: Core) -> None:
        """Check what holds after every record: fills only grow, and never beyond the order."""
        self.changes.look(core)
        newest = islice(reversed(core.orders.closed.values()), _CLOSED_LOOKED_AT)
        for order in (*core.orders.working.values(), *newest):
            filled = order.filled_lots
            before, _ = self.fates.get(order.id, (0, order.state))
            if filled < before:
                raise Violation(f"order {order.id}: filled fell from {before} to {filled}")
            most = max(order.qty_lots, order.amend_qty_lots)
            is_judged = order.owner != FOREIGN and not self.has_lost_intents
            if is_judged and not 0 <= filled <= most:
                raise Violation(f"order {order.id}: {filled} of {most} lots are filled")
            self.fates[order.id] = filled, order.state
        if not self.has_lost_intents:
            self._count(core)
        orphan = self.books.orphan(core)
        if orphan:
            raise Violation(orphan)
        for name, market in core.markets.items():
            book = market.book
            is_sound = 0 < book.best_bid < book.best_ask
            if market.book_doubt(core.ts_ns) is None and not is_sound:
                raise Violation(f"{name} is trusted at {book.best_bid} to {book.best_ask}")

    def _count(self, core: Core) -> None:
        """Check that we count at least what each order of ours may still match (RSK-1)."""
        for link, order in self.live.items():
            ours = core.orders.find(link)
            if ours is None:
                continue
            counted = ours.leaves_lots * core.ledger.instruments[order.name].lot
            if order.leaves > counted:
                may = f"may still match {order.leaves}, we count {counted} ({ours.state})"
                raise Violation(f"order {link} {may}")
