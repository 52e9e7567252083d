"""An executor under a driver, and a venue that takes, fills or refuses what it sends."""

import json
from typing import Any

from tests.properties.driver import CASH, MS, PERP, PRICE, SECOND, Driver, Venue, one_strategy
from tests.properties.driver import settings_of as settings

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, TimeInForce
from plimsoll.core.records import (
    CancelIntended,
    OperatorCommand,
    OrderDenied,
    OrderIntended,
    PublicTraded,
    StrategyRestored,
)
from plimsoll.core.strategy.executors import is_executor_label

STEP = SECOND // 4


class Bench:
    """Steps of a beat: time passes, the venue answers, books go on."""

    def __init__(self, *instruments: str, mode=Mode.LIVE, core=None, **more):
        self.names = instruments or (PERP,)
        self.settings = core or settings(one_strategy(mode, self.names, **more))
        self.venue = Venue()
        self.venue.wallet = {"USDT": 10**6 * CASH}
        self.share = 1.0
        """How much of an IOC order finds a match."""
        self.rejects = False
        self.is_silent = False
        """Whether creates get no answer."""
        self.mids = dict(PRICE)
        self.seen = 0
        self.driver = Driver(self.settings)
        self.driver.live(*self.names, venue=self.venue)

    def restarted(self, *, is_stale=False, after_s: float = 0.0) -> "Bench":
        """Kill the session; begin another one on what was in its log.

        ``is_stale``: what happened since the newest checkpoint could not be worked out.
        """
        old, other = self.driver, Bench.__new__(Bench)
        other.__dict__ |= self.__dict__
        other.seen = 0
        now_ns = old.now_ns + int(after_s * SECOND)
        state = restore(snapshot(old.core.state))
        other.driver = Driver(self.settings, state=state, epoch=old.epoch + 1, now_ns=now_ns)
        other.driver.updates, other.driver.marks = old.updates, old.marks
        if not is_stale:
            for name, saved in old.core.saved().items():
                other.driver.put(StrategyRestored, name, saved)
        other.driver.live(*self.names, venue=self.venue)
        other.book()
        other.serve()
        return other

    # ---- the strategy ----

    def execute(self, wish: Any, name: str = PERP) -> Any:
        found = self.driver.do(lambda s: s.execute(wish, name), on=self.names[0])
        self.serve()
        return found

    def do(self, action: Any) -> Any:
        found = self.driver.do(action, on=self.names[0])
        self.serve()
        return found

    @property
    def handles(self) -> list[Any]:
        return self.driver.core.trader.desks["s"].executor_handles()

    def command(self, cmd: str, **args: Any) -> None:
        self.driver.put(OperatorCommand, f"c{self.driver.seq}", "anna", cmd, json.dumps(args))
        self.serve()

    # ---- time ----

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * SECOND / STEP)):
            self.driver.advance(STEP)
            self.serve()
            self.book()
            self.serve()

    def book(self) -> None:
        for name in self.names:
            self.driver.book(name, self.mids[name])
            if not name.startswith("spot"):
                self.driver.mark(name, self.mids[name])

    def move(self, name: str, mid: float) -> None:
        self.mids[name] = mid
        self.book()
        self.serve()

    def prints(self, qty: float, name: str = PERP, price: float = 0.0) -> None:
        row = (price or self.mids[name], qty, not price, self.driver.now_ns // MS)
        self.driver.put(PublicTraded, name, [row], row[3])
        self.serve()

    # ---- the venue ----

    def serve(self) -> None:
        """Let what was sent arrive."""
        driver, venue = self.driver, self.venue
        driver.answer_all(venue)
        while self.seen < len(driver.sent):
            sent: Any = driver.sent[self.seen]
            self.seen += 1
            venue.at(driver.now_ns)
            if isinstance(sent, OrderIntended):
                self._create(sent)
            elif isinstance(sent, CancelIntended):
                driver.was_sent(sent.client_order_id, "cancel")
                order = venue.cancel(sent.client_order_id)
                outcome = "accepted" if order else "gone"
                driver.answered(sent.client_order_id, outcome, "cancel")
                if order:
                    driver.say(venue.report(order))
            driver.answer_all(venue)

    def _create(self, sent: OrderIntended) -> None:
        driver, venue, order_id = self.driver, self.venue, sent.client_order_id
        driver.was_sent(order_id)
        if self.rejects:
            driver.answered(order_id, "refused")
            return
        order = venue.create(sent)
        if self.is_silent:
            return
        driver.answered(order_id)
        driver.say(venue.report(order))
        if sent.tif is TimeInForce.IOC:
            lots = int(order.qty * self.share)
            if lots:
                self.fill(order_id, lots)
            if venue.cancel(order_id):
                driver.say(venue.report(order))

    def fill(self, order_id: str, lots: int) -> None:
        """Match an order that rests."""
        for message in self.venue.fill(self.venue.orders[order_id], lots):
            self.driver.say(message)
        self.serve()

    # ---- what was asked for ----

    @property
    def orders(self) -> list[OrderIntended]:
        """Orders of executors that passed the gate."""
        return [one for one in self.driver.of(OrderIntended) if is_executor_label(one.label)]

    @property
    def lots(self) -> list[int]:
        return [one.qty_lots for one in self.orders]

    @property
    def denials(self) -> list[str]:
        return [one.code for one in self.driver.of(OrderDenied)]

    @property
    def resting(self) -> list[Any]:
        return [one for one in self.venue.orders.values() if one.is_live]

    def at_venue(self, name: str = PERP) -> int:
        return self.venue.position.get(name, 0)
