"""Markets that follow bars: prints along a path inside each bar, and a book around it."""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, MarketNote, Past, Printed
from plimsoll.simulator.market.bars import Bar
from plimsoll.simulator.market.depth import DepthMaker
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.path import BAR_NS, SECOND_NS, prints_of
from plimsoll.simulator.settings import SimSettings

Timed = tuple[int, MarketEvent]
_JITTERS: Final = 300
"""Book changes a bar between prints: five a second."""


class PricesMarket:
    """Several instruments, each following its own bars.

    At speed 1 bars lie on wall-clock minutes: a run begins inside its first bar, and what that
    bar did before is applied at once. At other speeds the first bar begins with the run.
    """

    def __init__(
        self,
        settings: SimSettings,
        instruments: dict[str, Instrument],
        past: dict[str, list[Bar]],
        bars: dict[str, Iterator[Bar]],
    ) -> None:
        """Follow ``bars`` from where ``past`` ends, both by instrument name."""
        self._speed = settings.speed
        self._anchor_ns = 0
        self._past = past
        self._tracks = [
            _Track(settings.seed, instruments[name], bars[name]) for name in instruments
        ]

    def start(self, now_ns: int) -> list[Timed]:
        """Begin at wall time ``now_ns``; return the past and the elapsed part of the first bar."""
        self._anchor_ns = now_ns // BAR_NS * BAR_NS if self._speed == 1 else now_ns
        events: list[Timed] = []
        for name, bars in self._past.items():
            for ago, bar in zip(range(len(bars), 0, -1), bars, strict=True):
                past = Past(name, ago, bar.open, bar.high, bar.low, bar.close, bar.lots)
                events.append((self._anchor_ns, past))
        self._past = {}
        for track in self._tracks:
            events += [(self._anchor_ns, event) for event in track.opening()]
        return events + list(self.due(now_ns))

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield what lies on the path up to now, each instrument in its own order."""
        elapsed = int((now_ns - self._anchor_ns) * self._speed)
        for track in self._tracks:
            for at_ns, event in track.until(elapsed):
                yield self._anchor_ns + int(at_ns / self._speed), event

    def position(self) -> dict[str, str]:
        """Return how many bars each instrument has begun, or that it ended."""
        return {track.name: track.position() for track in self._tracks}


class _Track:
    """One instrument: its bars turned into timed events, made one bar at a time."""

    def __init__(self, seed: int, instrument: Instrument, bars: Iterator[Bar]) -> None:
        self.name = instrument.name
        self._instrument = instrument
        self._bars = bars
        self._draw = draw_of(seed, self.name, "path")
        self._begun = 0
        self._ended = False
        self._events: list[Timed] = []
        self._next = 0
        self._depth: DepthMaker | None = None

    def opening(self) -> list[MarketEvent]:
        """Begin the first bar and return the book at its open."""
        bar = self._begin_bar()
        if bar is None:
            return []
        self._depth = DepthMaker(self._instrument, bar.open, self._draw)
        return [self._depth.around(Side.SELL, bar.open)]

    def until(self, elapsed_ns: int) -> Iterator[Timed]:
        while True:
            while self._next < len(self._events):
                at_ns, event = self._events[self._next]
                if at_ns > elapsed_ns:
                    return
                self._next += 1
                yield from self._expand(at_ns, event)
            if self._ended or self._begun * BAR_NS > elapsed_ns:
                return
            if self._begin_bar() is None:
                text = f"bars ended after {self._begun}; the market stands still from here"
                yield self._begun * BAR_NS, MarketNote(self.name, text)

    def position(self) -> str:
        return f"ended after bar {self._begun}" if self._ended else f"bar {self._begun}"

    def _expand(self, at_ns: int, event: MarketEvent) -> Iterator[Timed]:
        if self._depth is None:
            return
        if isinstance(event, Printed):
            yield at_ns, event
            yield at_ns, self._depth.around(event.taker, event.price_ticks)
        elif isinstance(event, BookChanged):
            yield at_ns, self._depth.jitter()

    def _begin_bar(self) -> Bar | None:
        bar = next(self._bars, None)
        if bar is None:
            self._ended = True
            return None
        start = self._begun * BAR_NS
        self._begun += 1
        jitter = BookChanged(self.name, [], [])
        events: list[Timed] = [
            (start + self._draw.randrange(BAR_NS - SECOND_NS // 5), jitter) for _ in range(_JITTERS)
        ]
        events += [
            (start + p.at_ns, Printed(self.name, p.taker, p.price_ticks, p.qty_lots))
            for p in prints_of(bar, self._draw)
        ]
        self._events = sorted(events, key=lambda timed: timed[0])
        self._next = 0
        return bar
