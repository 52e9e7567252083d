"""ccxt and ccxt.pro, unmodified, trade on the simulator; its record says whether they are right.

The market stands still in most of these tests, so that what a client reads has one right answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.clients.shims import ccxt_settings

from plimsoll.simulator import Running, SimSettings, running

DEADLINE_S = 60.0
STANDING_STILL = 1e-9
"""Market speed: the first generated minute lasts for ages."""
PERP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
QTY = 0.01
BOTH = pytest.mark.parametrize("symbol", [PERP, SPOT])

Line = dict[str, Any]
Work = Callable[[Running, Any], Awaitable[None]]


@pytest.fixture(scope="module")
def ccxt() -> ModuleType:
    """Import late: ccxt brings every venue's client along, which takes seconds."""
    pytest.importorskip("ccxt.pro", reason="ccxt is an optional judge: pip install 'ccxt>=4.5,<5'")
    return pytest.importorskip("ccxt")


def play(ccxt: ModuleType, work: Work, *, paced: bool = False, **settings: Any) -> None:
    """Run ``work`` with a running exchange and a ccxt.pro client; stop both afterwards.

    A ``paced`` client waits between requests as ccxt does by default, and the exchange counts
    them; that costs a test seconds, so others do neither.
    """
    usual = {"seed": 7, "speed": STANDING_STILL, "limits": "venue" if paced else "off"}

    async def main(known: Any, work: Work, **settings: Any) -> Any:
        async with running(SimSettings(**(usual | settings))) as exchange:
            client = ccxt.pro.bybit(ccxt_settings(exchange.url, exchange.ws_url))
            client.enableRateLimit = paced
            try:
                async with asyncio.timeout(DEADLINE_S):
                    if known:
                        client.set_markets(known)
                    await client.load_markets()
                    await work(exchange, client)
                    return client.markets
            finally:
                await client.close()

    # What is listed is known before a market moves: reading it may take as long as its bars.
    known = asyncio.run(main(None, _nothing)) if "speed" in settings else None
    asyncio.run(main(known, work, **settings))


async def _nothing(_exchange: Running, _client: Any) -> None:
    """Stay connected no longer than it takes to load the markets."""


def lines(exchange: Running, kind: str, **wanted: object) -> list[Line]:
    """Return the record's lines of a kind whose fields have the wanted values."""
    return [
        line
        for line in exchange.lines()
        if line["kind"] == kind and all(line.get(name) == value for name, value in wanted.items())
    ]


def quote(exchange: Running, symbol: str) -> tuple[float, float, float]:
    """Return best bid, best ask and last price as the record has them."""
    line = lines(exchange, "market", symbol=f"{category(symbol)}:BTCUSDT")[-1]
    return float(line["bid1Price"]), float(line["ask1Price"]), float(line["lastPrice"])


def history(exchange: Running, order_id: str) -> list[tuple[str, float, float]]:
    """Return state, quantity and price of an order at each of its changes."""
    return [
        (line["orderStatus"], float(line["qty"]), float(line["price"]))
        for line in lines(exchange, "order", orderId=order_id)
    ]


def category(symbol: str) -> str:
    return "linear" if symbol == PERP else "spot"


async def until(found: Callable[[], Any]) -> Any:
    """Return the first true value of ``found``, within the deadline."""
    for _ in range(int(DEADLINE_S / 0.01)):
        if value := found():
            return value
        await asyncio.sleep(0.01)
    raise AssertionError(f"what was waited for did not happen within {DEADLINE_S} s")


def test_markets_are_those_the_exchange_quotes(ccxt: ModuleType) -> None:
    async def work(exchange: Running, client: Any) -> None:
        quoted = {line["symbol"] for line in lines(exchange, "market")}
        loaded = {
            f"{'spot' if market['spot'] else 'linear'}:{market['id']}"
            for market in client.markets.values()
        }
        assert loaded == quoted
        assert len(loaded) == 9
        assert client.markets[PERP]["precision"]["price"] == 0.1
        assert client.markets[SPOT]["precision"]["amount"] == 0.000001
        assert await client.is_unified_enabled() == [False, True]

    play(ccxt, work)


