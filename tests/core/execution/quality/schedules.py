"""Logs of chance: a market, orders on paper and live, and a venue that is late, twice and unclear.

What happens at the venue is told with delays drawn for each message, so that fills come before
acknowledgements and after ends, reports out of order, and executions twice. In the end all is told.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from tests.properties.driver import (
    INSTRUMENTS,
    MS,
    PERP,
    SECOND,
    SPOT,
    T0,
    one_strategy,
    report_of,
    settings_of,
)

from plimsoll.core.model import Mode, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    BookChanged,
    CancelIntended,
    ClockMeasured,
    Configured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderDenied,
    OrderIntended,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    Record,
    RequestAnswered,
    SendRefused,
    StreamChanged,
)
from plimsoll.core.settings import to_text

LIVE, PAPER = "live", "paper"
TICKS = {PERP: 500_000, SPOT: 5_000_000}
OFFSET_NS = 7 * MS

Tell = Callable[[tuple[int, int, int, int]], Record]


class Schedule:
    """Makes one log; ``log`` holds it."""

    def __init__(self, seed: int, steps: int) -> None:
        self.random = Random(seed)
        self.log: list[Record] = []
        self.now_ns = T0
        self.epoch = 1
        self.number = 0
        self.updates = 0
        self.told: list[tuple[int, int, Tell]] = []
        self.working: dict[str, Order] = {}
        self.begin()
        for _ in range(steps):
            self.step()
        while self.told:
            self.pass_time(max(0, self.told[0][0] - self.now_ns))
        for _ in range(3):  # the middles that the last fills wait for
            self.pass_time(31 * SECOND)
            self.book(PERP)
            self.book(SPOT)

    # ---- the log ----

    def put(self, kind, *fields, cause=0) -> None:
        self.log.append(kind(len(self.log) + 1, self.now_ns, self.epoch, cause, *fields))

    def later(self, tell: Tell, *, most_ms: int = 400) -> None:
        self.number += 1
        delay_ns = self.random.choice((0, 1, 5, 40, most_ms)) * MS + self.random.randrange(MS)
        heappush(self.told, (self.now_ns + delay_ns, self.number, tell))

    def pass_time(self, ns: int) -> None:
        until = self.now_ns + ns
        while self.told and self.told[0][0] <= until:
            due_ns, _, tell = heappop(self.told)
            self.now_ns = max(self.now_ns, due_ns)
            self.log.append(tell((len(self.log) + 1, self.now_ns, self.epoch, 0)))
        self.now_ns = until

    # ---- sessions and markets ----

    def begin(self) -> None:
        settings = settings_of(one_strategy(name=LIVE), one_strategy(Mode.PAPER, name=PAPER))
        self.put(LeaseTaken, "main", "acc", "test", "1")
        self.put(Configured, to_text(settings))
        for name in (PERP, SPOT):
            self.put(InstrumentListed, INSTRUMENTS[name])
        self.put(ClockMeasured, OFFSET_NS, MS)

    @property
    def venue_ms(self) -> int:
        return (self.now_ns + OFFSET_NS) // MS

    def book(self, name: str) -> int:
        """Send a snapshot: usually sound, at times crossed or with an empty side."""
        draw, tick = self.random, float(INSTRUMENTS[name].tick)
        bid = TICKS[name] + draw.randrange(-300, 300)
        ask = bid + draw.choice((1, 2, 7, 40, -3 if draw.random() < 0.1 else 5))
        asks = [] if draw.random() < 0.05 else [(ask * tick, 5.0), ((ask + 3) * tick, 1.0)]
        bids = [((bid - 2) * tick, 1.0), (bid * tick, 5.0)]
        self.updates += 1
        ms = self.venue_ms - draw.choice((0, 0, 1, 60))  # at times before the message before it
        self.put(BookChanged, name, 50, True, self.updates, self.updates, ms, bids, asks)
        return len(self.log)

    # ---- what may happen ----

    def step(self) -> None:
        draw = self.random
        self.pass_time(draw.choice((0, 1, 3, 20, 150, 900, 4_000)) * MS + draw.randrange(MS))
        what = draw.random()
        if what < 0.45:
            seq = self.book(draw.choice((PERP, SPOT)))
            if self.working and draw.random() < 0.4:
                self.paper_fill(seq)
        elif what < 0.62 or not self.working:
            self.order()
        elif what < 0.82:
            self.random.choice(list(self.working.values())).fill()
        elif what < 0.90:
            self.random.choice(list(self.working.values())).amend()
        elif what < 0.96:
            self.random.choice(list(self.working.values())).cancel()
        else:
            self.disturb()

    def disturb(self) -> None:
        what = self.random.randrange(4)
        if what == 0:
            self.put(LinkChanged, "public.linear", False, "cut")
        elif what == 1:
            self.put(StreamChanged, SPOT, "book", "suspect", "gap", True)
        elif what == 2:
            self.put(OrderDenied, LIVE, PERP, Side.BUY, 1, 1, "rate", "too many")
        else:
            self.pass_time(30 * SECOND)
            self.epoch += 1
            self.begin()

    def order(self) -> None:
        draw = self.random
        self.number += 1
        order = Order(self, f"acc-{self.epoch:06d}-{self.number:09d}-X", draw)
        self.working[order.id] = order
        order.begin()

    def paper_fill(self, cause: int) -> None:
        name = self.log[cause - 1].instrument  # type: ignore[attr-defined]
        for order in list(self.working.values()):
            if order.is_paper and order.name == name:
                order.fill(cause)


class Order:
    """One order as the venue, or the paper venue, holds it."""

    def __init__(self, schedule: Schedule, order_id: str, draw: Random) -> None:
        self.schedule, self.id, self.draw = schedule, order_id, draw
        self.is_paper = draw.random() < 0.4
        self.name = draw.choice((PERP, SPOT))
        self.side = draw.choice(list(Side))
        self.type = draw.choice(list(OrderType))
        self.trigger = TICKS[self.name] + 50 if draw.random() < 0.15 else 0
        self.waits = bool(self.trigger)
        self.price = TICKS[self.name] + draw.randrange(-200, 200)
        self.qty = draw.randrange(1, 30)
        self.cum = 0
        self.updated_ms = 0
        self.fills = 0
        self.is_known = True

    def begin(self) -> None:
        owner = PAPER if self.is_paper else LIVE
        kind = PaperOrderIntended if self.is_paper else OrderIntended
        terms = (self.side, self.type, TimeInForce.GTC, self.price, self.qty, False, "")
        trigger = (self.trigger, True, "last")
        levels = () if self.is_paper else (0, 0)
        self.put(kind, self.id, owner, self.name, *terms, *levels, *trigger)
        if self.is_paper:
            self.report(OrderState.OPEN)
            return
        self.schedule.pass_time(self.draw.randrange(3 * MS))
        if self.draw.random() < 0.05:
            self.put(SendRefused, self.id, "create", "halted")
            self.gone()
            return
        if self.draw.random() > 0.05:  # else it left, and the process died before it said so
            self.put(OrderSent, self.id, "create", "r1", 0, "trade", 1)
        else:
            self.put(OutcomeLost, self.id, "create", "crash")
        self.answer()

    def answer(self) -> None:
        luck = self.draw.random()
        if luck < 0.08:
            self.say(RequestAnswered, self.id, "create", "r1", "refused", 1, "no", "")
            self.gone()
        elif luck < 0.12:
            self.say(RequestAnswered, self.id, "create", "r1", "accepted", 0, "", f"v-{self.id}")
            self.report(OrderState.REJECTED)
            self.gone()
        elif luck < 0.18:
            self.put(OutcomeLost, self.id, "create", "no answer")
            self.say(AbsenceShown, self.id, "not there")
            self.gone()
        else:
            if luck < 0.26:
                self.put(OutcomeLost, self.id, "create", "no answer")
            elif luck < 0.32:
                self.say(RequestAnswered, self.id, "create", "r1", "unknown", 1, "", "")
            else:
                self.say(RequestAnswered, self.id, "create", "r1", "accepted", 0, "", "")
            self.report(OrderState.OPEN)

    def fill(self, cause: int = 0) -> None:
        if self.waits:
            self.waits = False
            self.report(OrderState.OPEN)
            return
        lots = self.draw.randint(1, self.qty - self.cum)
        self.cum += lots
        self.fills += 1
        is_maker, fee = self.draw.random() < 0.5, self.draw.randrange(-5, 50)
        is_base = self.name == SPOT and self.side is Side.BUY
        coin = self.draw.choice(("BTC", "BTC", "MNT")) if is_base else "USDT"
        price = self.price + self.draw.randrange(-20, 20)
        number = f"{self.id}-{self.fills}"
        if self.is_paper:
            terms = (price, lots, fee, coin, is_maker)
            self.schedule.put(PaperFilled, self.id, number, *terms, cause=cause)
            if self.cum == self.qty:
                self.gone()
            return
        for _ in range(self.draw.choice((1, 1, 1, 2))):
            source = self.draw.choice(("stream", "stream", "query"))
            booked = (self.side, price, lots, fee, coin, is_maker, "Trade", self.schedule.venue_ms)
            fields = (number, self.id, f"v-{self.id}", self.name, *booked, source, 0, b"")
            self.schedule.later(_stamped(ExecutionReported, *fields), most_ms=70_000)
        if self.cum == self.qty:
            self.report(OrderState.FILLED)
            self.gone()
        elif self.draw.random() < 0.7:
            self.report(OrderState.PARTIAL)

    def amend(self) -> None:
        price, qty = self.price + 5, self.draw.randrange(self.cum + 1, self.qty + 5)
        kind = PaperAmendIntended if self.is_paper else AmendIntended
        self.put(kind, self.id, price, qty)
        if self.is_paper:
            self.price, self.qty = price, qty
            self.report(OrderState.OPEN)
            return
        self.put(OrderSent, self.id, "amend", "r2", 0, "trade", 1)
        luck = self.draw.random()
        if luck < 0.2:
            self.put(RequestAnswered, self.id, "amend", "r2", "refused", 1, "no", "")
            return
        if luck < 0.4:
            self.put(OutcomeLost, self.id, "amend", "no answer")
        else:
            self.put(RequestAnswered, self.id, "amend", "r2", "accepted", 0, "", "")
        self.price, self.qty = price, qty
        self.report(OrderState.OPEN if not self.cum else OrderState.PARTIAL)

    def cancel(self) -> None:
        kind = PaperCancelIntended if self.is_paper else CancelIntended
        self.put(kind, self.id, "done with it")
        if not self.is_paper:
            self.put(OrderSent, self.id, "cancel", "r3", 0, "trade", 1)
        self.report(self.draw.choice((OrderState.CANCELED, OrderState.EXPIRED)))
        self.gone()

    # ---- telling ----

    def report(self, status: OrderState) -> None:
        if self.is_paper:
            terms = (status, self.price, self.qty, "", self.waits)
            self.put(PaperReported, self.id, *terms)
            return
        self.updated_ms = max(self.updated_ms + 1, self.schedule.venue_ms)
        self.schedule.later(
            report_of(
                self.id,
                status,
                side=self.side,
                instrument=self.name,
                price=self.price,
                qty=self.qty,
                cum=self.cum,
                updated_ms=self.updated_ms,
                source=self.draw.choice(("stream", "stream", "stream", "query")),
                untriggered=self.waits,
            )
        )

    def put(self, kind, *fields) -> None:
        self.schedule.put(kind, *fields)

    def say(self, kind, *fields) -> None:
        self.schedule.later(_stamped(kind, *fields))

    def gone(self) -> None:
        self.schedule.working.pop(self.id, None)


def _stamped(kind, *fields) -> Tell:
    return lambda stamp: kind(*stamp, *fields)
