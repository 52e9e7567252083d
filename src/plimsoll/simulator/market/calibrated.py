"""The calibrated market: instruments whose order flow was measured, each on its own clock."""

from collections.abc import Callable, Iterator
from math import log2
from typing import Final

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import MarketEvent, Past
from plimsoll.simulator.market.bars import Bar
from plimsoll.simulator.market.calibration import profile_of
from plimsoll.simulator.market.decks import Decks
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.flow import OrderFlow
from plimsoll.simulator.settings import SimSettings

Timed = tuple[int, MarketEvent]
_NS: Final = 1_000_000_000
_LOOK_NS: Final = 50_000_000
"""How often is asked which instruments are watched."""


class CalibratedMarket:
    """Order flows in time. Where ``watched`` is given, an instrument moves only while it is."""

    def __init__(
        self,
        settings: SimSettings,
        instruments: dict[str, Instrument],
        past: dict[str, list[Bar]],
        watched: Callable[[str], bool] | None = None,
    ) -> None:
        """Go on from the last bar of each instrument's past."""
        self._settings = settings
        self._past = past
        self._watched = watched
        self._anchor_ns = 0
        decks: dict[tuple[object, ...], Decks] = {}
        self._tracks: list[_Track] = []
        for name, item in instruments.items():
            price = past[name][-1].close
            profile = profile_of(item.category, item.base)
            key = profile, item.tick_size, item.lot_size, round(log2(price))
            if key not in decks:
                draw = draw_of(settings.seed, name, "decks")
                decks[key] = Decks(item, profile, price, draw)
            flow = OrderFlow(item, decks[key], price, draw_of(settings.seed, name, "flow"))
            self._tracks.append(_Track(settings, flow))
        self._awake = [] if watched else list(self._tracks)
        self._looked_ns = -_LOOK_NS

    def start(self, now_ns: int) -> list[Timed]:
        """Begin now; return the past minutes and the first books."""
        self._anchor_ns = now_ns
        events: list[Timed] = []
        for name, bars in self._past.items():
            for ago, bar in zip(range(len(bars), 0, -1), bars, strict=True):
                past = Past(name, ago, bar.open, bar.high, bar.low, bar.close, bar.lots)
                events.append((now_ns, past))
        self._past = {}
        return events + [(now_ns, track.opening()) for track in self._tracks]

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield what arrived up to now, each instrument in its own order."""
        speed = self._settings.speed
        elapsed = int((now_ns - self._anchor_ns) * speed)
        if self._watched is not None and now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            before = self._awake
            self._awake = [track for track in self._tracks if self._watched(track.flow.name)]
            for track in self._awake:
                if track not in before:
                    track.wake(elapsed)
        for track in self._awake:
            for at_ns, event in track.until(elapsed):
                yield self._anchor_ns + int(at_ns / speed), event

    def position(self) -> dict[str, str]:
        """Return how many arrivals each instrument has had."""
        return {track.flow.name: f"arrival {track.count}" for track in self._tracks}


class _Track:
    """One flow and when its next arrival is due; times are ns of the path."""

    def __init__(self, settings: SimSettings, flow: OrderFlow) -> None:
        self.flow = flow
        self.count = 0
        self._burst = settings.burst
        self._planned = settings.bursts
        self._at_ns = 0
        self._events: list[MarketEvent] = []

    def opening(self) -> MarketEvent:
        book = self.flow.opening()
        self._draw_next()
        return book

    def until(self, elapsed_ns: int) -> Iterator[Timed]:
        while self._at_ns <= elapsed_ns:
            for event in self._events:
                yield self._at_ns, event
            self.count += 1
            self._draw_next()

    def wake(self, elapsed_ns: int) -> None:
        self._at_ns = max(self._at_ns, elapsed_ns)

    def _draw_next(self) -> None:
        waited_s, self._events = self.flow.next()
        factor = self._burst
        for begin_s, length_s, more in self._planned:
            if begin_s * _NS <= self._at_ns < (begin_s + length_s) * _NS:
                factor *= more
        self._at_ns += int(waited_s / factor * _NS)
