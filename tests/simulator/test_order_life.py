"""The life of orders under random use: legal states, consistent books, nothing sold twice."""

import random
from decimal import Decimal
from typing import Any

import pytest

from plimsoll.core.model import Side
from plimsoll.simulator.settings import AccountSettings

NEXT = {
    "": {"Created"},
    "Created": {
        "New",
        "PartiallyFilled",
        "Filled",
        "Cancelled",
        "Untriggered",
        "Deactivated",
        "Rejected",
    },
    "Untriggered": {"Untriggered", "Triggered", "Deactivated"},
    "Triggered": {"New", "PartiallyFilled", "Filled", "Cancelled", "Rejected"},
    "New": {"New", "PartiallyFilled", "Filled", "Cancelled"},
    "PartiallyFilled": {
        "PartiallyFilled",
        "Filled",
        "Cancelled",
        "PartiallyFilledCanceled",
    },
    "Filled": {"Filled"},
}
"""Which state may follow which; states without a row are the end (Bybit v5 docs, enum)."""
KEYS = ("k0", "k1")


def usual_price(chance: random.Random, category: str) -> str:
    ticks = 600_000 + chance.randint(-60, 60)
    return f"{ticks // 10}.{ticks % 10}" + ("0" if category == "spot" else "")


def random_order(chance: random.Random) -> dict[str, Any]:
    category = chance.choice(["linear", "linear", "spot"])
    order: dict[str, Any] = {
        "category": category,
        "symbol": "BTCUSDT",
        "side": chance.choice(["Buy", "Sell"]),
        "orderType": chance.choice(["Limit", "Limit", "Market"]),
        "qty": f"0.{chance.randint(1, 900):03}",
        "price": usual_price(chance, category),
        "timeInForce": chance.choice(["GTC", "IOC", "FOK", "PostOnly"]),
        "smpType": chance.choice(["None", "CancelMaker", "CancelTaker", "CancelBoth"]),
    }
    if category == "spot":
        order["qty"] = f"0.0{chance.randint(10, 99)}"
        order["marketUnit"] = "baseCoin"
    elif chance.random() < 0.3:
        order["reduceOnly"] = True
        order["closeOnTrigger"] = chance.random() < 0.3
    if chance.random() < 0.4:
        order["triggerPrice"] = usual_price(chance, category)
        order["triggerDirection"] = chance.choice([1, 2])
        order["triggerBy"] = chance.choice(["LastPrice", "MarkPrice", "IndexPrice"])
        order["orderFilter"] = chance.choice(["StopOrder", "tpslOrder"])
    if chance.random() < 0.3:
        up, down = str(60_000 + chance.randint(1, 8)), str(60_000 - chance.randint(1, 8))
        buys = order["side"] == "Buy"
        order["takeProfit"], order["stopLoss"] = (up, down) if buys else (down, up)
        order["tpslMode"] = chance.choice(["Full", "Partial"])
    return order


def some_order(chance: random.Random, desk: Any, key: str) -> dict[str, Any] | None:
    account = desk.exchange.floor.accounts[key]
    live = account.orders.live()
    if not live:
        return None
    order = chance.choice(live)
    item = order.listing.instrument
    ids = {"category": item.category, "symbol": item.symbol, "orderId": order.order_id}
    return ids | ({"orderFilter": order.filter} if order.listing.is_spot else {})


