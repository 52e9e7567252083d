"""Changes and cancels of orders, one or many, and batches; ``create`` has the orders themselves."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from plimsoll.venues.bybit.api.create import OrderRequest
from plimsoll.venues.bybit.api.parameters import (
    BATCH_MOST,
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
            check_positive(getattr(self, name), name)
        if not self._changes():
            raise BadRequest(f"amend of {self.symbol}: nothing to change is given")

    def body(self) -> Json:
        """Return the parameters."""
        return _target_body(self) | self._changes()

    def _changes(self) -> Json:
        return said(
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
        check_only(self.category == "spot", "order_filter", self.order_filter, "spot")

    def body(self) -> Json:
        """Return the parameters."""
        return _target_body(self) | said({"orderFilter": self.order_filter})


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
        check_words(self)
        if self.symbol:
            check_symbol(self.category, self.symbol)
        is_linear = self.category == "linear"
        if is_linear and not (self.symbol or self.base or self.settle):
            raise BadRequest("cancel-all of linear needs a symbol, base or settle coin")
        check_only(is_linear, "settle", self.settle, "linear")

    def body(self) -> Json:
        """Return the parameters."""
        return {"category": self.category} | said(
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


def _target_body(request: AmendRequest | CancelRequest) -> Json:
    ids = {"orderId": request.venue_order_id, "orderLinkId": request.client_order_id}
    return {"category": request.category, "symbol": request.symbol} | said({**ids})


def _check_target(request: AmendRequest | CancelRequest) -> None:
    check_symbol(request.category, request.symbol)
    check_words(request)
    check_client_id(request.client_order_id)
    if not (request.venue_order_id or request.client_order_id):
        raise BadRequest(f"{request.symbol}: an order is named by venue or client order id")