@BOTH
def test_market_questions(ccxt: ModuleType, symbol: str) -> None:
    async def work(exchange: Running, client: Any) -> None:
        bid, ask, last = quote(exchange, symbol)
        book = await client.fetch_order_book(symbol, 5)
        assert (book["bids"][0][0], book["asks"][0][0]) == (bid, ask)
        assert len(book["bids"]) == len(book["asks"]) == 5
        ticker = await client.fetch_ticker(symbol)
        assert (ticker["bid"], ticker["ask"], ticker["last"]) == (bid, ask, last)
        bars = await client.fetch_ohlcv(symbol, "1m", limit=3)
        assert bars[-1][4] == last
        assert [bar[0] - bars[0][0] for bar in bars] == [0, 60_000, 120_000]
        await client.create_order(symbol, "market", "buy", QTY)
        tape = await client.fetch_trades(symbol)
        assert sorted((row["price"], row["amount"], row["side"]) for row in tape) == sorted(
            (float(line["execPrice"]), float(line["execQty"]), "buy")
            for line in lines(exchange, "execution")
        )

    play(ccxt, work)


@BOTH
def test_order_rests_is_amended_and_cancelled(ccxt: ModuleType, symbol: str) -> None:
    async def work(exchange: Running, client: Any) -> None:
        price = float(client.price_to_precision(symbol, quote(exchange, symbol)[0] * 0.99))
        params = {"postOnly": True, "clientOrderId": "ccxt-rest-1"}
        made = await client.create_order(symbol, "limit", "buy", QTY, price, params)
        (found,) = await client.fetch_open_orders(symbol)
        assert (found["id"], found["clientOrderId"]) == (made["id"], "ccxt-rest-1")
        assert (found["status"], found["amount"], found["price"]) == ("open", QTY, price)
        await client.edit_order(made["id"], symbol, "limit", "buy", QTY / 2, price)
        assert (await client.fetch_open_order(made["id"], symbol))["amount"] == QTY / 2
        await client.cancel_order(made["id"], symbol)
        assert await client.fetch_open_orders(symbol) == []
        (past,) = await client.fetch_canceled_orders(symbol)
        assert (past["id"], past["status"], past["filled"]) == (made["id"], "canceled", 0)
        assert history(exchange, made["id"]) == [
            ("Created", QTY, price),
            ("New", QTY, price),
            ("New", QTY / 2, price),
            ("Cancelled", QTY / 2, price),
        ]

    play(ccxt, work, paced=True)


@BOTH
def test_fill_shows_in_orders_my_trades_positions_and_balance(
    ccxt: ModuleType, symbol: str
) -> None:
    async def work(exchange: Running, client: Any) -> None:
        made = await client.create_order(symbol, "market", "buy", QTY)
        end = lines(exchange, "order", orderId=made["id"])[-1]
        (closed,) = await client.fetch_closed_orders(symbol)
        assert (closed["id"], closed["status"]) == (made["id"], "closed")
        assert closed["filled"] == float(end["cumExecQty"]) == QTY
        assert closed["cost"] == float(end["cumExecValue"])
        fills = lines(exchange, "execution", orderId=made["id"])
        assert [fill_of(row) for row in await client.fetch_my_trades(symbol)] == [
            recorded_fill(line) for line in fills
        ]
        balance = await client.fetch_balance()
        for coin in lines(exchange, "wallet")[-1]["coin"]:
            assert balance[coin["coin"]]["total"] == float(coin["walletBalance"])
        (account,) = lines(exchange, "config")[0]["settings"]["accounts"]
        fees, spent = sum(float(line["execFee"]) for line in fills), closed["cost"]
        moved = {"USDT": -fees} if symbol == PERP else {"BTC": QTY - fees, "USDT": -spent}
        for code, change in moved.items():
            left = float(account["balances"][code]) + change
            assert balance[code]["total"] == pytest.approx(left, abs=1e-7)
        positions = await client.fetch_positions()
        assert [position_of(row) for row in positions] == [
            recorded_position(line) for line in lines(exchange, "position")[-1:]
        ]

    play(ccxt, work)


