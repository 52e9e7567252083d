"""Row 19: ghost levels and crossed books after a reconnect.

People lose money to quotes made around a level that is not there any more: a change applied across
a gap, a snapshot merged instead of taken, a book left crossed. Here a book is either the exchange's
book as it was at that update, or it is not believed and no order that adds risk follows from it.

Judged against a naive twin: a dictionary for each side, fed from the exchange's own clean frames
before any fault touches them, which remembers the book of every update. Whatever the network does
to the frames, each time our book is trusted it must be one of those, whole, and never crossed.
"""

import json
from collections import defaultdict
from typing import Any

import pytest
from tests.torture.stage import ETH, FULL, PERP, SPOT, Stage, actor

from plimsoll.core.strategy import Strategy

SEEDS = range(1, 21) if FULL else range(1, 5)
SECONDS = 120 if FULL else 20
HARM: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("drop_delta", 0.03, {}),
    ("crossed_book", 0.01, {}),
    ("empty_book", 0.01, {}),
    ("zero_book", 0.005, {}),
    ("negative_book", 0.005, {}),
    ("duplicate_frame", 0.03, {"kind": "public"}),
    ("reset", 0.004, {"kind": "public"}),
    ("close", 0.004, {"kind": "public"}),
    ("stall", 0.0, {"kind": "public"}),
    ("half_open_out", 0.0, {"kind": "public"}),
)
ONCE = ("book_restart", "sudden_snapshot", "cut")


class Looks(Strategy):
    """Looks at the book as a strategy does, and keeps what it saw."""

    def on_start(self):
        self.seen = []

    def on_book(self, market):
        book = market.book
        bids, asks = book.depth(50)
        self.seen.append((market.instrument.symbol, market.instrument.name, bids, asks))
        if len(self.seen) % 10 == 0:
            self.buy(market.instrument.name, 10 / book.mid, book.mid * 0.999)


class Twin:
    """Two dictionaries a book, and every state they were in."""

    def __init__(self) -> None:
        self.books: dict[str, tuple[dict[float, float], dict[float, float]]] = {}
        self.states: dict[str, set[Any]] = defaultdict(set)

    def take(self, category: str, frame: bytes) -> None:
        if b'"topic":"orderbook.50.' not in frame:
            return
        message = json.loads(frame)
        data, name = message["data"], f"{category}:{message['data']['s']}"
        if message["type"] == "snapshot":
            self.books[name] = {}, {}
        bids, asks = self.books[name]
        for side, rows in ((bids, data["b"]), (asks, data["a"])):
            for price, qty in rows:
                if float(qty):
                    side[float(price)] = float(qty)
                else:
                    side.pop(float(price), None)
        self.states[name].add(shown(sorted(bids.items(), reverse=True), sorted(asks.items())))


def shown(bids, asks) -> Any:
    return tuple(bids[:50]), tuple(asks[:50])


def spied(stage) -> Twin:
    """Return a twin that hears what the exchange says before the faults do."""
    twin = Twin()
    exchange = stage.venue.exchange
    handle = exchange.handle

    def heard(now_ns, request):
        output = handle(now_ns, request)
        for send in output.sends:
            for number in send.connections[:1]:
                connection = exchange.streams.connections.get(number)
                if connection is not None:
                    twin.take(connection.kind, send.frame)
        return output

    exchange.handle = heard
    return twin


@pytest.mark.parametrize("seed", SEEDS)
def test_a_book_that_is_believed_is_the_exchanges_book_and_never_crossed(seed):
    stage = Stage(
        {"a": Looks, "b": Looks, "c": Looks},
        actor("a", PERP),
        actor("b", ETH),
        actor("c", SPOT),
        seed=seed,
        pulse_ms=100,
        sim={"speed": 5.0},
    )
    twin = spied(stage)
    with stage.running() as engine:
        stage.ready()
        for number, (name, rate, fields) in enumerate(HARM):
            if (number + seed) % 3:
                at_s = 3.0 * (number % 5)
                rates: dict[str, Any] = {"rate": rate} if rate else {}
                stage.ask(name, duration_s=SECONDS / 3, at_s=at_s, **fields, **rates)
        for number in range(SECONDS // 4):
            stage.ask(ONCE[number % 3], kind="public")
            stage.run(4)
        stage.agree(60)
        stage.run(5)
        looks = 0
        for who in "abc":
            for _symbol, name, bids, asks in stage.actors[who].seen:
                assert bids[0][0] < asks[0][0], f"{name} is crossed"
                assert shown(bids, asks) in twin.states[name], f"{name}: a book that never was"
                looks += 1
        assert looks > 100
        for name, market in engine.core.markets.items():
            bids, asks = market.book.depth(50)
            assert shown(bids, asks) in twin.states[name]
