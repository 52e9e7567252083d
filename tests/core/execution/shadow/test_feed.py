"""The market without us, held against a naive twin that made the market of others and us.

The twin knows what others and we have at each price, and adds them up to what the venue publishes.
What the venue tells of us comes late, twice and out of order; once it is told, the feed must be
what the twin has of the others, to the lot.
"""

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.driver import INSTRUMENTS, MS, PERP

from plimsoll.core.execution.quality.middles import Places
from plimsoll.core.execution.shadow.feed import Feed
from plimsoll.core.execution.shadow.own import KEPT_ENDED, KEPT_PRINTS_MS, OwnPrints
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import (
    BookChanged,
    ExecutionReported,
    InstrumentListed,
    OrderReported,
    PublicTraded,
)

BUY, SELL = Side.BUY, Side.SELL
BID, ASK = 500_000, 500_001
LOT = float(INSTRUMENTS[PERP].lot)
PER = 10


def report(order, side, price, lots, cum, status, ms):
    terms = (PERP, side, status, price, lots, cum, False, False, ms, "", "stream", 0, b"")
    return OrderReported(0, ms * MS, 1, 0, "", order, *terms)


def execution(order, side, price, lots, ms, *, is_maker=True):
    terms = (PERP, side, price, lots, 0, "USDT", is_maker, "Trade", ms, "stream", 0, b"")
    return ExecutionReported(0, ms * MS, 1, 0, f"e{order}{ms}", "", order, *terms)


