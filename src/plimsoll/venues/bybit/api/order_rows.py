"""Orders and executions, by REST and pushed (Bybit v5 docs, order and execution pages)."""

from decimal import Decimal

import msgspec

from plimsoll.venues.bybit.api.words import (
    CancelKind,
    CreateKind,
    ExecutionKind,
    OrderKind,
    OrderStatus,
    RejectReason,
    Side,
    SmpKind,
    StopKind,
    TimeInForce,
    TpslMode,
    TriggerPrice,
)


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order as the venue tells it; amounts it does not tell are None.

    A market order's price is the venue's protection price. A cancelled derivative may have fills.
    """

    symbol: str
    venue_order_id: str = msgspec.field(name="orderId")
    side: Side
    status: OrderStatus = msgspec.field(name="orderStatus")
    qty: Decimal
    """In base coin; in quote coin for a spot market buy by value."""

    category: str = ""
    client_order_id: str = msgspec.field(default="", name="orderLinkId")
    parent_client_order_id: str = msgspec.field(default="", name="parentOrderLinkId")
    block_trade_id: str = ""
    kind: OrderKind = msgspec.field(default="", name="orderType")
    time_in_force: TimeInForce = ""
    price: Decimal | None = None
    average_price: Decimal | None = msgspec.field(default=None, name="avgPrice")
    cum_qty: Decimal = msgspec.field(default=Decimal(0), name="cumExecQty")
    cum_value: Decimal | None = msgspec.field(default=None, name="cumExecValue")
    cum_fee: Decimal | None = msgspec.field(default=None, name="cumExecFee")
    cum_fees: dict[str, Decimal] = msgspec.field(default_factory=dict, name="cumFeeDetail")
    """Fees by coin."""

    leaves_qty: Decimal | None = None
    leaves_value: Decimal | None = None
    closed_pnl: Decimal | None = None
    fee_currency: str = ""
    position_idx: int = 0
    is_leverage: str = ""
    create_kind: CreateKind = msgspec.field(default="", name="createType")
    cancel_kind: CancelKind = msgspec.field(default="", name="cancelType")
    reject_reason: RejectReason = ""
    stop_kind: StopKind = msgspec.field(default="", name="stopOrderType")
    trigger_price: Decimal | None = None
    trigger_direction: int = 0
    trigger_by: TriggerPrice = ""
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: TriggerPrice = ""
    sl_trigger_by: TriggerPrice = ""
    tp_limit_price: Decimal | None = None
    sl_limit_price: Decimal | None = None
    tpsl_mode: TpslMode = ""
    oco_trigger_by: str = ""
    market_unit: str = ""
    """Empty although a default applied."""

    slippage_tolerance_type: str = ""
    slippage_tolerance: Decimal | None = None
    last_price_on_created: Decimal | None = None
    base_price: Decimal | None = None
    reduce_only: bool = False
    close_on_trigger: bool = False
    place_type: str = ""
    smp_kind: SmpKind = msgspec.field(default="", name="smpType")
    smp_group: int = 0
    smp_order_id: str = ""
    extra_fees: str = ""
    rpi_taker_access: bool = False
    rpi_matched_qty: Decimal | None = None
    created_ms: int = msgspec.field(default=0, name="createdTime")
    updated_ms: int = msgspec.field(default=0, name="updatedTime")


class Execution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One match, or another event that moved money: look at ``kind`` before counting it as a fill.

    ``fee`` is positive where it was paid; for funding too.
    """

    symbol: str
    execution_id: str = msgspec.field(name="execId")
    venue_order_id: str = msgspec.field(name="orderId")
    side: Side
    price: Decimal = msgspec.field(name="execPrice")
    qty: Decimal = msgspec.field(name="execQty")
    kind: ExecutionKind = msgspec.field(default="Trade", name="execType")
    executed_ms: int = msgspec.field(name="execTime")
    is_maker: bool = False
    category: str = ""
    client_order_id: str = msgspec.field(default="", name="orderLinkId")
    value: Decimal | None = msgspec.field(default=None, name="execValue")
    fee: Decimal | None = msgspec.field(default=None, name="execFee")
    fee_rate: Decimal | None = None
    fee_currency: str = ""
    order_price: Decimal | None = None
    order_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    order_kind: OrderKind = msgspec.field(default="", name="orderType")
    stop_kind: StopKind = msgspec.field(default="", name="stopOrderType")
    create_kind: CreateKind = msgspec.field(default="", name="createType")
    closed_qty: Decimal | None = msgspec.field(default=None, name="closedSize")
    pnl: Decimal | None = msgspec.field(default=None, name="execPnl")
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    block_trade_id: str = ""
    market_unit: str = ""
    is_leverage: str = ""
    extra_fees: str = ""
    venue_seq: int = msgspec.field(default=0, name="seq")


class BorrowQuota(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a spot order may be worth, with and without borrowing."""

    symbol: str
    side: Side
    max_qty: Decimal | None = msgspec.field(default=None, name="maxTradeQty")
    max_amount: Decimal | None = msgspec.field(default=None, name="maxTradeAmount")
    own_qty: Decimal | None = msgspec.field(default=None, name="spotMaxTradeQty")
    """Without borrowing."""

    own_amount: Decimal | None = msgspec.field(default=None, name="spotMaxTradeAmount")
    borrow_coin: str = ""


class PreCheck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Margin rates before and after an order that was not placed, in ten-thousandths."""

    venue_order_id: str = msgspec.field(default="", name="orderId")
    client_order_id: str = msgspec.field(default="", name="orderLinkId")
    initial_before: int = msgspec.field(name="preImrE4")
    maintenance_before: int = msgspec.field(name="preMmrE4")
    initial_after: int = msgspec.field(name="postImrE4")
    maintenance_after: int = msgspec.field(name="postMmrE4")


class OrderIds(msgspec.Struct, frozen=True, kw_only=True):
    """The two ids of an order; in an answer to a failed batch item the venue's is empty."""

    venue_order_id: str = msgspec.field(default="", name="orderId")
    client_order_id: str = msgspec.field(default="", name="orderLinkId")
    created_ms: int | None = msgspec.field(default=None, name="createAt")


class OrderIdsList(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of several orders, in the order they were asked for."""

    rows: tuple[OrderIds, ...] = msgspec.field(default=(), name="list")
    success: str = ""
    """``1`` where a spot cancel-all was taken."""
