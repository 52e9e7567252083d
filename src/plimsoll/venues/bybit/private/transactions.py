"""Reads a row of the transaction log: cash that moved, and why."""

from typing import Final

import msgspec

from plimsoll.core.records import CashMoved
from plimsoll.venues.bybit.numbers import required, whole
from plimsoll.venues.bybit.private.fields import Figure, Word, cash_in
from plimsoll.venues.bybit.private.given import Catalogue, Origin, Stamp

_NO_TRADE: Final = frozenset({None, "", "0"})


class Transaction(msgspec.Struct, gc=False):
    """A row as the venue writes it."""

    id: str
    currency: str
    type: str
    change: Figure
    transactionTime: Figure
    symbol: Word = ""
    category: Word = ""
    cashBalance: Figure = ""
    fee: Figure = ""
    funding: Figure = ""
    tradeId: Word = ""


# strict=False: the venue sends integers and booleans as text now and then.
decode_transaction: Final = msgspec.json.Decoder(Transaction, strict=False).decode


def cash_moved(
    item: Transaction, catalogue: Catalogue, raw: bytes, stamp: Stamp, origin: Origin
) -> CashMoved:
    """Return the record of a row.

    Source: Bybit v5 docs, transaction log. Its ``funding`` is minus an execution's fee.
    """
    what = f"transaction {item.id}"
    place = (item.category or "", item.symbol or "")
    change = cash_in(required(item.change, what, "change"), what, "change")
    balance = cash_in(item.cashBalance, what, "cashBalance")
    fee = cash_in(item.fee, what, "fee", up=True)
    funding = cash_in(item.funding, what, "funding")
    moved_ms = whole(required(item.transactionTime, what, "transactionTime"), what, "time")
    seq, ts_ns, epoch, cause = stamp()
    return CashMoved(
        seq,
        ts_ns,
        epoch,
        cause,
        row_id=f"{item.id}/{item.tradeId or ''}/{item.type}/{item.currency}",
        coin=item.currency,
        kind=item.type,
        instrument=":".join(place) if item.symbol else "",
        change_units=change,
        balance_units=balance,
        fee_units=fee,
        funding_units=funding,
        execution_id="" if item.tradeId in _NO_TRADE else item.tradeId or "",
        moved_ms=moved_ms,
        query_id=origin.query_id,
        # What an execution of ours says again need not be kept twice.
        raw=b"" if item.type == "TRADE" and place in catalogue else raw,
    )
