"""Reads the venue's statements about us into records, exactly, one at a time.

The same item readers serve the private streams and the answers of queries. Every item's raw JSON
goes into its record, so a field we do not read today can be read from the log tomorrow.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

import msgspec

from plimsoll.core.model import Instrument, OrderState, Side, cash_units, decimal_of
from plimsoll.core.records import (
    CashMoved,
    ExecutionReported,
    HealthMeasured,
    OrderReported,
    PositionReported,
    Record,
    WalletReported,
)
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import Stored, Text, has_value, number, required, stored, whole

Stamp = Callable[[], tuple[int, int, int, int]]
"""Gives (seq, ts_ns, epoch, cause) of the next record; called right before each is built."""

Catalogue = Mapping[tuple[str, str], Instrument]
"""Listed instruments by (category, symbol)."""

Report = (
    OrderReported
    | ExecutionReported
    | PositionReported
    | WalletReported
    | CashMoved
    | HealthMeasured
)

STATUS: Final[Mapping[str, OrderState]] = MappingProxyType(
    {
        "Created": OrderState.OPEN,
        "Active": OrderState.OPEN,
        "New": OrderState.OPEN,
        "Untriggered": OrderState.OPEN,
        "Triggered": OrderState.OPEN,
        "PendingCancel": OrderState.OPEN,  # still working until the cancel is confirmed
        "PartiallyFilled": OrderState.PARTIAL,
        "Filled": OrderState.FILLED,
        "Cancelled": OrderState.CANCELED,  # derivatives: may have fills (V-8)
        "PartiallyFilledCanceled": OrderState.CANCELED,
        "Deactivated": OrderState.CANCELED,
        "Rejected": OrderState.REJECTED,  # with fills: CANCELED, see below
    }
)
"""The venue's order status brought to ours; it has none that means EXPIRED."""

_SIDES: Final = MappingProxyType({"Buy": Side.BUY, "Sell": Side.SELL})
_T = TypeVar("_T")
_NO_REASON: Final = frozenset({"EC_NoError", "UNKNOWN"})
_NO_TRADE: Final = frozenset({None, "", "0"})
_NO_SIDE: Final = frozenset({None, "", "None"})

_Text = str | int | float | None
"""What the decoder accepts as a number; ``numbers`` says what it means."""

_Word = str | None
"""Plain text; null and "" both mean "no value"."""


class Origin(NamedTuple):
    """Where an item came from: the stream, or the query with this id."""

    source: str = "stream"
    query_id: int = 0


STREAM: Final = Origin()


class _Order(msgspec.Struct, gc=False):
    symbol: str
    orderId: str
    side: str
    orderStatus: str
    qty: _Text
    category: _Word = ""
    orderLinkId: _Word = ""
    orderType: _Word = "Limit"
    price: _Text = ""
    cumExecQty: _Text = ""
    marketUnit: _Word = ""
    rejectReason: _Word = ""
    stopOrderType: _Word = ""
    cancelType: _Word = ""
    reduceOnly: bool | None = False
    closeOnTrigger: bool | None = False
    createType: _Word = ""
    updatedTime: _Text = 0
    triggerPrice: _Text = ""


class _Execution(msgspec.Struct, gc=False):
    symbol: str
    execId: str
    execPrice: _Text
    execQty: _Text
    side: _Word = ""
    category: _Word = ""
    orderId: _Word = ""
    orderLinkId: _Word = ""
    orderType: _Word = ""
    orderQty: _Text = ""
    marketUnit: _Word = ""
    execFee: _Text = ""
    feeCurrency: _Word = ""
    execType: str = "Trade"
    isMaker: bool = False
    createType: _Word = ""
    execTime: _Text = 0
    seq: Stored | None = 0
    stopOrderType: _Word = ""


class _Position(msgspec.Struct, gc=False):
    symbol: str
    side: _Word
    size: _Text
    category: _Word = ""
    positionIdx: int = 0
    entryPrice: _Text = ""
    avgPrice: _Text = ""
    sessionAvgPrice: _Text = ""
    stopLoss: _Text = ""
    takeProfit: _Text = ""
    updatedTime: _Text = 0


class _Coin(msgspec.Struct, gc=False):
    coin: str
    walletBalance: _Text
    equity: _Text = ""
    usdValue: _Text = ""
    borrowAmount: _Text = ""
    spotBorrow: _Text = ""


