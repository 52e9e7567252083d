"""Positions: what is held, how it is margined, what closes it (Bybit v5 docs, position pages)."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from plimsoll.venues.bybit.api.caller import SETTLE_COINS, Caller, Change
from plimsoll.venues.bybit.api.endpoint import Done, Endpoint, Paging
from plimsoll.venues.bybit.api.parameters import (
    BadRequest,
    Json,
    check_positive,
    check_words,
    plain,
)
from plimsoll.venues.bybit.api.position_rows import ClosedPnl, Position

POSITIONS: Final = Endpoint(
    name="positions.open",
    path="/v5/position/list",
    row=Position,
    page="position",
    group="position-query",
    signed=True,
    is_list=True,
    paging=Paging.CURSOR,
    limit=200,
    key=("symbol", "position_idx"),
)
CLOSED_PNL: Final = Endpoint(
    name="positions.closed_pnl",
    path="/v5/position/closed-pnl",
    row=ClosedPnl,
    page="position/close-pnl",
    group="position-query",
    signed=True,
    is_list=True,
    paging=Paging.WEEKS,
    limit=100,
    time="updated_ms",
)


def _setting(method: str, path: str, page: str) -> Endpoint[Done]:
    return Endpoint(
        name=f"positions.{method}",
        method="POST",
        path=f"/v5/position/{path}",
        row=Done,
        page=f"position/{page}",
        group="position-setting",
        signed=True,
    )


SET_LEVERAGE: Final = _setting("set_leverage", "set-leverage", "leverage")
SWITCH_MODE: Final = _setting("switch_mode", "switch-mode", "position-mode")
TRADING_STOP: Final = _setting("trading_stop", "trading-stop", "trading-stop")
SET_AUTO_ADD_MARGIN: Final = _setting(
    "set_auto_add_margin", "set-auto-add-margin", "auto-add-margin"
)
ADD_MARGIN: Final = Endpoint(
    name="positions.add_margin",
    method="POST",
    path="/v5/position/add-margin",
    row=Position,
    page="position/manual-add-margin",
    group="position-setting",
    signed=True,
)
CONFIRM_MAINTENANCE: Final = _setting(
    "confirm_pending_maintenance", "confirm-pending-mmr", "confirm-mmr"
)

ENDPOINTS: Final = (
    POSITIONS,
    CLOSED_PNL,
    SET_LEVERAGE,
    SWITCH_MODE,
    TRADING_STOP,
    SET_AUTO_ADD_MARGIN,
    ADD_MARGIN,
    CONFIRM_MAINTENANCE,
)


class TradingStop(msgspec.Struct, frozen=True, kw_only=True):
    """Take-profit, stop-loss and trailing stop of a position; zero removes one.

    State both prices where both are wanted: a change of one alone parts the pair. In Partial mode a
    call only adds.

    Raises:
        BadRequest: it says nothing, or contradicts itself.
    """

    symbol: str
    mode: Literal["Full", "Partial"] = "Full"
    position_idx: Literal[0, 1, 2] = 0
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    trailing_stop: Decimal | None = None
    """Distance from the best price since, in quote coin."""

    active_price: Decimal | None = None
    """Price from which the trailing stop follows."""

    tp_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    sl_trigger_by: Literal["", "LastPrice", "IndexPrice", "MarkPrice"] = ""
    size: Decimal | None = None
    """Partial mode: quantity of both."""

    tp_order_type: Literal["", "Market", "Limit"] = ""
    sl_order_type: Literal["", "Market", "Limit"] = ""
    tp_limit_price: Decimal | None = None
    sl_limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing or contradicts itself."""
        check_words(self)
        wants = (self.take_profit, self.stop_loss, self.trailing_stop)
        if all(value is None for value in wants):
            raise BadRequest(f"{self.symbol}: no take-profit, stop-loss or trailing stop is given")
        if self.active_price is not None and self.trailing_stop is None:
            raise BadRequest(f"{self.symbol}: an active price belongs to a trailing stop")
        if self.mode == "Full" and (self.size is not None or self._has_limits):
            raise BadRequest(f"{self.symbol}: size and limit prices need mode Partial")
        for price in wants:
            if price:  # zero removes one
                check_positive(price, "price")

    @property
    def _has_limits(self) -> bool:
        return self.tp_limit_price is not None or self.sl_limit_price is not None

    def body(self) -> Json:
        """Return the parameters."""
        amounts = {
            "takeProfit": self.take_profit,
            "stopLoss": self.stop_loss,
            "trailingStop": self.trailing_stop,
            "activePrice": self.active_price,
            "tpSize": self.size if self.take_profit is not None else None,
            "slSize": self.size if self.stop_loss is not None else None,
            "tpLimitPrice": self.tp_limit_price,
            "slLimitPrice": self.sl_limit_price,
        }
        words = {
            "tpTriggerBy": self.tp_trigger_by,
            "slTriggerBy": self.sl_trigger_by,
            "tpOrderType": self.tp_order_type,
            "slOrderType": self.sl_order_type,
        }
        head: Json = {"category": "linear", "symbol": self.symbol, "tpslMode": self.mode}
        head["positionIdx"] = self.position_idx
        head |= {name: plain(value) for name, value in amounts.items() if value is not None}
        return head | {name: word for name, word in words.items() if word}


