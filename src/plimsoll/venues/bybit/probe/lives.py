"""Checks of how orders end: without a fill, by trigger, with exits; and what messages say then."""

from decimal import Decimal
from typing import Any, Final

from plimsoll.venues.bybit.api import OrderRequest, TradingStop
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import ENDED, NEAR, Desk, said
from plimsoll.venues.bybit.probe.entering import conditional
from plimsoll.venues.bybit.probe.errors import Unknown

_EXITS: Final = ("TakeProfit", "StopLoss", "PartialTakeProfit", "PartialStopLoss")
_UP, _DOWN = Decimal("1.1"), Decimal("0.9")
_TRIES: Final = 3
"""How often the market may move between our question and our order before we give up."""


async def _end_of(desk: Desk, order: Any) -> Seen:  # noqa: ANN401 - an order request
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    row = await desk.told(order.client_order_id, *ENDED)
    words = (row.get("orderStatus"), row.get("rejectReason"), row.get("cancelType"))
    return Seen(" ".join(str(word) for word in words))


async def post_only_cross(desk: Desk) -> Seen:
    """Send a post-only order that would match, so far over the book that no tick makes it rest."""
    _, ask = await desk.best()
    price = desk.on_tick(ask * (1 + NEAR))
    return await _end_of(desk, desk.order("Buy", desk.least(ask), price, time_in_force="PostOnly"))


async def ioc_no_fill(desk: Desk) -> Seen:
    """Send an IOC order that matches nothing."""
    return await _end_of(desk, await desk.resting_order(time_in_force="IOC"))


async def fok_no_fill(desk: Desk) -> Seen:
    """Send a FOK order that matches nothing."""
    return await _end_of(desk, await desk.resting_order(time_in_force="FOK"))


async def cancelled_words(desk: Desk) -> Seen:
    """Cancel an order and read the words of its end."""
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    row = await desk.told(order.client_order_id, *ENDED)
    return Seen(f"{row.get('orderStatus')} {row.get('cancelType')} {row.get('rejectReason')}")


async def cancelled_leaves(desk: Desk) -> Seen:
    """Cancel an order and read how much of it is left, as it is written."""
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    row = await desk.told(order.client_order_id, *ENDED)
    text = str(row.get("leavesQty", "absent"))
    return Seen("zero" if text and decimal_in(text) == 0 else "the rest", f"written {text!r}")


async def new_before_fill(desk: Desk) -> Seen:
    """Match at once and see whether the order was told as new before."""
    _, end = await desk.buy_least()
    states = desk.statuses(str(end.get("orderLinkId")))
    return Seen("no New" if "New" not in states else "New first", " ".join(states))


async def market_price_shown(desk: Desk) -> Seen:
    """Send a market order and compare its price with what it paid."""
    _, ask = await desk.best()
    qty = desk.least(ask)
    desk.purse.check(qty * ask)
    order = desk.order("Buy", qty, None)
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        raise Unknown(f"a market order was answered {said(answer)}")
    row = await desk.told(order.client_order_id, *ENDED)
    shown, paid = decimal_in(row.get("price")), decimal_in(row.get("avgPrice"))
    note = f"price {row.get('price')!r}, average {row.get('avgPrice')!r}"
    if not shown:
        return Seen("zero or none", note)
    return Seen("beyond what was paid" if shown > paid else "what was paid", note)


# ---- conditional orders ----------------------------------------------------------------------


async def conditional_life(desk: Desk) -> Seen:
    """Place a conditional order and cancel it before its trigger."""
    order = await conditional(desk)
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    await desk.told(order.client_order_id, "Untriggered")
    await desk.cancel(order)
    row = await desk.told(order.client_order_id, *ENDED)
    return Seen(" ".join(desk.statuses(order.client_order_id)), f"cancelType {row['cancelType']}")


async def conditional_triggers(desk: Desk) -> Seen:
    """Buy, place a conditional order at the bid, and sell: that is the price it waits for.

    Somebody may bid more in between: then our sale is above the trigger, the market may not come
    back to it for long, and all is tried again.
    """
    for _ in range(_TRIES):
        order = await _waits_at_the_bid(desk)
        await desk.close()
        if await _is_reached(desk, order):
            return Seen(" ".join(desk.statuses(order.client_order_id)))
        await desk.cancel(order)
    raise Unknown("the market did not reach the trigger")


