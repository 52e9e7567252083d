"""Which records the log holds, and their bytes."""

from typing import Final, Union

import msgspec

from plimsoll.core.records import (
    answers,
    changes,
    knowledge,
    market,
    modes,
    orders,
    paper,
    reports,
    safety,
    session,
)
from plimsoll.core.records.base import Record
from plimsoll.core.records.telemetry import Telemetry

INPUTS: Final[tuple[type[Record], ...]] = (
    *session.INPUTS,
    *answers.INPUTS,
    *reports.INPUTS,
    *changes.INPUTS,
)
"""Inputs stored as records in the trading log."""

MARKET_INPUTS: Final[tuple[type[Record], ...]] = market.MARKET_INPUTS
"""Inputs stored as raw frames in the market log and parsed again on replay."""

DECISIONS: Final[tuple[type[Record], ...]] = (
    *orders.DECISIONS,
    *paper.DECISIONS,
    *knowledge.DECISIONS,
    *safety.DECISIONS,
    *changes.DECISIONS,
    *modes.DECISIONS,
)
"""Facts we made ourselves; replay must make them again, byte for byte."""

STORED: Final[tuple[type[Record], ...]] = (*INPUTS, *DECISIONS, Telemetry)
"""Everything a log payload can be."""

RECORD_KIND: Final = 1
"""Journal kind of an encoded record (this package)."""

FRAME_KIND: Final = 2
"""Journal kind of a raw public frame: one byte link number, then the venue's text."""

encode: Final = msgspec.msgpack.Encoder().encode
"""Return the bytes of a record as they stand in the log."""

_DECODER: Final = msgspec.msgpack.Decoder(Union[STORED])  # noqa: UP007 - made from the tuple


def decode(payload: bytes) -> Record:
    """Return the record of a log payload.

    Raises:
        msgspec.DecodeError: not a record of this build (unknown tag, wrong field types).
    """
    record: Record = _DECODER.decode(payload)
    return record
