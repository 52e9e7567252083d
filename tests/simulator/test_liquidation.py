"""Liquidation in steps, take-over, isolated margin, and auto-deleveraging."""

from decimal import Decimal
from typing import Any

import pytest

from plimsoll.simulator.brain.messages import Deleverage
from plimsoll.simulator.settings import AccountSettings

POOR = AccountSettings(balances={"USDT": "7000"})
RICH = AccountSettings(key="rich", secret="sim-secret", uid=2, balances={"USDT": "1000000"})
THIRD = AccountSettings(key="third", secret="sim-secret", uid=3, balances={"USDT": "1000000"})


def orders(desk: Any, key: str = "sim-key", **asked: object) -> list[dict[str, Any]]:
    found = desk.get("/v5/order/history", key=key, category="linear", limit=50, **asked)
    return found["result"]["list"][::-1]


def test_a_long_is_liquidated_in_steps_until_the_rest_is_safe(make_desk: Any) -> None:
    """1 BTC on 7000 USDT: at mark 53300 the equity of 267 is below the margin of 293."""
    desk = make_desk(accounts=(POOR,))
    desk.order(price="60000.10", qty="1", orderLinkId="mine")
    price = Decimal(desk.position()["liqPrice"])
    desk.move("linear:BTCUSDT", int(price * 10) + 50)
    assert desk.position()["size"] == "1.000"
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["position", "order", "execution", "wallet"]})
    desk.socket(2, "/v5/public/linear")
    desk.say(2, {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]})
    desk.move("linear:BTCUSDT", int(price * 10) - 50)
    made = [row for row in orders(desk) if row["createType"] == "CreateByLiq"]
    assert [(row["qty"], row["orderStatus"], row["side"]) for row in made][:1] == [
        ("0.250", "Filled", "Sell")
    ]
    assert {row["orderLinkId"] for row in made} == {""}
    left = Decimal(desk.position()["size"])
    assert left == 1 - Decimal("0.25") * len(made)
    assert 0 < left < 1
    assert Decimal(desk.account()["accountMMRate"]) < 1
    statuses = [row["positionStatus"] for frame in desk.topic("position") for row in frame["data"]]
    assert statuses == ["Liq"] * len(made)
    assert desk.position()["positionStatus"] == "Normal"
    assert {row["type"] for row in desk.transactions()} == {"TRADE", "LIQUIDATION"}
    desk.wait(1)
    public = [row for frame in desk.topic("allLiquidation.BTCUSDT") for row in frame["data"]]
    assert [(row["S"], row["v"]) for row in public] == [("Buy", "0.250")] * len(made)
    assert desk.kinds("margin")[0]["event"] == "liquidation"


def test_orders_that_hold_margin_go_first_and_may_be_enough(make_desk: Any) -> None:
    """A spot order into a coin that is no collateral takes margin; without it the account lives."""
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "8000"}),))
    desk.order(price="60000.10", qty="1")
    doge = {"category": "spot", "symbol": "DOGEUSDT", "price": "0.19"}
    assert desk.order(**doge, qty="10000", orderLinkId="doge")["retCode"] == 0
    close = desk.order(side="Sell", price="60500", qty="1", reduceOnly=True)
    desk.move("linear:BTCUSDT", 541_000)
    (row,) = desk.get("/v5/order/history", category="spot")["result"]["list"]
    assert (row["orderLinkId"], row["cancelType"]) == ("doge", "CancelByPrepareLiq")
    assert desk.position()["size"] == "1.000"
    assert desk.row(close)["orderStatus"] == "New"


