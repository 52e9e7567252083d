"""Daily returns of strategies whose true Sharpe ratio is known: several kinds of chance, seeded."""

import math
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from plimsoll.core.portfolio.statistics.moments import DAYS_A_YEAR

Noise = Callable[[random.Random], Iterator[float]]


class Day(NamedTuple):
    """One day's return and those of its round trips."""

    gain: float
    trips: tuple[float, float]


def normal(draw: random.Random) -> Iterator[float]:
    """Yield noise of variance 1."""
    while True:
        yield draw.gauss(0.0, 1.0)


def fat(draw: random.Random) -> Iterator[float]:
    """Yield the same with the tails of Student's t with 4 degrees of freedom."""
    while True:
        spread = math.sqrt(draw.gammavariate(2.0, 2.0) / 4.0)
        yield draw.gauss(0.0, 1.0) / spread / math.sqrt(2.0)


def sticky(draw: random.Random) -> Iterator[float]:
    """Yield the same with an autocorrelation of 0.2 from day to day."""
    now = draw.gauss(0.0, 1.0)
    while True:
        yield now
        now = 0.2 * now + math.sqrt(1 - 0.04) * draw.gauss(0.0, 1.0)


def moody(draw: random.Random) -> Iterator[float]:
    """Yield the same, calm and wild by turns of some weeks."""
    is_wild = draw.random() < 0.5
    while True:
        yield draw.gauss(0.0, 1.34 if is_wild else 0.45)
        is_wild ^= draw.random() < 0.05


def crashing(draw: random.Random) -> Iterator[float]:
    """Yield small gains and, once in 200 days, a loss of 9 deviations: whoever sells tails."""
    chance, loss = 0.005, 9.0
    gain = chance * loss / (1 - chance)
    rest = math.sqrt((1 - chance * loss * loss) / (1 - chance) - gain * gain)
    while True:
        yield -loss if draw.random() < chance else draw.gauss(gain, rest)


NOISES: Final[dict[str, Noise]] = {
    "normal": normal,
    "fat tails": fat,
    "autocorrelated": sticky,
    "calm and wild": moody,
    "crashing": crashing,
}


def days_of(noise: Noise, sharpe: float, spread: float, draw: random.Random) -> Iterator[Day]:
    """Yield the days of a strategy whose true Sharpe ratio is known."""
    mean = sharpe / math.sqrt(DAYS_A_YEAR)
    for one in noise(draw):
        gain, apart = (mean + one) * spread, draw.gauss(0.0, 1.0) * spread / 2
        yield Day(gain, (gain / 2 + apart, gain / 2 - apart))
