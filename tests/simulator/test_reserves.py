"""The running sums of open orders against their naive twin: adding all of them up."""

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.core.model import Side
from plimsoll.simulator.brain.margin import locked_of, margin_of, order_margin

PRICES = {
    ("linear", "Buy"): ["59000.00", "59900.00", "60000.10"],
    ("linear", "Sell"): ["60000.00", "60100.00", "60500.00"],
    ("spot", "Buy"): ["59900.00", "60000.01"],
    ("spot", "Sell"): ["60000.00", "60100.00"],
}

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["create", "create", "stop", "locking", "pair", "amend", "cancel", "print"]
        ),
        st.sampled_from(["linear", "spot"]),
        st.sampled_from(["Buy", "Sell"]),
        st.integers(0, 2),
        st.integers(1, 40),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_sums_are_those_of_the_open_orders(make_desk: Any, moves: list[tuple[Any, ...]]) -> None:
    desk = make_desk()
    account = desk.exchange.floor.accounts["sim-key"]
    for action, category, side, level, size, reduces in moves:
        prices = PRICES[category, side]
        price, qty = prices[level % len(prices)], f"0.{size:03d}"
        working = [o for o in account.orders.live() if o.listing.is_spot == (category == "spot")]
        asked = {"category": category, "side": side, "price": price, "qty": qty}
        if action == "create":
            desk.order(**asked, reduceOnly=reduces)
        elif action == "stop":
            trigger = {"triggerPrice": "60200", "triggerDirection": 1}
            desk.order(**asked, **trigger, reduceOnly=reduces)
        elif action == "locking":  # by quantity at a limit, or a market order by value
            whole = {"category": "spot", "side": side, "orderFilter": "tpslOrder"}
            whole |= {"triggerPrice": "59800" if reduces else "60200"}
            by_value = {"orderType": "Market", "marketUnit": "quoteCoin", "qty": str(size)}
            desk.order(**whole, **(by_value if level else {"price": price, "qty": qty}))
        elif action == "pair":
            desk.order(**asked | {"category": "spot"}, takeProfit="60300", stopLoss="59700")
            desk.order(**asked | {"category": "spot"}, takeProfit="59700", stopLoss="60300")
        elif action == "print":
            taker, ticks = (Side.SELL, 598_000) if side == "Buy" else (Side.BUY, 602_000)
            desk.trade("linear:BTCUSDT", taker, ticks, size)
            desk.trade("spot:BTCUSDT", taker, ticks * 10, size * 1000)
        elif working:
            order = working[size % len(working)]
            ids = {"category": category, "symbol": "BTCUSDT", "orderId": order.order_id}
            change = {"qty": qty} if action == "amend" else {}
            desk.post(f"/v5/order/{action}", **ids, **change)
        _agrees(account, desk.exchange.floor.mark_of)


def _agrees(account: Any, mark_of: Any) -> None:
    lots: Counter[tuple[str, Side]] = Counter()
    ticks: Counter[tuple[str, Side]] = Counter()
    locked: dict[str, Decimal] = {}
    for order in account.orders.live():
        if order.reduce_only or (order.filter != "Order" and not _locks(account, order)):
            continue
        key, is_buy = (order.listing.name, order.side), order.side is Side.BUY
        price = order.price_ticks or order.trigger_ticks
        worth = price * order.leaves_lots
        if order.asked_value and is_buy:
            worth = -int(-order.asked_value // order.listing.value_step)
        lots[key] += order.leaves_lots or worth // price
        ticks[key] += worth
        if order.listing.is_spot:
            item = order.listing.instrument
            qty, value = order.listing.qty(order.leaves_lots), order.listing.value(1, worth)
            coin, amount = (item.quote, value) if is_buy else (item.base, qty)
            locked[coin] = locked.get(coin, Decimal(0)) + amount
    reserves = account.reserves
    assert {k: s.lots for k, s in reserves.sides.items() if s.lots} == +lots
    assert {k: s.ticks for k, s in reserves.sides.items() if s.ticks} == +ticks
    assert locked_of(account) == locked
    _margin_agrees(account, mark_of)


def _locks(account: Any, order: Any) -> bool:
    """Of what waits, only spot take-profits and stop-losses lock, and one of a pair."""
    twin = [o.serial for o in account.orders.waiting.values() if o.pair_id == order.order_id]
    is_first = not twin or order.serial < twin[0]
    return order.listing.is_spot and order.filter in ("tpslOrder", "OcoOrder") and is_first


def _margin_agrees(account: Any, mark_of: Any) -> None:
    """Order margin by walking every order: what exceeds the position, the larger side."""
    position = account.ledger.positions.get("linear:BTCUSDT")
    if position is None:
        return
    listing, needed = position.listing, [Decimal(0)]
    for side in Side:
        orders = [
            o for o in account.orders.open_on(listing) if o.side is side and not o.reduce_only
        ]
        total = sum(o.leaves_lots for o in orders)
        opening = max(0, total - max(0, -side.sign * position.lots))
        value = sum((listing.value(o.price_ticks, o.leaves_lots) for o in orders), Decimal(0))
        if opening:
            taker = Decimal("0.00055")
            needed.append(order_margin(side, value * opening / total, position.leverage, taker))
    assert margin_of(account, mark_of)["USDT"].order_im == max(needed)


def test_a_check_of_funds_looks_at_no_order(make_desk: Any) -> None:
    """500 open orders: the sums are read, the orders are not."""
    desk = make_desk()
    for number in range(499):
        desk.order(qty="0.001", price=f"{59_000 + number % 50}.00")
    account = desk.exchange.floor.accounts["sim-key"]

    class Forbidden(dict[str, Any]):
        def values(self) -> Any:
            raise AssertionError("every open order was looked at")

    account.orders.open = Forbidden(account.orders.open)
    assert margin_of(account, desk.exchange.floor.mark_of)["USDT"].order_im > 0
    assert desk.account()["totalInitialMargin"] > "0"
