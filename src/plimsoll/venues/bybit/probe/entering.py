"""Checks of order entry: codes of refusals, ids, what an amend or cancel is answered."""

import asyncio
from decimal import ROUND_CEILING, Decimal
from typing import Any

from plimsoll.venues.bybit.api import CancelAllRequest, CancelRequest, OrderAnswer, OrderRequest
from plimsoll.venues.bybit.api.orders import CREATE_BATCH
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import ENDED, Desk, code_of, said
from plimsoll.venues.bybit.probe.errors import Unknown

_TWICE = Decimal(2)


async def _answer_to(desk: Desk, order: OrderRequest) -> Seen:
    answer = await desk.create(order)
    return Seen(code_of(answer), answer.text)


async def duplicate_id(desk: Desk) -> Seen:
    """Use the id of an open order again."""
    order, _ = await desk.rest_one()
    return await _answer_to(desk, order)


async def reused_id(desk: Desk) -> Seen:
    """Use the id of a cancelled order again, at once."""
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    await desk.told(order.client_order_id, *ENDED)
    return await _again(desk, order)


async def remembered_id(desk: Desk) -> Seen:
    """Use the id of a cancelled order again, minutes later."""
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    await desk.told(order.client_order_id, *ENDED)
    await asyncio.sleep(desk.pace.memory_s)
    seen = await _again(desk, order)
    return Seen(seen.value, f"after {desk.pace.memory_s:g} s: {seen.note}")


async def _again(desk: Desk, order: OrderRequest) -> Seen:
    """Send it once more; taken, it is another order of the same id, and is cancelled as well."""
    answer = await desk.create(order)
    if answer.venue_order_id:
        desk.know(order, answer.venue_order_id)
    return Seen(code_of(answer), answer.text)


async def off_tick(desk: Desk) -> Seen:
    """Send a price between two ticks."""
    price = await desk.far("Buy")
    qty = desk.least(price)
    return await _answer_to(desk, desk.order("Buy", qty, price + desk.instrument.tick / 2))


async def off_lot(desk: Desk) -> Seen:
    """Send a quantity between two lots."""
    price = await desk.far("Buy")
    qty = desk.least(price) + desk.instrument.lot / 2
    return await _answer_to(desk, desk.order("Buy", qty, price))


async def below_least_qty(desk: Desk) -> Seen:
    """Send less than the least quantity, on the step."""
    item = desk.instrument
    qty = decimal_in(item.min_qty) - item.lot
    if qty <= 0:
        raise Unknown("the least quantity is one lot: less of it is off the step too")
    return await _answer_to(desk, desk.order("Buy", qty, await desk.far("Buy")))


async def below_least_value(desk: Desk) -> Seen:
    """Send an order of enough quantity and too little value, at a price far below."""
    item = desk.instrument
    qty = max(decimal_in(item.min_qty), item.lot)
    price = desk.on_tick(decimal_in(item.min_notional) * Decimal("0.8") / qty)
    price = min(price, await desk.far("Buy"))
    if not price or qty * price >= decimal_in(item.min_notional):
        raise Unknown("no price on the grid makes the least quantity worth too little")
    return await _answer_to(desk, desk.order("Buy", qty, price))


async def above_most_qty(desk: Desk) -> Seen:
    """Send more than the most, at so low a price that it is worth next to nothing."""
    item = desk.instrument
    qty = decimal_in(item.max_qty) + item.lot
    price = desk.on_tick(decimal_in(item.min_notional) * _TWICE / qty, ROUND_CEILING)
    if price > await desk.far("Buy"):
        raise Unknown("the most is worth too little to be tried far from the market")
    return await _answer_to(desk, desk.order("Buy", qty, price, time_in_force="PostOnly"))


async def no_client_id(desk: Desk) -> Seen:
    """Send an order without an id of ours and look at the one that comes back."""
    order = await desk.resting_order(client_order_id="")
    answer = await desk.create(order)
    if not answer.venue_order_id:
        raise Unknown(f"the order was answered {said(answer)}")
    row = await desk.told(answer.venue_order_id, "New")
    link = str(row.get("orderLinkId", "absent"))
    if not link:
        return Seen("empty")
    is_next = link.isdigit() and answer.venue_order_id.isdigit()
    if is_next and int(link) == int(answer.venue_order_id) + 1:
        return Seen("the order id plus one")
    return Seen("another", link)


async def venue_id_form(desk: Desk) -> Seen:
    """Look at the form of the venue's order id."""
    _, row = await desk.rest_one()
    found = str(row.get("orderId", ""))
    if found.isdigit():
        return Seen(f"{len(found)} digits", found)
    is_uuid = [len(part) for part in found.split("-")] == [8, 4, 4, 4, 12]
    return Seen("uuid" if is_uuid else "another", found)


async def beyond_limit(desk: Desk) -> Seen:
    """Send a bid above the highest one taken, post-only, so that nothing is matched."""
    limit = await desk.client.market.price_limit(desk.category, desk.symbol)
    price = desk.on_tick(limit.highest_bid * Decimal("1.005"), ROUND_CEILING)
    order = desk.order("Buy", desk.least(price), price, time_in_force="PostOnly")
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    row = await desk.told(order.client_order_id, *ENDED, "New")
    told = decimal_in(row.get("price"))
    note = f"asked {price}, highest bid {limit.highest_bid}, told {told}"
    return Seen("moved to the limit" if told < price else "kept", note)


# ---- amends and cancels ----------------------------------------------------------------------


async def amend_nothing(desk: Desk) -> Seen:
    """Amend an order to what it is."""
    order, _ = await desk.rest_one()
    assert order.price is not None
    answer = await desk.amend(order, price=order.price, qty=order.qty)
    return Seen(code_of(answer), answer.text)


