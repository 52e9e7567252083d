"""Opens the market a run asks for, and the interface every market has."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import MarketEvent
from plimsoll.simulator.market.arrivals import ArrivalsMarket
from plimsoll.simulator.market.bars import Bar, made_bars, read_bars
from plimsoll.simulator.market.calibrated import CalibratedMarket
from plimsoll.simulator.market.files import DataError
from plimsoll.simulator.market.prices import PricesMarket
from plimsoll.simulator.settings import SimSettings

START_PRICES: Final = {"BTC": Decimal(60000), "ETH": Decimal(3000), "DOGE": Decimal("0.2")}
_OTHER_PRICE: Final = Decimal("0.2")
"""Of the extra symbols: their filters are those of DOGE."""


class MarketSource(Protocol):
    """A market in time."""

    def start(self, now_ns: int) -> list[tuple[int, MarketEvent]]:
        """Begin now; return what already happened, with its times."""

    def due(self, now_ns: int) -> Iterator[tuple[int, MarketEvent]]:
        """Yield what has become due, with its times."""

    def position(self) -> dict[str, str]:
        """Return where each instrument's market stands, for people."""


def open_markets(
    settings: SimSettings,
    instruments: Mapping[str, Instrument],
    watched: Callable[[str], bool] = lambda name: True,
) -> list[MarketSource]:
    """Return the markets of a run; every instrument is in exactly one.

    Args:
        settings: What to run.
        instruments: Everything listed, by name.
        watched: Whether anybody looks at an extra symbol; those nobody looks at stand still.

    Raises:
        DataError: the file cannot be used, or the instrument is not listed.
    """
    if settings.instrument not in instruments:
        known = ", ".join(instruments)
        raise DataError(
            f"instrument {settings.instrument!r} is not listed here; use one of {known}"
        )
    usual = {name: item for name, item in instruments.items() if item.base in START_PRICES}
    extra = {name: item for name, item in instruments.items() if name not in usual}
    markets = _usual(settings, usual)
    if extra:
        past = {name: list(islice(_bars(settings, item), 1)) for name, item in extra.items()}
        markets.append(CalibratedMarket(settings, extra, past, watched))
    return markets


def _usual(settings: SimSettings, instruments: dict[str, Instrument]) -> list[MarketSource]:
    if settings.market == "arrivals":
        return _arrivals(settings, instruments)
    bars: dict[str, Iterator[Bar]] = {}
    past: dict[str, list[Bar]] = {}
    prices = dict(START_PRICES)
    if settings.data:
        own = instruments[settings.instrument]
        found = read_bars(Path(settings.data), own)
        count = min(settings.history_bars, len(found) // 2)
        past[own.name], bars[own.name] = found[:count], iter(found[count:])
        prices[own.base] = own.tick * found[count].open
    for name, instrument in instruments.items():
        if name not in bars:
            past[name], bars[name] = _past(settings, instrument, prices[instrument.base])
    if settings.market == "calibrated":
        return [CalibratedMarket(settings, instruments, past)]
    return [PricesMarket(settings, instruments, past, bars)]


def _arrivals(settings: SimSettings, instruments: dict[str, Instrument]) -> list[MarketSource]:
    replayed = ArrivalsMarket(settings, instruments[settings.instrument])
    price = replayed.first_price()
    others = {name: item for name, item in instruments.items() if name != settings.instrument}
    past: dict[str, list[Bar]] = {}
    bars: dict[str, Iterator[Bar]] = {}
    for name, instrument in others.items():
        same = instrument.base == instruments[settings.instrument].base
        start = price if same else START_PRICES[instrument.base]
        past[name], bars[name] = _past(settings, instrument, start)
    return [replayed, PricesMarket(settings, others, past, bars)]


def _bars(settings: SimSettings, instrument: Instrument) -> Iterator[Bar]:
    return made_bars(settings.seed, instrument, _OTHER_PRICE)


def _past(
    settings: SimSettings, instrument: Instrument, price: Decimal
) -> tuple[list[Bar], Iterator[Bar]]:
    """Return the minutes before the start, and the generator of those after it."""
    made = made_bars(settings.seed, instrument, price)
    return list(islice(made, settings.history_bars)), made
