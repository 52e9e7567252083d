"""Order book topics: what subscribers hold, and the delta that brings them to the book of now.

Theory of operation. A topic of depth N shows the best N levels of a side: its *window*, which ends
at ``last`` (``None`` while the book has fewer). Between two frames the topic gathers the market's
own changes and looks only at their prices; what slides into or out of the window without having
changed itself lies between the old and the new ``last``. Where a change is not known level by level
(orders of clients), both windows are compared whole.
"""

from collections.abc import Iterable
from typing import Final

from plimsoll.core.model import Side
from plimsoll.simulator.brain.messages import BookChanged
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.texts import RowTexts
from plimsoll.simulator.brain.topic import Topic

Levels = list[tuple[int, int]]
BOOK_PERIODS_MS: Final = {1: 10, 50: 20, 200: 100, 1000: 200}
FULL_DEPTH: Final = 10_000
_FULL_MS: Final = 200
_RPI_MS: Final = 100
_REPEAT_MS: Final = 3000
_FAR: Final = 1 << 62
"""Rank behind every price."""
_GATHERED_MOST: Final = 2000
"""Changes gathered for one frame; beyond them comparing whole windows is cheaper."""


class BookTopic(Topic):
    """One depth of one instrument; ``u`` grows by one with each frame that says something new."""

    def __init__(self, topic: str, market: PublicMarket, depth: int, period_ms: int) -> None:
        """Publish the best ``depth`` levels, at most one frame each ``period_ms``."""
        super().__init__(topic, market)
        self.depth = depth
        self.period_ms = period_ms
        self.u = market.book_u.get(topic, market.first_u)
        self._rpi = topic.startswith("orderbook.rpi.")
        self._texts = RowTexts(market.listing, rpi=self._rpi)
        self._head = f'{{"topic":"{topic}",'
        self._data = f',"data":{{"s":"{market.listing.instrument.symbol}","b":['
        self._is_spot = market.listing.is_spot
        self._version = -1
        self._seq = market.seq
        self._gathered: list[BookChanged] = []
        self._bids = _Window(market, Side.BUY, depth)
        self._asks = _Window(market, Side.SELL, depth)
        self._read_whole()

    @property
    def is_delta_only(self) -> bool:
        """Return whether a subscriber starts from the REST answer instead of a snapshot."""
        return self.depth == FULL_DEPTH

    def gather(self, event: BookChanged | None) -> None:
        """Take note of a change; ``None`` is one that is not known level by level."""
        if event is None or event.whole or len(self._gathered) >= _GATHERED_MOST:
            self._version = -1
            self._gathered.clear()
        elif self._version >= 0:
            self._gathered.append(event)

    def snapshot(self, now_ms: int) -> bytes | None:
        """Return what subscribers hold now, best first."""
        if self.is_delta_only:
            return None
        return self._frame("snapshot", now_ms, self._bids.rows(), self._asks.rows())

    def due(self, now_ms: int) -> list[bytes]:
        """Return the frame that is due: what changed since the last one."""
        if now_ms - self.sent_ms < self.period_ms:
            return []
        if self._version == self.market.version:
            return self._repeat(now_ms)
        bids, asks = self._read() if self._version >= 0 else self._read_whole()
        if not (bids or asks):
            return []
        self.sent_ms = now_ms
        self.u += 1
        self.market.book_u[self.topic] = self.u
        if self.depth == 1:
            bids, asks = self._bids.rows(), self._asks.rows()
            return [self._frame("snapshot", now_ms, bids, asks)]
        return [self._frame("delta", now_ms, bids, asks)]

    def _repeat(self, now_ms: int) -> list[bytes]:
        if self.depth != 1 or now_ms - self.sent_ms < _REPEAT_MS:
            return []
        self.sent_ms = now_ms
        frame = self.snapshot(now_ms)
        return [frame] if frame else []

    def _read(self) -> tuple[Levels, Levels]:
        gathered = self._gathered
        if len(gathered) == 1:
            bids, asks = gathered[0].bids, gathered[0].asks
        else:
            bids = [row for event in gathered for row in event.bids]
            asks = [row for event in gathered for row in event.asks]
        found = (
            self._bids.follow(bids) if bids else [],
            self._asks.follow(asks) if asks else [],
        )
        self._mark_read()
        return found

    def _read_whole(self) -> tuple[Levels, Levels]:
        found = self._bids.compare(), self._asks.compare()
        self._mark_read()
        return found

    def _mark_read(self) -> None:
        self._gathered.clear()
        self._version = self.market.version
        self._seq = self.market.seq

    def _frame(self, kind: str, now_ms: int, bids: Levels, asks: Levels) -> bytes:
        joined = self._texts.joined
        if self._is_spot:
            head = f'"ts":{now_ms},"type":"{kind}"'
        else:
            head = f'"type":"{kind}","ts":{now_ms}'
        return (
            f'{self._head}{head}{self._data}{joined(bids)}],"a":[{joined(asks)}],'
            f'"u":{self.u},"seq":{self._seq}}},"cts":{min(self.market.changed_ms, now_ms)}}}'
        ).encode()


