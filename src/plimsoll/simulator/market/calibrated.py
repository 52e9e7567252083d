"""The calibrated market: instruments whose order flow was measured, each on its own clock."""

from collections.abc import Callable, Iterator
from typing import Final

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import MarketEvent, Past
from plimsoll.simulator.market.bars import Bar
from plimsoll.simulator.market.calibration import profile_of
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.flow import OrderFlow
from plimsoll.simulator.settings import SimSettings

Timed = tuple[int, MarketEvent]
_NS: Final = 1_000_000_000


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
        self._tracks = [
            _Track(settings, item, past[name][-1].close) for name, item in instruments.items()
        ]

    def start(self, now_ns: int) -> list[Timed]:
        """Begin now; return the past minutes and the first books."""
        self._anchor_ns = now_ns
        events: list[Timed] = []
        for name, bars in self._past.items():
            for ago, bar in zip(range(len(bars), 0, -1), bars, strict=True):
                past = Past(name, ago, bar.open, bar.high, bar.low, bar.close, bar.lots)
                events.append((now_ns, past))
        self._past = {}
        return events + [(now_ns, track.flow.opening()) for track in self._tracks]

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield what arrived up to now, each instrument in its own order."""
        speed = self._settings.speed
        elapsed = int((now_ns - self._anchor_ns) * speed)
        for track in self._tracks:
            if self._watched is None or self._watched(track.flow.name):
                for at_ns, event in track.until(elapsed):
                    yield self._anchor_ns + int(at_ns / speed), event
            else:
                track.sleep(elapsed)

    def position(self) -> dict[str, str]:
        """Return how many arrivals each instrument has had."""
        return {track.flow.name: f"arrival {track.count}" for track in self._tracks}


class _Track:
    """One flow and when its next arrival is due; times are ns of the path."""

    def __init__(self, settings: SimSettings, instrument: Instrument, price_ticks: int) -> None:
        profile = profile_of(instrument.category, instrument.base)
        draw = draw_of(settings.seed, instrument.name, "flow")
        self.flow = OrderFlow(instrument, profile, price_ticks, draw)
        self.count = 0
        self._burst = settings.burst
        self._planned = settings.bursts
        self._at_ns = 0
        self._events: list[MarketEvent] = []
        self._draw_next()

    def until(self, elapsed_ns: int) -> Iterator[Timed]:
        while self._at_ns <= elapsed_ns:
            for event in self._events:
                yield self._at_ns, event
            self.count += 1
            self._draw_next()

    def sleep(self, elapsed_ns: int) -> None:
        self._at_ns = max(self._at_ns, elapsed_ns)

    def _draw_next(self) -> None:
        waited_s, self._events = self.flow.next()
        factor = self._burst
        for begin_s, length_s, more in self._planned:
            if begin_s * _NS <= self._at_ns < (begin_s + length_s) * _NS:
                factor *= more
        self._at_ns += int(waited_s / factor * _NS)
