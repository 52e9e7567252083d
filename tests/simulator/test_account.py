"""What an account and its key are, what they may do, and how that changes while it runs."""

from typing import Any

import pytest

from plimsoll.simulator.brain.messages import KeyChanged
from plimsoll.simulator.settings import AccountSettings

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


def with_key(make_desk: Any, **settings: Any) -> Any:
    return make_desk(accounts=(AccountSettings(**settings),))


def test_key_info_shows_what_was_chosen(make_desk: Any) -> None:
    desk = with_key(
        make_desk,
        permissions={"Spot": ("SpotTrade",), "Wallet": ("Withdraw",)},
        ips=("127.0.0.1",),
        read_only=True,
        expires_ms=1_800_000_000_000,
    )
    row = desk.get("/v5/user/query-api")["result"]
    assert row["permissions"]["Spot"] == ["SpotTrade"]
    assert row["permissions"]["Wallet"] == ["Withdraw"]
    assert row["permissions"]["ContractTrade"] == []
    assert (row["readOnly"], row["ips"], row["uta"]) == (1, ["127.0.0.1"], 1)
    assert (row["expiredAt"], row["deadlineDay"]) == ("2027-01-15T08:00:00Z", 1157)


@pytest.mark.parametrize(
    ("permissions", "path", "params", "code"),
    [
        ({"Spot": ("SpotTrade",)}, "/v5/order/create", LINEAR, 10005),
        ({"ContractTrade": ("Position",)}, "/v5/order/create", LINEAR, 10005),
        ({"ContractTrade": ("Order",)}, "/v5/order/create", LINEAR, 0),
        ({"ContractTrade": ("Order",)}, "/v5/order/create", {"category": "spot"}, 10005),
        ({"ContractTrade": ("Order",)}, "/v5/order/cancel-all", LINEAR, 0),
        ({"ContractTrade": ("Order",)}, "/v5/position/set-leverage", LINEAR, 10005),
        ({"ContractTrade": ("Position",)}, "/v5/position/set-leverage", LINEAR, 0),
        ({}, "/v5/account/set-margin-mode", {}, 10005),
    ],
)
def test_each_change_needs_its_right(
    make_desk: Any, permissions: Any, path: str, params: dict[str, Any], code: int
) -> None:
    desk = with_key(make_desk, permissions=permissions)
    usual = {
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.010",
        "price": "59000",
        "buyLeverage": "5",
        "sellLeverage": "5",
    }
    assert desk.post(path, **usual | params)["retCode"] == code


@pytest.mark.parametrize(
    ("permissions", "path", "params", "code"),
    [
        ({"Spot": ("SpotTrade",)}, "/v5/position/list", LINEAR, 10005),
        ({"Spot": ("SpotTrade",)}, "/v5/order/realtime", LINEAR, 10005),
        ({"Spot": ("SpotTrade",)}, "/v5/order/realtime", {"category": "spot"}, 0),
        ({"Wallet": ("AccountTransfer",)}, "/v5/account/info", {}, 0),
        ({}, "/v5/account/info", {}, 10005),
        ({}, "/v5/user/query-api", {}, 0),
    ],
)
def test_each_question_needs_its_group(
    make_desk: Any, permissions: Any, path: str, params: dict[str, Any], code: int
) -> None:
    assert with_key(make_desk, permissions=permissions).get(path, **params)["retCode"] == code


def test_a_read_only_key_reads(make_desk: Any) -> None:
    desk = with_key(make_desk, read_only=True)
    assert desk.get("/v5/position/list", **LINEAR)["retCode"] == 0
    assert desk.order()["retCode"] == 10005
    assert desk.post("/v5/position/switch-mode", **LINEAR, mode=0)["retCode"] == 10005


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"revoked": True}, 10003),
        ({"expired": True}, 33004),
        ({"expires_ms": 1_700_000_000_000}, 33004),
        ({"ips": ("10.0.0.9",)}, 10010),
        ({"permissions": {}}, 10005),
        ({"read_only": True}, 10005),
    ],
)
def test_a_key_changes_while_it_is_used(desk: Any, changes: dict[str, Any], code: int) -> None:
    resting = desk.order()
    desk.do(KeyChanged(1001, changes))
    assert desk.order()["retCode"] == code
    assert len(desk.exchange.floor.accounts["sim-key"].orders.open) == 1
    assert desk.kinds("config")[-1]["event"] == "key"
    back = {"revoked": False, "expired": False, "expires_ms": 0, "ips": ("*",), "read_only": False}
    back |= {"permissions": {"ContractTrade": ("Order", "Position")}}
    desk.do(KeyChanged(1001, back))
    assert desk.row(resting)["orderStatus"] == "New"


