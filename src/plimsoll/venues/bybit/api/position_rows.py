"""Positions and what was made with them (Bybit v5 docs, position pages)."""

from decimal import Decimal

import msgspec

from plimsoll.venues.bybit.api.words import (
    ExecutionKind,
    OrderKind,
    PositionStatus,
    Side,
    TpslMode,
)


class Position(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A position; ``size`` is never negative, ``side`` is "" or "None" where it is flat.

    Margins are None in portfolio margin, the liquidation price where it is out of range.
    """

    symbol: str
    size: Decimal
    side: Side = ""
    category: str = ""
    position_idx: int = 0
    """0 one-way, 1 and 2 the two sides of hedge mode."""

    entry_price: Decimal | None = None
    """Name of the average price on the stream."""

    avg_price: Decimal | None = None
    """Name of the average price by REST."""

    value: Decimal | None = msgspec.field(default=None, name="positionValue")
    balance: Decimal | None = msgspec.field(default=None, name="positionBalance")
    leverage: Decimal | None = None
    mark_price: Decimal | None = None
    liquidation_price: Decimal | None = msgspec.field(default=None, name="liqPrice")
    bankruptcy_price: Decimal | None = msgspec.field(default=None, name="bustPrice")
    break_even_price: Decimal | None = None
    initial_margin: Decimal | None = msgspec.field(default=None, name="positionIM")
    maintenance_margin: Decimal | None = msgspec.field(default=None, name="positionMM")
    unrealised_pnl: Decimal | None = None
    realised_pnl: Decimal | None = msgspec.field(default=None, name="curRealisedPnl")
    cum_realised_pnl: Decimal | None = None
    session_average_price: Decimal | None = msgspec.field(default=None, name="sessionAvgPrice")
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    trailing_stop: Decimal | None = None
    tpsl_mode: TpslMode = ""
    status: PositionStatus = msgspec.field(default="", name="positionStatus")
    tier: int = msgspec.field(default=0, name="riskId")
    tier_value: Decimal | None = msgspec.field(default=None, name="riskLimitValue")
    trade_mode: int = 0
    auto_add_margin: bool = False
    adl_rank: int = msgspec.field(default=0, name="adlRankIndicator")
    is_reduce_only: bool = False
    maintenance_updated_time: str = msgspec.field(default="", name="mmrSysUpdatedTime")
    leverage_updated_time: str = msgspec.field(default="", name="leverageSysUpdatedTime")
    created_ms: int = msgspec.field(default=0, name="createdTime")
    updated_ms: int = msgspec.field(default=0, name="updatedTime")
    opened_ms: int = msgspec.field(default=0, name="openTime")
    venue_seq: int = msgspec.field(default=-1, name="seq")

    @property
    def average_price(self) -> Decimal | None:
        """Return the average entry price by whichever name it came."""
        return self.entry_price if self.entry_price is not None else self.avg_price

    @property
    def signed_size(self) -> Decimal:
        """Return the size, negative where the position is short."""
        return -self.size if self.side == "Sell" else self.size


class ClosedPnl(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an order that closed made; its prices contain fees: they are no execution prices."""

    symbol: str
    venue_order_id: str = msgspec.field(name="orderId")
    side: Side
    closed_pnl: Decimal
    qty: Decimal
    closed_qty: Decimal = msgspec.field(name="closedSize")
    order_price: Decimal | None = None
    order_kind: OrderKind = msgspec.field(default="", name="orderType")
    kind: ExecutionKind = msgspec.field(default="", name="execType")
    entry_value: Decimal | None = msgspec.field(default=None, name="cumEntryValue")
    entry_price: Decimal | None = msgspec.field(default=None, name="avgEntryPrice")
    exit_value: Decimal | None = msgspec.field(default=None, name="cumExitValue")
    exit_price: Decimal | None = msgspec.field(default=None, name="avgExitPrice")
    fills: int = msgspec.field(default=0, name="fillCount")
    leverage: Decimal | None = None
    open_fee: Decimal | None = None
    close_fee: Decimal | None = None
    created_ms: int = msgspec.field(default=0, name="createdTime")
    updated_ms: int = msgspec.field(default=0, name="updatedTime")
