"""Book topics: whoever applies every frame holds the best levels of the matching book."""

import json
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.matching import MatchingBook
from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.book_topic import BookTopic, depth_of
from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.messages import BookChanged
from plimsoll.simulator.brain.public import PublicMarket

LINEAR, SPOT = "/v5/public/linear", "/v5/public/spot"
NAME = "linear:BTCUSDT"
LISTING = default_listings(("0.01", "0.02"), ("0.005", "0.01"))[NAME]
MIDDLE = 600_000


class NaiveReader:
    """Keeps what the frames say, by the rules of the venue's documentation alone."""

    def __init__(self, snapshot: bytes) -> None:
        self.u = 0
        self.sides: dict[str, dict[str, str]] = {}
        self.read(snapshot)

    def read(self, frame: bytes) -> None:
        message = json.loads(frame)
        data = message["data"]
        if message["type"] == "snapshot":
            self.sides = {side: dict(data[side]) for side in "ba"}
        else:
            assert data["u"] == self.u + 1
            for side in "ba":
                prices = [price for price, _ in data[side]]
                assert len(prices) == len(set(prices))
                for price, size in data[side]:
                    assert price in self.sides[side] or size != "0"
                    self.sides[side].pop(price, None)
                    if size != "0":
                        self.sides[side][price] = size
        self.u = data["u"]

    def levels(self, side: str) -> list[tuple[str, str]]:
        return sorted(self.sides[side].items(), key=lambda row: float(row[0]), reverse=side == "b")


def shown(market: PublicMarket, side: Side, depth: int) -> list[tuple[str, str]]:
    prices, qtys = LISTING.prices.text, LISTING.qtys.text
    return [(prices(ticks), qtys(lots)) for ticks, lots in market.book.levels(side, depth)]


def steps_of(seed: int, count: int) -> Iterator[tuple[Any, ...]]:
    """Yield dense use: a book that is full near the middle, own orders in it, and looks."""
    rng = Random(seed)

    def levels() -> list[tuple[int, int]]:
        offsets = rng.sample(range(1, 13), rng.randrange(5))
        return [(offset, rng.randrange(5)) for offset in offsets]

    yield "book", [(offset, 3) for offset in range(1, 9)], [(offset, 3) for offset in (2, 3)], True
    for _ in range(count):
        match rng.randrange(10):
            case 0:
                yield "order", rng.choice(list(Side)), rng.randrange(-8, 9), rng.randrange(1, 7)
            case 1:
                yield "cancel", rng.randrange(count)
            case 2:
                yield "book", levels(), levels(), rng.random() < 0.2
            case 3 | 4 | 5 | 6:
                yield "book", levels(), levels(), False
            case _:
                yield ("look",)


def apply(market: PublicMarket, number: int, step: tuple[Any, ...]) -> None:
    match step:
        case ("book", bids, asks, whole):
            event = BookChanged(
                NAME,
                [(MIDDLE - offset, lots) for offset, lots in bids],
                [(MIDDLE + offset, lots) for offset, lots in asks],
                whole=whole,
            )
            market.change_book(event, number)
        case ("order", side, offset, lots):
            market.book.submit(f"o{number}", side, MIDDLE + offset, lots, TimeInForce.GTC)
            market.touch(number)
        case ("cancel", which):
            market.book.cancel(f"o{which}")
            market.touch(number)
        case _:
            pass


@given(st.integers(0, 10**9), st.sampled_from([1, 2, 3, 5, 50]))
def test_reader_of_every_frame_holds_the_window(seed: int, depth: int) -> None:
    market = PublicMarket(LISTING, 1, MatchingBook())
    topics = [
        BookTopic("orderbook.50.BTCUSDT", market, depth, 0),
        BookTopic("orderbook.200.BTCUSDT", market, depth + 1, 0),
    ]
    market.readers += topics
    readers = []
    for topic in topics:
        first = topic.snapshot(0)
        assert first is not None
        readers.append(NaiveReader(first))
    for number, step in enumerate(steps_of(seed, 60), start=1):
        apply(market, number, step)
        if step[0] != "look":
            continue
        for topic, reader in zip(topics, readers, strict=True):
            for frame in topic.due(number):
                reader.read(frame)
            for name, side in (("b", Side.BUY), ("a", Side.SELL)):
                assert reader.levels(name) == shown(market, side, topic.depth)
            late = topic.snapshot(number)
            assert late is not None
            assert NaiveReader(late).sides == reader.sides


def test_many_gathered_changes_are_compared_whole() -> None:
    market = PublicMarket(LISTING, 1, MatchingBook())
    topic = BookTopic("orderbook.50.BTCUSDT", market, 50, 20)
    market.readers.append(topic)
    reader = NaiveReader(topic.snapshot(0) or b"")
    for number in range(5000):
        market.change_book(BookChanged(NAME, [(MIDDLE - number % 70, number % 5)], []), 1)
    (frame,) = topic.due(1000)
    reader.read(frame)
    assert reader.levels("b") == shown(market, Side.BUY, 50)


