"""Reads one item into records, whether a stream brought it or a query."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    CashMoved,
    ExecutionReported,
    HealthMeasured,
    OrderReported,
    PositionReported,
    WalletReported,
)
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.private.executions import (
    ExecutionItem,
    decode_execution,
    execution_report,
)
from plimsoll.venues.bybit.private.given import Catalogue, Origin, Stamp
from plimsoll.venues.bybit.private.orders import OrderItem, decode_order, order_report
from plimsoll.venues.bybit.private.positions import PositionItem, decode_position, position_report
from plimsoll.venues.bybit.private.transactions import cash_moved, decode_transaction
from plimsoll.venues.bybit.private.wallets import read_health, read_wallet

Report = (
    OrderReported
    | ExecutionReported
    | PositionReported
    | WalletReported
    | CashMoved
    | HealthMeasured
)


def read_item(
    kind: str,
    raw: bytes,
    category: str,
    catalogue: Catalogue,
    stamp: Stamp,
    on_unlisted: Callable[[str], None],
    origin: Origin,
) -> Iterator[Report]:
    """Yield the records of one item: one, or for ``wallet`` one a coin.

    A wallet of the stream also says how the account stands; of a query that is kind ``health``.

    Args:
        kind: order, execution, position, wallet, cash or health; another kind yields nothing.
        raw: The item's JSON text.
        category: The category where the item does not carry it (answers of queries).
        catalogue: The instruments we know.
        stamp: Called immediately before each record is built.
        on_unlisted: Called with the name of an instrument we do not know.
        origin: What goes into ``source`` and ``query_id``.

    Raises:
        ParseError: a field is missing, off its step, or a word outside the venue's documents.
    """
    try:
        if kind == "wallet":
            yield from read_wallet(raw, stamp, origin)
        if kind == "cash":
            yield cash_moved(decode_transaction(raw), catalogue, raw, stamp, origin)
            return
        if kind == "health" or (kind == "wallet" and origin.source == "stream"):
            yield from read_health(raw, stamp, origin)
        item = _DECODERS[kind](raw) if kind in _DECODERS else None
        if item is None:
            return
        instrument = catalogue.get((item.category or category, item.symbol))
        if instrument is None:
            on_unlisted(f"{item.category or category}:{item.symbol}")
            return
        yield _build(item, instrument, raw, stamp, origin)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"{kind} item: {error}; found {raw[:160]!r}") from error


_Item = OrderItem | ExecutionItem | PositionItem

_DECODERS: Final[Mapping[str, Callable[[bytes], _Item]]] = MappingProxyType(
    {"order": decode_order, "execution": decode_execution, "position": decode_position}
)


def _build(
    item: _Item,
    instrument: Instrument,
    raw: bytes,
    stamp: Stamp,
    origin: Origin,
) -> Report:
    match item:
        case OrderItem():
            return order_report(item, instrument, raw, stamp, origin)
        case ExecutionItem():
            return execution_report(item, instrument, raw, stamp, origin)
        case PositionItem():
            return position_report(item, instrument, raw, stamp, origin)
