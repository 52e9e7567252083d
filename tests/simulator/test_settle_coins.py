"""USDC beside USDT: orders, positions, wallet and margin by settle coin, and the session."""

from decimal import Decimal
from typing import Any

from plimsoll.simulator.settings import AccountSettings

BOTH = (AccountSettings(balances={"USDT": "10000", "USDC": "10000"}),)
PERP = {"category": "linear", "symbol": "BTCPERP"}


def test_a_usdc_perpetual_is_listed_as_the_venue_writes_it(desk: Any) -> None:
    (row,) = desk.get("/v5/market/instruments-info", **PERP)["result"]["list"]
    assert (row["baseCoin"], row["quoteCoin"], row["settleCoin"]) == ("BTC", "USDC", "USDC")
    ask = {"category": "spot", "symbol": "BTCUSDC"}
    (row,) = desk.get("/v5/market/instruments-info", **ask)["result"]["list"]
    assert (row["baseCoin"], row["quoteCoin"]) == ("BTC", "USDC")
    assert "settleCoin" not in row


def test_one_position_in_each_settle_coin(make_desk: Any) -> None:
    desk = make_desk(accounts=BOTH)
    assert desk.order(price="60000.10", qty="0.1")["retCode"] == 0
    assert desk.order(symbol="BTCPERP", side="Sell", price="60000.00", qty="0.2")["retCode"] == 0
    for coin, symbol, side in (("USDT", "BTCUSDT", "Buy"), ("USDC", "BTCPERP", "Sell")):
        ask = {"category": "linear", "settleCoin": coin}
        (row,) = desk.get("/v5/position/list", **ask)["result"]["list"]
        assert (row["symbol"], row["side"]) == (symbol, side)
    assert desk.coin("USDT")["walletBalance"] == "9996.6999945"
    assert desk.coin("USDC")["walletBalance"] == "9993.4"
    assert desk.coin("USDC")["totalPositionIM"] == "1207.26"  # 1200 + 12000 x 1.1 x 0.00055
    assert desk.coin("USDT")["totalPositionIM"] == "602.97"
    assert Decimal(desk.account()["totalInitialMargin"]) == Decimal("1810.23")
    assert Decimal(desk.account()["totalMaintenanceMargin"]) == Decimal("32.97") + Decimal("67.26")


def test_orders_are_listed_and_cancelled_by_settle_coin(desk: Any) -> None:
    desk.order(orderLinkId="t")
    desk.order(symbol="BTCPERP", orderLinkId="c")
    ask = {"category": "linear", "settleCoin": "USDC"}
    rows = desk.get("/v5/order/realtime", **ask)["result"]["list"]
    assert [row["orderLinkId"] for row in rows] == ["c"]
    desk.post("/v5/order/cancel-all", **ask)
    rows = desk.get("/v5/order/realtime", category="linear", settleCoin="USDT")["result"]["list"]
    assert [row["orderLinkId"] for row in rows] == ["t"]


def test_a_usdc_position_may_stand_on_usdt(desk: Any) -> None:
    """The account holds no USDC: the fee becomes a debt, which counts in full."""
    assert desk.order(symbol="BTCPERP", price="60000.10", qty="1")["retCode"] == 0
    coin = desk.coin("USDC")
    assert (coin["walletBalance"], coin["borrowAmount"]) == ("-33.000055", "33.000055")
    assert desk.account()["totalMarginBalance"] == "183966.899945"


def test_spot_against_usdc(make_desk: Any) -> None:
    desk = make_desk(accounts=BOTH)
    order = {"category": "spot", "symbol": "BTCUSDC", "price": "60000.01", "qty": "0.01"}
    assert desk.order(**order)["retCode"] == 0
    assert desk.coin("USDC")["walletBalance"] == "9399.9999"
    assert desk.coin("BTC")["walletBalance"] == "0.00999"
    assert desk.coin("USDT")["walletBalance"] == "10000"
    assert desk.order(**(order | {"qty": "0.2"}))["retCode"] == 170131


def test_a_session_turns_open_profit_into_cash(make_desk: Any) -> None:
    """Long 1 at 60000.1, session at mark 61000.0: 999.9 paid out, the entry stays.

    Closed at 61500.0 later: 500 more, less 33.825 fee.
    """
    desk = make_desk(accounts=BOTH, session_interval_min=10)
    desk.order(symbol="BTCPERP", price="60000.10", qty="1")
    desk.move("linear:BTCPERP", 610_000)
    assert desk.position("BTCPERP")["unrealisedPnl"] == "999.9"
    assert desk.position("BTCPERP")["sessionAvgPrice"] == "60000.1"
    before = Decimal(desk.coin("USDC")["walletBalance"])
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["wallet", "position", "execution"]})
    desk.wait(600)
    row = desk.position("BTCPERP")
    assert (row["avgPrice"], row["sessionAvgPrice"], row["unrealisedPnl"]) == (
        "60000.1",
        "61000",
        "0",
    )
    assert Decimal(desk.coin("USDC")["walletBalance"]) == before + Decimal("999.9")
    entry = desk.transactions()[-1]
    assert (entry["type"], entry["cashFlow"], entry["funding"]) == ("SETTLEMENT", "999.9", "")
    line = desk.kinds("wallet")[-1]
    assert (line["cause"], line["coin"][0]["coin"]) == ("SessionSettlement", "USDC")
    assert [len(desk.topic(name)) for name in ("wallet", "position", "execution")] == [1, 1, 0]
    (closed,) = desk.get("/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert (closed["execType"], closed["closedPnl"]) == ("SessionSettlePnL", "999.9")
    desk.move("linear:BTCPERP", 615_000)
    desk.order(symbol="BTCPERP", side="Sell", price="61500.00", qty="0.5")
    row = desk.position("BTCPERP")
    assert (row["avgPrice"], row["sessionAvgPrice"]) == ("60000.1", "61000")
    closed = desk.get("/v5/position/closed-pnl", category="linear")["result"]["list"][0]
    # since the session: 250 less half the opening fee and 16.9125
    assert Decimal(closed["closedPnl"]) == 250 - Decimal("16.5000275") - Decimal("16.9125")
    desk.order(symbol="BTCPERP", side="Sell", price="61500.00", qty="0.5")
    profit = Decimal("999.9") + 500 - Decimal("33.000055") - Decimal("33.825")
    assert Decimal(desk.coin("USDC")["walletBalance"]) == 10_000 + profit
    assert Decimal(desk.position("BTCPERP")["cumRealisedPnl"]) == profit


def test_usdt_positions_have_no_session(make_desk: Any) -> None:
    desk = make_desk(session_interval_min=10)
    desk.order(price="60000.10", qty="1")
    balance = desk.coin()["walletBalance"]
    desk.wait(600)
    assert desk.coin()["walletBalance"] == balance
    assert desk.position()["sessionAvgPrice"] == ""