@pytest.mark.parametrize(
    ("word", "linear", "spot"),
    [
        ("1", (1, 10), (1, 10)),
        ("50", (50, 20), (50, 20)),
        ("200", (200, 100), (200, 100)),
        ("1000", (1000, 200), (1000, 200)),
        ("rpi", (50, 100), (50, 100)),
        ("full", None, (10_000, 200)),
        ("500", None, None),
        ("x", None, None),
    ],
)
def test_depths_and_their_periods(word: str, linear: Any, spot: Any) -> None:
    assert depth_of(word, is_spot=False) == linear
    assert depth_of(word, is_spot=True) == spot


def test_pushes_keep_their_period_and_gather_changes(desk: Any) -> None:
    desk.socket(1, LINEAR)
    topics = [f"orderbook.{depth}.BTCUSDT" for depth in (1, 50, 200, 1000)]
    desk.say(1, {"op": "subscribe", "args": topics})
    for step in range(1000):
        desk.book("linear:BTCUSDT", bids=[(MIDDLE, 500 + step)])
        desk.wait(0)
    for topic, period in zip(topics, (10, 20, 100, 200), strict=True):
        stamps = [frame["ts"] for frame in desk.topic(topic)][1:]
        assert {after - before for before, after in pairwise(stamps)} == {period}


def test_unpaced_each_change_is_a_frame_with_its_own_match_time(make_desk: Any) -> None:
    desk = make_desk(push_periods="none")
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
    sent = []
    for step in range(50):
        desk.book("linear:BTCUSDT", bids=[(MIDDLE - step % 3, 500 + step)])
        sent.append(desk.now_ns // 1_000_000)
    first, *frames = desk.topic("orderbook.50.BTCUSDT")
    assert [frame["cts"] for frame in frames] == sent
    assert [frame["data"]["u"] for frame in frames] == [
        first["data"]["u"] + place for place in range(1, 51)
    ]


def test_sequence_is_the_same_on_every_depth(desk: Any) -> None:
    desk.socket(1, LINEAR)
    topics = [f"orderbook.{depth}.BTCUSDT" for depth in (1, 50, 200, 1000)]
    desk.say(1, {"op": "subscribe", "args": topics})
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 7)])
    desk.wait(1)
    assert len({desk.topic(topic)[-1]["data"]["seq"] for topic in topics}) == 1


def test_rpi_rows_have_a_third_column_of_zero(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["orderbook.rpi.BTCUSDT"]})
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 0), (MIDDLE - 1, 7)])
    desk.wait(1)
    first, delta = desk.topic("orderbook.rpi.BTCUSDT")
    assert first["data"]["b"][0] == ["60000.00", "10.000", "0"]
    assert sorted(delta["data"]["b"]) == [["59999.90", "0.007", "0"], ["60000.00", "0", "0"]]


def test_full_book_starts_from_rest_and_follows_by_deltas(desk: Any) -> None:
    desk.socket(1, SPOT)
    desk.say(1, {"op": "subscribe", "args": ["orderbook.full.BTCUSDT"]})
    ask = {"category": "spot", "symbol": "BTCUSDT"}
    start = desk.get("/v5/market/full_orderbook", **ask)["result"]
    for step in range(5):
        desk.book("spot:BTCUSDT", bids=[(5_999_000 + step, 5 + step)])
        desk.wait(1)
    frames = desk.topic("orderbook.full.BTCUSDT")
    assert {frame["type"] for frame in frames} == {"delta"}
    assert [frame["data"]["u"] for frame in frames] == [start["u"] + n for n in range(1, 6)]
    held = {side: dict(start[side]) for side in "ba"}
    for frame in frames:
        for side in "ba":
            held[side].update(frame["data"][side])
    end = desk.get("/v5/market/full_orderbook", **ask)["result"]
    assert held == {side: dict(end[side]) for side in "ba"}
    assert end["u"] == frames[-1]["data"]["u"]


def test_rest_book_has_the_update_id_of_depth_1000(desk: Any) -> None:
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    alone = desk.get("/v5/market/orderbook", **ask)["result"]["u"]
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 7)])
    assert desk.get("/v5/market/orderbook", **ask)["result"]["u"] == alone + 1
    desk.socket(1, LINEAR)
    snapshot = desk.say(1, {"op": "subscribe", "args": ["orderbook.1000.BTCUSDT"]})[1]
    assert snapshot["data"]["u"] == alone + 1
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 9)])
    desk.wait(1)
    delta = desk.topic("orderbook.1000.BTCUSDT")[-1]
    assert delta["data"]["u"] == alone + 2
    assert desk.get("/v5/market/orderbook", **ask)["result"]["u"] == alone + 2


def test_update_id_goes_on_after_everybody_left(desk: Any) -> None:
    desk.socket(1, LINEAR)
    topic = "orderbook.50.BTCUSDT"
    desk.say(1, {"op": "subscribe", "args": [topic]})
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 7)])
    desk.wait(1)
    last = desk.topic(topic)[-1]["data"]["u"]
    desk.say(1, {"op": "unsubscribe", "args": [topic]})
    desk.book("linear:BTCUSDT", bids=[(MIDDLE, 8)])
    desk.wait(1)
    back = desk.say(1, {"op": "subscribe", "args": [topic]})[1]
    assert (back["type"], back["data"]["u"]) == ("snapshot", last)
    assert back["data"]["b"][0] == ["60000.00", "0.008"]
