"""A market that goes bad once a minute in one of many ways, under a driver (Q12).

``World`` knows the truth: the venue's own book, and since when what the core holds is not it. The
judge compares each decision that adds risk with that, and with how long the core may take to see
it. A strategy asks for an order at every opportunity, by book and by clock, so that each moment of
bad data is one in which an order could have left.
"""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.properties.driver import CASH, MS, PERP, SECOND, WIDE, Driver, Venue, settings_of

from plimsoll.core.feed import StreamName
from plimsoll.core.records import (
    BookChanged,
    LinkChanged,
    OrderDenied,
    OrderIntended,
    PublicTraded,
    SendRefused,
    StreamChanged,
    TickerChanged,
)
from plimsoll.core.strategy import Strategy

STEP_NS = 100 * MS
FLOOR_NS = 3_500 * MS
COLLAR = 0.05
"""Distance from the truth that a price may have against us (``limits.price_distance``)."""

RECOVERY_NS = 3 * SECOND


class Eager(Strategy):
    """Asks for something whenever it is called; often only while data are bad."""

    is_keen = False

    def on_start(self):
        self.timer("again", 0.25)

    def on_timer(self, name):
        self.timer("again", 0.25)
        self.ask()

    def on_book(self, market):
        if self.is_keen or self.rng.below(100) == 0:
            self.ask()

    def ask(self):
        (self.buy if self.rng.below(2) else self.sell)(PERP, "0.001")


@dataclass
class Verdict:
    """What a run found."""

    faults: Counter[str]
    causes: Counter[str]
    """Refusals while data were bad, by kind of fault and cause: ``gap: gap``."""
    orders: int
    """Orders while data were good."""
    violations: list[str]
    recoveries_ns: dict[str, int]
    """Longest recovery by kind of fault."""


