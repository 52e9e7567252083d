"""Orders by REST, one or many at a time, and every question about orders and executions.

This is the whole of the venue's order entry for tools and people. The engine has its own way,
``trade`` and ``orders`` beside this folder: prepared bytes, one request at a time, every one in the
journal first. Both write the same bytes for the same order.
"""

from collections.abc import Sequence
from typing import Final

from plimsoll.venues.bybit.api.caller import SETTLE_COINS, Caller, Change, ordered
from plimsoll.venues.bybit.api.create import OrderRequest
from plimsoll.venues.bybit.api.endpoint import Done, Endpoint, Paging
from plimsoll.venues.bybit.api.order_rows import (
    BorrowQuota,
    Execution,
    Order,
    OrderIds,
    OrderIdsList,
    PreCheck,
)
from plimsoll.venues.bybit.api.outcomes import (
    CancelAllAnswer,
    OrderAnswer,
    batch_answers,
    cancel_all_answer,
    order_answer,
)
from plimsoll.venues.bybit.api.parameters import BadRequest
from plimsoll.venues.bybit.api.requests import (
    AmendRequest,
    CancelAllRequest,
    CancelRequest,
    Request,
    batch_body,
)
from plimsoll.venues.bybit.codes import Action
from plimsoll.venues.bybit.queries import FILTERS

_DCP_PRODUCTS: Final = ("DERIVATIVES", "SPOT")


def _entry(method: str, path: str, page: str) -> Endpoint[OrderIds]:
    return Endpoint(
        name=f"orders.{method}",
        method="POST",
        path=f"/v5/order/{path}",
        row=OrderIds,
        page=f"order/{page}",
        group=path,
        signed=True,
    )


def _batch(method: str, path: str, page: str) -> Endpoint[OrderIdsList]:
    return Endpoint(
        name=f"orders.{method}",
        method="POST",
        path=f"/v5/order/{path}",
        row=OrderIdsList,
        page=f"order/{page}",
        group=path,
        signed=True,
    )


CREATE: Final = _entry("create", "create", "create-order")
AMEND: Final = _entry("amend", "amend", "amend-order")
CANCEL: Final = _entry("cancel", "cancel", "cancel-order")
CANCEL_ALL: Final = _batch("cancel_all", "cancel-all", "cancel-all")
CREATE_BATCH: Final = _batch("create_batch", "create-batch", "batch-place")
AMEND_BATCH: Final = _batch("amend_batch", "amend-batch", "batch-amend")
CANCEL_BATCH: Final = _batch("cancel_batch", "cancel-batch", "batch-cancel")
PRE_CHECK: Final = Endpoint(
    name="orders.pre_check",
    method="POST",
    path="/v5/order/pre-check",
    row=PreCheck,
    page="order/pre-check-order",
    group="pre-check",
    signed=True,
)
SET_DCP: Final = Endpoint(
    name="orders.set_disconnect_cancel",
    method="POST",
    path="/v5/order/disconnected-cancel-all",
    row=Done,
    page="order/dcp",
    group="dcp",
    signed=True,
)
OPEN_ORDERS: Final = Endpoint(
    name="orders.open",
    path="/v5/order/realtime",
    row=Order,
    page="order/open-order",
    group="order-query",
    signed=True,
    is_list=True,
    paging=Paging.CURSOR,
    limit=50,
    time="created_ms",
    key=("category", "venue_order_id"),
)
ORDER_HISTORY: Final = Endpoint(
    name="orders.history",
    path="/v5/order/history",
    row=Order,
    page="order/order-list",
    group="order-query",
    signed=True,
    is_list=True,
    paging=Paging.WEEKS,
    limit=50,
    time="created_ms",
    key=("category", "venue_order_id"),
)
EXECUTIONS: Final = Endpoint(
    name="orders.executions",
    path="/v5/execution/list",
    row=Execution,
    page="order/execution",
    group="order-query",
    signed=True,
    is_list=True,
    paging=Paging.WEEKS,
    limit=100,
    time="executed_ms",
    key=("symbol", "venue_order_id", "execution_id"),
)
BORROW_QUOTA: Final = Endpoint(
    name="orders.borrow_quota",
    path="/v5/order/spot-borrow-check",
    row=BorrowQuota,
    page="order/spot-borrow-quota",
    group="order-query",
    signed=True,
)

ENDPOINTS: Final = (
    CREATE,
    AMEND,
    CANCEL,
    CANCEL_ALL,
    CREATE_BATCH,
    AMEND_BATCH,
    CANCEL_BATCH,
    PRE_CHECK,
    SET_DCP,
    OPEN_ORDERS,
    ORDER_HISTORY,
    EXECUTIONS,
    BORROW_QUOTA,
)


