"""What every reader of an item is given beside the item itself."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from plimsoll.core.model import Instrument

Stamp = Callable[[], tuple[int, int, int, int]]
"""Gives (seq, ts_ns, epoch, cause) of the next record; called right before each is built."""

Catalogue = Mapping[tuple[str, str], Instrument]
"""Listed instruments by (category, symbol)."""


class Origin(NamedTuple):
    """Where an item came from: the stream, or the query with this id."""

    source: str = "stream"
    query_id: int = 0


STREAM: Final = Origin()