class _Window:
    """One side of what subscribers hold: quantity by price, and the worst price of the window."""

    __slots__ = ("_book", "_depth", "_held", "_last", "_side", "_sign")

    def __init__(self, market: PublicMarket, side: Side, depth: int) -> None:
        self._book = market.book
        self._side = side
        self._depth = depth
        self._sign = -side.sign
        self._held: dict[int, int] = {}
        self._last: int | None = None

    def rows(self) -> Levels:
        """Return the levels, best first."""
        return sorted(self._held.items(), key=lambda row: row[0] * self._sign)

    def follow(self, changed: Levels) -> Levels:
        """Bring the window up to date, given the market's changes since the last time in order."""
        book, side, held, sign = self._book, self._side, self._held, self._sign
        before, last = self._last, book.price_at(side, self._depth - 1)
        limit = _FAR if last is None else last * sign
        now = dict(changed)
        if book.has_own(side):
            now = dict(book.quantities(side, now))
        rows: Levels = []
        for price, lots in now.items():
            if lots and price * sign <= limit:
                if held.get(price) != lots:
                    held[price] = lots
                    rows.append((price, lots))
            elif price in held:
                del held[price]
                rows.append((price, 0))
        if before != last:
            self._last = last
            rows += self._slid(before, last)
        return rows

    def compare(self) -> Levels:
        """Bring the window up to date by looking at all of it."""
        before, after = self._held, dict(self._book.levels(self._side, self._depth))
        self._held = after
        self._last = self._book.price_at(self._side, self._depth - 1)
        gone = [(price, 0) for price in before if price not in after]
        return gone + [(price, lots) for price, lots in after.items() if before.get(price) != lots]

    def _slid(self, before: int | None, last: int | None) -> Iterable[tuple[int, int]]:
        """Return what entered or left because the window's end moved."""
        book, side, held, sign = self._book, self._side, self._held, self._sign
        rows: Levels = []
        if last is None or (before is not None and last * sign > before * sign):
            entered = [p for p in book.prices_between(side, before, last) if p not in held]
            rows = book.quantities(side, entered)
            held.update(rows)
        else:
            for price in book.prices_between(side, last, before):
                if held.pop(price, None) is not None:
                    rows.append((price, 0))
        return rows


def depth_of(word: str, *, is_spot: bool) -> tuple[int, int] | None:
    """Return depth and push period in ms by the topic's second word, ``None`` for no such topic."""
    if word == "rpi":
        return 50, _RPI_MS
    if word == "full":
        return (FULL_DEPTH, _FULL_MS) if is_spot else None
    if word.isdigit() and int(word) in BOOK_PERIODS_MS:
        return int(word), BOOK_PERIODS_MS[int(word)]
    return None