@BOTH
def test_public_sockets(ccxt: ModuleType, symbol: str) -> None:
    async def work(exchange: Running, client: Any) -> None:
        bid, ask, last = quote(exchange, symbol)
        book = await client.watch_order_book(symbol, 50)
        assert (book["bids"][0][0], book["asks"][0][0]) == (bid, ask)
        assert (await client.watch_ticker(symbol))["last"] == last
        assert (await client.watch_ohlcv(symbol, "1m"))[-1][4] == last

        displayed = book["bids"][0][1]
        await client.create_order(symbol, "limit", "buy", QTY, bid, {"postOnly": True})
        await until(lambda: client.orderbooks[symbol]["bids"][0][1] != displayed)
        asked = await client.fetch_order_book(symbol, 50)
        assert client.orderbooks[symbol]["bids"] == asked["bids"]
        assert client.orderbooks[symbol]["asks"] == asked["asks"]
        assert asked["bids"][0] == [bid, pytest.approx(displayed + QTY)]

        tape = asyncio.create_task(client.watch_trades(symbol))
        await subscribed(exchange, "publicTrade.BTCUSDT")
        await client.create_order(symbol, "market", "buy", QTY)
        (fill,) = lines(exchange, "execution")
        (row,) = await tape
        assert (row["price"], row["amount"]) == (float(fill["execPrice"]), float(fill["execQty"]))

    play(ccxt, work)


def test_book_kept_by_deltas_ends_as_the_exchange_has_it(ccxt: ModuleType, tmp_path: Path) -> None:
    """Ten bars: five are past, five played in a second each; then the market stands still."""
    bars = tmp_path / "bars.csv"
    bars.write_text("open,high,low,close,volume\n" + "60000,60060,59950,60020,20\n" * 10)

    async def work(exchange: Running, client: Any) -> None:
        tops: list[tuple[float, float]] = []

        async def follow() -> None:
            while True:
                book = await client.watch_order_book(PERP, 50)
                tops.append((book["bids"][0][0], book["asks"][0][0]))

        following = asyncio.create_task(follow())
        await until(lambda: lines(exchange, "market", event="note", symbol="linear:BTCUSDT"))
        asked = await client.fetch_order_book(PERP, 50)
        assert len(asked["bids"]) == len(asked["asks"]) == 50
        kept = client.orderbooks[PERP]
        await until(lambda: (kept["bids"], kept["asks"]) == (asked["bids"], asked["asks"]))
        following.cancel()
        assert len(tops) > 10
        assert all(bid < ask for bid, ask in tops)

    play(ccxt, work, data=str(bars), speed=60.0)


@BOTH
def test_trade_socket_order_reaches_the_private_sockets(ccxt: ModuleType, symbol: str) -> None:
    async def work(exchange: Running, client: Any) -> None:
        _, ask, _ = quote(exchange, symbol)
        watched = ["order", "execution", "wallet"]
        seen = [client.watch_orders(), client.watch_my_trades(), client.watch_balance()]
        if symbol == PERP:
            assert await client.watch_positions() == []  # the first call answers by REST
            watched.append("position")
            seen.append(client.watch_positions())
        waiting = [asyncio.ensure_future(each) for each in seen]
        for topic in watched:
            await subscribed(exchange, topic)
        params = {"clientOrderId": "ccxt-trade-1", "timeInForce": "IOC"}
        made = await client.create_order_ws(symbol, "limit", "buy", QTY, ask, params)
        assert made["clientOrderId"] == "ccxt-trade-1"
        orders, trades, balance, *positions = [await each for each in waiting]

        end = lines(exchange, "order", orderId=made["id"])[-1]
        (order,) = orders
        assert (order["id"], order["status"]) == (made["id"], "closed")
        assert order["filled"] == float(end["cumExecQty"]) == QTY
        fills = lines(exchange, "execution", orderId=made["id"])
        assert [fill_of(row) for row in trades] == [recorded_fill(line) for line in fills]
        held = lines(exchange, "position")[-1:]
        rows = [row for found in positions for row in found]
        assert [position_of(row) for row in rows] == [recorded_position(line) for line in held]
        worth = sum(row["markPrice"] * row["contracts"] for row in rows)
        pnl = {"USDT": worth - sum(float(line["positionValue"]) for line in held)}
        for coin in lines(exchange, "wallet")[-1]["coin"]:
            wallet = float(coin["walletBalance"])
            equity = wallet + pnl.get(coin["coin"], 0)
            # ccxt.pro's total is the equity in 4.5.90, the wallet balance in 4.5.64
            either = pytest.approx(wallet, abs=1e-8), pytest.approx(equity, abs=1e-8)
            assert balance[coin["coin"]]["total"] in either
        (line,) = lines(exchange, "request", path="order.create")
        assert line["body"][0]["orderLinkId"] == "ccxt-trade-1"

    play(ccxt, work)


