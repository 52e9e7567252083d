"""Refusals of the simulated exchange: the venue's code and text."""

from typing import Any, Final


class VenueRefusal(Exception):
    """A request is refused with a ``retCode``; never crosses the brain's boundary."""

    def __init__(
        self,
        code: int,
        message: str = "",
        status: int = 200,
        result: dict[str, Any] | None = None,
    ) -> None:
        """Carry the code, its text (the usual one if empty), the HTTP status and the result."""
        self.code = code
        self.message = message or TEXTS.get(code, "Error")
        self.status = status
        self.result = result or {}
        super().__init__(f"{code} {self.message}")


TEXTS: Final = {
    10001: "Request parameter error.",
    10002: "The request time exceeds the time window range.",
    10003: "API key is invalid.",
    10004: "Error sign, please check your signature generation algorithm.",
    10005: "Permission denied, please check your API key permissions.",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10010: "Unmatched IP, please check your API key's bound IP addresses.",
    10016: "Internal System Error.",
    10017: "Route not found.",
    10019: "ws trade service is restarting, do not accept new request.",
    10403: "Exceed IP rate limit. 3000 requests per second per IP.",
    10404: "op type is not found.",
    20001: "Repeat auth",
    20003: "Too frequent requests under the same session",
    20006: "Duplicated reqId",
    30208: "The order price is higher than the maximum buying price.",
    30209: "The order price is lower than the minimum selling price.",
    30228: "No new positions during delisting.",
    33004: "Your api key has expired.",
    34040: "not modified",
    40004: "The order was modified while it was replaced; check its state again.",
    110001: "order not exists or too late to cancel",
    110004: "Wallet balance is insufficient.",
    110006: "The assets are estimated to be unable to cover the position margin.",
    110007: "ab not enough for new order",
    110008: "The order has been completed or cancelled.",
    110009: "The number of stop orders exceeds the maximum allowable limit.",
    110010: "The order has been cancelled.",
    110012: "Insufficient available balance.",
    110013: "cannot set leverage",
    110015: "Position is in cross margin mode.",
    110017: "orderQty will be truncated to zero.",
    110020: "Not allowed to have more than 500 active orders.",
    110024: "You have an existing position, so the position mode cannot be switched.",
    110025: "Position mode is not modified.",
    110027: "Margin is not modified.",
    110028: "You have existing open orders, so the position mode cannot be switched.",
    110029: "Hedge mode is not supported on this symbol.",
    110033: "Cannot set margin without an open position.",
    110043: "leverage not modified",
    110044: "Available margin is insufficient.",
    110046: "Liquidation will be triggered immediately after this adjustment.",
    110058: "The position is too small for this take profit or stop loss.",
    110059: "TP/SL of a partially filled order cannot be modified.",
    110061: "No more than 20 TP/SLs in Partial tpslMode.",
    110064: "The quantity is less than or equal to the executed quantity.",
    110074: "This contract is not live",
    110072: "OrderLinkedID is duplicate",
    110079: "The order is processing and can not be operated, please try again later",
    110089: "Exceeds the maximum risk limit level.",
    110090: "Position may exceed the max limit under the current leverage.",
    110092: "expect Rising, but trigger_price <= current",
    110093: "expect Falling, but trigger_price >= current",
    110094: "Order does not meet minimum order value.",
    110108: "slippageTolerance in ticks must be from 1 to 10000.",
    110109: "slippageTolerance in percent must be from 0.01 to 10.",
    110118: "No price for a market order, low liquidity.",
    110119: "RPI orders are for market makers only.",
    170131: "Insufficient balance.",
    170134: "Order price has too many decimals.",
    170137: "Order volume decimal too long.",
    170139: "Order has been filled.",
    170140: "Order value exceeded lower limit.",
    170141: "Duplicate clientOrderId",
    170142: "Order has been canceled.",
    170144: "Order is locked, try again later.",
    170148: "Market order amount decimal too long.",
    170151: "The trading of this currency is not open.",
    170193: "Buy order price cannot be higher than the price limit.",
    170194: "Sell order price cannot be lower than the price limit.",
    170198: "No liquidity for this market order.",
    170212: "Cancel order is being processed.",
    170213: "Order does not exist.",
    170313: "The quantity is less than the executed quantity.",
    170344: "Symbol is not supported on Margin Trading.",
    170355: "RPI orders are for market makers only.",
    170381: "The order quantity is larger than the maximum.",
    170810: "Cannot exceed the maximum of 500 open, 30 TP/SL and 30 conditional orders.",
    181017: "OrderStatus must be final status",
    3400045: "Set margin mode failed.",
}
"""Source: Bybit v5 docs, error page (texts shortened)."""