class World:
    """Others' levels and ours, and the feed that is told their sum."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.ms = 1_700_000_000_000
        self.others = {BUY: {BID - place: 50 for place in range(5)}}
        self.others[SELL] = {ASK + place: 50 for place in range(5)}
        self.ours: dict[str, list] = {}  # side, price, lots, filled
        self.made = 0
        self.untold: list = []
        self.public: dict[Side, dict[int, int]] = {BUY: {}, SELL: {}}
        places = Places()
        places.on_listed(InstrumentListed(1, 0, 1, 0, INSTRUMENTS[PERP]))
        self.places, self.feed = places, Feed(places.of[PERP])
        self.updates = 0
        self.publish(is_snapshot=True)

    def total(self, side: Side) -> dict[int, int]:
        found = dict(self.others[side])
        for own_side, price, lots, filled in self.ours.values():
            if own_side is side:
                found[price] = found.get(price, 0) + lots - filled
        return found

    def publish(self, *, is_snapshot: bool = False) -> BookChanged:
        """Tell the feed what changed in the sum; return what it makes of it."""
        rows = {}
        for side in (BUY, SELL):
            now, before = self.total(side), {} if is_snapshot else self.public[side]
            changed = {price: lots for price, lots in now.items() if before.get(price) != lots}
            changed |= {price: 0 for price in before if price not in now}
            rows[side] = [(price / PER, lots * LOT) for price, lots in changed.items()]
            self.public[side] = now
        self.updates += 1
        head = (PERP, 50, is_snapshot, self.updates, self.updates, self.ms)
        change = BookChanged(0, self.ms * MS, 1, 0, *head, rows[BUY], rows[SELL])
        self.places.on_book(change, self.feed.middles)
        assert self.feed.is_whole
        return self.feed.on_book(change)

    def act(self) -> None:
        self.ms += self.random.randrange(1, 4)
        roll = self.random.random()
        if roll < 0.3 or not self.ours:
            self.place()
        elif roll < 0.5:
            self.fill()
        elif roll < 0.6:
            self.cancel()
        else:
            side = self.random.choice((BUY, SELL))
            price = self.random.choice(list(self.others[side]))
            self.others[side][price] = self.random.randrange(1, 90)

    def place(self) -> None:
        self.made += 1
        side, lots = self.random.choice((BUY, SELL)), self.random.randrange(1, 9)
        price = self.random.choice(list(self.others[side]))
        self.ours[f"v{self.made}"] = [side, price, lots, 0]
        self.untold.append(report(f"v{self.made}", side, price, lots, 0, OrderState.OPEN, self.ms))

    def fill(self) -> None:
        name = self.random.choice(list(self.ours))
        side, price, lots, filled = self.ours[name]
        more = self.random.randrange(1, lots - filled + 1)
        self.ours[name][3] = filled + more
        status = OrderState.PARTIAL
        if filled + more == lots:
            status = OrderState.FILLED
            del self.ours[name]
        self.untold.append(execution(name, side, price, more, self.ms))
        self.untold.append(report(name, side, price, lots, filled + more, status, self.ms))

    def cancel(self) -> None:
        name = self.random.choice(list(self.ours))
        side, price, lots, filled = self.ours.pop(name)
        end = report(name, side, price, lots, filled, OrderState.CANCELED, self.ms)
        self.untold.append(end)

    def tell(self, how_many: int, *, shuffled: bool) -> None:
        told, self.untold = self.untold[:how_many], self.untold[how_many:]
        if shuffled:  # executions may overtake reports; each is told once by the caller
            self.random.shuffle(told)
        for record in told:
            if type(record) is OrderReported:
                self.feed.own.on_reported(record)
                if self.random.random() < 0.3:
                    self.feed.own.on_reported(record)
            else:
                self.feed.own.on_executed(record)

    def of_feed(self) -> dict[Side, dict[int, int]]:
        """Return the levels of the feed in ticks and lots; none of them is negative."""
        found = {}
        for side, rows in zip((BUY, SELL), self.feed.rows(), strict=True):
            found[side] = {round(price * PER): round(qty / LOT) for price, qty in rows}
            assert all(qty >= 0 for _, qty in rows)
        return found


def keep(kept: dict[Side, dict[int, int]], change: BookChanged) -> None:
    """Take a message over as a reader of the feed does."""
    for side, rows in ((BUY, change.bids), (SELL, change.asks)):
        for price, qty in rows:
            assert qty >= 0.0
            kept[side][round(price * PER)] = round(qty / LOT)


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 80), is_late=st.booleans())
@settings(deadline=None)
def test_the_feed_is_what_the_others_have_once_all_is_told(seed, steps, is_late):
    world = World(seed)
    kept: dict[Side, dict[int, int]] = {BUY: {}, SELL: {}}
    for _ in range(steps):
        world.act()
        if not is_late:
            world.tell(len(world.untold), shuffled=True)
        elif world.random.random() < 0.4:
            world.tell(world.random.randrange(4), shuffled=False)
        keep(kept, world.publish())
        if not is_late:
            assert world.of_feed() == world.others
    world.tell(len(world.untold), shuffled=False)
    world.ms += 1
    keep(kept, world.publish())
    assert world.of_feed() == world.others
    for side in (BUY, SELL):  # and message by message it comes to the same
        for price, lots in kept[side].items():
            assert lots == world.others[side].get(price, 0)


def test_what_is_not_in_the_book_yet_is_not_taken_out_of_it():
    world = World(1)
    later = report("v1", BUY, BID, 7, 0, OrderState.OPEN, world.ms + 20)
    world.feed.own.on_reported(later)  # told by a faster connection than the book's
    world.ms += 10
    assert world.publish().bids == []
    assert world.of_feed() == world.others
    world.ms += 10
    world.ours["v1"] = [BUY, BID, 7, 0]
    ((price, qty),) = world.publish().bids
    assert (price, round(qty / LOT)) == (BID / PER, 50)
    assert world.of_feed() == world.others


def test_more_than_there_is_leaves_nothing_and_nothing_negative():
    world = World(1)
    world.feed.own.on_reported(report("v1", BUY, BID, 70, 0, OrderState.OPEN, world.ms))
    world.ms += 1
    assert world.publish().bids == [(BID / PER, 0.0)]
    assert world.of_feed()[BUY][BID] == 0


def test_an_order_that_waits_for_its_trigger_is_in_no_book():
    world = World(1)
    waiting = report("v1", BUY, BID, 7, 0, OrderState.OPEN, world.ms)
    world.feed.own.on_reported(msgspec.structs.replace(waiting, is_untriggered=True))
    world.ms += 1
    assert world.publish().bids == []


def test_an_old_report_does_not_bring_an_ended_order_back():
    world = World(1)
    own = world.feed.own
    own.on_reported(report("v1", BUY, BID, 7, 0, OrderState.CANCELED, world.ms + 5))
    world.ms += 10
    world.publish()
    own.on_reported(report("v1", BUY, BID, 7, 0, OrderState.OPEN, world.ms - 9))
    world.ms += 1
    world.publish()
    assert own.at == {}


def test_nothing_is_kept_of_orders_long_over():
    world = World(1)
    own = world.feed.own
    for number in range(3 * KEPT_ENDED):
        for status in (OrderState.OPEN, OrderState.CANCELED):
            world.ms += 1
            own.on_reported(report(f"v{number}", BUY, BID, 7, 0, status, world.ms))
        world.publish()
    assert len(own._ended) == KEPT_ENDED
    assert not own._known
    assert not own._shown
    assert not own._pending


# ---- the tape ----


def prints(world: World, *rows) -> PublicTraded:
    told = [(price / PER, lots * LOT, is_buy, world.ms) for price, lots, is_buy in rows]
    record = PublicTraded(0, world.ms * MS, 1, 0, PERP, told, world.ms)
    world.feed.market.on_public_trade(record, 0)
    return record


def lots_of(rows) -> list[tuple[int, int]]:
    return [(round(price * PER), round(qty / LOT)) for price, qty, _, _ in rows]


def test_a_print_loses_what_is_ours_in_it_and_one_of_us_alone_is_gone():
    world = World(1)
    world.feed.on_executed(execution("v1", BUY, BID, 3, world.ms))
    world.feed.on_executed(execution("v2", BUY, ASK, 5, world.ms, is_maker=False))
    tape = prints(world, (BID, 10, False), (ASK, 5, True), (ASK, 2, False))
    strict, flow = world.feed.on_public_trade(tape)
    assert lots_of(strict) == [(BID, 7), (ASK, 2)]
    assert lots_of(flow) == [(BID, 10), (ASK, 2)], "who hit us would have hit the next"


def test_one_execution_in_several_prints_and_several_in_one():
    ours = OwnPrints()
    ms = 1_700_000_000_000
    ours.on_executed(execution("v1", SELL, ASK, 8, ms))
    assert ours.rest_of(ASK, 5, ms, is_buy=True) == 0
    assert ours.rest_of(ASK, 5, ms + 2, is_buy=True) == 2
    for order in ("v2", "v3"):
        ours.on_executed(execution(order, SELL, ASK, 2, ms + 5))
    assert ours.rest_of(ASK, 9, ms + 5, is_buy=True) == 5
    assert not ours.is_waiting


def test_another_price_side_or_time_is_another_print():
    ours = OwnPrints()
    ms = 1_700_000_000_000
    ours.on_executed(execution("v1", SELL, ASK, 8, ms))
    assert ours.rest_of(ASK + 1, 8, ms, is_buy=True) == 8
    assert ours.rest_of(ASK, 8, ms, is_buy=False) == 8
    assert ours.rest_of(ASK, 8, ms + 100, is_buy=True) == 8
    ours.forget(ms + KEPT_PRINTS_MS)
    assert ours.missing == 1
    assert not ours.is_waiting


@given(seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_any_tape_is_left_with_what_others_traded(seed):
    random, ours, ms = Random(seed), OwnPrints(), 1_700_000_000_000
    tape, others = [], 0
    for number in range(random.randrange(1, 30)):
        ms += random.randrange(20)
        theirs, mine = random.randrange(5), random.randrange(5)
        if mine:
            ours.on_executed(execution(f"v{number}", SELL, ASK, mine, ms))
        if theirs + mine:
            tape.append((theirs + mine, ms))
        others += theirs
    assert sum(ours.rest_of(ASK, lots, at, is_buy=True) for lots, at in tape) == others