class _Account(msgspec.Struct, gc=False):
    coin: list[msgspec.Raw]
    accountType: _Word = "UNIFIED"
    totalEquity: _Text = ""
    totalAvailableBalance: _Text = ""
    accountIMRate: _Text = ""
    accountMMRate: _Text = ""


class _Transaction(msgspec.Struct, gc=False):
    id: str
    currency: str
    type: str
    change: _Text
    transactionTime: _Text
    symbol: _Word = ""
    category: _Word = ""
    cashBalance: _Text = ""
    fee: _Text = ""
    funding: _Text = ""
    tradeId: _Word = ""


class _Envelope(msgspec.Struct, gc=False):
    topic: str
    data: list[msgspec.Raw] = []


_envelope: Final = msgspec.json.Decoder(_Envelope).decode
# strict=False: the venue sends integers and booleans as text now and then.
_order: Final = msgspec.json.Decoder(_Order, strict=False).decode
_execution: Final = msgspec.json.Decoder(_Execution, strict=False).decode
_position: Final = msgspec.json.Decoder(_Position, strict=False).decode
_account: Final = msgspec.json.Decoder(_Account, strict=False).decode
_coin: Final = msgspec.json.Decoder(_Coin, strict=False).decode
_transaction: Final = msgspec.json.Decoder(_Transaction, strict=False).decode


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
            yield from _read_wallet(raw, stamp, origin)
        if kind == "cash":
            yield _cash_moved(_transaction(raw), catalogue, raw, stamp, origin)
            return
        if kind == "health" or (kind == "wallet" and origin.source == "stream"):
            yield from _read_health(raw, stamp, origin)
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


_DECODERS: Final[Mapping[str, Callable[[bytes], _Order | _Execution | _Position]]] = (
    MappingProxyType({"order": _order, "execution": _execution, "position": _position})
)


def _build(
    item: _Order | _Execution | _Position,
    instrument: Instrument,
    raw: bytes,
    stamp: Stamp,
    origin: Origin,
) -> Report:
    match item:
        case _Order():
            return _order_report(item, instrument, raw, stamp, origin)
        case _Execution():
            return _execution_report(item, instrument, raw, stamp, origin)
        case _Position():
            return _position_report(item, instrument, raw, stamp, origin)