def test_nothing_to_sell_into_is_taken_over_at_the_bankruptcy_price(make_desk: Any) -> None:
    """The bids are gone: the fund takes it all and the account keeps next to nothing."""
    desk = make_desk(accounts=(POOR,), liquidation_step="1")
    desk.order(price="60000.10", qty="1")
    close = desk.order(side="Sell", price="60500", qty="1", reduceOnly=True)
    desk.move("linear:BTCUSDT", 531_000, bids=False)
    assert desk.row(close)["cancelType"] == "CancelAllBeforeLiq"
    (bust,) = desk.executions("BustTrade")
    assert (bust["createType"], bust["execQty"]) == ("CreateByTakeOver_PassThrough", "1.000")
    assert desk.position()["size"] == "0.000"
    assert 0 <= Decimal(desk.coin()["walletBalance"]) < Decimal("0.1")
    assert orders(desk)[-2]["orderStatus"] == "Cancelled"
    (closed, *_) = desk.get("/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert closed["execType"] == "BustTrade"
    assert [row["type"] for row in desk.transactions()] == ["TRADE", "LIQUIDATION"]


def test_a_higher_tier_is_left_first(make_desk: Any) -> None:
    """40 BTC are 2.4 million: the first step goes down to 2 million at the mark."""
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "250000"}),))
    desk.book("linear:BTCUSDT", asks=[(600_001, 40_000)])
    desk.order(price="60000.10", qty="40")
    price = Decimal(desk.position()["liqPrice"])
    desk.move("linear:BTCUSDT", int(price * 10) - 20, lots=1_000_000)
    first = next(row for row in orders(desk) if row["createType"] == "CreateByLiq")
    left = 40 - Decimal(first["qty"])
    mark = price  # nearly
    assert 1_999_000 < left * mark < 2_001_000


def test_a_short_is_liquidated_when_the_market_rises(make_desk: Any) -> None:
    desk = make_desk(accounts=(POOR,))
    desk.order(side="Sell", price="60000.00", qty="1")
    price = Decimal(desk.position()["liqPrice"])
    assert price > 66_000
    desk.move("linear:BTCUSDT", int(price * 10) + 50)
    assert Decimal(desk.position()["size"]) < 1
    assert [row["side"] for row in desk.executions("Trade")][-1] == "Buy"


def isolated(desk: Any, key: str = "sim-key") -> None:
    answer = desk.post("/v5/account/set-margin-mode", key=key, setMarginMode="ISOLATED_MARGIN")
    assert (answer["retCode"], answer["result"]) == (0, {"reasons": []})


def test_isolated_prices_by_hand(make_desk: Any) -> None:
    """Long 1 at 60000.1, leverage 10.

    Bankrupt at 60000.1 x 0.9 = 54000.09, liquidated 300.0005 above; 600 more margin lowers both by
    600. IM 6000.01 + 60000.1 x 0.9 x 0.00055 = 6029.7100495, rounded up.
    """
    desk = make_desk()
    isolated(desk)
    desk.order(price="60000.10", qty="1")
    row = desk.position()
    assert (row["bustPrice"], row["liqPrice"]) == ("54000.10", "54300.10")
    assert row["positionIM"] == row["positionBalance"] == "6029.7100495"
    assert row["positionValue"] == "60000.1"
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    assert desk.post("/v5/position/add-margin", **ask, margin="600")["retCode"] == 0
    row = desk.position()
    assert (row["bustPrice"], row["liqPrice"]) == ("53400.10", "53700.10")
    assert row["positionBalance"] == "6629.7100495"
    short = make_desk()
    isolated(short)
    short.order(side="Sell", price="60000.00", qty="1")
    row = short.position()
    assert (row["bustPrice"], row["liqPrice"]) == ("66000.00", "65700.00")


def test_isolated_loses_its_margin_and_no_more(make_desk: Any) -> None:
    """Nobody buys: 6000.01 and the fee of 54000.1 x 0.00055 are gone, the rest is untouched."""
    desk = make_desk()
    isolated(desk)
    desk.order(price="60000.10", qty="1")
    other = desk.order(symbol="ETHUSDT", price="3000.01", qty="1")
    paid = Decimal(desk.coin()["walletBalance"])
    desk.move("linear:BTCUSDT", 541_000, bids=False)
    (bust,) = desk.executions("BustTrade")
    assert bust["execPrice"] == "54000.10"
    lost = Decimal(6000) + Decimal(bust["execFee"])
    assert Decimal(desk.coin()["walletBalance"]) == paid - lost
    assert desk.position()["size"] == "0.000"
    assert desk.position("ETHUSDT")["size"] == "1.00"
    assert desk.row(other)["orderStatus"] == "Filled"


