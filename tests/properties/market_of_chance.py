"""A venue that loses, delays and reorders, under a driver: what random runs are made of."""

import random
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import Any

from tests.properties.driver import CASH, MS, PERP, PRICE, SECOND, Driver, Message, Venue

from plimsoll.core.model import Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    LinkChanged,
    OrderIntended,
    QueryIntended,
    Record,
    RequestAnswered,
)
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy import Strategy

ACTION: dict[Any, str] = {OrderIntended: "create", AmendIntended: "amend", CancelIntended: "cancel"}


class Adversary(Strategy):
    """Asks for as much as it can, of every kind, at random but repeatably."""

    def on_book(self, market):
        draw = self.rng.below
        for _ in range(draw(4)):
            own = self.orders(PERP)
            choice = draw(10)
            lots = 1 + draw(12)
            away, closing = 2 + draw(30), draw(4) == 0
            if choice < 4:
                ask, price = (self.buy, -away) if draw(2) else (self.sell, away)
                ask(PERP, f"0.{lots:03d}", PRICE[PERP] + price, reduce_only=closing)
            elif choice < 5:
                ask = self.buy if draw(2) else self.sell
                ask(PERP, f"0.{lots:03d}", reduce_only=closing)
            elif choice < 8 and own:
                order = own[draw(len(own))]
                held = self.handles.get(order.id)
                if held is not None:
                    moved = PRICE[PERP] - away * order.side.sign
                    held.amend(price=moved, qty=f"0.{order.filled_lots + lots:03d}")
            elif own:
                held = self.handles.get(own[draw(len(own))].id)
                if held is not None:
                    held.cancel()

    def __init__(self) -> None:
        self.handles: dict[str, Any] = {}

    def on_order(self, order):
        if order.id not in self.handles:
            handle = self.handles[order.id] = _handle_of(self, order)
            assert handle.order is order


def _handle_of(strategy: Strategy, order: Any) -> Any:
    from plimsoll.core.strategy import OrderHandle

    handle = OrderHandle(strategy._port, order.instrument)
    handle.order = order
    return handle


