"""Recorded order books as market events: two formats, one interface.

Arrivals: lines ``<local ns> <json>`` with a REST depth snapshot and streams ``depth``, ``trade``
(the format of another venue); quantities in base coin. Best-price messages are skipped. Depth
messages that end before the snapshot's ``lastUpdateId`` are dropped, as that venue's documentation
asks; those that were heard before the snapshot and say more than it are part of the opening.
Archive: lines of JSON, each an ``orderbook`` frame of this venue, the first a snapshot.
"""

from abc import ABC, abstractmethod
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, Printed
from plimsoll.simulator.market.files import DataError, read_lines

HOW: Final = (
    "a recording has lines '<local ns> <json>' with one REST depth snapshot, "
    "or is an order book archive with one frame a line"
)


class Recording(Protocol):
    """A recorded book and tape; places count lines from 0."""

    count: int
    first: int
    """Place of the snapshot the replay begins at."""
    opening: BookChanged

    def stamp(self, place: int) -> int:
        """Return when a line arrived, in ns."""

    def event(self, place: int) -> MarketEvent | None:
        """Return what a line says, ``None`` where it says nothing of use."""


def open_recording(path: Path, instrument: Instrument) -> Recording:
    """Load a recording, whichever format it has; its prices become ticks of the instrument.

    Raises:
        DataError: the file is missing, truncated or holds no depth snapshot.
    """
    lines = read_lines(path, HOW)
    if lines and lines[0].startswith("{"):
        return _Archive(path, lines, instrument)
    return _Arrivals(path, lines, instrument)


class _Lines(ABC):
    def __init__(self, path: Path, lines: list[str], instrument: Instrument) -> None:
        self.count = len(lines)
        self._path = path
        self._lines = lines
        self._instrument = instrument
        self.first = 0
        self.opening = self._find_snapshot()

    @abstractmethod
    def _find_snapshot(self) -> BookChanged: ...

    def _whole(self, place: int, bids: Any, asks: Any) -> BookChanged:  # noqa: ANN401 - their JSON
        found = self._levels(place, bids), self._levels(place, asks)
        if not found[0] or not found[1]:
            raise DataError(f"{self._path}:{place + 1}: the snapshot has an empty side")
        return BookChanged(self._instrument.name, *found, whole=True)

    def _levels(self, place: int, rows: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - their JSON
        ticks, lots = self._instrument.ticks_of, self._instrument.lots_of
        try:
            found = [
                (
                    ticks(Decimal(price), rounding=ROUND_HALF_EVEN),
                    lots(Decimal(qty), rounding=ROUND_HALF_EVEN),
                )
                for price, qty in rows
            ]
        except (InvalidOperation, ValueError, TypeError, OverflowError) as error:
            where = f"{self._path}:{place + 1}"
            raise DataError(f"{where}: a level is not [price, quantity] ({error})") from error
        if any(price <= 0 or qty < 0 for price, qty in found):
            where = f"{self._path}:{place + 1}"
            raise DataError(f"{where}: a level needs a price above 0 and no negative quantity")
        return found

    def _decoded(self, place: int, text: str) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise DataError(f"{self._path}:{place + 1}: no JSON ({error}); {HOW}") from error
        if not isinstance(found, dict):
            raise DataError(f"{self._path}:{place + 1}: no JSON object; {HOW}")
        return found


class _Arrivals(_Lines):
    _last_update = 0

    def stamp(self, place: int) -> int:
        text = self._lines[place].partition(" ")[0]
        if not (text.isascii() and text.isdigit()):
            raise DataError(f"{self._path}:{place + 1}: no time in front, found {text!r}; {HOW}")
        return int(text)

    def event(self, place: int) -> MarketEvent | None:
        line = self._lines[place]
        if '"bookTicker"' in line:
            return None
        found = self._message(place).get("data")
        if not isinstance(found, dict):
            return None
        name = self._instrument.name
        try:
            if found.get("e") == "depthUpdate" and int(found["u"]) > self._last_update:
                bids, asks = self._levels(place, found["b"]), self._levels(place, found["a"])
                return BookChanged(name, bids, asks)
            if found.get("e") == "trade" and found.get("X", "MARKET") == "MARKET":
                (price, lots), *_ = self._levels(place, [(found["p"], found["q"])])
                taker = Side.SELL if found["m"] else Side.BUY
                return Printed(name, taker, price, lots) if lots else None
        except (KeyError, ValueError, TypeError) as error:
            where = f"{self._path}:{place + 1}"
            raise DataError(f"{where}: a message lacks its fields ({error!r}); {HOW}") from error
        return None

    def _find_snapshot(self) -> BookChanged:
        for place, line in enumerate(self._lines):
            if '"lastUpdateId"' in line:
                found = self._message(place)
                self.first = place
                try:
                    self._last_update = int(found["lastUpdateId"])
                    opening = self._whole(place, found["bids"], found["asks"])
                except (KeyError, ValueError, TypeError) as error:
                    where = f"{self._path}:{place + 1}"
                    raise DataError(f"{where}: not a depth snapshot ({error!r}); {HOW}") from error
                return self._with_earlier(opening)
        raise DataError(f"{self._path}:{self.count}: no depth snapshot found; {HOW}")

    def _with_earlier(self, opening: BookChanged) -> BookChanged:
        """Return the snapshot with newer changes that came before it: REST answers late."""
        bids, asks = dict(opening.bids), dict(opening.asks)
        for place in range(self.first):
            event = self.event(place)
            if isinstance(event, BookChanged):
                bids |= dict(event.bids)
                asks |= dict(event.asks)
        rows = [[row for row in side.items() if row[1]] for side in (bids, asks)]
        return BookChanged(opening.name, rows[0], rows[1], whole=True)

    def _message(self, place: int) -> dict[str, Any]:
        return self._decoded(place, self._lines[place].partition(" ")[2])


class _Archive(_Lines):
    def stamp(self, place: int) -> int:
        found = self._decoded(place, self._lines[place]).get("ts")
        if not isinstance(found, int):
            raise DataError(f"{self._path}:{place + 1}: no time ts, found {found!r}; {HOW}")
        return found * 1_000_000

    def event(self, place: int) -> MarketEvent | None:
        found = self._decoded(place, self._lines[place])
        rows = found.get("data")
        if not isinstance(rows, dict) or not {"b", "a"} <= rows.keys():
            raise DataError(f"{self._path}:{place + 1}: no order book frame; {HOW}")
        if found.get("type") == "snapshot":
            return self._whole(place, rows["b"], rows["a"])
        name = self._instrument.name
        return BookChanged(name, self._levels(place, rows["b"]), self._levels(place, rows["a"]))

    def _find_snapshot(self) -> BookChanged:
        for place in range(self.count):
            found = self.event(place)
            if isinstance(found, BookChanged) and found.whole:
                self.first = place
                return found
        raise DataError(f"{self._path}:{self.count}: no depth snapshot found; {HOW}")
