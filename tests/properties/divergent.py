"""A venue where things happen that nobody may have heard of, and a session that trades on it."""

import random
from typing import Any

from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    Driver,
    Listed,
    Message,
    Venue,
    execution_of,
    row_of,
)

from plimsoll.core.model import OrderState, Side, TimeInForce

PRICE = 500_000
"""Everything trades here, so that the venue's cash is what its fees and rows say."""


class Divergent(Venue):
    """Books, cash and a transaction log that move by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.wallet = {"USDT": 10**6 * CASH}
        self.log: list[tuple[int, Any]] = []
        self.count = 0

    def book(self, name: str, side: Side, lots: int, fee: int, **named: Any) -> Message:
        """Note an execution and what it did to position and wallet."""
        at_ms = self._tick()
        made = execution_of(f"e{self.count}", name, side, lots, fee=fee, at_ms=at_ms, **named)
        self.executions.append((at_ms, name, made, made))
        if named.get("kind") != "Funding":
            self.position[PERP] = self.position.get(PERP, 0) + side.sign * lots
        self.wallet["USDT"] -= fee
        self.count += 1
        kind = "SETTLEMENT" if named.get("kind") == "Funding" else "TRADE"
        funding = -fee if kind == "SETTLEMENT" else 0
        self._row(
            kind, -fee, at_ms, instrument=PERP, execution=f"e{self.count - 1}", funding=funding
        )
        return made

    def move(self, kind: str, change: int) -> None:
        self.wallet["USDT"] += change
        self._row(kind, change, self._tick())

    def _row(self, kind: str, change: int, at_ms: int, **named: Any) -> None:
        self.log.append((at_ms, (f"r{len(self.log)}", kind, change, {"at_ms": at_ms, **named})))

    def rows(self, query):
        if query.kind != "cash":
            return super().rows(query)
        return [
            row_of(name, kind, change, query_id=query.query_id, **named)
            for at_ms, (name, kind, change, named) in self.log
            if at_ms >= query.since_ms
        ]


def diverge(venue: Divergent, choose: random.Random) -> list[Message]:
    """Let something happen at the venue; return what its streams would say."""
    fee = choose.randint(-5, 40)
    live = [order for order in venue.orders.values() if order.is_live]
    what = choose.choice(("fill", "cancel", "hand", "hand order", "forced", "funding", "cash"))
    side = choose.choice(list(Side))
    if what == "fill" and live:
        order = choose.choice(live)
        lots = choose.randint(1, order.leaves)
        made = venue.book(order.id, order.side, lots, fee, order_qty=order.qty)
        order.cum += lots
        order.updated_ms = venue._tick()
        order.status = OrderState.FILLED if order.cum == order.qty else OrderState.PARTIAL
        return [made, venue.report(order)]
    if what == "cancel" and live:
        listed = venue.cancel(choose.choice(live).id)
        assert listed is not None
        return [venue.report(listed)]
    if what == "hand":
        lots = choose.randint(1, 15)
        return [venue.book(f"h{venue.count}", side, lots, fee, order_qty=lots)]
    if what == "hand order":
        name = f"o{len(venue.orders)}"
        made_order = Listed(name, PERP, side, PRICE, 9, False, TimeInForce.GTC, venue._tick())
        venue.orders[name] = made_order
        return [venue.report(made_order)]
    held = venue.position.get(PERP, 0)
    if what == "forced" and held:
        lots = choose.randint(1, abs(held))
        close = Side.SELL if held > 0 else Side.BUY
        kind, by = choose.choice((("AdlTrade", ""), ("Trade", "CreateByLiq"), ("BustTrade", "")))
        named = {"kind": kind, "create_type": by, "order_qty": lots}
        return [venue.book(f"v{venue.count}", close, lots, 0, **named)]
    if what == "funding" and held:
        return [venue.book(f"f{venue.count}", Side.BUY, abs(held), fee, kind="Funding")]
    venue.move(
        choose.choice(("TRANSFER_IN", "INTEREST", "BONUS", "WHATEVER")), choose.randint(-99, 99)
    )
    return []


def session(choose: random.Random) -> tuple[Driver, Divergent]:
    venue = Divergent()
    driver = Driver().live(venue=venue)
    for _ in range(choose.randint(0, 3)):
        side, price = choose.choice((("buy", "49990"), ("sell", "50010")))
        order = driver.open_order(side, "0.010", price)
        venue.at(driver.now_ns)
        sent: Any = driver.sent[-1]
        venue.create(sent)
        assert order.id in venue.orders
    return driver, venue


def settle(driver: Driver, venue: Divergent, ns: int) -> None:
    until = driver.now_ns + ns
    while driver.now_ns < until:
        driver.advance(250 * MS)
        driver.answer_all(venue)