class Chance:
    """Random delays and losses on every way between a driver and a venue."""

    def __init__(self, settings: CoreSettings, load: Any, seed: int, *, loss=0.1, fail=0.1) -> None:
        self.random = random.Random(seed)
        self.loss, self.fail = loss, fail
        self.venue = self.make_venue()
        self.driver = Driver(settings, load)
        self.coming: list[tuple[int, int, Callable[[], None]]] = []
        self.number = 0
        self.in_flight: dict[int, Record] = {}
        """Requests on their way that will still reach the venue."""
        self.seen_sent = 0
        self.is_calm = False
        self.generation = 0
        self.judge: Callable[[Chance], None] = lambda _chance: None
        self.venue.wallet = {"USDT": 10**6 * CASH}
        self.driver.live(venue=self.venue)
        # Money is not what these runs judge: from here the venue's wallet is what our ledger says.
        self.venue.wallet = self.driver.core.ledger.cash

    def make_venue(self) -> Venue:
        return Venue()

    def later(self, action: Callable[[], None], most_ms=3_000) -> None:
        delay = 5 if self.is_calm else self.random.choice((1, 5, 50, most_ms))
        self.number += 1
        due = self.driver.now_ns + self.random.randint(0, delay * MS)
        heappush(self.coming, (due, self.number, action))

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        self.pump(self.driver.now_ns + self.random.randint(1, 400) * MS)
        self.driver.book()
        self._collect()
        live = [order for order in self.venue.orders.values() if order.is_live]
        for order in live:
            if self.random.random() < 0.3:
                self._match(order)
        if not self.is_calm and self.random.random() < 0.01:
            self._break(self.random.choice(("trade", "private")))

    def calm(self, seconds: int) -> None:
        """No more faults and no more wishes: everything must come to rest."""
        self.is_calm = True
        self.fail = self.loss = 0.0
        until = self.driver.now_ns + seconds * SECOND
        while self.driver.now_ns < until:
            self.pump(self.driver.now_ns + 500 * MS)

    def pump(self, until_ns: int) -> None:
        """Deliver what is due and let timers fire, in order of time."""
        while self.coming and self.coming[0][0] <= until_ns:
            due, _, action = heappop(self.coming)
            self._pass(due)
            action()
            self._collect()
            self.judge(self)
        self._pass(until_ns)

    def _pass(self, until_ns: int) -> None:
        while 0 < (due := self.driver.core.wake_ns) <= until_ns:
            self.driver.advance(max(0, due - self.driver.now_ns))
            self._collect()
        self.driver.advance(max(0, until_ns - self.driver.now_ns))
        self._collect()
        self.venue.at(self.driver.now_ns)

    # ---- what the driver sent ----

    def _collect(self) -> None:
        driver = self.driver
        while self.seen_sent < len(driver.sent):
            sent: Any = driver.sent[self.seen_sent]
            self.seen_sent += 1
            if self.random.random() < self.loss / 2:
                driver.put(*_refused(sent))
                continue
            driver.was_sent(sent.client_order_id, ACTION[type(sent)])
            if self.random.random() >= self.loss:
                self.in_flight[sent.seq] = sent
                # The venue refuses a request older than its receive window (V-2).
                self.later(partial(self._arrive, sent), most_ms=1_900)
            self.judge(self)
        queries, driver.queries = driver.queries, []
        for query in queries:
            self.later(partial(self._query, query, self.generation))

    def _arrive(self, sent: Any) -> None:
        del self.in_flight[sent.seq]
        venue, action = self.venue, ACTION[type(sent)]
        if isinstance(sent, OrderIntended):
            order = venue.create(sent)
            outcome = "accepted"
            self._stream(venue.report(order))
            if order.tif is TimeInForce.IOC:
                if self.random.random() < 0.8:
                    self._match(order)
                if venue.cancel(order.id):
                    self._stream(venue.report(order))
        else:
            touched = (
                venue.amend(sent)
                if isinstance(sent, AmendIntended)
                else venue.cancel(sent.client_order_id)
            )
            outcome = "accepted" if touched else "gone"
            if touched:
                self._stream(venue.report(touched))
        if self.random.random() < self.loss:
            return
        word = "unknown" if self.random.random() < self.loss else outcome
        fields = (sent.client_order_id, action, "r", word, 0, word, "")
        self.later(partial(self._put, RequestAnswered, *fields))

    def _put(self, kind: type[Record], *fields: object) -> None:
        self.driver.put(kind, *fields)

    def _match(self, order: Any) -> None:
        execution, report = self.venue.fill(order, self.random.randint(1, order.leaves))
        for message in self.random.sample((execution, report), 2):
            self._stream(message)
        self.judge(self)

    def _stream(self, message: Message) -> None:
        """Deliver later, sometimes twice; what a broken link carried is lost for good."""
        at = self.generation

        def deliver() -> None:
            if at == self.generation:
                self.driver.say(message)

        self.later(deliver)
        if self.random.random() < 0.1:
            self.later(deliver)

    def _query(self, query: QueryIntended, at: int) -> None:
        if at == self.generation:
            failed = self.random.random() < self.fail
            self.driver.answer(query, () if failed else self.venue.rows(query), ok=not failed)

    def _break(self, link: str) -> None:
        self.driver.put(LinkChanged, link, False, "broken")
        if link == "private":
            self.generation += 1
        self._collect()
        self.driver.put(LinkChanged, link, True, "")


def _refused(sent: Any) -> tuple[Any, ...]:
    from plimsoll.core.records import SendRefused

    return SendRefused, sent.client_order_id, ACTION[type(sent)], "link down"


def worst_lots(chance: Chance) -> int:
    """Return the largest absolute position the venue's own orders can lead to from here."""
    held = chance.venue.position.get(PERP, 0)
    leaves = {(side, closing): 0 for side in Side for closing in (False, True)}
    amends = {
        sent.client_order_id: sent.qty_lots
        for sent in chance.in_flight.values()
        if isinstance(sent, AmendIntended)
    }
    for order in chance.venue.orders.values():
        if order.is_live:
            left = max(order.qty, amends.get(order.id, 0)) - order.cum
            leaves[order.side, order.reduce_only] += left
    for sent in chance.in_flight.values():
        if isinstance(sent, OrderIntended):
            leaves[sent.side, sent.reduce_only] += sent.qty_lots
    lowest, highest = held, held
    if held > 0:
        lowest = max(0, held - leaves[Side.SELL, True])
    elif held < 0:
        highest = min(0, held + leaves[Side.BUY, True])
    lowest -= leaves[Side.SELL, False]
    highest += leaves[Side.BUY, False]
    return max(abs(lowest), abs(highest), abs(held))
