"""Closed profit and loss, one row per closing order (Bybit v5 docs, position/close-pnl)."""

from decimal import Decimal
from typing import Any

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.ledger import Booked, Position
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import EXACT, ZERO, floor8, text_of
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.orders import Order


class ClosedPnl(msgspec.Struct):
    """What one order, or one session settlement, closed. Values are before fees."""

    serial: int
    listing: Listing
    side: Side
    order_id: str
    order_type: str
    exec_type: str
    price_ticks: int
    qty_lots: int
    leverage: Decimal
    created_ms: int
    updated_ms: int = 0
    closed_lots: int = 0
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    open_fee: Decimal = ZERO
    close_fee: Decimal = ZERO
    fills: int = 0

    def add(self, booked: Booked, price_ticks: int, now_ms: int) -> None:
        """Take in one execution."""
        self.closed_lots += booked.closed_lots
        self.entry_value += booked.entry_value
        self.exit_value += self.listing.value(price_ticks, booked.closed_lots)
        self.open_fee += booked.open_fee
        self.close_fee += booked.close_fee
        self.fills += 1
        self.updated_ms = now_ms

    def row(self) -> dict[str, Any]:
        """Return the venue's row: its entry and exit values have the fees in them.

        A long pays entry + opening fee and receives exit - closing fee; a short the other way.
        """
        sign = 1 if self.side is Side.SELL else -1  # a sell closes a long
        entry = self.entry_value + sign * self.open_fee
        out = self.exit_value - sign * self.close_fee
        return {
            "symbol": self.listing.instrument.symbol,
            "orderId": self.order_id,
            "side": SIDES[self.side],
            "qty": self.listing.qtys.text(self.qty_lots),
            "orderPrice": self.listing.prices.text(self.price_ticks),
            "orderType": self.order_type,
            "execType": self.exec_type,
            "closedSize": self.listing.qtys.text(self.closed_lots),
            "cumEntryValue": text_of(entry),
            "avgEntryPrice": self._average(entry),
            "cumExitValue": text_of(out),
            "avgExitPrice": self._average(out),
            "closedPnl": text_of(sign * (out - entry)),
            "fillCount": str(self.fills),
            "leverage": text_of(self.leverage),
            "openFee": text_of(self.open_fee),
            "closeFee": text_of(self.close_fee),
            "createdTime": str(self.created_ms),
            "updatedTime": str(self.updated_ms),
        }

    def _average(self, value: Decimal) -> str:
        return text_of(floor8(EXACT.divide(value, self.listing.qty(self.closed_lots))))


def closed_by(order: Order, serial: int, exec_type: str, leverage: Decimal) -> ClosedPnl:
    """Return the empty row of a closing order."""
    return ClosedPnl(
        serial=serial,
        listing=order.listing,
        side=order.side,
        order_id=order.order_id,
        order_type=order.kind,
        exec_type=exec_type,
        price_ticks=order.price_ticks,
        qty_lots=order.qty_lots,
        leverage=leverage,
        created_ms=order.created_ms,
    )


def closed_by_session(
    position: Position, basis: Decimal, mark_ticks: int, serial: int, now_ms: int
) -> ClosedPnl:
    """Return the row of a session settlement; ``basis`` is what profit counted from before it."""
    lots = abs(position.lots)
    return ClosedPnl(
        serial=serial,
        listing=position.listing,
        side=Side.SELL if position.lots > 0 else Side.BUY,
        order_id="",
        order_type="UNKNOWN",
        exec_type="SessionSettlePnL",
        price_ticks=mark_ticks,
        qty_lots=lots,
        leverage=position.leverage,
        created_ms=now_ms,
        updated_ms=now_ms,
        closed_lots=lots,
        entry_value=basis,
        exit_value=position.listing.value(mark_ticks, lots),
        fills=1,
    )
