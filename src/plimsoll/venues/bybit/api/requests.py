"""What may be asked of orders, checked before a byte leaves, and its JSON (order/create-order).

The fields have our words, the values the venue's. Amounts are exact: decimals, written plain. What
a category does not take, or what contradicts itself, is refused here: the venue ignores some of
it silently. Always said, never left to the venue's default: ``marketUnit`` of a spot market order,
``positionIdx`` and ``reduceOnly`` of a contract, ``isLeverage`` of spot, ``smpType``.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

Category = Literal["linear", "spot"]
Json = dict[str, object]

BATCH_MOST: Final = {"linear": 20, "spot": 10}
"""Most orders of one batch (Bybit v5 docs, order/batch-place)."""

_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_SYMBOL: Final = re.compile(r"[A-Z0-9-]+")
_TICKS_MOST: Final = 10_000
_PERCENT_LEAST, _PERCENT_MOST = Decimal("0.01"), Decimal(10)


class BadRequest(ValueError):
    """A request that the venue would refuse or misread; the text says why."""


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One order to create.

    Raises:
        BadRequest: it contradicts itself, or the category does not take it.
    """

    category: Category
    symbol: str
    side: Literal["Buy", "Sell"]
    qty: Decimal
    """Base coin; quote coin where ``market_unit`` says so. Zero closes a contract position whole,
    with ``reduce_only`` and ``close_on_trigger``."""

    kind: Literal["Limit", "Market"] = "Limit"
    price: Decimal | None = None
    time_in_force: Literal["GTC", "IOC", "FOK", "PostOnly", "RPI"] = "GTC"
    """Of a limit order; a market order always behaves as IOC."""

    client_order_id: str = ""
    smp_type: Literal["None", "CancelMaker", "CancelTaker", "CancelBoth"] = "CancelTaker"
    market_unit: Literal["baseCoin", "quoteCoin"] = "baseCoin"
    """Unit of a spot market order's quantity."""

    is_leverage: bool = False
    """Spot: may borrow."""

    order_filter: Literal["", "Order", "tpslOrder", "StopOrder"] = ""
    """Spot: ``tpslOrder`` holds the coins at once, ``StopOrder`` when it triggers."""

    position_idx: Literal[0, 1, 2] = 0
    reduce_only: bool = False
    close_on_trigger: bool = False
    trigger_price: Decimal | None = None
    """Makes the order a conditional one."""

    trigger_direction: Literal[0, 1, 2] = 0
    """Contracts: 1 triggers when the price rises to it, 2 when it falls to it."""

    trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tpsl_mode: Literal["", "Full", "Partial"] = ""
    tp_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    sl_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    tp_order_type: Literal["", "Market", "Limit"] = ""
    sl_order_type: Literal["", "Market", "Limit"] = ""
    tp_limit_price: Decimal | None = None
    sl_limit_price: Decimal | None = None
    slippage_type: Literal["", "TickSize", "Percent"] = ""
    slippage: Decimal | None = None
    bbo_side: Literal["", "Queue", "Counterparty"] = ""
    """Contracts: the price is taken from the book, from this side and ``bbo_level`` 1 to 5."""

    bbo_level: int = 0
    rpi_taker_access: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what the venue would refuse or misread."""
        _check_symbol(self.category, self.symbol)
        _check_client_id(self.client_order_id)
        _check_amounts(self)
        _check_shape(self)
        (_check_spot if self.category == "spot" else _check_linear)(self)
        _check_protection(self)
        _check_slippage(self)

    def body(self) -> Json:
        """Return the parameters in the order the engine writes them."""
        fixed: Json = {
            "category": self.category,
            "symbol": self.symbol,
            "side": self.side,
            "orderType": self.kind,
            "timeInForce": "IOC" if self.kind == "Market" else self.time_in_force,
            "smpType": self.smp_type,
        }
        if self.category == "spot":
            fixed["isLeverage"] = int(self.is_leverage)
            if self.kind == "Market":
                fixed["marketUnit"] = self.market_unit
        else:
            fixed |= {"positionIdx": self.position_idx, "reduceOnly": self.reduce_only}
        return fixed | _said(
            {
                "qty": self.qty,
                "price": self.price,
                "orderLinkId": self.client_order_id,
                "closeOnTrigger": self.close_on_trigger,
                "orderFilter": self.order_filter,
                "triggerPrice": self.trigger_price,
                "triggerDirection": self.trigger_direction,
                "triggerBy": self.trigger_by,
                "takeProfit": self.take_profit,
                "stopLoss": self.stop_loss,
                "tpslMode": self.tpsl_mode,
                "tpTriggerBy": self.tp_trigger_by,
                "slTriggerBy": self.sl_trigger_by,
                "tpOrderType": self.tp_order_type,
                "slOrderType": self.sl_order_type,
                "tpLimitPrice": self.tp_limit_price,
                "slLimitPrice": self.sl_limit_price,
                "slippageToleranceType": self.slippage_type,
                "slippageTolerance": self.slippage,
                "bboSideType": self.bbo_side,
                "bboLevel": str(self.bbo_level or ""),
                "rpiTakerAccess": self.rpi_taker_access,
            }
        )


class AmendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A change to an open order; only what is given changes.

    ``qty`` is the new total, what was matched included. A take-profit or stop-loss of zero removes
    it.

    Raises:
        BadRequest: no order is named, or nothing changes.
    """

    category: Category
    symbol: str
    venue_order_id: str = ""
    client_order_id: str = ""
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tpsl_mode: Literal["", "Full", "Partial"] = ""
    tp_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    sl_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    tp_limit_price: Decimal | None = None
    sl_limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what names no order or changes nothing."""
        _check_target(self)
        for name in ("qty", "price", "trigger_price"):
            _positive(getattr(self, name), name)
        if not self._changes():
            raise BadRequest(f"amend of {self.symbol}: nothing to change is given")

    def body(self) -> Json:
        """Return the parameters."""
        return _target_body(self) | self._changes()

    def _changes(self) -> Json:
        return _said(
            {
                "qty": self.qty,
                "price": self.price,
                "triggerPrice": self.trigger_price,
                "triggerBy": self.trigger_by,
                "takeProfit": self.take_profit,
                "stopLoss": self.stop_loss,
                "tpslMode": self.tpsl_mode,
                "tpTriggerBy": self.tp_trigger_by,
                "slTriggerBy": self.sl_trigger_by,
                "tpLimitPrice": self.tp_limit_price,
                "slLimitPrice": self.sl_limit_price,
            }
        )


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel of one order.

    Raises:
        BadRequest: no order is named.
    """

    category: Category
    symbol: str
    venue_order_id: str = ""
    client_order_id: str = ""
    order_filter: Literal["", "Order", "tpslOrder", "StopOrder"] = ""
    """Spot only."""

    def __post_init__(self) -> None:
        """Refuse what names no order."""
        _check_target(self)
        _only(self.category == "spot", "order_filter", self.order_filter, "spot")

    def body(self) -> Json:
        """Return the parameters."""
        return _target_body(self) | _said({"orderFilter": self.order_filter})


class CancelAllRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A cancel of many orders: of a symbol, a base coin or a settle coin.

    On contracts at most 500 are cancelled, any 500 of more: ask again until none is open. On spot
    the venue leaves conditional and take-profit orders alive unless ``order_filter`` names them.

    Raises:
        BadRequest: contracts without a scope, or a scope the category does not have.
    """

    category: Category
    symbol: str = ""
    base: str = ""
    settle: str = ""
    order_filter: Literal["", "Order", "tpslOrder", "StopOrder", "OpenOrder"] = ""
    stop_kind: Literal["", "Stop"] = ""

    def __post_init__(self) -> None:
        """Refuse a scope the category does not have."""
        if self.symbol:
            _check_symbol(self.category, self.symbol)
        is_linear = self.category == "linear"
        if is_linear and not (self.symbol or self.base or self.settle):
            raise BadRequest("cancel-all of linear needs a symbol, base or settle coin")
        _only(is_linear, "settle", self.settle, "linear")

    def body(self) -> Json:
        """Return the parameters."""
        return {"category": self.category} | _said(
            {
                "symbol": self.symbol,
                "baseCoin": self.base,
                "settleCoin": self.settle,
                "orderFilter": self.order_filter,
                "stopOrderType": self.stop_kind,
            }
        )


Request = OrderRequest | AmendRequest | CancelRequest
"""What a batch may hold, one kind at a time."""


def batch_body(requests: Sequence[Request]) -> Json:
    """Return the parameters of a batch.

    Raises:
        BadRequest: none, too many, or of more than one category or kind.
    """
    kinds = {(type(one), one.category) for one in requests}
    if len(kinds) != 1:
        raise BadRequest("a batch holds requests of one kind and category, and at least one")
    category = requests[0].category
    if len(requests) > BATCH_MOST[category]:
        raise BadRequest(
            f"a batch of {category} holds at most {BATCH_MOST[category]}, found {len(requests)}"
        )
    items = [one.body() for one in requests]
    for item in items:
        del item["category"]
    return {"category": category, "request": items}


def encoded(body: Json) -> bytes:
    """Return the JSON text of parameters."""
    return msgspec.json.encode(body)


def plain(number: Decimal) -> str:
    """Return a number as the venue writes it: no exponent, its own trailing zeros."""
    return format(number, "f")


# ---- what is said ----------------------------------------------------------------------------


def _said(fields: Json) -> Json:
    """Return the fields that say something, amounts as text."""
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in fields.items()
        if isinstance(value, Decimal)
        or value not in (None, "", 0, False)
        or (name == "rpiTakerAccess" and value is False)
    }


def _target_body(request: AmendRequest | CancelRequest) -> Json:
    ids = {"orderId": request.venue_order_id, "orderLinkId": request.client_order_id}
    return {"category": request.category, "symbol": request.symbol} | _said({**ids})


# ---- checks ----------------------------------------------------------------------------------


def _check_symbol(category: str, symbol: str) -> None:
    if category not in BATCH_MOST:
        raise BadRequest(f"expected category linear or spot, found {category!r}")
    if not _SYMBOL.fullmatch(symbol):
        raise BadRequest(f"expected a symbol in capitals such as BTCUSDT, found {symbol!r}")


def _check_client_id(text: str) -> None:
    if text and not _CLIENT_ID.fullmatch(text):
        raise BadRequest(
            f"expected a client order id of 1 to 36 letters, digits, - and _, found {text!r}"
        )


def _check_target(request: AmendRequest | CancelRequest) -> None:
    _check_symbol(request.category, request.symbol)
    _check_client_id(request.client_order_id)
    if not (request.venue_order_id or request.client_order_id):
        raise BadRequest(f"{request.symbol}: an order is named by venue or client order id")


def _check_amounts(order: OrderRequest) -> None:
    if not order.qty.is_finite() or order.qty < 0 or (not order.qty and not _closes_all(order)):
        raise BadRequest(f"{order.symbol}: expected a quantity above zero, found {order.qty}")
    names = ("price", "trigger_price", "tp_limit_price", "sl_limit_price", "slippage")
    for name in (*names, "take_profit", "stop_loss"):
        _positive(getattr(order, name), name)


def _closes_all(order: OrderRequest) -> bool:
    return order.category == "linear" and order.reduce_only and order.close_on_trigger


def _check_shape(order: OrderRequest) -> None:
    if order.kind == "Limit" and order.price is None and not order.bbo_side:
        raise BadRequest(f"{order.symbol}: a limit order needs a price")
    if order.kind == "Market" and (order.price is not None or order.bbo_side):
        raise BadRequest(f"{order.symbol}: a market order has no price")
    if order.kind == "Market" and order.time_in_force in ("PostOnly", "RPI", "FOK"):
        raise BadRequest(f"{order.symbol}: a market order cannot be {order.time_in_force}")
    if bool(order.bbo_side) != bool(order.bbo_level) or not 0 <= order.bbo_level <= 5:
        raise BadRequest(f"{order.symbol}: bbo needs a side and a level from 1 to 5")


def _check_spot(order: OrderRequest) -> None:
    for name in (
        "position_idx", "reduce_only", "close_on_trigger", "trigger_direction", "trigger_by",
        "tpsl_mode", "tp_trigger_by", "sl_trigger_by", "bbo_side",
    ):  # fmt: skip
        _only(False, name, getattr(order, name), "linear")
    is_conditional = order.order_filter in ("tpslOrder", "StopOrder")
    if (order.trigger_price is not None) != is_conditional:
        raise BadRequest(
            f"{order.symbol}: on spot a trigger price goes with order_filter tpslOrder or StopOrder"
        )
    if order.kind == "Market" and (order.take_profit or order.stop_loss):
        raise BadRequest(f"{order.symbol}: spot takes take-profit and stop-loss with limit orders")


def _check_linear(order: OrderRequest) -> None:
    for name in ("is_leverage", "order_filter"):
        _only(False, name, getattr(order, name), "spot")
    if order.market_unit != "baseCoin":
        raise BadRequest(f"{order.symbol}: market_unit is for spot")
    if (order.trigger_price is None) != (not order.trigger_direction):
        raise BadRequest(f"{order.symbol}: a conditional order needs trigger price and direction")
    if order.trigger_by and order.trigger_price is None:
        raise BadRequest(f"{order.symbol}: trigger_by without a trigger price")


def _check_protection(order: OrderRequest) -> None:
    has_any = order.take_profit is not None or order.stop_loss is not None
    if order.reduce_only and has_any:
        raise BadRequest(f"{order.symbol}: a reduce-only order takes no take-profit or stop-loss")
    for leg, price, kind, limit in (
        ("tp", order.take_profit, order.tp_order_type, order.tp_limit_price),
        ("sl", order.stop_loss, order.sl_order_type, order.sl_limit_price),
    ):
        if price is None and (kind or limit is not None):
            raise BadRequest(f"{order.symbol}: {leg}_order_type without its price")
        if (kind == "Limit") != (limit is not None):
            raise BadRequest(f"{order.symbol}: {leg}_limit_price goes with {leg}_order_type Limit")
        if kind == "Limit" and order.category == "linear" and order.tpsl_mode != "Partial":
            raise BadRequest(f"{order.symbol}: a limit {leg} needs tpsl_mode Partial")


def _check_slippage(order: OrderRequest) -> None:
    if bool(order.slippage_type) != (order.slippage is not None):
        raise BadRequest(f"{order.symbol}: slippage needs a type and a value")
    if order.slippage is None:
        return
    if order.kind != "Market" or order.trigger_price is not None:
        raise BadRequest(f"{order.symbol}: slippage is for plain market orders")
    if order.slippage_type == "TickSize":
        is_whole = order.slippage == order.slippage.to_integral_value()
        if not is_whole or not 1 <= order.slippage <= _TICKS_MOST:
            raise BadRequest(f"{order.symbol}: expected 1 to 10000 ticks, found {order.slippage}")
    elif (
        not _PERCENT_LEAST <= order.slippage <= _PERCENT_MOST
        or order.slippage != order.slippage.quantize(_PERCENT_LEAST)
    ):
        raise BadRequest(f"{order.symbol}: expected 0.01 to 10 per cent, found {order.slippage}")


def _positive(number: Decimal | None, name: str) -> None:
    if number is not None and not (number.is_finite() and number > 0):
        raise BadRequest(f"expected a {name} above zero, found {number}")


def _only(is_right: bool, name: str, value: object, category: str) -> None:
    if value and not is_right:
        raise BadRequest(f"{name} is for {category} only")
