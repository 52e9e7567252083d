"""What may be asked of orders, checked before a byte leaves, and its JSON (order/create-order).

The fields have our words, the values the venue's. Amounts are exact: decimals, written plain. What
a category does not take, or what contradicts itself, is refused here: the venue ignores some of
it silently. Always said, never left to the venue's default: ``marketUnit`` of a spot market order,
``positionIdx`` and ``reduceOnly`` of a contract, ``isLeverage`` of spot, ``smpType``.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from plimsoll.venues.bybit.api.parameters import (
    BadRequest,
    Category,
    Json,
    check_client_id,
    check_only,
    check_positive,
    check_symbol,
    check_words,
    said,
)

_TICKS_MOST: Final = 10_000
_PERCENT_LEAST, _PERCENT_MOST = Decimal("0.01"), Decimal(10)


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
        check_symbol(self.category, self.symbol)
        check_words(self)
        check_client_id(self.client_order_id)
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
        return fixed | said(
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


# ---- checks ---------------------------------------------------------------------------------


def _check_amounts(order: OrderRequest) -> None:
    if order.qty != 0 or not _closes_all(order):
        check_positive(order.qty, "quantity")
    names = ("price", "trigger_price", "tp_limit_price", "sl_limit_price", "slippage")
    for name in (*names, "take_profit", "stop_loss"):
        check_positive(getattr(order, name), name)


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
        check_only(False, name, getattr(order, name), "linear")
    is_conditional = order.order_filter in ("tpslOrder", "StopOrder")
    if (order.trigger_price is not None) != is_conditional:
        raise BadRequest(
            f"{order.symbol}: on spot a trigger price goes with order_filter tpslOrder or StopOrder"
        )
    if order.kind == "Market" and (order.take_profit or order.stop_loss):
        raise BadRequest(f"{order.symbol}: spot takes take-profit and stop-loss with limit orders")


def _check_linear(order: OrderRequest) -> None:
    for name in ("is_leverage", "order_filter"):
        check_only(False, name, getattr(order, name), "spot")
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