@BOTH
def test_order_is_amended_and_cancelled_over_the_trade_socket(
    ccxt: ModuleType, symbol: str
) -> None:
    async def work(exchange: Running, client: Any) -> None:
        price = float(client.price_to_precision(symbol, quote(exchange, symbol)[0] * 0.99))

        async def change(action: Awaitable[Line]) -> tuple[str, str, float]:
            watching = asyncio.create_task(client.watch_orders())
            await subscribed(exchange, "order")
            answer = await action
            (order,) = await watching
            assert order["id"] == answer["id"]
            return order["id"], order["status"], order["amount"]

        order_id, *made = await change(client.create_order_ws(symbol, "limit", "buy", QTY, price))
        assert made == ["open", QTY]
        more = client.edit_order_ws(order_id, symbol, "limit", "buy", QTY * 2, price)
        assert await change(more) == (order_id, "open", QTY * 2)
        cancel = client.cancel_order_ws(order_id, symbol)
        assert await change(cancel) == (order_id, "canceled", QTY * 2)
        assert history(exchange, order_id) == [
            ("Created", QTY, price),
            ("New", QTY, price),
            ("New", QTY * 2, price),
            ("Cancelled", QTY * 2, price),
        ]

    play(ccxt, work)


def test_refusals_arrive_as_the_errors_of_ccxt(ccxt: ModuleType) -> None:
    async def work(exchange: Running, client: Any) -> None:
        bid, _, _ = quote(exchange, PERP)
        low = bid * 0.99
        refused: list[int] = []

        async def refuse(error: type[Exception], code: int, action: Awaitable[Line]) -> None:
            with pytest.raises(error, match=str(code)):
                await action
            refused.append(code)

        once = (PERP, "limit", "buy", QTY, low, {"clientOrderId": "once"})
        await client.create_order(*once)
        await refuse(ccxt.InvalidOrder, 110072, client.create_order(*once))
        too_much = client.create_order(PERP, "limit", "buy", 500, low)
        await refuse(ccxt.InsufficientFunds, 110007, too_much)
        too_much = client.create_order_ws(SPOT, "limit", "buy", 10, low)
        await refuse(ccxt.InsufficientFunds, 170131, too_much)
        await refuse(ccxt.OrderNotFound, 110001, client.cancel_order("unknown", PERP))
        client.secret = "wrong"
        await refuse(ccxt.AuthenticationError, 10004, client.fetch_balance())
        answers = [line["retCode"] for line in lines(exchange, "answer") if line["retCode"]]
        assert answers == refused

    play(ccxt, work)


@BOTH
def test_conditional_order_waits_is_amended_and_cancelled(ccxt: ModuleType, symbol: str) -> None:
    async def work(exchange: Running, client: Any) -> None:
        last = quote(exchange, symbol)[2]
        trigger = float(client.price_to_precision(symbol, last * 1.003))
        params: dict[str, Any] = {"triggerPrice": trigger}
        if symbol == PERP:
            params["triggerDirection"] = "ascending"
        order = await client.create_order(symbol, "limit", "buy", QTY, trigger, params)
        assert await client.fetch_open_orders(symbol, params={"orderFilter": "Order"}) == []
        (found,) = await client.fetch_open_orders(symbol, params={"trigger": True})
        assert (found["id"], found["status"]) == (order["id"], "open")
        assert found["triggerPrice"] == trigger
        higher = float(client.price_to_precision(symbol, last * 1.004))
        ids = (order["id"], symbol, "limit", "buy")
        await client.edit_order(*ids, QTY, trigger, {"triggerPrice": higher})
        await client.cancel_order(order["id"], symbol, {"trigger": True})
        states = [(state, qty) for state, qty, _ in history(exchange, order["id"])]
        assert states == [
            ("Created", QTY),
            ("Untriggered", QTY),
            ("Untriggered", QTY),
            ("Deactivated", QTY),
        ]
        line = lines(exchange, "order", orderId=order["id"])[-1]
        assert (float(line["triggerPrice"]), line["stopOrderType"]) == (higher, "Stop")

    play(ccxt, work)


