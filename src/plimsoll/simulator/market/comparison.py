"""A recording and the calibrated market, measured alike."""

import itertools
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent
from plimsoll.simulator.market.calibration import profile_of
from plimsoll.simulator.market.decks import Decks
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.files import DataError, read_lines
from plimsoll.simulator.market.flow import OrderFlow
from plimsoll.simulator.market.recordings import HOW, open_recording
from plimsoll.simulator.market.statistics import Tally

_NS: Final = 1_000_000_000
_SCANNED: Final = 200
"""Lines looked at to learn which instrument a recording is of."""
_QUOTES: Final = ("USDT", "USDC", "USD")


class Comparison(NamedTuple):
    """Two columns of statistics by name; a name may be missing in one."""

    instrument: str
    seconds: float
    period_ms: float
    recording: dict[str, float]
    simulator: dict[str, float]


def compare(path: Path, seconds: float = 0, seed: int = 1) -> Comparison:
    """Measure a recording, and the calibrated market over as much time at the same price.

    Args:
        path: A recording, in either format.
        seconds: How much of it; 0 takes all.
        seed: Of the calibrated market.

    Raises:
        DataError: the file cannot be used.
    """
    instrument = _instrument_of(path)
    recording = open_recording(path, instrument)
    first_ns = recording.stamp(recording.first)
    events: list[tuple[int, MarketEvent]] = [(first_ns, recording.opening)]
    for place in range(recording.first + 1, recording.count):
        at_ns = recording.stamp(place)
        if seconds and at_ns - first_ns > seconds * _NS:
            break
        event = recording.event(place)
        if event is not None:
            events.append((at_ns, event))
    books = [at_ns for at_ns, event in events[1:] if isinstance(event, BookChanged)]
    if len(books) < _BOOKS_LEAST:
        raise DataError(f"{path}: {len(books)} changes of the book are too few to compare; {HOW}")
    gaps = [late - early for early, late in itertools.pairwise(books)]
    period_ns = int(median(gaps))
    recorded = Tally(instrument, 0)
    for at_ns, event in events:
        recorded.take(at_ns, event)
    span_ns = events[-1][0] - first_ns
    simulated = _simulated(instrument, recording.opening, period_ns, span_ns, seed)
    return Comparison(
        instrument.name, span_ns / _NS, period_ns / 1e6, recorded.result(), simulated.result()
    )


_BOOKS_LEAST: Final = 10


def _simulated(
    instrument: Instrument, opening: BookChanged, period_ns: int, span_ns: int, seed: int
) -> Tally:
    price = max(price for price, _ in opening.bids)
    profile = profile_of(instrument.category, instrument.base)
    decks = Decks(instrument, profile, price, draw_of(seed, instrument.name, "decks"))
    flow = OrderFlow(instrument, decks, price, draw_of(seed, instrument.name, "flow"))
    tally = Tally(instrument, period_ns)
    at_ns = _NS  # 0 would mean that nothing was seen yet
    tally.take(at_ns, flow.opening())
    while True:
        waited_s, events = flow.next()
        at_ns += int(waited_s * _NS)
        if at_ns > span_ns + _NS:
            return tally
        for event in events:
            tally.take(at_ns, event)


class _Data(msgspec.Struct):
    s: str = ""
    e: str = ""
    pu: int = 0
    b: list[tuple[str, str]] = []
    a: list[tuple[str, str]] = []


class _Line(msgspec.Struct):
    data: _Data | None = None
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


def _instrument_of(path: Path) -> Instrument:
    """Return the instrument of a recording: symbol as named, steps as its numbers have."""
    symbol, category = "", ""
    ticks, lots = set(), set()
    for number, line in enumerate(read_lines(path, HOW)[:_SCANNED], start=1):
        is_archive = line.startswith("{")
        text = line if is_archive else line.partition(" ")[2]
        if '"depthUpdate"' not in text and '"lastUpdateId"' not in text and not is_archive:
            continue
        try:
            found = msgspec.json.decode(text, type=_Line)
        except msgspec.DecodeError as error:
            raise DataError(f"{path}:{number}: not as expected ({error}); {HOW}") from error
        if found.data is not None and found.data.s:
            symbol = symbol or found.data.s
            category = category or ("linear" if is_archive or found.data.pu else "spot")
        data = found.data or _Data()
        for price, qty in (*found.bids, *found.asks, *data.b, *data.a):
            ticks.add(_places(price))
            lots.add(_places(qty))
    base = next((symbol.removesuffix(end) for end in _QUOTES if symbol.endswith(end)), "")
    if not base or not ticks:
        raise DataError(f"{path}: no order book of a symbol against USDT or USDC found; {HOW}")
    return Instrument(
        name=f"{category}:{symbol}",
        category=category,
        symbol=symbol,
        base=base,
        quote=symbol.removeprefix(base),
        settle="" if category == "spot" else symbol.removeprefix(base),
        tick_size=str(Decimal(1).scaleb(-max(ticks))),
        lot_size=str(Decimal(1).scaleb(-max(lots))),
        min_qty="0",
        max_qty="0",
        max_market_qty="0",
        min_notional="0",
        taker_fee="0",
        maker_fee="0",
    )


def _places(text: str) -> int:
    """Return how many decimal places a number needs."""
    return len(text.partition(".")[2].rstrip("0"))