async def amend_price(desk: Desk) -> Seen:
    """Amend the price and look at the message that tells it."""
    order, _ = await desk.rest_one()
    assert order.price is not None
    price = order.price - desk.instrument.tick
    answer = await desk.amend(order, price=price)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)

    def is_told(row: dict[str, object]) -> bool:
        is_ours = row.get("orderLinkId") == order.client_order_id
        return is_ours and decimal_in(str(row.get("price"))) == price

    row = await desk.row("order", is_told, "no message with the new price")
    return Seen(f"{row.get('orderStatus')} with the new price")


async def amend_across(desk: Desk) -> Seen:
    """Amend a resting order's price to the other side of the book."""
    _, ask = await desk.best()
    price = desk.on_tick(ask * Decimal("1.002"))
    low = await desk.far("Buy")
    order = desk.order("Buy", max(desk.least(ask), desk.least(low)), low)
    desk.purse.check(order.qty * price)
    await desk.create(order)
    await desk.told(order.client_order_id, "New")
    answer = await desk.amend(order, price=price)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    rows = await desk.matched(order.client_order_id, order.qty)
    makers = {row.get("isMaker") for row in rows}
    return Seen("matched as taker" if makers == {False} else f"isMaker {makers}")


async def queue_after_amend(desk: Desk) -> Seen:
    """Say why nobody can see this from outside."""
    raise Unknown("a client cannot see its place in the queue; ours goes behind, as the worst case")


async def cancel_twice(desk: Desk) -> Seen:
    """Cancel an order that is cancelled."""
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    await desk.told(order.client_order_id, *ENDED)
    answer = await desk.cancel(order)
    return Seen(code_of(answer), answer.text)


async def cancel_filled(desk: Desk) -> Seen:
    """Cancel an order that is filled."""
    _, end = await desk.buy_least()
    answer = await desk.client.orders.cancel(_by_id(desk, str(end.get("orderLinkId"))))
    return Seen(code_of(answer), answer.text)


async def cancel_unknown(desk: Desk) -> Seen:
    """Cancel an id that never was."""
    await desk.turn("cancel")
    answer = await desk.client.orders.cancel(_by_id(desk, desk.new_id()))
    return Seen(code_of(answer), answer.text)


def _by_id(desk: Desk, client_order_id: str) -> CancelRequest:
    return CancelRequest(
        category=desk.category, symbol=desk.symbol, client_order_id=client_order_id
    )


async def cancel_all_default(desk: Desk) -> Seen:
    """Cancel all without a filter and see what of a plain and a conditional order is left."""
    plain, _ = await desk.rest_one()
    waiting = await conditional(desk)
    await desk.create(waiting)
    await desk.told(waiting.client_order_id, "Untriggered")
    await desk.turn("cancel-all")
    scope = CancelAllRequest(category=desk.category, symbol=desk.symbol)
    answer = await desk.client.orders.cancel_all(scope)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    await desk.told(plain.client_order_id, *ENDED)
    await desk.quiet()
    left = desk.statuses(waiting.client_order_id)[-1]
    return Seen("the conditional one is left" if left == "Untriggered" else "nothing is left")


async def conditional(desk: Desk, *, above: Decimal = Decimal("1.1")) -> OrderRequest:
    """Return a conditional buy whose trigger is ``above`` times the price, and which would rest."""
    price = await desk.far("Buy")
    _, ask = await desk.best()
    trigger = desk.on_tick(ask * above)
    more: dict[str, Any] = {"trigger_price": trigger}
    more |= {"order_filter": "StopOrder"} if desk.is_spot else {"trigger_direction": 1}
    return desk.order("Buy", desk.least(price), price, **more)


# ---- batches ---------------------------------------------------------------------------------


async def batch_codes(desk: Desk) -> Seen:
    """Create a good and a bad order in one batch and return the code of each."""
    good = await desk.resting_order()
    bad = await desk.resting_order()
    assert bad.price is not None
    bad = desk.order("Buy", bad.qty, bad.price + desk.instrument.tick / 2)
    answers = await _batch(desk, [good, bad])
    ids = "empty order id" if not answers[1].venue_order_id else "order id given"
    codes = ", ".join("0" if one.outcome == "accepted" else str(one.code) for one in answers)
    return Seen(codes, f"the refused one: {ids}; {answers[1].text}")


async def batch_counts(desk: Desk) -> Seen:
    """Create two in a batch and see how much of the rate that took."""
    await asyncio.sleep(1.1)
    since = desk.tape.mark()
    await _batch(desk, [await desk.resting_order(), await desk.resting_order()])
    _, heard = desk.answer_of(CREATE_BATCH.path, since)
    headers = {name.decode().lower(): text.decode() for name, text in heard.headers}
    limit, left = headers.get("x-bapi-limit", ""), headers.get("x-bapi-limit-status", "")
    if not (limit.isdigit() and left.isdigit()):
        raise Unknown("the answer has no rate headers")
    taken = int(limit) - int(left)
    return Seen({1: "once a batch", 2: "each order"}.get(taken, f"{taken} taken"), f"of {limit}")


async def _batch(desk: Desk, orders: list[OrderRequest]) -> list[OrderAnswer]:
    for order in orders:
        desk.know(order, order.client_order_id)
    answers = await desk.client.orders.create_batch(orders)
    for order, answer in zip(orders, answers, strict=True):
        desk.settle(order, answer)
        if answer.outcome == "accepted":
            await desk.told(order.client_order_id, "New")
    if all(answer.outcome != "accepted" for answer in answers):
        raise Unknown(f"the batch was answered {said(answers[0])}")
    return answers
