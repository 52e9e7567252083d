"""The judge: what must never be, read from the exchange's record and the bytes of the log.

Orders are judged by the exchange's record alone: it is told apart from what clients are told, so it
is true whatever faults do. It shares no code with what it judges but the decoding of records.
"""

from collections import Counter, deque
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from plimsoll.core.engine import Core, State
from plimsoll.core.model import FOREIGN, OrderState
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    Halted,
    OrderIntended,
    Rearmed,
    decode,
)
from plimsoll.core.settings import CoreSettings

_LIVE: Final = frozenset({"Created", "New", "PartiallyFilled", "Untriggered", "Triggered"})
_REQUESTS: Final = frozenset({OrderIntended, AmendIntended, CancelIntended})
_PRICES_KEPT: Final = 60
_UNIT: Final = 10**8
_ANSWER_NS: Final = 5_000_000_000


class Violation(Exception):
    """Something that must never be has happened; the text says what."""


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


class Intent(msgspec.Struct):
    """An order as our log says it was meant."""

    epoch: int
    reduce_only: bool
    is_halted: bool


class VenueOrder(msgspec.Struct):
    """An order as the exchange's record has it."""

    link: str
    name: str
    is_buy: bool
    reduce_only: bool
    status: str = ""
    leaves: Decimal = Decimal(0)
    filled: Decimal = Decimal(0)

    @property
    def is_live(self) -> bool:
        """Whether it may still match."""
        return self.status in _LIVE


class Judge:
    """Looks at every line of the record and every record of the log as they come."""

    def __init__(self, settings: CoreSettings) -> None:
        """Judge an engine with these settings."""
        self.orders: dict[str, VenueOrder] = {}
        self.by_link: dict[str, str] = {}
        self.intents: dict[str, Intent] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.positions: dict[str, Decimal] = {}
        self.wallet: dict[str, Decimal] = {}
        self.counts: Counter[str] = Counter()
        self.records = 0
        self.is_halted = False
        self.is_excused = False
        """Whether exposure may be above the limit through no fault of ours: an order by hand, or
        intents the disk lost with the power."""
        self.fates: dict[str, tuple[int, OrderState]] = {}
        self._tag = settings.tag
        self._limits = settings.limits
        self._prices: dict[str, deque[Decimal]] = {}
        self.torn: set[int] = set()
        """Sessions whose newest frames may be gone with the power: no replay of them is whole."""
        self._epoch = 0
        self._last_seq = 0
        self._lost_power = False

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
        is_sale = order.name.startswith("spot:") and not order.is_buy  # of what is held, never more
        if intent.is_halted and not (intent.reduce_only or is_sale):
            raise Violation(f"order that adds risk was meant after a halt: {link}")
        if is_new and not order.reduce_only and not self.is_excused:
            self._exposed(order)

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
        for name in dict.fromkeys(order.name for order in self.orders.values()):
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
                for order in self.orders.values()
                if order.name == name
                and order.is_buy is is_buy
                and order.is_live
                and not order.reduce_only
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
            sign = 1 if line["side"] == "Buy" else -1
            held = self.positions.get(name, Decimal(0))
            self.positions[name] = held + sign * Decimal(line["execQty"])

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
        self._last_seq = seq
        kind = type(record)
        self.counts["requests"] += kind in _REQUESTS
        if kind is OrderIntended:
            assert isinstance(record, OrderIntended)
            link = record.client_order_id
            if link in self.intents:
                raise Violation(f"id intended twice: {link}")
            self.intents[link] = Intent(record.epoch, record.reduce_only, self.is_halted)
        elif kind is Halted:
            self.is_halted = True
        elif kind is Rearmed:
            self.is_halted = False

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
        if self._lost_power:
            self._lost_power = False
            if state.seq < self._last_seq:
                self.is_excused = True
            self.is_halted = state.safety.is_halted
        elif state.seq < self._last_seq:
            lost = f"{self._last_seq} was written"
            raise Violation(f"epoch {epoch} begins at seq {state.seq}, {lost}")
        if state.safety.is_halted is not self.is_halted:
            raise Violation("a halt did not survive the death of the process")
        self._last_seq = state.seq

    # ---- the books while it runs -------------------------------------------------------------

    def look(self, core: Core) -> None:
        """Check what holds after every record: fills only grow, and never beyond the order."""
        for order in core.orders.working.values():
            filled = order.filled_lots
            before, _ = self.fates.get(order.id, (0, order.state))
            if filled < before:
                raise Violation(f"order {order.id}: filled fell from {before} to {filled}")
            most = max(order.qty_lots, order.amend_qty_lots)
            if order.owner != FOREIGN and not 0 <= filled <= most:
                raise Violation(f"order {order.id}: {filled} of {most} lots are filled")
            self.fates[order.id] = filled, order.state

    # ---- the end -----------------------------------------------------------------------------

    def differences(self, core: Core, booked: set[str]) -> list[str]:
        """Return how our books differ from the exchange's; none is a pass."""
        return [
            *self._open_orders(core),
            *(f"execution lost: {one}" for one in self.executions if one not in booked),
            *(f"execution invented: {one}" for one in booked if one not in self.executions),
            *self._held(core),
            *self._money(core),
        ]

    def _open_orders(self, core: Core) -> list[str]:
        theirs = {order.link or number for number, order in self.orders.items() if order.is_live}
        ours = {order.id for order in core.orders.working.values() if not order.is_paper}
        found = [f"open at the venue only: {one}" for one in sorted(theirs - ours)]
        return found + [
            f"open with us only: {one} {core.orders.working[one].state}"
            for one in sorted(ours - theirs)
        ]

    def _held(self, core: Core) -> list[str]:
        found = []
        for name, instrument in core.ledger.instruments.items():
            if not instrument.is_spot:
                lots = core.ledger.account_lots(name, core.state.paper_owners)
                ours, theirs = lots * instrument.lot, self.positions.get(name, Decimal(0))
                if ours != theirs:
                    found.append(f"position {name}: ours {ours}, venue {theirs}")
        return found

    def _money(self, core: Core) -> list[str]:
        found = []
        for coin, theirs in self.wallet.items():
            ours = Decimal(core.ledger.cash.get(coin, 0)) / _UNIT
            if ours != theirs:
                found.append(f"wallet {coin}: ours {ours}, venue {theirs}")
        return found


def unwell(core: Core, now_ns: int) -> str:
    """Return what keeps an engine from being well, empty when it is (Q18)."""
    if not core.safety.is_reconciled:
        return "the books are not compared"
    for order in core.orders.working.values():
        is_late = order.asked_ns and now_ns - order.asked_ns > _ANSWER_NS
        if order.state in (OrderState.UNKNOWN, OrderState.INTENT) or is_late:
            return f"order {order.id} is {order.state}{' and unanswered' if is_late else ''}"
    for name, market in core.markets.items():
        if why_not := market.why_not(now_ns):
            return f"{name} {why_not}"
    return ""
