"""Opens the market a run asks for, and the interface every market has."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import MarketEvent
from plimsoll.simulator.market.arrivals import ArrivalsMarket
from plimsoll.simulator.market.bars import Bar, made_bars, read_bars
from plimsoll.simulator.market.files import DataError
from plimsoll.simulator.market.prices import PricesMarket
from plimsoll.simulator.settings import SimSettings

START_PRICES: Final = {"BTC": Decimal(60000), "ETH": Decimal(3000), "DOGE": Decimal("0.2")}


class MarketSource(Protocol):
    """A market in time."""

    def start(self, now_ns: int) -> list[tuple[int, MarketEvent]]:
        """Begin now; return what already happened, with its times."""

    def due(self, now_ns: int) -> Iterator[tuple[int, MarketEvent]]:
        """Yield what has become due, with its times."""

    def position(self) -> dict[str, str]:
        """Return where each instrument's market stands, for people."""


def open_markets(
    settings: SimSettings, instruments: Mapping[str, Instrument]
) -> list[MarketSource]:
    """Return the markets of a run; every instrument is in exactly one.

    Raises:
        DataError: the file cannot be used, or the instrument is not listed.
    """
    if settings.instrument not in instruments:
        known = ", ".join(instruments)
        raise DataError(
            f"instrument {settings.instrument!r} is not listed here; use one of {known}"
        )
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
            made = made_bars(settings.seed, instrument, prices[instrument.base])
            past[name] = list(islice(made, settings.history_bars))
            bars[name] = made
    return [PricesMarket(settings, dict(instruments), past, bars)]


def _arrivals(settings: SimSettings, instruments: Mapping[str, Instrument]) -> list[MarketSource]:
    replayed = ArrivalsMarket(settings, instruments[settings.instrument])
    price = replayed.first_price()
    others = {name: item for name, item in instruments.items() if name != settings.instrument}
    past: dict[str, list[Bar]] = {}
    bars: dict[str, Iterator[Bar]] = {}
    for name, instrument in others.items():
        same = instrument.base == instruments[settings.instrument].base
        start = price if same else START_PRICES[instrument.base]
        made = made_bars(settings.seed, instrument, start)
        past[name], bars[name] = list(islice(made, settings.history_bars)), made
    return [replayed, PricesMarket(settings, others, past, bars)]