class World:
    """One instrument, its venue, and a core that trades on it. Time goes in steps of 100 ms."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.verdict = Verdict(Counter(), Counter(), 0, [], {})
        limits = msgspec.structs.replace(WIDE, price_distance_ppm=int(COLLAR * 1_000_000))
        self.strategy = Eager()
        self.driver = Driver(
            settings_of(limits=limits, repeat_max=10**9), load=lambda _one: self.strategy
        )
        self.driver.log = deque(maxlen=100)  # type: ignore[assignment]
        venue = Venue()
        venue.wallet = {"USDT": 10**6 * CASH}
        self.driver.live(venue=venue)
        venue.wallet = self.driver.core.ledger.cash
        self.venue = venue
        self.market = self.driver.core.markets[PERP]
        self.number, self.seq = self.driver.updates[PERP], 1
        self.bid = 500_000
        """The truth: best bid in ticks; the ask is two ticks above."""
        self.told_bid = 0
        """Best bid of the book as it was last sent."""
        self.age_ms = 0
        self.frozen_ms = 0
        self.offset = 0
        """How far the venue's book is from the truth, in ticks: a fault."""
        self.mutes: set[str] = set()
        """Streams that say nothing: book, ticker, prints."""
        self.steps = 0
        self.kind = ""
        self.bad_ns = 0
        """Since when what the core holds is not the truth, 0 = it is."""
        self.bound_ns = 0
        self.good_ns = 0
        """Since when the venue sends nothing but the truth and the core has not recovered."""
        self.spiked = False
        self.is_repaired_by_snapshot = False
        self.snapshot()

    # ---- one step ----

    def step(self) -> None:
        self.steps += 1
        self._judged(self.driver.advance(STEP_NS))
        self.bid += self.random.choice((-1, 0, 0, 1))
        if self.steps % 2 == 0:
            self.delta()
        if self.steps % 5 == 0:
            self.ticker()
        if self.steps % 7 == 0:
            self.prints()
        if self.steps % 40 == 0:
            self.top(self.told_bid)
        if self.steps % 10 == 0:
            self.driver.answer_all(self.venue)
            if self.market.wants_renewal(self.driver.now_ns):
                self.snapshot()
        self._look()

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * SECOND / STEP_NS)):
            self.step()

    # ---- messages ----

    def put(self, kind: Any, *fields: Any) -> None:
        self._judged(self.driver.put(kind, *fields))

    @property
    def venue_ms(self) -> int:
        return self.frozen_ms or self.driver.now_ns // MS - self.age_ms

    def snapshot(self, *, restart: bool = False) -> None:
        if "book" in self.mutes:
            return
        self.number = 1 if restart else self.number + 1
        self.seq += 1
        self.told_bid = self.bid + self.offset
        self.mend()
        self._book(True, [(self.told_bid, 5.0)], [(self.told_bid + 2, 5.0)])

    def delta(self) -> None:
        if "book" in self.mutes:
            return
        bid = self.bid + self.offset
        rows: Any = [(bid, 5.0)], [(bid + 2, 5.0)]
        if bid != self.told_bid:
            rows = [(self.told_bid, 0.0), *rows[0]], [(self.told_bid + 2, 0.0), *rows[1]]
        self.send(*rows)
        self.told_bid = bid

    def send(self, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        """Send a delta; a whole and true one mends what no snapshot is needed for."""
        self.number += 1
        self.seq += 1
        if not (self.is_repaired_by_snapshot or self.offset or self.age_ms or self.frozen_ms):
            self.mend()
        self._book(False, bids, asks)

    def _book(self, is_snapshot: bool, bids: Any, asks: Any, depth: int = 50) -> None:
        sides = [[(ticks / 10, qty) for ticks, qty in side] for side in (bids, asks)]
        self.put(
            BookChanged, PERP, depth, is_snapshot, self.number, self.seq, self.venue_ms, *sides
        )

    def top(self, bid: int) -> None:
        """Send the best levels as another depth has them at the same sequence."""
        if "book" not in self.mutes:
            if self.kind == "disagreeing" and bid == self.told_bid:
                self.mend()
            self._book(True, [(bid, 5.0)], [(bid + 2, 5.0)], depth=1)

    def ticker(self) -> None:
        if "ticker" not in self.mutes:
            mark = (self.bid + 1) / 10
            fields = (0.0, mark, mark, 0.0, 0, self.driver.now_ns // MS)
            self.put(TickerChanged, PERP, *fields)
            if self.kind == "frozen ticker":
                self.mend()

    def prints(self) -> None:
        if "prints" not in self.mutes:
            at_ms = self.driver.now_ns // MS
            self.put(PublicTraded, PERP, [(self.bid / 10, 1.0, False, at_ms)], at_ms)

    # ---- faults ----

    def spoil(self, kind: str, bound_ns: int = 0, *, by_snapshot: bool = False) -> None:
        """From here on the core does not hold the truth."""
        self.kind, self.bad_ns, self.bound_ns = kind, self.driver.now_ns, bound_ns
        self.is_repaired_by_snapshot = by_snapshot
        self.strategy.is_keen = True
        self.verdict.faults[kind] += 1

    def mend(self) -> None:
        """The next message brings the truth, whole."""
        if self.good_ns:
            self.bad_ns, self.spiked = 0, False

    def heal(self) -> None:
        """The venue sends nothing but the truth from now on."""
        self.age_ms = self.frozen_ms = self.offset = 0
        self.mutes.clear()
        self.good_ns = self.driver.now_ns

    # ---- the judge ----

    def _look(self) -> None:
        if not self.good_ns:
            return
        took_ns = self.driver.now_ns - self.good_ns
        if self.market.doubt(self.driver.now_ns) is None and not self.bad_ns:
            longest = self.verdict.recoveries_ns
            longest[self.kind] = max(longest.get(self.kind, 0), took_ns)
            self.good_ns, self.strategy.is_keen = 0, False
        elif took_ns > RECOVERY_NS:
            doubt = self.market.doubt(self.driver.now_ns)
            self.verdict.violations.append(f"{self.kind}: {took_ns / SECOND} s, {doubt}")
            self.good_ns = self.driver.now_ns

    def _judged(self, decisions: list[Any]) -> None:
        for one in decisions:
            if isinstance(one, OrderDenied) and self.bad_ns:
                self.verdict.causes[f"{self.kind}: {one.detail or one.code}"] += 1
            elif isinstance(one, OrderIntended):
                self._judge(one)
        for one in decisions:
            if isinstance(one, OrderIntended):
                self.driver.put(SendRefused, one.client_order_id, "create", "test")

    def _judge(self, order: OrderIntended) -> None:
        against = (order.price_ticks / (self.bid + 1) - 1) * order.side.sign
        if against > COLLAR + 0.001:
            self.verdict.violations.append(f"{self.kind}: {against:.1%} from the truth")
        if not self.bad_ns:
            self.verdict.orders += 1
        elif not self.spiked and order.ts_ns > self.bad_ns + self.bound_ns:
            late_ms = (order.ts_ns - self.bad_ns) // MS
            self.verdict.violations.append(f"{self.kind}: an order {late_ms} ms after it began")


Fault = Callable[[World, random.Random], None]


def gap(world: World, _draw: random.Random) -> None:
    world.spoil("gap", by_snapshot=True)
    world.number += 1
    world.delta()
    world.heal()


def crossed(world: World, draw: random.Random) -> None:
    world.spoil("crossed", by_snapshot=True)
    world.send([(world.told_bid + draw.choice((2, 3, 50)), 1.0)], [])
    world.heal()


def bad_level(world: World, draw: random.Random) -> None:
    world.spoil("bad level", by_snapshot=True)
    price, qty = draw.choice(((-10, 1.0), (world.bid - 9, float("nan")), (world.bid - 9, -1.0)))
    world.send([(price, qty)], [])
    world.heal()


def emptied(world: World, draw: random.Random) -> None:
    world.spoil("emptied")
    if draw.random() < 0.5:
        world.send([(world.told_bid, 0.0)], [])
    else:
        world.send([], [(world.told_bid + 2, 0.0)])
    world.mutes.add("book")
    world.run(draw.uniform(0.1, 5))
    world.heal()


def stale(world: World, draw: random.Random) -> None:
    world.spoil("stale")
    world.age_ms = draw.randint(2_001, 5_000)
    world.delta()
    world.run(draw.uniform(0.5, 8))
    world.heal()


def frozen_time(world: World, draw: random.Random) -> None:
    world.spoil("frozen time", 2 * SECOND + 2 * STEP_NS)
    world.frozen_ms = world.driver.now_ns // MS
    world.run(draw.uniform(2.5, 9))
    world.heal()


def silent_book(world: World, draw: random.Random) -> None:
    world.spoil("silent book", FLOOR_NS + 5 * STEP_NS, by_snapshot=True)
    world.mutes.add("book")
    world.run(draw.uniform(4.5, 20))
    world.number += 7
    world.heal()


def everything_silent(world: World, draw: random.Random) -> None:
    """Nothing comes; the connection notices that its ping is not answered."""
    world.mutes |= {"book", "ticker", "prints"}
    world.run(9)
    world.spoil("everything silent", by_snapshot=True)
    for stream in StreamName:
        world.put(StreamChanged, PERP, stream, "suspect", "the pong is late", False)
    world.run(draw.uniform(0.5, 8))
    for stream in StreamName:
        world.put(StreamChanged, PERP, stream, "live", "data came", True)
    world.heal()


def unnoticed_silence(world: World, draw: random.Random) -> None:
    """Nothing comes and nobody says why: the hard cap is left."""
    world.spoil("unnoticed silence", 15 * SECOND + 5 * STEP_NS, by_snapshot=True)
    world.mutes |= {"book", "ticker", "prints"}
    world.run(draw.uniform(17, 25))
    world.number += 7
    world.heal()


def frozen_ticker(world: World, draw: random.Random) -> None:
    world.spoil("frozen ticker", FLOOR_NS + 5 * STEP_NS, by_snapshot=True)
    world.mutes.add("ticker")
    world.run(draw.uniform(4.5, 12))
    world.heal()


def spike(world: World, draw: random.Random) -> None:
    """One message with the book a fifth away, the next brings it back: the collar's business."""
    world.spoil("spike")
    world.spiked = True
    world.offset = draw.choice((-1, 1)) * world.bid // 5
    world.delta()
    world.step()
    world.heal()


def apart(world: World, draw: random.Random) -> None:
    """The book follows its own chain and is wrong all the same."""
    world.spoil("apart", SECOND)
    world.offset = draw.choice((-1, 1)) * draw.randint(3_000, 12_000)
    world.delta()
    world.run(draw.uniform(1.5, 8))
    world.heal()


def disagreeing(world: World, draw: random.Random) -> None:
    world.spoil("disagreeing", by_snapshot=True)
    world.top(world.told_bid + draw.choice((-3, -1, 1, 7)))
    world.heal()


def void(world: World, draw: random.Random) -> None:
    world.spoil("void", by_snapshot=True)
    world.put(StreamChanged, PERP, "book", draw.choice(("suspect", "dead")), "test", True)
    world.mutes.add("book")
    world.run(draw.uniform(0.5, 5))
    world.put(StreamChanged, PERP, "book", "live", "data came", False)
    world.heal()


def link_down(world: World, draw: random.Random) -> None:
    world.spoil("link down", by_snapshot=True)
    world.put(LinkChanged, "public.linear", False, "reset")
    world.mutes |= {"book", "ticker", "prints"}
    world.run(draw.uniform(0.5, 20))
    world.put(LinkChanged, "public.linear", True, "")
    world.heal()


def restarted(world: World, _draw: random.Random) -> None:
    """A snapshot nobody asked for, counted from one, is the rebuild itself."""
    world.verdict.faults["restarted"] += 1
    world.snapshot(restart=True)
    assert world.market.doubt(world.driver.now_ns) is None


FAULTS: tuple[Fault, ...] = (
    gap,
    crossed,
    bad_level,
    emptied,
    stale,
    frozen_time,
    silent_book,
    everything_silent,
    unnoticed_silence,
    frozen_ticker,
    spike,
    apart,
    disagreeing,
    void,
    link_down,
    restarted,
)


def minutes(seed: int, count: int) -> Iterator[World]:
    """Let a fault happen in each of so many minutes; yield the world after each."""
    world = World(seed)
    draw = world.random
    world.run(5)
    for _ in range(count):
        begun_ns = world.driver.now_ns
        world.run(draw.uniform(1, 20))
        draw.choice(FAULTS)(world, draw)
        world.run(max(5.0, 60 - (world.driver.now_ns - begun_ns) / SECOND))
        yield world
