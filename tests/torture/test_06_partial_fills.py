"""Row 6: partial fills and cancels break the amounts.

What it costs: the order was filled by a third before it was cancelled, the fee was taken from the
coin bought, and the bot sells what it had ordered: refused for want of coins, or a rest stays for
ever.

We promise: what is held follows from executions and their fees alone. An exit is exactly what is
held after fees, rounded down to a lot, whatever the orders before it said.

Judged on spot, where the fee of a buy is coins: targets change at random, the venue fills parts,
cancels the rest, ends market orders early, and tells of it late and out of order. It never sees
sells of more than its own count of coins; every exit placed when all is told is that count to the
lot; and in the end only dust is left, and our ledger says how much, to the last unit.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.properties.driver import (
    CASH,
    MS,
    SPOT,
    Driver,
    Message,
    execution_of,
    one_strategy,
    report_of,
    settings_of,
)
from tests.torture.bench import sized

from plimsoll.core.model import OrderState, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    IncidentRaised,
    OrderIntended,
    RequestAnswered,
)

CASES = sized(60, 1_000)
STEPS = 40
LOT = 100
"""Cash units of coin."""
DUST_LOTS = 21
"""The venue takes no order under 1 USDT."""
PRICE = 5_000_000


@dataclass
class Resting:
    """An order at the venue, in lots."""

    sent: OrderIntended
    qty: int
    cum: int = 0
    is_live: bool = True

    @property
    def leaves(self) -> int:
        return (self.qty - self.cum) * self.is_live


@dataclass
class Shop:
    """The venue's own count: orders, coins after fees, and what it has yet to tell."""

    choose: random.Random
    driver: Driver
    orders: dict[str, Resting] = field(default_factory=dict)
    coins: int = 0
    untold: list[Message] = field(default_factory=list)
    handles: list[Any] = field(default_factory=list)
    seen: int = 0
    executions: int = 0
    exits: int = 0
    clock_ms: int = 0
    wished: float = 0.0
    is_calm: bool = False
    """Everything is filled at once and whole."""

    def take(self) -> None:
        """Take what was sent."""
        while self.seen < len(self.driver.sent):
            sent: Any = self.driver.sent[self.seen]
            self.seen += 1
            action, outcome = "create", "accepted"
            if isinstance(sent, OrderIntended):
                self.create(sent)
            else:
                order = self.orders[sent.client_order_id]
                action = "amend" if isinstance(sent, AmendIntended) else "cancel"
                if not order.is_live:
                    outcome = "gone"
                elif isinstance(sent, CancelIntended):
                    order.is_live = False
                    self.tell(order)
                else:
                    order.qty = max(sent.qty_lots, order.cum + 1)
                    self.tell(order)
            self.driver.was_sent(sent.client_order_id, action)
            self.untold.append(answer_of(sent.client_order_id, action, outcome))

    def create(self, sent: OrderIntended) -> None:
        order = Resting(sent, sent.qty_lots)
        if sent.side is Side.SELL:
            going = sum(one.leaves for one in self.orders.values() if one.sent.side is Side.SELL)
            assert going + order.qty <= self.coins // LOT, "more is sold than is held"
            if not self.untold and not going and self.wished == 0:
                self.exits += 1
                assert order.qty == self.coins // LOT, "the exit is not what is held"
        self.orders[sent.client_order_id] = order
        if sent.tif is TimeInForce.IOC:
            if self.is_calm or self.choose.random() < 0.9:
                self.fill(order)
            order.is_live = False
        self.tell(order)

    def fill(self, order: Resting) -> None:
        """Match a part of an order; a buyer pays in coins, a seller in money."""
        lots = order.leaves if self.is_calm else self.choose.randint(1, order.leaves)
        order.cum += lots
        fee = lots * LOT * self.choose.randint(0, 4_000) // 1_000_000
        is_buy = order.sent.side is Side.BUY
        self.coins += lots * LOT - fee if is_buy else -lots * LOT
        self.executions += 1
        self.clock_ms += 1
        self.untold.append(
            execution_of(
                f"x{self.executions}",
                order.sent.client_order_id,
                order.sent.side,
                lots,
                price=PRICE,
                instrument=SPOT,
                fee=fee,
                coin="BTC" if is_buy else "USDT",
                at_ms=self.clock_ms,
                order_qty=order.qty,
            )
        )
        if order.cum == order.qty:
            order.is_live = False
        self.tell(order)

    def tell(self, order: Resting) -> None:
        """Say how an order stands."""
        s = OrderState
        rest = (s.PARTIAL if order.cum else s.OPEN) if order.is_live else s.CANCELED
        self.clock_ms += 1
        self.untold.append(
            report_of(
                order.sent.client_order_id,
                s.FILLED if order.cum == order.qty else rest,
                side=order.sent.side,
                instrument=SPOT,
                price=order.sent.price_ticks,
                qty=order.qty,
                cum=order.cum,
                updated_ms=self.clock_ms,
            )
        )

    def deliver(self, count: int) -> None:
        """Tell some of it, in any order."""
        for _ in range(min(count, len(self.untold))):
            self.driver.say(self.untold.pop(self.choose.randrange(len(self.untold))))
            self.take()

    def answer(self) -> None:
        """Fail every question: what is known is known from the stream."""
        while self.driver.queries:
            self.driver.answer(self.driver.queries.pop(0), ok=False)

    def step(self) -> None:
        self.driver.advance(self.choose.randint(1, 300) * MS)
        self.take()
        self.answer()
        self.clock_ms = max(self.clock_ms, self.driver.now_ns // MS)
        for order in list(self.orders.values()):
            if order.is_live and self.choose.random() < 0.4:
                self.fill(order)
            elif order.is_live and not self.is_calm and self.choose.random() < 0.1:
                order.is_live = False
                self.tell(order)
        self.deliver(self.choose.choice((0, 1, 3, 99)))
        self.driver.book(SPOT)
        self.take()


def answer_of(order_id: str, action: str, outcome: str) -> Message:
    return lambda stamp: RequestAnswered(*stamp, order_id, action, "r", outcome, 0, outcome, "")


def wish(shop: Shop, qty: float) -> None:
    shop.wished = qty
    shop.driver.do(lambda s: s.target(SPOT, f"{qty:.6f}"), on=SPOT)
    shop.take()


def rest(shop: Shop, qty: float) -> None:
    """Let a buy rest beside the target: it is filled part by part, before and after exits."""
    shop.handles.append(shop.driver.do(lambda s: s.buy(SPOT, f"{qty:.6f}", 49_990), on=SPOT))
    shop.take()


def cancel(shop: Shop) -> None:
    shop.driver.do(lambda _: [one.cancel() for one in shop.handles if one.is_working], on=SPOT)
    shop.take()


def test_an_exit_is_what_is_held_after_fees_to_the_lot():
    choose = random.Random(6)
    exits = executions = 0
    for case in range(CASES):
        driver = Driver(settings_of(one_strategy(instruments=(SPOT,)), repeat_max=10**9))
        shop = Shop(choose, driver.live(SPOT))
        for _ in range(STEPS):
            drawn = choose.random()
            if drawn < 0.15:
                wish(shop, 0.0)
            elif drawn < 0.3:
                wish(shop, choose.randint(50, 10_000) / 1e6)
            elif drawn < 0.45:
                rest(shop, choose.randint(50, 5_000) / 1e6)
            elif drawn < 0.55:
                cancel(shop)
            shop.step()
        shop.is_calm = True
        cancel(shop)
        wish(shop, 0.0)
        for _ in range(30):
            shop.deliver(99)
            shop.step()
        shop.deliver(999)
        held = driver.core.ledger.position("s", SPOT)
        where = f"case {case}"
        assert held.qty_units == shop.coins, where
        assert 0 <= shop.coins < DUST_LOTS * LOT, where
        assert not [one for one in shop.orders.values() if one.is_live], where
        codes = [one.code for one in driver.of(IncidentRaised)]
        assert "contradiction" not in codes, where
        assert driver.core.ledger.cash["USDT"] <= 10**6 * CASH, where
        exits += shop.exits
        executions += shop.executions
    assert exits > 2 * CASES
    assert executions > 10 * CASES
