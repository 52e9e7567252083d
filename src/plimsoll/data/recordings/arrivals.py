"""Another venue's streams as captured: lines ``<ns> <json>`` with depth, trades and a snapshot.

The messages are those of Binance: a REST answer with ``lastUpdateId`` begins the book, what was in
it already is passed over as that venue's documentation asks, each update names the one before
(``pu`` on futures, ``U`` on spot). Best-price messages are passed over: the depth has them.
"""

from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.feed import DEPTH
from plimsoll.core.records import BookChanged, PublicTraded, Record
from plimsoll.data.errors import NotRecognised
from plimsoll.data.recordings.frames import stamp_of
from plimsoll.data.recordings.reader import MS, Names, Reader

_LINE: Final = "a message '<ns> {...}' with depth, trade or a depth snapshot"
_Level = tuple[float, float]
_MOST: Final = 1e15
_EARLY_MOST: Final = 10_000


class _Data(msgspec.Struct, gc=False):
    e: str = ""
    s: str = ""
    E: int = 0
    T: int = 0
    U: int = 0
    u: int = 0
    pu: int = 0
    b: list[_Level] = []
    a: list[_Level] = []
    p: float = 0.0
    q: float = 0.0
    m: bool = False
    X: str = "MARKET"


class _Message(msgspec.Struct, gc=False):
    data: _Data | None = None
    lastUpdateId: int = 0
    E: int = 0
    bids: list[_Level] = []
    asks: list[_Level] = []


_decode: Final = msgspec.json.Decoder(_Message, strict=False).decode


class ArrivalsReader(Reader):
    """Reads one instrument's capture; its update ids are counted anew, one a message."""

    def __init__(self, path: Path, names: Names, delay_ns: int = 0) -> None:
        """Begin before the first line."""
        super().__init__(path, names, delay_ns)
        self._symbol = next(iter(names)) if len(names) == 1 else ""
        self._told_ms = 0
        self._snapshot_id = 0
        """Of the newest snapshot, 0 before any; what it holds already is passed over."""
        self._follows = False
        """Whether an update has followed the snapshot."""
        self._count = 0
        self._newest = 0
        self._early: deque[_Data] = deque(maxlen=_EARLY_MOST)
        """Updates before the snapshot: it was asked for while they came, and is behind them."""

    def arrived_ns(self, raw: bytes) -> int:
        """Return what stands in front of the message."""
        return 0 if b'bookTicker"' in raw else stamp_of(self, raw) if raw.strip() else 0

    def make(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> Record | None:
        """Return the input of a message."""
        try:
            message = _decode(raw[raw.find(b"{") :])
        except msgspec.MsgspecError as error:
            raise self.unreadable(raw, _LINE, error) from error
        head = seq, ts_ns, epoch, 0
        if message.lastUpdateId:
            return self._snapshot(head, message)
        data = message.data
        if data is None or not data.e:
            return None
        self._symbol, self._told_ms = data.s, data.T or data.E
        name = self.names.get(data.s) or self.instrument(data.s)
        if data.e == "depthUpdate":
            return self._update(head, name, data)
        if data.e == "trade" and data.X == "MARKET" and data.q:
            self._sound([(data.p, data.q)])
            row = (data.p, data.q, not data.m, data.T or data.E)
            return PublicTraded(*head, name, [row], data.T or data.E)
        return None

    def _snapshot(self, head: tuple[int, int, int, int], message: _Message) -> BookChanged:
        if not self._symbol:
            raise NotRecognised(
                "expected messages of one instrument before the snapshot, found none",
                self.where,
                "name one instrument for this file: --data linear:BTCUSDT=FILE",
            )
        self._snapshot_id = self._newest = message.lastUpdateId
        self._follows = False
        name, ms = self.instrument(self._symbol), message.E or self._told_ms or head[1] // MS
        self._count += 1
        self._updates[name] = self._count
        self._sound(message.bids)
        self._sound(message.asks)
        bids, asks = dict(message.bids), dict(message.asks)
        for data in self._early:
            if self._is_next(data):
                bids.update(data.b)
                asks.update(data.a)
        self._early.clear()
        rows = list(bids.items()), list(asks.items())
        return BookChanged(*head, name, DEPTH, True, self._count, self._newest, ms, *rows)

    def _update(
        self, head: tuple[int, int, int, int], name: str, data: _Data
    ) -> BookChanged | None:
        self._sound(data.b)
        self._sound(data.a)
        if not self._snapshot_id:
            self._early.append(data)
            return None
        if not self._is_next(data):
            return None
        self._count += 1
        return BookChanged(
            *head, name, DEPTH, False, self._count, data.u, data.T or data.E, data.b, data.a
        )

    def _is_next(self, data: _Data) -> bool:
        """Return whether an update is to be applied, and not in the snapshot already.

        Raises:
            DataError: it is not the next one.
        """
        if data.u <= self._snapshot_id:
            return False
        follows = data.pu or data.U - 1
        if (self._follows or self._snapshot_id + 1 < data.U) and follows != self._newest:
            raise self._out_of_order(data.u, follows, self._newest)
        self._follows, self._newest = True, data.u
        return True

    def _sound(self, rows: list[_Level]) -> None:
        """Refuse what is no price or quantity: the decoder takes the text "nan" for a number."""
        for price, qty in rows:
            if not (0 < price <= _MOST and 0 <= qty <= _MOST):
                raise self.number(f"[{price}, {qty}]")
