"""Reads what the venue says of a position."""

from decimal import ROUND_HALF_EVEN
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import PositionReported
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import number, required, whole
from plimsoll.venues.bybit.private.fields import NO_SIDE, SIDES, Figure, Word, lots_in, ticks_in
from plimsoll.venues.bybit.private.given import Origin, Stamp


class PositionItem(msgspec.Struct, gc=False):
    """A position as the venue writes it."""

    symbol: str
    side: Word
    size: Figure
    category: Word = ""
    positionIdx: int = 0
    entryPrice: Figure = ""
    avgPrice: Figure = ""
    sessionAvgPrice: Figure = ""
    stopLoss: Figure = ""
    takeProfit: Figure = ""
    updatedTime: Figure = 0


# strict=False: the venue sends integers and booleans as text now and then.
decode_position: Final = msgspec.json.Decoder(PositionItem, strict=False).decode


def position_report(
    item: PositionItem, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> PositionReported:
    """Return the record of a position."""
    what = f"position {instrument.name}"
    if item.positionIdx != 0:
        raise ParseError(f"{what}: positionIdx 0 (one-way mode) expected, found {item.positionIdx}")
    lots = lots_in(required(item.size, what, "size"), instrument, what, "size")
    if item.side not in SIDES and (lots or item.side not in NO_SIDE):
        raise ParseError(
            f"{what}: side Buy or Sell expected, found {item.side!r}, size {lots} lots"
        )
    entry_price = str(item.entryPrice or item.avgPrice or "")
    number(entry_price, what, "entryPrice")
    session_price = str(item.sessionAvgPrice or "")
    if number(session_price, what, "sessionAvgPrice"):
        # USDC: profit up to here is cash already (Bybit v5 docs, position; other coins: "" or 0).
        entry_price = session_price
    updated_ms = whole(item.updatedTime, what, "updatedTime")
    stop_ticks = ticks_in(item.stopLoss, instrument, what, "stopLoss", ROUND_HALF_EVEN)
    take_ticks = ticks_in(item.takeProfit, instrument, what, "takeProfit", ROUND_HALF_EVEN)
    seq, ts_ns, epoch, cause = stamp()
    return PositionReported(
        seq,
        ts_ns,
        epoch,
        cause,
        instrument=instrument.name,
        qty_lots=-lots if item.side == "Sell" else lots,
        entry_price=entry_price,
        updated_ms=updated_ms,
        source=origin.source,
        query_id=origin.query_id,
        raw=raw,
        stop_ticks=stop_ticks,
        take_ticks=take_ticks,
    )
