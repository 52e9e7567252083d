"""Reads a frame of the private stream, item by item."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from plimsoll.core.records import Record
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.private.given import STREAM, Catalogue, Stamp
from plimsoll.venues.bybit.private.items import read_item


class _Envelope(msgspec.Struct, gc=False):
    topic: str
    data: list[msgspec.Raw] = []


_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def parse_private(
    raw: bytes,
    catalogue: Catalogue,
    stamp: Stamp,
    on_unlisted: Callable[[str], None],
    on_error: Callable[[ParseError], None] | None = None,
) -> Iterator[Record]:
    """Yield the records of one private frame, each stamped only when it is asked for.

    Args:
        raw: The frame.
        catalogue: The instruments we know.
        stamp: Called immediately before each record is built.
        on_unlisted: Called with ``category:symbol`` of each item left out for not being listed.
        on_error: Takes the error of one faulty item, the others still being read. Without it the
            first error is raised.

    Raises:
        ParseError: the frame is unreadable, or an item is and there is no ``on_error``.
    """
    try:
        envelope = _envelope(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"private frame: {error}; found {raw[:120]!r}") from error
    kind, _, category = envelope.topic.partition(".")
    if not category and kind == "position":
        category = "linear"  # older messages leave it empty; spot has no positions
    if envelope.topic.startswith("execution.fast"):
        return  # the same executions, without ids and fees; we never subscribe it
    for item in envelope.data:
        try:
            yield from read_item(kind, bytes(item), category, catalogue, stamp, on_unlisted, STREAM)
        except ParseError as error:
            if on_error is None:
                raise
            on_error(error)