class PositionsApi:
    """Positions of contracts; each method raises ``CallFailed`` or ``ParseError``.

    A setting that is so already is success: ``Change.is_changed`` tells.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def open(self, symbol: str = "") -> list[Position]:
        """Return a symbol's position, flat or not (in hedge mode two), or every open position."""
        scopes = [{"symbol": symbol}] if symbol else [{"settleCoin": coin} for coin in SETTLE_COINS]
        found: list[Position] = []
        for scope in scopes:
            found += await self._caller.rows(POSITIONS, {"category": "linear", **scope})
        return found

    async def closed_pnl(
        self, symbol: str = "", since_ms: int = 0, until_ms: int = 0
    ) -> list[ClosedPnl]:
        """Return what closing orders made, oldest first, by default of the last seven days."""
        params = {"category": "linear", "symbol": symbol}
        return await self._caller.rows(CLOSED_PNL, params, since_ms, until_ms)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Change:
        """Set the leverage of both sides.

        Raises:
            BadRequest: it is not above zero.
        """
        check_positive(leverage, "leverage")
        text = plain(leverage)
        body = {"category": "linear", "symbol": symbol}
        return await self._caller.change(
            SET_LEVERAGE, {**body, "buyLeverage": text, "sellLeverage": text}
        )

    async def switch_mode(self, *, is_hedge: bool, symbol: str = "", coin: str = "") -> Change:
        """Set one-way or hedge mode, for a symbol or for all of a settle coin.

        Raises:
            BadRequest: neither or both are named.
        """
        if bool(symbol) == bool(coin):
            raise BadRequest("a position mode is set for a symbol or for a coin")
        scope = {"symbol": symbol} if symbol else {"coin": coin}
        mode = 3 if is_hedge else 0
        return await self._caller.change(SWITCH_MODE, {"category": "linear", **scope, "mode": mode})

    async def trading_stop(self, stop: TradingStop) -> Change:
        """Set or remove take-profit, stop-loss and trailing stop of a position."""
        return await self._caller.change(TRADING_STOP, stop.body())

    async def set_auto_add_margin(
        self, symbol: str, *, is_on: bool, position_idx: int = 0
    ) -> Change:
        """Have the venue add margin to an isolated position by itself."""
        body = {"category": "linear", "symbol": symbol, "autoAddMargin": int(is_on)}
        return await self._caller.change(SET_AUTO_ADD_MARGIN, {**body, "positionIdx": position_idx})

    async def add_margin(self, symbol: str, amount: Decimal, *, position_idx: int = 0) -> Position:
        """Add margin to an isolated position, or take some away with a negative amount."""
        body = {"category": "linear", "symbol": symbol, "margin": plain(amount)}
        return await self._caller.done(ADD_MARGIN, {**body, "positionIdx": position_idx})

    async def confirm_pending_maintenance(self, symbol: str) -> Change:
        """Accept a raised maintenance margin, which ends the reduce-only state of a position."""
        return await self._caller.change(
            CONFIRM_MAINTENANCE, {"category": "linear", "symbol": symbol}
        )