def test_exits_of_a_position_are_set_shown_and_removed(ccxt: ModuleType) -> None:
    async def work(exchange: Running, client: Any) -> None:
        last = quote(exchange, PERP)[2]
        above = float(client.price_to_precision(PERP, last * 1.01))
        below = float(client.price_to_precision(PERP, last * 0.99))
        exits = {"takeProfit": {"triggerPrice": above}, "stopLoss": {"triggerPrice": below}}
        await client.create_order(PERP, "market", "buy", QTY, None, exits)
        (position,) = await client.fetch_positions([PERP])
        assert (position["takeProfitPrice"], position["stopLossPrice"]) == (above, below)
        waiting = await client.fetch_open_orders(PERP, params={"trigger": True})
        assert {one["triggerPrice"] for one in waiting} == {above, below}
        assert {one["reduceOnly"] for one in waiting} == {True}
        await client.create_order(PERP, "market", "sell", QTY, None, {"reduceOnly": True})
        assert await client.fetch_open_orders(PERP, params={"trigger": True}) == []

    play(ccxt, work)


def test_the_blocking_client(ccxt: ModuleType) -> None:
    async def work(exchange: Running, _: Any) -> None:
        bid, _, _ = quote(exchange, SPOT)
        client = ccxt.bybit(ccxt_settings(exchange.url, exchange.ws_url))

        def trade() -> tuple[Line, list[Line], list[Line], Line]:
            made = client.create_order(SPOT, "limit", "sell", QTY, round(bid * 1.002, 2))
            found = client.fetch_open_orders(SPOT)
            client.cancel_order(made["id"], SPOT)
            return made, found, client.fetch_canceled_orders(SPOT), client.fetch_balance()

        try:
            made, found, past, balance = await asyncio.to_thread(trade)
        finally:
            client.session.close()
        assert [row["id"] for row in found] == [row["id"] for row in past] == [made["id"]]
        states = [state for state, _, _ in history(exchange, made["id"])]
        assert states == ["Created", "New", "Cancelled"]
        assert balance["BTC"]["total"] == 1

    play(ccxt, work)


def test_every_order_in_flight_is_in_the_record(ccxt: ModuleType) -> None:
    network_ms, count = 1000.0, 20

    async def work(exchange: Running, client: Any) -> None:
        places = [
            (symbol, float(client.price_to_precision(symbol, quote(exchange, symbol)[0] * 0.99)))
            for symbol in (PERP, SPOT)
        ]

        def place(n: int) -> Awaitable[Line]:
            symbol, price = places[n % 2]
            link = {"clientOrderId": f"{n}"}
            return client.create_order(symbol, "limit", "buy", QTY, price, link)

        made = await asyncio.gather(*map(place, range(count)))
        asked = lines(exchange, "request", path="/v5/order/create")
        assert len(asked) == count
        spread_ms = (asked[-1]["t_ns"] - asked[0]["t_ns"]) / 1e6
        assert spread_ms < network_ms, "the first answer left before the last order came"
        by_link = {
            line["orderLinkId"]: line["orderId"]
            for line in lines(exchange, "order", orderStatus="New")
        }
        assert by_link == {f"{n}": row["id"] for n, row in enumerate(made)}
        found = [row for symbol, _ in places for row in await client.fetch_open_orders(symbol)]
        assert {row["clientOrderId"]: row["id"] for row in found} == by_link

        await asyncio.gather(*(client.cancel_order(row["id"], row["symbol"]) for row in found))
        ended = lines(exchange, "order", orderStatus="Cancelled")
        assert sorted(line["orderId"] for line in ended) == sorted(by_link.values())
        assert {line["retCode"] for line in lines(exchange, "answer")} == {0}

    play(ccxt, work, ack_delay_ms=network_ms)


async def subscribed(exchange: Running, topic: str) -> None:
    """Return once the exchange has a subscriber to the topic."""
    await until(
        lambda: any(
            topic in line["topics"] for line in lines(exchange, "connection", event="subscribe")
        )
    )


def fill_of(row: Line) -> tuple[str, float, float, float, str]:
    fee = row["fee"]
    return row["id"], row["price"], row["amount"], fee["cost"], fee["currency"]


def recorded_fill(line: Line) -> tuple[str, float, float, float, str]:
    price, qty, fee = (float(line[name]) for name in ("execPrice", "execQty", "execFee"))
    return line["execId"], price, qty, fee, line["feeCurrency"]


def position_of(row: Line) -> tuple[str, str, float, float]:
    return row["symbol"], row["side"], row["contracts"], row["entryPrice"]


def recorded_position(line: Line) -> tuple[str, str, float, float]:
    side = "long" if line["side"] == "Buy" else "short"
    return PERP, side, float(line["size"]), float(line["entryPrice"])
