"""Row 10: the cancel and the fill cross, and the bot enters twice.

What it costs: "order not found" is read as "cancelled", the replacement goes out, and both the old
order and the new one are filled.

We promise: what the venue answers to a cancel says nothing of the fill. A quote is replaced once
the end of the old order is shown, and until then the old one counts in every limit as a whole.

Judged: a quote is withdrawn and wished again while nothing, a part or all of it is filled before
or after the cancel arrives, or the cancel is lost. The execution, the order's new state and the
answer then come in each order, one of them not at all, and the new wish between any two of them.
The venue never has two bids of ours, and held and bid never exceed the limit. Then the same on the
simulated exchange: quotes at the touch of a fast market, messages and answers late and lost.
"""

from itertools import permutations, product
from typing import Any

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    WIDE,
    Driver,
    Listed,
    Message,
    Venue,
    settings_of,
)
from tests.torture.bench import PERP as TRADED
from tests.torture.bench import Bench, engine, sized

from plimsoll.core.feed import Market
from plimsoll.core.model import Side
from plimsoll.core.records import CancelIntended, OrderIntended, RequestAnswered
from plimsoll.core.settings import Timing
from plimsoll.core.strategy import Strategy
from plimsoll.simulator.faults.ask import Ask

QTY, CAP = 10, 15
"""Lots of a quote, and of the largest position allowed: two quotes do not fit."""
FILLS = sized(3, QTY + 1)
STRIDE = sized(5, 1)
"""The gate takes one case in so many."""
REACHES = ("before the cancel", "after the cancel", "cancel lost")
MESSAGES = ("execution", "order", "answer")


class Race:
    """A quote at the venue, whose cancel and fill cross, and what is yet to be told of it."""

    def __init__(self, *, is_capped: bool) -> None:
        most = CAP * 50_500 * CASH // 1_000 if is_capped else WIDE.position_notional
        limits = msgspec.structs.replace(WIDE, position_notional=most)
        self.venue = Venue()
        self.venue.wallet = {"USDT": 10**6 * CASH}
        self.driver = Driver(settings_of(limits=limits, repeat_max=10**6)).live(venue=self.venue)
        self.seen = 0
        self.reached = 0
        """Largest position the venue's own books could lead to, ever."""
        self.bids = 0
        """Most bids it had at one time."""
        self.untold: dict[str, list[Message]] = {name: [] for name in MESSAGES}

    def quote(self, price: str = "") -> None:
        rows = [(price, f"0.{QTY:03d}")] if price else []
        self.driver.do(lambda s: s.quote(PERP, rows, min_life_ms=0))

    def cross(self, fill: int, reach: str) -> str:
        """Withdraw the quote, and let a fill cross with the cancel; return the order's id."""
        self.quote("49000")
        self.arrive()
        [order] = self.venue.orders.values()
        self.quote()
        sent: Any = self.driver.sent[self.seen]
        assert isinstance(sent, CancelIntended)
        self.seen += 1
        self.driver.was_sent(sent.client_order_id, "cancel")
        if reach != "after the cancel":
            self._match(order, fill)
        if reach != "cancel lost":
            self._cancel(order)
        if reach == "after the cancel":
            self._match(order, fill)  # too late: nothing is filled any more
        self.look()
        return order.id

    def _match(self, order: Any, lots: int) -> None:
        if lots and order.is_live:
            execution, report = self.venue.fill(order, lots)
            self.untold["execution"].append(execution)
            self.untold["order"].append(report)

    def _cancel(self, order: Any) -> None:
        listed = self.venue.cancel(order.id)
        if listed is not None:
            self.untold["order"].append(self.venue.report(listed))
        word = "accepted" if listed else "gone"
        self.untold["answer"].append(
            lambda stamp: RequestAnswered(*stamp, order.id, "cancel", "r", word, 0, word, "")
        )

    def arrive(self) -> None:
        """Let the venue take what was sent, with its answers at once."""
        driver, venue = self.driver, self.venue
        while self.seen < len(driver.sent):
            sent: Any = driver.sent[self.seen]
            self.seen += 1
            found: Listed | None
            if isinstance(sent, OrderIntended):
                action, found = "create", venue.create(sent)
            elif isinstance(sent, CancelIntended):
                action, found = "cancel", venue.cancel(sent.client_order_id)
            else:
                action, found = "amend", venue.amend(sent)
            driver.was_sent(sent.client_order_id, action)
            self.look()
            driver.answered(sent.client_order_id, "gone" if found is None else "accepted", action)
            if found is not None:
                driver.say(venue.report(found))

    def look(self) -> None:
        live = [one for one in self.venue.orders.values() if one.is_live and one.side is Side.BUY]
        held = self.venue.position.get(PERP, 0)
        self.bids = max(self.bids, len(live))
        self.reached = max(self.reached, held + sum(one.leaves for one in live))

    def settle(self) -> None:
        """Let everything be asked for and answered that still is not known."""
        until_ns = self.driver.now_ns + Timing().sweep_ns + Timing().answer_ns
        while self.driver.now_ns < until_ns:
            self.driver.advance(250 * MS)
            self.venue.at(self.driver.now_ns)
            self.driver.answer_all(self.venue)
            self.driver.book()
            self.arrive()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_capped", [False, True])
