"""The practical limit, written by hand: one typed decode and a sorted-list book, no checks."""

from bisect import bisect_left, insort

import msgspec


class Rows(msgspec.Struct, gc=False):
    """The used part of a book message's data."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    u: int
    seq: int


class Message(msgspec.Struct, gc=False):
    """The used part of a book message."""

    topic: str
    type: str
    ts: int
    data: Rows


decode = msgspec.json.Decoder(Message, strict=False).decode


class SortedBook:
    """A dict and a sorted key list a side, best last; no sequence check, no fault."""

    __slots__ = ("ask_keys", "asks", "bid_keys", "bids")

    def __init__(self, first: Message) -> None:
        self.bids = dict(first.data.b)
        self.asks = dict(first.data.a)
        self.bid_keys = sorted(self.bids)
        self.ask_keys = sorted(-price for price in self.asks)

    def apply(self, message: Message) -> float:
        """Apply one delta and return the best bid."""
        levels, keys = self.bids, self.bid_keys
        for price, qty in message.data.b:
            if qty == 0.0:
                if levels.pop(price, None) is not None:
                    del keys[bisect_left(keys, price)]
            else:
                if price not in levels:
                    insort(keys, price)
                levels[price] = qty
        levels, keys = self.asks, self.ask_keys
        for price, qty in message.data.a:
            if qty == 0.0:
                if levels.pop(price, None) is not None:
                    del keys[bisect_left(keys, -price)]
            else:
                if price not in levels:
                    insort(keys, -price)
                levels[price] = qty
        return self.bid_keys[-1]