@pytest.mark.parametrize("changes", [{"revoked": True}, {"expired": True}, {"read_only": True}])
def test_an_open_trade_socket_obeys_the_change(desk: Any, changes: dict[str, Any]) -> None:
    desk.socket(1, "/v5/trade", auth=True)
    order = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "59000"}
    header = {"X-BAPI-TIMESTAMP": str(desk.now_ns // 1_000_000)}
    ask = {"op": "order.create", "header": header, "args": [order]}
    assert desk.say(1, ask)[0]["retCode"] == 0
    desk.do(KeyChanged(1001, changes))
    code = {"revoked": 10003, "expired": 33004, "read_only": 10005}[next(iter(changes))]
    assert desk.say(1, ask)[0]["retCode"] == code


def test_unknown_properties_of_a_key_are_refused(desk: Any) -> None:
    with pytest.raises(ValueError, match="a key has no 'colour'"):
        desk.do(KeyChanged(1001, {"colour": "red"}))


def test_a_classic_account_says_so_and_does_not_trade(make_desk: Any) -> None:
    desk = with_key(make_desk, account_type="classic")
    assert desk.get("/v5/user/query-api")["result"]["uta"] == 0
    assert desk.get("/v5/account/info")["result"]["unifiedMarginStatus"] == 1
    assert desk.get("/v5/account/wallet-balance", accountType="UNIFIED")["retCode"] == 10001
    assert desk.order()["retCode"] == 10028


def test_a_portfolio_margin_account_says_so_and_hides_margins(make_desk: Any) -> None:
    desk = with_key(make_desk, margin_mode="PORTFOLIO_MARGIN")
    assert desk.get("/v5/account/info")["result"]["marginMode"] == "PORTFOLIO_MARGIN"
    desk.order(price="60000.10", qty="1")
    assert (desk.position()["positionIM"], desk.position()["positionMM"]) == ("", "")
    assert desk.coin()["totalPositionIM"] == ""


def test_a_hedge_account_shows_two_rows_and_refuses_one_way_orders(make_desk: Any) -> None:
    desk = with_key(make_desk, position_mode="hedge")
    rows = desk.get("/v5/position/list", **LINEAR)["result"]["list"]
    assert [row["positionIdx"] for row in rows] == [1, 2]
    answer = desk.order()
    assert (answer["retCode"], answer["retMsg"]) == (10001, "position idx not match position mode")
    assert desk.order(category="spot", qty="0.001")["retCode"] == 0
    assert desk.post("/v5/position/switch-mode", **LINEAR, mode=3)["retCode"] == 110025
    assert desk.post("/v5/position/switch-mode", **LINEAR, mode=0)["retCode"] == 0
    assert desk.order()["retCode"] == 0


def test_hedge_mode_is_refused_with_the_reason(desk: Any) -> None:
    def switch(mode: int) -> int:
        return int(desk.post("/v5/position/switch-mode", **LINEAR, mode=mode)["retCode"])

    assert (switch(0), switch(3), switch(1)) == (110025, 110029, 10001)
    desk.order()
    assert switch(3) == 110028
    desk.order(price="60000.10")
    assert switch(3) == 110024


def test_collateral_info(desk: Any) -> None:
    rows = desk.get("/v5/account/collateral-info")["result"]["list"]
    found = {row["currency"]: (row["collateralRatio"], row["marginCollateral"]) for row in rows}
    assert found == {
        "USDT": ("1", True),
        "USDC": ("1", True),
        "BTC": ("0.95", True),
        "ETH": ("0.9", True),
    }
    (row,) = desk.get("/v5/account/collateral-info", currency="BTC")["result"]["list"]
    assert row["usdIndexPrice"] == "60000"


def test_settings_and_groups(desk: Any) -> None:
    row = desk.get("/v5/account/user-setting-config")["result"]
    assert (row["lpaSpot"], row["lpaPerp"]) == (True, False)
    desk.post("/v5/account/set-limit-px-action", category="linear", modifyEnable=False)
    assert desk.get("/v5/account/user-setting-config")["result"]["lpaPerp"] is True
    assert desk.get("/v5/account/smp-group")["result"] == {"smpGroup": 0}
    rows = desk.get("/v5/account/instruments-info", category="linear")["result"]["list"]
    assert {row["symbol"] for row in rows} >= {"BTCUSDT", "BTCPERP"}


def test_what_spot_may_spend_without_borrowing(desk: Any) -> None:
    ask = {"category": "spot", "symbol": "BTCUSDT"}
    desk.order(category="spot", qty="0.1", price="59000")
    row = desk.get("/v5/order/spot-borrow-check", **ask, side="Buy")["result"]
    assert (row["borrowCoin"], row["maxTradeAmount"]) == ("USDT", "94100")
    assert row["maxTradeQty"] == "1.56833333"
    row = desk.get("/v5/order/spot-borrow-check", **ask, side="Sell")["result"]
    assert (row["borrowCoin"], row["maxTradeQty"]) == ("BTC", "1")
    assert desk.get("/v5/order/spot-borrow-check", **ask, side="x")["retCode"] == 10001


def test_risk_limits_of_one_symbol_and_of_all(desk: Any) -> None:
    ask = "/v5/market/risk-limit"
    rows = desk.get(ask, **LINEAR)["result"]["list"]
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0] == {
        "id": 1,
        "symbol": "BTCUSDT",
        "riskLimitValue": "2000000",
        "maintenanceMargin": "0.005",
        "initialMargin": "0.01",
        "isLowestRisk": 1,
        "maxLeverage": "100.00",
        "mmDeduction": "",
    }
    assert (rows[1]["mmDeduction"], rows[1]["isLowestRisk"]) == ("10000", 0)
    found = desk.get(ask, category="linear")["result"]
    assert len({row["symbol"] for row in found["list"]}) == 5
    assert found["nextPageCursor"] == ""
    assert desk.get(ask, category="linear", symbol="X")["retCode"] == 10001


@pytest.mark.parametrize(
    "settings",
    [
        {"account_type": "x"},
        {"margin_mode": "CROSS"},
        {"position_mode": "x"},
        {"fees": {"linear": ("a", "0")}},
        {"fees": {"option": ("0", "0")}},
        {"balances": {"USDT": "-1"}},
    ],
)
def test_accounts_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        AccountSettings(**settings)
