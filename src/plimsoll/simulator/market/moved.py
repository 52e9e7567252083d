"""A market whose prices can be moved away by a share, whatever makes them: the hook of crashes."""

from collections.abc import Iterator
from typing import Final

import msgspec

from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, Printed
from plimsoll.simulator.market.source import MarketSource

Timed = tuple[int, MarketEvent]
Levels = dict[int, int]
_STEP_NS: Final = 100_000_000


class _Move(msgspec.Struct):
    """Prices go from ``before`` to ``after`` times the source's between two times."""

    before: float
    after: float
    begin_ns: int
    end_ns: int
    stepped_ns: int = 0

    def factor(self, at_ns: int) -> float:
        if at_ns >= self.end_ns:
            return self.after
        part = max(0, at_ns - self.begin_ns) / (self.end_ns - self.begin_ns)
        return self.before + (self.after - self.before) * part


class MovedMarket:
    """Passes a source's events on; an instrument that was moved shows its whole book each time."""

    def __init__(self, source: MarketSource) -> None:
        """Wrap a source; nothing is moved yet."""
        self._source = source
        self._books: dict[str, tuple[Levels, Levels]] = {}
        self._moves: dict[str, _Move] = {}

    def start(self, now_ns: int) -> list[Timed]:
        """Begin now; return what already happened, with its times."""
        return [(at_ns, self._passed(at_ns, event)) for at_ns, event in self._source.start(now_ns)]

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield what has become due; while a move lasts, its steps as well."""
        for at_ns, event in self._source.due(now_ns):
            yield at_ns, self._passed(at_ns, event)
        for name, move in self._moves.items():
            if move.stepped_ns < move.end_ns and now_ns - move.stepped_ns >= _STEP_NS:
                move.stepped_ns = now_ns
                yield now_ns, self._whole(name, move.factor(now_ns))

    def position(self) -> dict[str, str]:
        """Return where each instrument's market stands, for people."""
        return self._source.position()

    def move(self, name: str, share: float, seconds: float, now_ns: int) -> bool:
        """Move an instrument by a share of its price; False where this source has it not."""
        if name not in self._books:
            return False
        last = self._moves.get(name)
        before = last.factor(now_ns) if last else 1.0
        end_ns = now_ns + max(1, int(seconds * 1e9))
        self._moves[name] = _Move(before, max(1e-3, before * (1 + share)), now_ns, end_ns)
        return True

    def _passed(self, at_ns: int, event: MarketEvent) -> MarketEvent:
        if isinstance(event, BookChanged):
            self._note(event)
        move = self._moves.get(getattr(event, "name", ""))
        if move is None:
            return event
        factor = move.factor(at_ns)
        if isinstance(event, BookChanged):
            return self._whole(event.name, factor)
        if isinstance(event, Printed):
            ticks = _scaled(event.price_ticks, factor)
            return msgspec.structs.replace(event, price_ticks=ticks)
        return event

    def _note(self, event: BookChanged) -> None:
        book = ({}, {}) if event.whole else self._books.get(event.name, ({}, {}))
        for levels, changes in zip(book, (event.bids, event.asks), strict=True):
            for price, lots in changes:
                if lots:
                    levels[price] = lots
                else:
                    levels.pop(price, None)
        self._books[event.name] = book

    def _whole(self, name: str, factor: float) -> BookChanged:
        bids, asks = self._books[name]
        low = _merged(bids, factor)
        best = max(low, default=0)
        high = {price: lots for price, lots in _merged(asks, factor).items() if price > best}
        return BookChanged(name, list(low.items()), list(high.items()), whole=True)


def _merged(levels: Levels, factor: float) -> Levels:
    found: Levels = {}
    for price, lots in levels.items():
        scaled = _scaled(price, factor)
        found[scaled] = found.get(scaled, 0) + lots
    return found


def _scaled(ticks: int, factor: float) -> int:
    return max(1, round(ticks * factor))