def step(chance: random.Random, desk: Any) -> None:
    key, kind = chance.choice(KEYS), chance.random()
    if kind < 0.4:
        desk.post("/v5/order/create", key=key, **random_order(chance))
    elif kind < 0.55 and (ids := some_order(chance, desk, key)):
        word = chance.choice(["price", "qty", "triggerPrice"])
        value = "0.05" if word == "qty" else usual_price(chance, ids["category"])
        desk.post("/v5/order/amend", key=key, **ids, **{word: value})
    elif kind < 0.62 and (ids := some_order(chance, desk, key)):
        desk.post("/v5/order/cancel", key=key, **ids)
    elif kind < 0.7:
        up, down = str(60_000 + chance.randint(1, 8)), str(60_000 - chance.randint(1, 8))
        sides = {"takeProfit": chance.choice([up, down, "0"])}
        sides |= {"stopLoss": chance.choice([up, down, "0"])} if chance.random() < 0.5 else {}
        sides |= {"trailingStop": chance.choice(["3", "10", "0"])} if chance.random() < 0.3 else {}
        mode = chance.choice(["Full", "Partial"])
        sizes = {"tpSize": "0.05", "slSize": "0.05"} if mode == "Partial" else {}
        ask = {"category": "linear", "symbol": "BTCUSDT", "tpslMode": mode}
        desk.post("/v5/position/trading-stop", key=key, **ask, **sides, **sizes)
    elif kind < 0.72:
        desk.post("/v5/order/cancel-all", key=key, category="linear", settleCoin="USDT")
    elif kind < 0.95:
        scale, name = chance.choice([(1, "linear:BTCUSDT"), (10, "spot:BTCUSDT")])
        at = 600_000 + chance.randint(-60, 60)
        if chance.random() < 0.5:
            desk.trade(name, chance.choice([Side.BUY, Side.SELL]), at * scale, 50)
        else:
            bids = [((at - i) * scale, chance.randint(1, 800)) for i in range(3)]
            asks = [((at + 1 + i) * scale, chance.randint(1, 800)) for i in range(3)]
            desk.book(name, *((bids, None) if chance.random() < 0.5 else (None, asks)))
    else:
        desk.wait(0.2)


def check_states(desk: Any) -> None:
    last: dict[str, str] = {}
    filled: dict[str, Decimal] = {}
    for line in desk.kinds("order"):
        order_id, state = line["orderId"], line["orderStatus"]
        assert state in NEXT.get(last.get(order_id, ""), set()), (last.get(order_id), line)
        assert Decimal(line["cumExecQty"]) >= filled.get(order_id, Decimal(0))
        last[order_id], filled[order_id] = state, Decimal(line["cumExecQty"])


def check_books(desk: Any) -> None:
    """Every list of orders says the same, and reduce-only orders fit their position."""
    floor = desk.exchange.floor
    accounts = list(floor.by_uid.values())
    waiting = {o for account in accounts for o in account.orders.waiting}
    told = {order_id for group in floor.waiting.values() for order_id in group}
    asleep = {o.order_id for a in accounts for o in a.orders.waiting.values() if o.is_waiting}
    assert told <= waiting == asleep
    assert set(floor.working) == {o for account in accounts for o in account.orders.open}
    resting = {one.key for market in floor.markets.values() for one in market.book.resting()}
    assert resting == {o.order_id for o in floor.working.values() if o.is_open}
    for account in accounts:
        for position in account.ledger.positions.values():
            exits = [o for o in account.orders.waiting_on(position.listing) if o.create_type != ""]
            full = [o for o in exits if o.stop_type in ("TakeProfit", "StopLoss", "TrailingStop")]
            assert all(o.qty_lots == abs(position.lots) for o in full)
            assert len({o.stop_type for o in full}) == len(full)
            for side in Side:
                cut = [o for o in account.orders.open_on(position.listing) if o.reduce_only]
                lots = sum(o.leaves_lots for o in cut if o.side is side and o.is_open)
                assert lots <= max(0, -side.sign * position.lots)


def check_coins(desk: Any) -> None:
    for account in desk.exchange.floor.by_uid.values():
        assert all(balance >= 0 for balance in account.ledger.balances.values())


@pytest.mark.parametrize("delay_ms", [0, 30])
@pytest.mark.parametrize("seed", [*range(12), 1065])
def test_random_life_stays_legal_and_consistent(make_desk: Any, seed: int, delay_ms: float) -> None:
    def live() -> Any:
        chance = random.Random(seed)
        accounts = tuple(
            AccountSettings(key=key, secret="sim-secret", uid=n + 1) for n, key in enumerate(KEYS)
        )
        desk = make_desk(accounts=accounts, match_delay_ms=delay_ms, cancel_delay_ms=2 * delay_ms)
        for _ in range(250):
            step(chance, desk)
            check_books(desk)
            check_coins(desk)
        check_states(desk)
        return desk

    desk = live()
    seen = {line["orderStatus"] for line in desk.kinds("order")}
    assert {"Untriggered", "Filled", "Cancelled", "Deactivated"} <= seen
    if seed == 0:
        assert live().lines == desk.lines