@pytest.mark.parametrize("reach", REACHES)
def test_a_quote_is_replaced_when_the_end_of_the_old_one_is_shown(reach, is_capped):
    fills = [QTY * index // (FILLS - 1) for index in range(FILLS)]
    cases = list(product(fills, permutations(MESSAGES), ("", *MESSAGES), range(4)))
    cases = cases[::STRIDE]
    replaced = filled = 0
    for fill, sequence, lost, wished_after in cases:
        where = f"{fill} filled {reach}, told {sequence}, lost {lost or 'nothing'}"
        race = Race(is_capped=is_capped)
        old = race.cross(fill, reach)
        for number in range(4):
            if number == wished_after:
                race.quote("48990")
            race.arrive()
            for name in sequence[number : number + 1]:
                for message in race.untold[name] if name != lost else ():
                    race.driver.say(message)
        race.arrive()
        race.settle()
        assert race.bids == 1, f"{where}: a second bid"
        assert race.reached <= (CAP if is_capped else 2 * QTY), where
        held = race.venue.position.get(PERP, 0)
        assert race.driver.core.ledger.account_lots(PERP, frozenset()) == held, where
        filled += race.venue.orders[old].cum > 0
        replaced += len(race.venue.orders) > 1 or race.venue.orders[old].price != 490_000
    assert is_capped or replaced == len(cases)
    assert (filled > 0) is (reach != "after the cancel")


class Touchy(Strategy):
    """Quote at the touch on both sides, withdraw, quote again: as often as the market moves."""

    qty: float = 0.02

    def on_start(self) -> None:
        """Count turns."""
        self.turns, self.middle = 0, 0.0

    def on_book(self, market: Market) -> None:
        """Quote or withdraw."""
        name, middle = market.instrument.name, market.book.mid
        if middle == self.middle:
            return  # our own quote is no move: a market that stands still is left alone
        self.turns, self.middle = self.turns + 1, middle
        if self.turns % 2:
            self.quote(name)
            return
        near = middle * 0.00001
        self.quote(name, [(middle - near, self.qty)], [(middle + near, self.qty)], min_life_ms=0)


FAULTS = (
    Ask("slow_answers", rate=0.7, magnitude=1500.0),
    Ask("late_request", rate=0.4, magnitude=600.0, endpoint="order.cancel"),
    Ask("delay_push", rate=0.5, magnitude=900.0),
    Ask("reorder_push", rate=0.3),
    Ask("lose_ack", rate=0.1),
    Ask("lose_request", rate=0.1, endpoint="order.cancel"),
    Ask("drop_push", rate=0.1),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, sized(1, 10) + 2))
def test_the_exchange_never_had_two_quotes_of_a_side(seed):
    bench = Bench(
        engine(TRADED),
        lambda _: Touchy(),
        seed=seed,
        seconds=sized(40, 300),
        pulse_ms=100,
        asks=FAULTS,
        volatile=20.0,
    )
    bench.judged()
    live: dict[str, str] = {}
    for line in bench.lines("order"):
        side, link = line["side"], line["orderLinkId"]
        if line["orderStatus"] in ("Created", "New", "PartiallyFilled"):
            assert live.setdefault(side, link) == link, f"a second {side}: {line}"
        elif live.get(side) == link:
            del live[side]
    asked = {one.client_order_id: one.ts_ns for one in reversed(bench.of(CancelIntended))}
    crossed = [
        line
        for line in bench.lines("execution")
        if line["t_ns"] > asked.get(line["orderLinkId"], 1 << 62)
    ]
    assert len(crossed) >= sized(3, 20), "no fill crossed with a cancel: the session shows little"
