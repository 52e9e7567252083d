"""A recorded book replayed with its real arrival gaps.

Recording: lines ``<local ns> <json>`` with a REST depth snapshot and streams ``depth``, ``trade``
(Binance USD-M format); quantities in base coin. Best-price messages are not needed and skipped.
Depth messages that end before the snapshot's ``lastUpdateId`` are dropped, as that venue's
documentation asks; the replay begins at the snapshot.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, MarketNote, Printed
from plimsoll.simulator.market.files import DataError, read_lines
from plimsoll.simulator.settings import SimSettings

Timed = tuple[int, MarketEvent]
_HOW: Final = "a recording has lines '<local ns> <json>' with one REST depth snapshot"


class ArrivalsMarket:
    """One instrument that relives a recording, restamped to now."""

    def __init__(self, settings: SimSettings, instrument: Instrument) -> None:
        """Load the recording.

        Raises:
            DataError: the file is missing, truncated or holds no depth snapshot.
        """
        self._path = Path(settings.data)
        self._instrument = instrument
        self._speed = settings.speed
        self._lines = read_lines(self._path, _HOW)
        self._next = 0
        self._first_ns = 0
        self._anchor_ns = 0
        self._last_update = 0
        self._ended = False
        self._opening = self._find_snapshot()

    def first_price(self) -> Decimal:
        """Return the best bid of the snapshot."""
        return self._instrument.tick * max(price for price, _ in self._opening.bids)

    def start(self, now_ns: int) -> list[Timed]:
        """Begin at wall time ``now_ns`` with the snapshot."""
        self._anchor_ns = now_ns
        return [(now_ns, self._opening)]

    def due(self, now_ns: int) -> Iterator[Timed]:
        """Yield the messages whose gap from the snapshot has passed."""
        elapsed = int((now_ns - self._anchor_ns) * self._speed)
        while self._next < len(self._lines):
            line_ns = self._stamp(self._next)
            if line_ns - self._first_ns > elapsed:
                return
            event = self._event(self._next)
            self._next += 1
            if event is not None:
                yield self._anchor_ns + int((line_ns - self._first_ns) / self._speed), event
        if not self._ended:
            self._ended = True
            text = f"recording ended after line {self._next}; the market stands still from here"
            yield now_ns, MarketNote(self._instrument.name, text)

    def position(self) -> dict[str, str]:
        """Return the line the replay has reached."""
        where = f"line {self._next} of {len(self._lines)}"
        return {self._instrument.name: where + (", ended" if self._ended else "")}

    def _find_snapshot(self) -> BookChanged:
        for place, line in enumerate(self._lines):
            if '"lastUpdateId"' in line:
                found = self._message(place)
                self._next = place + 1
                self._first_ns = self._stamp(place)
                self._last_update = int(found["lastUpdateId"])
                bids, asks = self._levels(place, found["bids"]), self._levels(place, found["asks"])
                if not bids or not asks:
                    raise DataError(f"{self._path}:{place + 1}: the snapshot has an empty side")
                return BookChanged(self._instrument.name, bids, asks, whole=True)
        raise DataError(f"{self._path}:{len(self._lines)}: no depth snapshot found; {_HOW}")

    def _event(self, place: int) -> MarketEvent | None:
        line = self._lines[place]
        if '"bookTicker"' in line:
            return None
        found = self._message(place).get("data") or {}
        name = self._instrument.name
        if found.get("e") == "depthUpdate" and int(found["u"]) > self._last_update:
            bids, asks = self._levels(place, found["b"]), self._levels(place, found["a"])
            return BookChanged(name, bids, asks)
        if found.get("e") == "trade" and found.get("X", "MARKET") == "MARKET":
            (price, lots), *_ = self._levels(place, [(found["p"], found["q"])])
            taker = Side.SELL if found["m"] else Side.BUY
            return Printed(name, taker, price, lots) if lots else None
        return None

    def _levels(self, place: int, rows: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - their JSON
        ticks, lots = self._instrument.ticks_of, self._instrument.lots_of
        try:
            return [
                (
                    ticks(Decimal(price), rounding=ROUND_HALF_EVEN),
                    lots(Decimal(qty), rounding=ROUND_HALF_EVEN),
                )
                for price, qty in rows
            ]
        except (InvalidOperation, ValueError, TypeError) as error:
            where = f"{self._path}:{place + 1}"
            raise DataError(f"{where}: a level is not [price, quantity] ({error})") from error

    def _message(self, place: int) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(self._lines[place].partition(" ")[2])
        except msgspec.DecodeError as error:
            raise DataError(f"{self._path}:{place + 1}: no JSON ({error}); {_HOW}") from error
        if not isinstance(found, dict):
            raise DataError(f"{self._path}:{place + 1}: no JSON object; {_HOW}")
        return found

    def _stamp(self, place: int) -> int:
        text = self._lines[place].partition(" ")[0]
        if not text.isdigit():
            raise DataError(f"{self._path}:{place + 1}: no time in front, found {text!r}; {_HOW}")
        return int(text)
