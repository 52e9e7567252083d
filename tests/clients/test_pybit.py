"""pybit, unmodified, trades on the simulator (protocol reference 14.1 says how to point it)."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

DEADLINE_S = 60.0
NETWORK_MS = 500.0
"""pybit notes a subscription after sending it: an answer that is there before finds none. Its
thread may have to wait for the processor in between."""


def eventually(found: Callable[[], Any], what: str) -> Any:
    """Return the first true value of ``found``, within the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen within {DEADLINE_S} s")


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatorThread]:
    with SimulatorThread(SimSettings(limits="off", seed=7)) as found:
        yield found


@pytest.fixture(scope="module")
def far_exchange() -> Iterator[SimulatorThread]:
    """One behind a slow network: for sockets."""
    with SimulatorThread(SimSettings(limits="off", seed=7, ack_delay_ms=NETWORK_MS)) as found:
        yield found


@pytest.fixture
def rest(exchange: SimulatorThread) -> Iterator[HTTP]:
    session = HTTP(api_key="sim-key", api_secret="sim-secret")
    session.endpoint = exchange.url
    yield session
    session.client.close()


@pytest.fixture
def sockets(
    far_exchange: SimulatorThread, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Make sockets that are closed after the test."""
    monkeypatch.setattr(
        pybit.unified_trading, "PUBLIC_WSS", f"{far_exchange.ws_url}/v5/public/{{CHANNEL_TYPE}}"
    )
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", f"{far_exchange.ws_url}/v5/private")
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", f"{far_exchange.ws_url}/v5/trade")
    made: list[Any] = []

    def make(kind: str) -> Any:
        keys = {"api_key": "sim-key", "api_secret": "sim-secret"}
        common = {"testnet": False, "restart_on_error": False}
        if kind == "trade":
            made.append(WebSocketTrading(**keys, **common))
        elif kind == "private":
            made.append(WebSocket(channel_type="private", private_auth_expire=10, **keys, **common))
        else:
            made.append(WebSocket(channel_type=kind, **common))
        return made[-1]

    yield make
    for socket in made:
        socket.exit()


def touch(rest: HTTP, category: str = "linear", symbol: str = "BTCUSDT") -> tuple[float, float]:
    """Return best bid and ask."""
    book = rest.get_orderbook(category=category, symbol=symbol)["result"]
    return float(book["b"][0][0]), float(book["a"][0][0])


def test_market_endpoints(rest: HTTP) -> None:
    assert int(rest.get_server_time()["result"]["timeNano"]) > 0
    infos = rest.get_instruments_info(category="linear", limit=1000)["result"]["list"]
    symbols = {"BTCUSDT", "ETHUSDT", "DOGEUSDT", "BTCPERP", "ETHPERP"}
    assert {row["symbol"] for row in infos} == symbols
    spot = rest.get_instruments_info(category="spot", symbol="BTCUSDT")["result"]["list"][0]
    assert spot["lotSizeFilter"]["minOrderAmt"] == "5"
    bid, ask = touch(rest)
    assert 0 < bid < ask
    ticker = rest.get_tickers(category="spot", symbol="ETHUSDT")["result"]["list"][0]
    assert float(ticker["bid1Price"]) < float(ticker["ask1Price"])
    bars = rest.get_kline(category="linear", symbol="BTCUSDT", interval=1, limit=50)
    rows = bars["result"]["list"]
    assert len(rows) == 50
    assert [int(a[0]) - int(b[0]) for a, b in pairwise(rows)] == [60_000] * 49
    tape = rest.get_public_trade_history(category="linear", symbol="BTCUSDT", limit=5)
    assert tape["result"]["category"] == "linear"


def test_order_rests_is_amended_and_cancelled(rest: HTTP) -> None:
    bid, _ = touch(rest)
    price = f"{bid * 0.98:.1f}"
    answer = rest.place_order(
        category="linear",
        symbol="BTCUSDT",
        side="Buy",
        orderType="Limit",
        qty="0.010",
        price=price,
        timeInForce="PostOnly",
        orderLinkId="pybit-rest-1",
    )
    order_id = answer["result"]["orderId"]
    assert answer["result"]["orderLinkId"] == "pybit-rest-1"
    found = rest.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [(row["orderId"], row["orderStatus"]) for row in found] == [(order_id, "New")]
    rest.amend_order(category="linear", symbol="BTCUSDT", orderId=order_id, qty="0.005")
    found = rest.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert found[0]["qty"] == "0.005"
    rest.cancel_order(category="linear", symbol="BTCUSDT", orderLinkId="pybit-rest-1")
    assert rest.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"] == []
    past = rest.get_order_history(category="linear", orderId=order_id)["result"]["list"]
    assert [(row["orderStatus"], row["cancelType"]) for row in past] == [
        ("Cancelled", "CancelByUser")
    ]
    with pytest.raises(InvalidRequestError, match="110072"):
        rest.place_order(
            category="linear",
            symbol="BTCUSDT",
            side="Buy",
            orderType="Limit",
            qty="0.010",
            price=price,
            orderLinkId="pybit-rest-1",
        )


def test_fill_shows_in_executions_position_and_wallet(rest: HTTP) -> None:
    before = rest.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]
    answer = rest.place_order(
        category="linear", symbol="ETHUSDT", side="Sell", orderType="Market", qty="0.50"
    )
    order_id = answer["result"]["orderId"]
    rows = rest.get_executions(category="linear", orderId=order_id)["result"]["list"]
    assert sum(float(row["execQty"]) for row in rows) == pytest.approx(0.5)
    position = rest.get_positions(category="linear", symbol="ETHUSDT")["result"]["list"][0]
    assert (position["side"], position["size"]) == ("Sell", "0.50")
    after = rest.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0]
    paid = float(before["coin"][0]["walletBalance"]) - float(after["coin"][0]["walletBalance"])
    assert paid == pytest.approx(sum(float(row["execFee"]) for row in rows))
    log = rest.get_transaction_log(accountType="UNIFIED", type="TRADE")["result"]["list"]
    assert {row["tradeId"] for row in log} >= {row["execId"] for row in rows}


def test_trading_stop_and_cancel_of_all_conditional_orders(rest: HTTP) -> None:
    ask = {"category": "linear", "symbol": "DOGEUSDT"}
    rest.place_order(**ask, side="Buy", orderType="Market", qty="100")
    last = float(rest.get_tickers(**ask)["result"]["list"][0]["lastPrice"])
    rest.set_trading_stop(**ask, tpslMode="Full", stopLoss=f"{last * 0.9:.5f}", positionIdx=0)
    row = rest.get_positions(**ask)["result"]["list"][0]
    assert float(row["stopLoss"]) == pytest.approx(last * 0.9, abs=0.00001)
    done = rest.cancel_all_orders(**ask, orderFilter="StopOrder")["result"]
    assert (len(done["list"]), done["success"]) == (1, "1")
    assert rest.get_positions(**ask)["result"]["list"][0]["stopLoss"] == ""
    rest.place_order(**ask, side="Sell", orderType="Market", qty="100", reduceOnly=True)


def test_spot_buy_pays_its_fee_in_base(rest: HTTP) -> None:
    answer = rest.place_order(
        category="spot",
        symbol="DOGEUSDT",
        side="Buy",
        orderType="Market",
        qty="100",
        marketUnit="baseCoin",
    )
    order_id = answer["result"]["orderId"]
    rows = rest.get_executions(category="spot", orderId=order_id)["result"]["list"]
    assert {row["feeCurrency"] for row in rows} == {"DOGE"}
    wallet = rest.get_wallet_balance(accountType="UNIFIED", coin="DOGE")["result"]["list"][0]
    assert wallet["coin"][0]["walletBalance"] == "99.9"


def test_pages_are_followed_with_the_cursor(rest: HTTP) -> None:
    ask = {"category": "linear", "symbol": "DOGEUSDT"}
    bid, _ = touch(rest, symbol="DOGEUSDT")
    made = [
        rest.place_order(
            **ask, side="Buy", orderType="Limit", qty="100", price=f"{bid * 0.97:.5f}"
        )["result"]["orderId"]
        for _ in range(3)
    ]
    first = rest.get_open_orders(**ask, limit=2)["result"]
    second = rest.get_open_orders(**ask, limit=2, cursor=first["nextPageCursor"])["result"]
    assert [row["orderId"] for row in first["list"] + second["list"]] == made[::-1]
    assert second["nextPageCursor"] == ""
    assert len(rest.cancel_all_orders(**ask)["result"]["list"]) == 3


def test_account_and_key(rest: HTTP) -> None:
    assert rest.get_api_key_information()["result"]["uta"] == 1
    assert rest.get_account_info()["result"]["marginMode"] == "REGULAR_MARGIN"
    fees = rest.get_fee_rates(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert fees[0]["takerFeeRate"] == "0.00055"
    rest.set_leverage(category="linear", symbol="DOGEUSDT", buyLeverage="5", sellLeverage="5")
    with pytest.raises(InvalidRequestError, match="110043"):
        rest.set_leverage(category="linear", symbol="DOGEUSDT", buyLeverage="5", sellLeverage="5")


def test_wrong_secret_is_refused(exchange: SimulatorThread) -> None:
    session = HTTP(api_key="sim-key", api_secret="wrong")
    session.endpoint = exchange.url
    with pytest.raises(InvalidRequestError, match="10004"):
        session.get_account_info()
    session.client.close()


def test_public_streams(sockets: Callable[..., Any]) -> None:
    seen: dict[str, list[dict[str, Any]]] = {name: [] for name in ("book", "tape", "tick", "bar")}
    socket = sockets("linear")
    socket.orderbook_stream(50, "BTCUSDT", seen["book"].append)
    socket.trade_stream("BTCUSDT", seen["tape"].append)
    socket.ticker_stream("BTCUSDT", seen["tick"].append)
    socket.kline_stream(1, "BTCUSDT", seen["bar"].append)
    eventually(lambda: len(seen["book"]) > 20, "twenty book messages")
    eventually(lambda: all(seen.values()), "a message of every topic")
    book = seen["book"][-1]["data"]
    assert len(book["b"]) == len(book["a"]) == 50
    assert seen["tape"][0]["data"][0]["s"] == "BTCUSDT"
    assert float(seen["tick"][0]["data"]["markPrice"]) > 0
    # The first message may be a minute's last.
    bars = lambda: [row["confirm"] for message in seen["bar"] for row in message["data"]]  # noqa: E731
    eventually(lambda: False in bars(), "a bar under way")


def test_order_by_trade_socket_reaches_the_private_streams(
    sockets: Callable[..., Any], far_exchange: SimulatorThread
) -> None:
    seen: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("order", "execution", "position", "wallet", "ack")
    }
    private = sockets("private")
    private.order_stream(seen["order"].append)
    private.execution_stream(seen["execution"].append)
    private.position_stream(seen["position"].append)
    private.wallet_stream(seen["wallet"].append)
    trade = sockets("trade")
    session = HTTP()
    session.endpoint = far_exchange.url
    _, ask = touch(session)
    session.client.close()
    trade.place_order(
        seen["ack"].append,
        category="linear",
        symbol="BTCUSDT",
        side="Buy",
        orderType="Limit",
        qty="0.002",
        price=f"{ask * 1.005:.1f}",
        timeInForce="IOC",
        orderLinkId="pybit-trade-1",
    )
    ack = eventually(lambda: seen["ack"], "the answer on the trade socket")[0]
    assert (ack["retCode"], ack["data"]["orderLinkId"]) == (0, "pybit-trade-1")
    assert {"X-Bapi-Limit", "Timenow", "Traceid"} <= ack["header"].keys()
    eventually(lambda: all(seen.values()), "a message of every private topic")
    order = seen["order"][0]["data"][0]
    assert (order["orderLinkId"], order["orderStatus"]) == ("pybit-trade-1", "Filled")
    rows = [row for message in seen["execution"] for row in message["data"]]
    assert sum(float(row["execQty"]) for row in rows) == pytest.approx(0.002)
    assert seen["position"][0]["data"][0]["size"] == "0.002"
    assert seen["wallet"][0]["data"][0]["coin"][0]["coin"] == "USDT"