async def _is_reached(desk: Desk, order: OrderRequest) -> bool:
    """Wait for a conditional order to rest in the book, as long as one try may take."""

    def rests(row: dict[str, Any]) -> bool:
        return row.get("orderLinkId") == order.client_order_id and row.get("orderStatus") == "New"

    try:
        await desk.row("order", rests, "not reached", desk.pace.market_s / _TRIES)
    except Unknown:
        return False
    return True


async def _waits_at_the_bid(desk: Desk, tries: int = _TRIES) -> OrderRequest:
    """Buy, and place a conditional order that waits for the bid.

    Somebody may sell at the bid in between: then the price is where it is to fall to, the order
    is refused for that, and all is tried again.

    Raises:
        Unknown: it was refused each time.
    """
    await desk.buy_least(2 if desk.is_spot else 1)
    price, (bid, _) = await desk.far("Buy"), await desk.best()
    more: dict[str, Any] = {"trigger_price": bid}
    more |= {"order_filter": "StopOrder"} if desk.is_spot else {"trigger_direction": 2}
    order = desk.order("Buy", desk.least(price), price, **more)
    answer = await desk.create(order)
    if answer.outcome == "accepted":
        return order
    if tries > 1:
        return await _waits_at_the_bid(desk, tries - 1)
    raise Unknown(f"a trigger next to the market was answered {said(answer)}")


async def trigger_wrong_side(desk: Desk) -> Seen:
    """Ask for a rise to a price below the market."""
    price = await desk.far("Buy")
    bid, _ = await desk.best()
    more = {"trigger_price": desk.on_tick(bid * _DOWN), "trigger_direction": 1}
    answer = await desk.create(desk.order("Buy", desk.least(price), price, **more))
    return Seen(str(answer.code) if answer.code else "accepted", answer.text)


# ---- exits -----------------------------------------------------------------------------------


async def _exits_around(desk: Desk) -> tuple[Decimal, Decimal]:
    """Return a take-profit and a stop-loss that are not reached."""
    bid, _ = await desk.best()
    return desk.on_tick(bid * _UP), desk.on_tick(bid * _DOWN)


async def _buy_with_exits(desk: Desk) -> dict[str, Any]:
    above, below = await _exits_around(desk)
    _, end = await desk.buy_least(take_profit=above, stop_loss=below)
    return end


async def _exit_rows(desk: Desk, status: str) -> list[dict[str, Any]]:
    """Wait for both exits to be told in a state."""
    found: dict[str, dict[str, Any]] = {}

    def both(row: dict[str, Any]) -> bool:
        for one in desk.rows("order"):
            if one.get("stopOrderType") in _EXITS and one.get("orderStatus") == status:
                found[str(one["stopOrderType"])] = one
        return len(found) >= 2

    await desk.row("order", both, f"not both exits were told as {status}")
    return [found[name] for name in sorted(found)]


async def exits_attached(desk: Desk) -> Seen:
    """Buy with take-profit and stop-loss and see what orders that makes."""
    end = await _buy_with_exits(desk)
    rows = await _exit_rows(desk, "Untriggered")
    shown = ", ".join(f"{row['stopOrderType']} {row['orderStatus']}" for row in rows)
    links = {row.get("parentOrderLinkId") for row in rows} == {end.get("orderLinkId")}
    return Seen(shown, f"parentOrderLinkId {'names' if links else 'does not name'} the order")


async def exits_after_close(desk: Desk) -> Seen:
    """Close a position with exits and see how they end."""
    await _buy_with_exits(desk)
    await _exit_rows(desk, "Untriggered")
    await desk.close()
    rows = await _exit_rows(desk, "Deactivated")
    return Seen(" ".join(sorted({f"{row['orderStatus']} {row['cancelType']}" for row in rows})))


async def trading_stop_again(desk: Desk) -> Seen:
    """Set the exits of a position twice."""
    await desk.buy_least()
    above, below = await _exits_around(desk)
    stop = TradingStop(symbol=desk.symbol, take_profit=above, stop_loss=below)
    await desk.client.positions.trading_stop(stop)
    await _exit_rows(desk, "Untriggered")
    change = await desk.client.positions.trading_stop(stop)
    return Seen(str(change.code) if change.code else "accepted", change.text)