def _order_report(
    item: _Order, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> OrderReported:
    what = f"order {item.orderLinkId or item.orderId}"
    side = _word(_SIDES, item.side, what, "side")
    status = _word(STATUS, item.orderStatus, what, "orderStatus")
    cum_lots = _lots(item.cumExecQty, instrument, what, "cumExecQty")
    if status is OrderState.REJECTED and cum_lots:
        status = OrderState.CANCELED
    price_ticks = _order_price(item, instrument, what)
    is_quote_qty = _is_in_quote(item, instrument)
    qty_lots = cum_lots if is_quote_qty else _lots(item.qty, instrument, what, "qty")
    updated_ms = whole(item.updatedTime, what, "updatedTime")
    trigger_ticks = _ticks(item.triggerPrice, instrument, what, "triggerPrice", ROUND_HALF_EVEN)
    seq, ts_ns, epoch, cause = stamp()
    return OrderReported(
        seq,
        ts_ns,
        epoch,
        cause,
        client_order_id=item.orderLinkId or "",
        venue_order_id=item.orderId,
        instrument=instrument.name,
        side=side,
        status=status,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        cum_lots=cum_lots,
        reduce_only=bool(item.reduceOnly or item.closeOnTrigger),
        is_untriggered=item.orderStatus == "Untriggered",
        updated_ms=updated_ms,
        reason=_reason(item),
        source=origin.source,
        query_id=origin.query_id,
        raw=raw,
        order_filter=_filter(item, instrument),
        trigger_ticks=trigger_ticks,
        create_type=item.createType or "",
        stop_type=_stop_type(item),
    )


def _filter(item: _Order, instrument: Instrument) -> str:
    """Return the ``orderFilter`` a waiting spot order is cancelled under, empty for all others.

    Source: Bybit v5 docs, order/cancel-order: spot looks among orders of that kind only.
    """
    if not instrument.is_spot or item.orderStatus != "Untriggered":
        return ""
    return "tpslOrder" if item.stopOrderType == "tpslOrder" else "StopOrder"


def _is_in_quote(item: _Order | _Execution, instrument: Instrument) -> bool:
    """Return whether the order's quantity may be in quote coin: then only executions tell base."""
    is_market_buy = item.orderType == "Market" and item.side == "Buy"
    return instrument.is_spot and is_market_buy and item.marketUnit != "baseCoin"


def _order_price(item: _Order, instrument: Instrument, what: str) -> int:
    """Return the price in ticks; a market order's is the venue's protection price, or nothing."""
    rounding = ROUND_HALF_EVEN if item.orderType == "Market" else None
    return _ticks(item.price, instrument, what, "price", rounding)


def _reason(item: _Order) -> str:
    """Return the venue's words for why an order ended, empty where it says nothing."""
    words = [w for w in (item.rejectReason, item.cancelType) if w and w not in _NO_REASON]
    return " ".join(words)


def _execution_report(
    item: _Execution, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> ExecutionReported:
    what = f"execution {item.execId}"
    # Only an ordinary execution happens at an order's price; funding, liquidation and settlement
    # rows carry mark or bankruptcy prices between two ticks.
    is_plain = item.execType == "Trade"
    has_side = is_plain or item.side not in _NO_SIDE
    side = _word(_SIDES, item.side, what, "side") if has_side else Side.BUY
    rounding = None if is_plain else ROUND_HALF_EVEN
    if is_plain:
        required(item.execPrice, what, "execPrice")
    price_ticks = _ticks(item.execPrice, instrument, what, "execPrice", rounding)
    qty_lots = _lots(required(item.execQty, what, "execQty"), instrument, what, "execQty")
    fee_units = _cash(item.execFee, what, "execFee", up=True)
    fee_coin = item.feeCurrency or fee_coin_of(instrument, side, is_maker=item.isMaker)
    executed_ms = whole(item.execTime, what, "execTime")
    seq, ts_ns, epoch, cause = stamp()
    return ExecutionReported(
        seq,
        ts_ns,
        epoch,
        cause,
        execution_id=item.execId,
        client_order_id=item.orderLinkId or "",
        venue_order_id=item.orderId or "",
        instrument=instrument.name,
        side=side,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        fee_units=fee_units,
        fee_coin=fee_coin,
        is_maker=item.isMaker,
        kind=item.execType,
        executed_ms=executed_ms,
        source=origin.source,
        query_id=origin.query_id,
        raw=raw,
        order_qty_lots=_whole_lots(item, instrument, what) if is_plain else 0,
        venue_seq=item.seq or 0,
        create_type=item.createType or "",
        stop_type=_stop_type(item),
    )


def _stop_type(item: _Order | _Execution) -> str:
    """Return what kind of conditional order it is, empty for a plain one."""
    return "" if item.stopOrderType in (None, "UNKNOWN") else item.stopOrderType


def _whole_lots(item: _Execution, instrument: Instrument, what: str) -> int:
    """Return the whole quantity of the order, 0 where it is not said in base coin.

    An execution counts even where this side remark of it cannot be read.
    """
    if _is_in_quote(item, instrument):
        return 0
    try:
        return _lots(item.orderQty, instrument, what, "orderQty")
    except ParseError:
        return 0


def fee_coin_of(instrument: Instrument, side: Side, *, is_maker: bool) -> str:
    """Return the coin a fee is paid in where the venue leaves it out.

    Source: Bybit v5 docs, enum page, spot fee currency: the received coin, but the paid coin for
    the maker's side of an account with a maker rebate. Derivatives pay in the settle coin.
    """
    if not instrument.is_spot:
        return instrument.settle
    has_rebate = is_maker and decimal_of(instrument.maker_fee) < 0
    in_base = (side is Side.BUY) is not has_rebate
    return instrument.base if in_base else instrument.quote


def _position_report(
    item: _Position, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> PositionReported:
    what = f"position {instrument.name}"
    if item.positionIdx != 0:
        raise ParseError(f"{what}: positionIdx 0 (one-way mode) expected, found {item.positionIdx}")
    lots = _lots(required(item.size, what, "size"), instrument, what, "size")
    if item.side not in _SIDES and (lots or item.side not in _NO_SIDE):
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
    stop_ticks = _ticks(item.stopLoss, instrument, what, "stopLoss", ROUND_HALF_EVEN)
    take_ticks = _ticks(item.takeProfit, instrument, what, "takeProfit", ROUND_HALF_EVEN)
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


def _read_wallet(raw: bytes, stamp: Stamp, origin: Origin) -> Iterator[WalletReported]:
    account = _account(raw)
    if (account.accountType or "UNIFIED") != "UNIFIED":
        return
    coins = [(_coin(text), bytes(text)) for text in account.coin]
    balances = [_balance(coin) for coin, _ in coins]
    for (item, text), units in zip(coins, balances, strict=True):
        seq, ts_ns, epoch, cause = stamp()
        yield WalletReported(
            seq,
            ts_ns,
            epoch,
            cause,
            coin=item.coin,
            balance_units=units,
            source=origin.source,
            query_id=origin.query_id,
            raw=text,
        )


def _cash_moved(
    item: _Transaction, catalogue: Catalogue, raw: bytes, stamp: Stamp, origin: Origin
) -> CashMoved:
    """Source: Bybit v5 docs, transaction log. Its ``funding`` is minus an execution's fee."""
    what = f"transaction {item.id}"
    place = (item.category or "", item.symbol or "")
    change = _cash(required(item.change, what, "change"), what, "change")
    balance = _cash(item.cashBalance, what, "cashBalance")
    fee = _cash(item.fee, what, "fee", up=True)
    funding = _cash(item.funding, what, "funding")
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


def _read_health(raw: bytes, stamp: Stamp, origin: Origin) -> Iterator[HealthMeasured]:
    """Yield how the account stands. Source: Bybit v5 docs, account/wallet-balance."""
    account, what = _account(raw), "account"
    if (account.accountType or "UNIFIED") != "UNIFIED":
        return
    owed = {coin.coin: _owed_units(coin) for coin in map(_coin, account.coin)}
    total = account.totalEquity
    equity = _cash(total, what, "totalEquity") if has_value(total) else -1
    available = account.totalAvailableBalance
    free = _cash(available, what, "totalAvailableBalance") if has_value(available) else -1
    rates = (
        _ppm(account.accountIMRate, "accountIMRate"),
        _ppm(account.accountMMRate, "accountMMRate"),
    )
    borrowed = {coin: units for coin, units in owed.items() if units > BORROWED_MOST}
    yield HealthMeasured(*stamp(), equity, free, *rates, borrowed, origin.source, origin.query_id)


BORROWED_MOST: Final = 10**8
"""Cash units of USD a coin may be short of: dust of interest is no loan (1 USD)."""


def _owed_units(item: _Coin) -> int:
    """Return what a coin is short of in USD cash units: borrowed, or a negative balance.

    The price is that of the venue's own valuation; where it has none, any loan counts as too much.
    """
    what = f"wallet {item.coin}"
    balance = number(item.walletBalance, what, "walletBalance")
    loans = (
        number(item.borrowAmount, what, "borrowAmount"),
        number(item.spotBorrow, what, "spotBorrow"),
    )
    owed = max(*loans, -balance)
    if owed <= 0:
        return 0
    equity, value = number(item.equity, what, "equity"), number(item.usdValue, what, "usdValue")
    worth = owed * value / equity if equity and value else Decimal(2)
    return _cash(abs(worth), what, "usdValue")


def _ppm(value: _Text, field: str) -> int:
    """Return a rate in parts per million, rounded up; -1 where the venue keeps none."""
    if not has_value(value):
        return -1
    scaled = number(value, "account", field) * 1_000_000
    try:
        return stored(int(scaled.to_integral_value(ROUND_CEILING)))
    except ValueError as error:
        raise ParseError(f"account: {field}: {error}") from error


def _balance(item: _Coin) -> int:
    what, field = f"wallet {item.coin}", "walletBalance"
    return _cash(required(item.walletBalance, what, field), what, field)


# ---- fields, each error naming its field and value -------------------------------------------


def _word(table: Mapping[str, _T], word: _Word, what: str, field: str) -> _T:
    if word is None or word not in table:
        raise ParseError(f"{what}: {field} expected one of {sorted(table)}, found {word!r}")
    return table[word]


def _lots(value: _Text, instrument: Instrument, what: str, field: str) -> int:
    found = number(value, what, field)
    try:
        lots = stored(instrument.lots_of(found))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error
    if lots < 0:
        raise ParseError(f"{what}: {field} expected not negative, found {value}")
    return lots


def _ticks(
    value: _Text, instrument: Instrument, what: str, field: str, rounding: str | None
) -> int:
    found = number(value, what, field)
    try:
        return stored(instrument.ticks_of(found, rounding=rounding))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error


def _cash(value: Text, what: str, field: str, *, up: bool = False) -> int:
    found = number(value, what, field)
    try:
        return stored(cash_units(str(found), up=up))
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{what}: {field}: {error}") from error
