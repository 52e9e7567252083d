"""Checks of positions, money and margin, each with a position of the smallest size."""

from decimal import Decimal

from plimsoll.venues.bybit.api import CallFailed
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import ENDED, Desk, code_of, said
from plimsoll.venues.bybit.probe.errors import Unknown

_NEAR = Decimal("0.005")
"""Two margins are the same within this part of them: marks move between two questions."""


async def reduce_only_flat(desk: Desk) -> Seen:
    """Ask to reduce a position that is not there."""
    answer = await desk.create(await desk.resting_order("Sell", reduce_only=True))
    return Seen(code_of(answer), answer.text)


async def reduce_only_cut(desk: Desk) -> Seen:
    """Ask to reduce a position by more than it is."""
    held, _ = await desk.buy_least()
    order = desk.order("Sell", held * 2, await desk.far("Sell"), reduce_only=True)
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        return Seen(str(answer.code), answer.text)
    row = await desk.told(order.client_order_id, *ENDED, "New")
    qty = decimal_in(row.get("qty"))
    return Seen("cut to the position" if qty == held else f"kept at {qty} of {held}")


async def reduce_only_trim(desk: Desk) -> Seen:
    """Shrink a position under two reduce-only orders and see which of them goes."""
    held, _ = await desk.buy_least(2)
    first, second = [
        desk.order("Sell", held / 2, await desk.far("Sell"), reduce_only=True) for _ in range(2)
    ]
    for order in (first, second):
        await desk.create(order)
        await desk.told(order.client_order_id, "New")
    await desk.take("Sell", held / 2)
    ids = {first.client_order_id: "the older", second.client_order_id: "the newer"}
    row = await desk.row(
        "order",
        lambda one: one.get("orderLinkId") in ids and one.get("orderStatus") in ENDED,
        "no reduce-only order was ended",
    )
    return Seen(f"{ids[str(row.get('orderLinkId'))]}, {row.get('cancelType')}")


async def flip(desk: Desk, tries: int = 3) -> Seen:
    """Sell twice what is held and see whether one execution does both.

    Executions end where a resting order does, and that may be just where we are flat: only where
    it is so each time, the venue tells the two apart.
    """
    held, _ = await desk.buy_least()
    end = await desk.take("Sell", held * 2)
    rows = desk.rows("execution", str(end.get("orderLinkId")))
    parts = [(decimal_in(row.get("closedSize")), decimal_in(row.get("execQty"))) for row in rows]
    note = ", ".join(f"closed {closed} of {qty}" for closed, qty in parts)
    if any(0 < closed < qty for closed, qty in parts):
        return Seen("one execution closes and opens", note)
    if tries == 1:
        return Seen("told apart", note)
    await desk.close()
    return await flip(desk, tries - 1)


async def flat_side(desk: Desk) -> Seen:
    """Ask for a position that is flat and read its side."""
    rows = await desk.client.positions.open(desk.symbol)
    if len(rows) != 1:
        return Seen(f"{len(rows)} rows")
    return Seen({"": "empty", "None": "None"}.get(rows[0].side, rows[0].side))


async def leverage_again(desk: Desk) -> Seen:
    """Set the leverage to what it is."""
    leverage = await _leverage(desk)
    change = await desk.client.positions.set_leverage(desk.symbol, leverage)
    return Seen(str(change.code) if change.code else "accepted", change.text)


async def mode_again(desk: Desk) -> Seen:
    """Set one-way mode where it is so already."""
    change = await desk.client.positions.switch_mode(is_hedge=False, symbol=desk.symbol)
    return Seen(str(change.code) if change.code else "accepted", change.text)


async def tier_scale(desk: Desk) -> Seen:
    """See whether margins of risk tiers are fractions or per cent."""
    try:
        tiers = await desk.client.market.risk_tiers(desk.symbol)
    except CallFailed as failed:
        raise Unknown(f"no risk tiers here: {failed.answer.reason}") from failed
    if not tiers:
        raise Unknown("no risk tiers here")
    product = tiers[0].initial_margin * tiers[0].max_leverage
    words = {True: "fractions", False: "per cent"}
    return Seen(words[product < 10], f"initial {tiers[0].initial_margin}, {tiers[0].max_leverage}x")


# ---- margin ----------------------------------------------------------------------------------


async def order_margin(desk: Desk) -> Seen:
    """Compare the margin of a resting buy with value / leverage and both fees."""
    before = await _order_margin(desk)
    order, _ = await desk.rest_one()
    found = await _changed(desk, before) - before
    return _compared(found, await _wanted(desk, order.qty * (order.price or 0), is_buy=True))


async def both_sides_margin(desk: Desk) -> Seen:
    """Compare the margin of a buy and a sell with that of each."""
    before = await _order_margin(desk)
    await desk.rest_one("Buy")
    buy = await _changed(desk, before)
    sell, _ = await desk.rest_one("Sell")
    both = await _changed(desk, buy) - before
    wanted = await _wanted(desk, sell.qty * (sell.price or 0), is_buy=False)
    larger = max(buy - before, wanted)
    if abs(both - larger) <= larger * _NEAR:
        return Seen("the larger side counts", f"{buy - before} and {wanted} make {both}")
    total = buy - before + wanted
    is_sum = abs(both - total) <= total * _NEAR
    return Seen("both count" if is_sum else "neither", f"{buy - before} and {wanted} make {both}")