class OrdersApi:
    """Order requests end in an ``OrderAnswer``, never in an exception; nothing is sent twice.

    Questions raise ``CallFailed`` or ``ParseError``; their lists are oldest first. Without a symbol
    contracts are asked for by settle coin, USDT and USDC.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create(self, order: OrderRequest) -> OrderAnswer:
        """Create an order."""
        return await self._send("create", CREATE, order)

    async def amend(self, change: AmendRequest) -> OrderAnswer:
        """Change an open order."""
        return await self._send("amend", AMEND, change)

    async def cancel(self, cancel: CancelRequest) -> OrderAnswer:
        """Cancel an order."""
        return await self._send("cancel", CANCEL, cancel)

    async def cancel_all(self, cancel: CancelAllRequest) -> CancelAllAnswer:
        """Cancel many orders; see ``CancelAllRequest`` for what one call leaves alive.

        Raises:
            ParseError: taken, but the answer's orders cannot be read.
        """
        answer = await self._caller.post(CANCEL_ALL, cancel.body())
        return cancel_all_answer(self._caller.reader, answer)

    async def create_batch(self, orders: list[OrderRequest]) -> list[OrderAnswer]:
        """Create several orders of one category; one answer each, in their order.

        Raises:
            BadRequest: none, too many, or of two categories.
        """
        return await self._send_batch("create", CREATE_BATCH, orders)

    async def amend_batch(self, changes: list[AmendRequest]) -> list[OrderAnswer]:
        """Change several orders of one category; raises as ``create_batch`` does."""
        return await self._send_batch("amend", AMEND_BATCH, changes)

    async def cancel_batch(self, cancels: list[CancelRequest]) -> list[OrderAnswer]:
        """Cancel several orders of one category; raises as ``create_batch`` does."""
        return await self._send_batch("cancel", CANCEL_BATCH, cancels)

    async def pre_check(self, order: OrderRequest) -> PreCheck:
        """Return the margin rates before and after an order, which is not placed."""
        return await self._caller.done(PRE_CHECK, order.body())

    async def set_disconnect_cancel(self, product: str, window_s: int) -> Change:
        """Have the venue cancel everything of a product when we are gone for ``window_s`` seconds.

        Raises:
            BadRequest: product or window is none the venue takes.
            CallFailed: refused; most accounts are not let in.
        """
        if product not in _DCP_PRODUCTS or not 3 <= window_s <= 300:
            raise BadRequest(f"expected one of {_DCP_PRODUCTS} and 3 to 300 s, found {product}")
        return await self._caller.change(SET_DCP, {"product": product, "timeWindow": window_s})

    async def open(
        self,
        category: str,
        symbol: str = "",
        *,
        client_order_id: str = "",
        venue_order_id: str = "",
    ) -> list[Order]:
        """Return open orders, conditional ones asked for apart: some answers leave them out."""
        ids = {"orderLinkId": client_order_id, "orderId": venue_order_id}
        kinds = ("",) if client_order_id or venue_order_id else FILTERS.get(category, ("",))
        found: list[Order] = []
        for scope in _scopes(category, symbol, has_id=any(ids.values())):
            for kind in kinds:
                params: dict[str, str | int] = {**scope, **ids, "orderFilter": kind, "openOnly": 0}
                found += await self._caller.rows(OPEN_ORDERS, params)
        return ordered(OPEN_ORDERS, found[::-1])

    async def recently_closed(self, category: str, symbol: str = "") -> list[Order]:
        """Return the last closed orders, at most 500; the venue forgets them when it restarts."""
        found: list[Order] = []
        for scope in _scopes(category, symbol):
            found += await self._caller.rows(OPEN_ORDERS, {**scope, "openOnly": 1})
        return ordered(OPEN_ORDERS, found[::-1])

    async def history(
        self,
        category: str,
        symbol: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
        *,
        client_order_id: str = "",
        venue_order_id: str = "",
    ) -> list[Order]:
        """Return orders that are over, by default of the last seven days.

        Those that matched nothing are kept for 24 hours only: what is not here may have existed.
        """
        ids = {"orderLinkId": client_order_id, "orderId": venue_order_id}
        params = {"category": category, "symbol": symbol, **ids}
        return await self._caller.rows(ORDER_HISTORY, params, since_ms, until_ms)

    async def executions(
        self,
        category: str,
        symbol: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
        *,
        client_order_id: str = "",
        venue_order_id: str = "",
        kind: str = "",
    ) -> list[Execution]:
        """Return executions, by default of the last seven days; funding and others are among them.

        With an order's id the venue ignores every other filter.
        """
        ids = {"orderLinkId": client_order_id, "orderId": venue_order_id}
        params = {"category": category, "symbol": symbol, **ids, "execType": kind}
        return await self._caller.rows(EXECUTIONS, params, since_ms, until_ms)

    async def borrow_quota(self, symbol: str, side: str) -> BorrowQuota:
        """Return the largest spot order that balance and borrowing allow."""
        params = {"category": "spot", "symbol": symbol, "side": side}
        return await self._caller.one(BORROW_QUOTA, params)

    async def _send(
        self,
        action: Action,
        endpoint: Endpoint[OrderIds],
        request: Request,
    ) -> OrderAnswer:
        answer = await self._caller.post(endpoint, request.body())
        return order_answer(self._caller.reader, action, answer, "rest")

    async def _send_batch(
        self,
        action: Action,
        endpoint: Endpoint[OrderIdsList],
        requests: Sequence[Request],
    ) -> list[OrderAnswer]:
        answer = await self._caller.post(endpoint, batch_body(requests))
        return batch_answers(self._caller.reader, action, answer, "rest", len(requests))


def _scopes(category: str, symbol: str, *, has_id: bool = False) -> list[dict[str, str]]:
    """Return the scopes that together are all that is meant: of contracts, each settle coin."""
    if symbol or category == "spot" or has_id:
        return [{"category": category, "symbol": symbol}]
    return [{"category": category, "settleCoin": coin} for coin in SETTLE_COINS]
