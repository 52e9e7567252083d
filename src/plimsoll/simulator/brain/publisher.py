"""Which topics an instrument has, and the frames that are due on those somebody hears."""

from collections.abc import Callable, Iterator
from typing import Final

from plimsoll.simulator.brain.book_topic import BookTopic, depth_of
from plimsoll.simulator.brain.candles import INTERVALS
from plimsoll.simulator.brain.market_topics import (
    KlineTopic,
    LiquidationTopic,
    PriceLimitTopic,
    TapeTopic,
    TickerTopic,
)
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.topic import Topic


class Publisher:
    """Frames of one instrument; a topic costs nothing while nobody subscribes to it."""

    def __init__(self, market: PublicMarket, *, is_paced: bool = True) -> None:
        """Publish a market; without pace each change of the book is a frame of its own."""
        self.market = market
        self._is_paced = is_paced
        self._topics: dict[str, Topic] = {}

    @property
    def is_heard(self) -> bool:
        """Return whether anybody subscribes to anything here."""
        return bool(self._topics)

    def view(self, topic: str) -> bool:
        """Return whether the topic exists here (``orderbook.50.BTCUSDT``); start publishing it."""
        if topic in self._topics:
            return True
        made = _make(topic, self.market)
        if made is None:
            return False
        if not self._topics:
            self.market.finished.clear()
        if isinstance(made, BookTopic):
            made.period_ms = made.period_ms if self._is_paced else 0
            self.market.readers.append(made)
        if isinstance(made, TapeTopic):
            self.market.unsent = []
        self._topics[topic] = made
        return True

    def drop(self, topic: str) -> None:
        """Stop publishing a topic nobody subscribes to any more."""
        gone = self._topics.pop(topic, None)
        if isinstance(gone, BookTopic):
            self.market.readers.remove(gone)
        if isinstance(gone, TapeTopic):
            self.market.unsent = None

    def snapshot(self, topic: str, now_ms: int) -> bytes | None:
        """Return the frame a new subscriber starts with, if the topic has one."""
        return self._topics[topic].snapshot(now_ms)

    def books(self) -> list[str]:
        """Return the book topics somebody subscribes to."""
        return [name for name, topic in self._topics.items() if isinstance(topic, BookTopic)]

    def restart(self) -> None:
        """Number every book anew: its next snapshot has ``u`` = 1."""
        self.market.first_u = 1
        self.market.book_u.clear()
        for topic in self._topics.values():
            if isinstance(topic, BookTopic):
                topic.u = 1

    def due(self, now_ms: int) -> Iterator[tuple[str, bytes]]:
        """Yield the frames due now, by topic."""
        for name, topic in self._topics.items():
            for frame in topic.due(now_ms):
                yield name, frame
        if self.market.finished:
            self.market.finished.clear()


_MAKERS: Final[dict[str, Callable[[str, PublicMarket], Topic]]] = {
    "publicTrade": TapeTopic,
    "tickers": TickerTopic,
    "allLiquidation": LiquidationTopic,
    "priceLimit": PriceLimitTopic,
}
_LINEAR_ONLY: Final = frozenset({"allLiquidation"})


def _make(topic: str, market: PublicMarket) -> Topic | None:
    is_spot = market.listing.is_spot
    name, _, rest = topic.partition(".")
    word, _, symbol = rest.rpartition(".")
    if symbol != market.listing.instrument.symbol:
        return None
    if name == "orderbook" and word:
        found = depth_of(word, is_spot=is_spot)
        return BookTopic(topic, market, *found) if found else None
    if name == "kline" and word in INTERVALS:
        return KlineTopic(topic, market, word)
    if word or name not in _MAKERS or (is_spot and name in _LINEAR_ONLY):
        return None
    return _MAKERS[name](topic, market)