async def reducing_margin(desk: Desk) -> Seen:
    """See whether a reduce-only order holds margin."""
    held, _ = await desk.buy_least()
    before = await _order_margin(desk)
    order = desk.order("Sell", held, await desk.far("Sell"), reduce_only=True)
    await desk.create(order)
    await desk.told(order.client_order_id, "New")
    await desk.quiet()
    more = await _order_margin(desk) - before
    return Seen("none" if not more else "some", f"{more} more")


async def position_margin(desk: Desk) -> Seen:
    """Compare a position's initial margin with value / leverage and the fee to close, at mark."""
    await desk.buy_least()
    (row,) = await desk.client.positions.open(desk.symbol)
    if row.initial_margin is None or not row.mark_price or not row.leverage:
        raise Unknown("the position tells no margin, mark price or leverage")
    value = row.size * row.mark_price
    fee = value * (1 - 1 / row.leverage) * decimal_in(desk.instrument.taker_fee)
    return _compared(row.initial_margin, value / row.leverage + fee)


def _compared(found: Decimal, wanted: Decimal) -> Seen:
    is_same = abs(found - wanted) <= wanted * _NEAR
    return Seen(
        "as the formula" if is_same else "another", f"{found:.6f}, by the formula {wanted:.6f}"
    )


async def _leverage(desk: Desk) -> Decimal:
    rows = await desk.client.positions.open(desk.symbol)
    if not rows or not rows[0].leverage:
        raise Unknown("the position tells no leverage")
    return rows[0].leverage


async def _wanted(desk: Desk, value: Decimal, *, is_buy: bool) -> Decimal:
    """Return value / leverage, the fee to open, the fee to close (help page on order cost)."""
    leverage, taker = await _leverage(desk), decimal_in(desk.instrument.taker_fee)
    factor = 1 - 1 / leverage if is_buy else 1 + 1 / leverage
    return value / leverage + value * taker + value * factor * taker


async def _order_margin(desk: Desk) -> Decimal:
    coin = desk.instrument.settle
    found = (await desk.client.account.wallet((coin,))).coin(coin)
    if found is None or found.order_margin is None:
        raise Unknown(f"the wallet tells no order margin of {coin}")
    return found.order_margin


async def _changed(desk: Desk, before: Decimal) -> Decimal:
    """Return the order margin once it is another, or what it is after the patience."""
    wait_s = desk.pace.patience_s
    found, _ = await desk.eventually(lambda: _order_margin(desk), lambda m: m != before, wait_s)
    return before if found is None else found


# ---- fees and units --------------------------------------------------------------------------


async def fee_coin(desk: Desk) -> Seen:
    """Buy and see in which coin the fee is taken."""
    _, end = await desk.buy_least(2 if desk.is_spot else 1)
    row = desk.rows("execution", str(end.get("orderLinkId")))[0]
    coin, item = str(row.get("feeCurrency") or ""), desk.instrument
    words = {item.base: "base coin", item.quote: "quote coin", "": "not told"}
    return Seen(words.get(coin, coin), f"feeCurrency {coin!r}, fee {row.get('execFee')}")


async def fee_amount(desk: Desk) -> Seen:
    """Buy and compare the fee with value times rate."""
    _, end = await desk.buy_least(2 if desk.is_spot else 1)
    row = desk.rows("execution", str(end.get("orderLinkId")))[0]
    is_base = row.get("feeCurrency") == desk.instrument.base
    of = decimal_in(row.get("execQty" if is_base else "execValue"))
    fee, rate = decimal_in(row.get("execFee")), decimal_in(row.get("feeRate"))
    is_same = abs(fee - of * rate) <= max(abs(fee) * _NEAR, Decimal("1e-8"))
    return Seen("value times rate" if is_same else "another", f"fee {fee}, {of} x {rate}")


async def market_unit_base(desk: Desk) -> Seen:
    """Buy at the market by base quantity and read the quantity and unit of the order."""
    _, ask = await desk.best()
    return await _market_buy(desk, desk.least(ask) * 2, "baseCoin")


async def market_unit_quote(desk: Desk) -> Seen:
    """Buy at the market by value and read the quantity and unit of the order."""
    item = desk.instrument
    return await _market_buy(desk, decimal_in(item.min_notional) * 3, "quoteCoin")


async def _market_buy(desk: Desk, qty: Decimal, unit: str) -> Seen:
    _, ask = await desk.best()
    desk.purse.check(qty * ask if unit == "baseCoin" else qty)
    order = desk.order("Buy", qty, None, market_unit=unit)
    answer = await desk.create(order)
    if answer.outcome != "accepted":
        raise Unknown(f"a market order was answered {said(answer)}")
    row = await desk.told(order.client_order_id, *ENDED)
    await desk.quiet()
    is_kept = decimal_in(row.get("qty")) == qty
    told = row.get("marketUnit")
    return Seen(
        f"{row.get('orderStatus')}, qty {'as sent' if is_kept else 'another'}, unit {told!r}"
    )