def test_isolated_refusals(make_desk: Any) -> None:
    desk = make_desk()
    ask = {"category": "linear", "symbol": "BTCUSDT"}

    def add(margin: str) -> int:
        return int(desk.post("/v5/position/add-margin", **ask, margin=margin)["retCode"])

    assert add("10") == 110015
    isolated(desk)
    assert add("10") == 110033
    desk.order(price="60000.10", qty="1")
    assert add("0") == 110027
    assert add("95000") == 110012
    assert add("100") == 0
    assert add("-101") == 110046
    assert add("-50") == 0
    assert desk.position()["positionBalance"] == "6079.7100495"
    # 100000 - 33 - 6079.71 are free: 15.9 BTC at 59000 and 10x need 94790
    assert desk.order(qty="15.9")["retCode"] == 110007
    assert desk.order(qty="15.7")["retCode"] == 0
    assert desk.account()["accountMMRate"] == ""


def test_auto_added_margin_keeps_a_position_while_the_wallet_has_some(make_desk: Any) -> None:
    desk = make_desk()
    isolated(desk)
    desk.order(price="60000.10", qty="1")
    ask = {"category": "linear", "symbol": "BTCUSDT", "autoAddMargin": 1}
    assert desk.post("/v5/position/set-auto-add-margin", **ask)["retCode"] == 0
    assert desk.post("/v5/position/set-auto-add-margin", **ask)["retCode"] == 110027
    desk.move("linear:BTCUSDT", 541_000)
    row = desk.position()
    assert (row["size"], row["autoAddMargin"]) == ("1.000", 1)
    assert row["positionBalance"] == "12059.420099"
    assert desk.kinds("config")[-1]["event"] == "auto-add-margin"


def test_margin_mode_needs_cover_and_says_why_not(make_desk: Any) -> None:
    """Cross stands on BTC as well; isolated does not."""
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "3000", "BTC": "1"}),))
    desk.order(price="60000.10", qty="1")
    answer = desk.post("/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
    assert answer["retCode"] == 3400045
    assert answer["result"]["reasons"][0]["reasonCode"] == "3400052"
    assert desk.get("/v5/account/info")["result"]["marginMode"] == "REGULAR_MARGIN"
    answer = desk.post("/v5/account/set-margin-mode", setMarginMode="PORTFOLIO_MARGIN")
    assert answer["retCode"] == 3400045
    assert desk.post("/v5/account/set-margin-mode", setMarginMode="x")["retCode"] == 10001


# ---- auto-deleveraging ----


def test_a_forced_deleveraging_closes_at_the_price_without_a_fee(desk: Any) -> None:
    desk.order(price="60000.10", qty="1")
    resting = desk.order(price="59000")
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["execution", "order", "position"]})
    assert desk.position()["adlRankIndicator"] == 5
    desk.do(Deleverage("linear:BTCUSDT", 1001, lots=400, price_ticks=605_000))
    (row,) = desk.executions("AdlTrade")
    assert (row["createType"], row["orderLinkId"]) == ("CreateByAdl_PassThrough", "")
    assert (row["execPrice"], row["execQty"], row["execFee"]) == ("60500.00", "0.400", "0")
    assert desk.row(resting)["cancelType"] == "CancelAllBeforeAdl"
    assert desk.topic("position")[-1]["data"][0]["positionStatus"] == "Adl"
    assert desk.transactions()[-1]["type"] == "ADL"
    assert desk.position()["size"] == "0.600"
    with pytest.raises(ValueError, match="700 lots to close, 600 are held"):
        desk.do(Deleverage("linear:BTCUSDT", 1001, lots=700))


