"""Refusals that faults cause: of orders a changed instrument does not take, and by code."""

from decimal import Decimal
from typing import Any, Final

from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.faults.ask import number_of
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.plan import Where

_MS: Final = 1_000_000
_INNER: Final = {429: "Too many requests", 10000: "Server Timeout", 10429: "System level frequency"}


def refused_order(
    ground: Ground, endpoint: str, params: dict[str, Any], told: dict[str, Any], now_ns: int
) -> VenueRefusal | None:
    """Return why an instrument that halts, ends or has other filters refuses an order."""
    if endpoint not in ("order.create", "order.amend"):
        return None
    plan = ground.plan
    where = Where(symbol=str(params.get("symbol", "")))
    spot = params.get("category") == "spot"
    is_create = endpoint == "order.create"
    if is_create and (fault := plan.holding("halt_instrument", where)):
        refusal = VenueRefusal(170151 if spot else 110074)
    elif (
        is_create
        and str(params.get("reduceOnly", "")).lower() != "true"
        and (fault := plan.holding("delist", where))
    ):
        refusal = VenueRefusal(30228)
    elif (fault := plan.holding("filters_changed", where)) and (
        text := _off_filters(fault.ask.values, params)
    ):
        refusal = VenueRefusal(10001, text)
    else:
        return None
    ground.note(fault, now_ns, retCode=refusal.code, **told)
    return refusal


def coded(code: int) -> VenueRefusal:
    """Return a refusal with the venue's own code and the text it has for it."""
    return VenueRefusal(code, _INNER.get(code, ""))


def spent(code: int, now_ns: int) -> dict[str, str]:
    """Return the headers of a budget that is used up, where the code says so."""
    if code not in (10006, 10429):
        return {}
    return {
        "X-Bapi-Limit": "10",
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(now_ns // _MS + 1000),
    }


def _off_filters(values: dict[str, str], params: dict[str, Any]) -> str:
    """Return which of the changed filters an order's numbers break, "" for none."""
    for key, field in (("tickSize", "price"), ("qtyStep", "qty")):
        if (
            key in values
            and (number := number_of(params.get(field)))
            and number % Decimal(values[key])
        ):
            return f"params error: {field} {params[field]} is not a multiple of {values[key]}"
    least = values.get("minOrderQty")
    number = number_of(params.get("qty"))
    if least and number and number < Decimal(least):
        return f"params error: qty {params['qty']} is below the minimum {least}"
    return ""
