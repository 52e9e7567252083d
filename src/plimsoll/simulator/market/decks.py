"""Values of one profile drawn beforehand: drawing from them again is ten times cheaper.

Instruments with the same filters and nearly the same price share them.
"""

from math import exp, log
from typing import Final, NamedTuple

from plimsoll.core.model import Instrument
from plimsoll.simulator.market.calibration import Profile
from plimsoll.simulator.market.draw import Draw

DECK: Final = 4096
"""Values in each deck."""


class Drawn(NamedTuple):
    """One band in steps of the grid; ``inserting`` keeps the measured share of holes."""

    first: int
    width: int
    sizes: list[int]
    deleting: float
    inserting: float


class Decks:
    """A profile in ticks and lots of one instrument near one price."""

    def __init__(
        self, instrument: Instrument, profile: Profile, price_ticks: int, draw: Draw
    ) -> None:
        """Draw every deck."""
        self.profile = profile
        self._draw = draw
        price_ticks = max(2, price_ticks)
        self._lot_value = float(instrument.lot * instrument.tick) * price_ticks
        ticks_per_bp = price_ticks / 10_000
        self.grid = max(1, round(profile.grid_bp * ticks_per_bp))
        ends = [max(1, int(b.to_bp * ticks_per_bp / self.grid)) for b in profile.bands]
        self.steps = [0] + [max(end, place) for place, end in enumerate(ends, start=1)]
        """Steps of the grid at which the bands end, 0 first."""
        self.sizes = [self._lots(band.value, band.sigma) for band in profile.bands]
        self.touch_sizes = self._lots(*profile.touch)
        self.counts = self._values(*profile.levels)
        self.orders = self._lots(*profile.order)
        self.prints = self._values(*profile.prints)
        self.moves = self._values(profile.move_bp[0] * ticks_per_bp, profile.move_bp[1])
        self.bands = self._bands()
        """Bands as often as their share says."""

    def _bands(self) -> list[Drawn]:
        bands, steps = self.profile.bands, self.steps
        drawn = [
            Drawn(
                steps[place] + 1,
                steps[place + 1] - steps[place],
                self.sizes[place],
                band.deleting,
                min(1.0, band.presence * band.deleting / max(0.01, 1 - band.presence)),
            )
            for place, band in enumerate(bands)
        ]
        return self._draw.choices(drawn, [band.share for band in bands], k=DECK)

    def _values(self, median: float, sigma: float) -> list[float]:
        centre, gauss = log(max(median, 1e-9)), self._draw.gauss
        return [exp(gauss(centre, sigma)) for _ in range(DECK)]

    def _lots(self, value: float, sigma: float) -> list[int]:
        scale = value / self._lot_value
        return [max(1, round(scale * one)) for one in self._values(1.0, sigma)]