def test_the_most_profitable_pays_where_the_insurance_fund_is_empty(make_desk: Any) -> None:
    """A bankrupt long of 1 BTC: the short with more profit for its equity is closed first."""
    desk = make_desk(accounts=(POOR, RICH, THIRD), insurance_fund="0", liquidation_step="1")
    desk.order(price="60000.10", qty="1")
    desk.order(side="Sell", price="60000.00", qty="2", key="rich")
    desk.order(side="Sell", price="60000.00", qty="0.5", key="third")
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    found = [desk.get("/v5/position/list", key=key, **asked) for key in ("rich", "third")]
    ranks = [answer["result"]["list"][0]["adlRankIndicator"] for answer in found]
    assert ranks == [5, 3]
    desk.move("linear:BTCUSDT", 400_000, bids=False)
    (bust,) = desk.executions("BustTrade")
    (closed,) = desk.executions("AdlTrade", "rich")
    assert desk.executions("AdlTrade", "third") == []
    assert (closed["execQty"], closed["side"]) == ("1.000", "Buy")
    assert closed["execPrice"] == bust["execPrice"]
    assert desk.exchange.floor.insurance["USDT"] == 0
    assert Decimal(desk.coin()["walletBalance"]) >= 0


def test_closing_half_gives_half_of_the_added_margin_back(make_desk: Any) -> None:
    """IM of 0.5 at 60000.1: 3000.005 + 30000.05 x 0.9 x 0.00055, and 300 of 600."""
    desk = make_desk()
    isolated(desk)
    desk.order(price="60000.10", qty="1")
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    desk.post("/v5/position/add-margin", **ask, margin="600")
    desk.order(side="Sell", price="60000.00", qty="0.5")
    assert desk.position()["positionBalance"] == "3314.85502475"
    desk.order(side="Sell", price="60000.00", qty="0.5")
    desk.order(price="60000.10", qty="1")
    assert desk.position()["positionBalance"] == "6029.7100495"


def test_each_position_uses_up_its_share_of_the_equity(make_desk: Any) -> None:
    """Two longs without bids: the first is taken over where its share by maintenance is gone."""
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "9000"}),), liquidation_step="1")
    desk.order(price="60000.10", qty="1")
    desk.order(symbol="ETHUSDT", price="3000.01", qty="5")
    desk.book("linear:ETHUSDT", [(300_000 - i, 0) for i in range(5)])
    desk.move("linear:BTCUSDT", 510_000, bids=False)
    began = desk.kinds("margin")[0]
    balance = Decimal(began["totalMarginBalance"])
    need = Decimal(began["totalMaintenanceMargin"])
    first = desk.executions("BustTrade")[0]
    assert first["symbol"] == "BTCUSDT"
    mark = Decimal(first["markPrice"])
    own = mark * Decimal("0.005") + mark * Decimal("0.9") * Decimal("0.00055")
    exact = (mark - balance * own / need) / (1 - Decimal("0.00055"))
    assert 0 <= Decimal(first["execPrice"]) - exact < Decimal("0.11")


def test_a_gap_far_below_bankruptcy_is_shown_as_a_rate_of_100(make_desk: Any) -> None:
    """The fund bears what the account cannot: it ends at zero, not below."""
    desk = make_desk(accounts=(POOR,))
    desk.order(price="60000.10", qty="1")
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["wallet"]})
    desk.exchange.floor.markets["linear:BTCUSDT"]._index_e6 = 400_000_000_000
    desk.exchange.floor.markets["linear:BTCUSDT"]._slow_e6 = 400_000_000_000
    desk.move("linear:BTCUSDT", 400_000, bids=False)
    rates = [frame["data"][0]["accountMMRate"] for frame in desk.topic("wallet")]
    assert rates == ["100", "100", "100", "0"]
    assert 0 <= Decimal(desk.coin()["walletBalance"]) < Decimal("0.1")
    assert desk.exchange.floor.insurance["USDT"] < 1_000_000


def test_nobody_is_liquidated_before_every_coin_has_its_price(make_desk: Any) -> None:
    """BTC is the collateral; without its index it would count nothing."""
    desk = make_desk(accounts=(AccountSettings(balances={"BTC": "1", "USDT": "1"}),))
    desk.order(price="60000.10", qty="1")
    market = desk.exchange.floor.markets["spot:BTCUSDT"]
    index, market._index_e6 = market._index_e6, 0
    desk.wait(2)
    assert desk.position()["size"] == "1.000"
    market._index_e6 = index
    desk.wait(2)
    assert desk.position()["size"] == "1.000"
