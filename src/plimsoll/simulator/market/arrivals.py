"""A recorded book replayed with its real arrival gaps, from its snapshot, restamped to now."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import MarketEvent, MarketNote
from plimsoll.simulator.market.recordings import open_recording
from plimsoll.simulator.settings import SimSettings

Timed = tuple[int, MarketEvent]


class ArrivalsMarket:
    """One instrument that relives a recording."""

    def __init__(self, settings: SimSettings, instrument: Instrument) -> None:
        """Load the recording.

        Raises:
            DataError: the file is missing, truncated or holds no depth snapshot.
        """
        self._instrument = instrument
        self._speed = settings.speed
        self._recording = open_recording(Path(settings.data), instrument)
        self._next = self._recording.first + 1
        self._first_ns = self._recording.stamp(self._recording.first)
        self._anchor_ns = 0
        self._ended = False

    def first_price(self) -> Decimal:
        """Return the best bid of the snapshot."""
        return self._instrument.tick * max(price for price, _ in self._recording.opening.bids)

    def start(self, now_ns: int) -> list[Timed]:
        """Begin at wall time ``now_ns`` with the snapshot."""
        self._anchor_ns = now_ns
        return [(now_ns, self._recording.opening)]

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield the messages whose gap from the snapshot has passed."""
        elapsed = int((now_ns - self._anchor_ns) * self._speed)
        while self._next < self._recording.count:
            passed = self._recording.stamp(self._next) - self._first_ns
            if passed > elapsed:
                return
            event = self._recording.event(self._next)
            self._next += 1
            if event is not None:
                yield self._anchor_ns + int(passed / self._speed), event
        if not self._ended:
            self._ended = True
            text = f"recording ended after line {self._next}; the market stands still from here"
            yield now_ns, MarketNote(self._instrument.name, text)

    def position(self) -> dict[str, str]:
        """Return the line the replay has reached."""
        where = f"line {self._next} of {self._recording.count}"
        return {self._instrument.name: where + (", ended" if self._ended else "")}
