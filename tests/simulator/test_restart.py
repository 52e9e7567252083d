"""A restart keeps what waits, what is on its way, and money to the last digit."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.simulator.conftest import START_NS, Desk

from plimsoll.core.model import Side
from plimsoll.simulator.brain.messages import FeesChanged, Transfer
from plimsoll.simulator.settings import AccountSettings, SimSettings

NAME = "linear:BTCUSDT"
RATES = {NAME: "0.0001", "linear:BTCPERP": "-0.0002"}
ACCOUNT = AccountSettings(balances={"USDT": "100000", "USDC": "100000", "BTC": "1"}, dcp=True)
SETTINGS = SimSettings(
    limits="off",
    accounts=(ACCOUNT,),
    funding_rates=RATES,
    funding_interval_min=dict.fromkeys(RATES, 1),
)
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
SPOT = {"category": "spot", "symbol": "BTCUSDT"}


@pytest.fixture
def first(tmp_path: Path) -> Desk:
    """A desk with everything a restart could lose."""
    desk = Desk(SETTINGS, directory=tmp_path)
    mode = desk.post("/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
    assert mode["retCode"] == 0
    desk.do(Transfer(1001, "USDT", "5", "BONUS"))
    desk.do(FeesChanged(1001, "linear", "0.0004", "-0.0001"))
    window: dict[str, Any] = {"product": "DERIVATIVES", "timeWindow": 40}
    for answer in (
        desk.order(price="60000.10", qty="1"),
        desk.order(symbol="BTCPERP", side="Sell", price="60000.00", qty="0.5"),
        desk.post("/v5/position/add-margin", **LINEAR, margin="500"),
        desk.post("/v5/position/trading-stop", **LINEAR, takeProfit="66000", stopLoss="54000"),
        desk.post("/v5/position/trading-stop", **LINEAR, trailingStop="2000"),
        desk.order(side="Sell", price="60001.00", qty="0.4", reduceOnly=True, orderLinkId="part"),
        desk.order(triggerPrice="63000", triggerDirection=1, price="63100", orderLinkId="stop"),
        desk.order(orderLinkId="amended", price="59000"),
        desk.order(orderLinkId="cancelled", price="59100"),
        desk.order(**SPOT, price="60000.05", qty="0.04", takeProfit="66000", stopLoss="54000"),
        desk.order(
            **SPOT, side="Sell", qty="0.2", price="61000", orderFilter="tpslOrder",
            triggerPrice="55000", orderLinkId="locks",
        ),
        desk.post("/v5/order/disconnected-cancel-all", **window),
    ):  # fmt: skip
        assert answer["retCode"] == 0, answer
    desk.trade(NAME, Side.BUY, 600_010, 100)  # fills a part of the closing order
    desk.wait(60)
    return desk


def again(desk: Desk, tmp_path: Path, seconds: float) -> Desk:
    desk.stop()
    return Desk(SETTINGS, desk.now_ns + int(seconds * 1e9), tmp_path)


def shown(desk: Desk) -> dict[str, Any]:
    """Return everything the account can ask for that prices do not move."""
    found: dict[str, Any] = {}
    for name, path, params in (
        ("linear", "/v5/order/realtime", LINEAR),
        ("spot", "/v5/order/realtime", SPOT),
        ("history", "/v5/order/history", LINEAR),
        ("executions", "/v5/execution/list", LINEAR),
        ("USDT", "/v5/position/list", LINEAR),
        ("USDC", "/v5/position/list", {"category": "linear", "settleCoin": "USDC"}),
        ("closed", "/v5/position/closed-pnl", LINEAR),
        ("log", "/v5/account/transaction-log", {"limit": 50}),
        ("fees", "/v5/account/fee-rate", {"category": "linear"}),
        ("wallet", "/v5/account/wallet-balance", {"accountType": "UNIFIED"}),
        ("account", "/v5/account/info", {}),
        ("dcp", "/v5/account/query-dcp-info", {}),
        ("funding", "/v5/market/funding/history", LINEAR),
        ("pool", "/v5/market/insurance", {}),
    ):
        answer = desk.get(path, **params)
        assert answer["retCode"] == 0, answer
        found[name] = answer["result"]
    return found


def names(desk: Desk) -> dict[str, Any]:
    rows = desk.get("/v5/order/realtime", **LINEAR)["result"]["list"]
    return {row["orderLinkId"]: row for row in rows if row["orderLinkId"]}


def funded(desk: Desk, symbol: str) -> list[tuple[str, str]]:
    """Return (size, paid) of the funding executions of a symbol."""
    rows = [row for row in desk.executions("Funding") if row["symbol"] == symbol]
    return [(row["execQty"], row["execFee"]) for row in rows]


def test_nothing_is_lost_by_a_restart(first: Desk, tmp_path: Path) -> None:
    before = shown(first)
    kinds = {row["stopOrderType"] for row in before["linear"]["list"]}
    assert {"TakeProfit", "StopLoss", "TrailingStop", "Stop", ""} <= kinds
    assert {row["stopOrderType"] for row in before["spot"]["list"]} >= {"OcoOrder", "tpslOrder"}
    assert before["closed"]["list"][0]["closedSize"] == "0.100"
    assert before["account"]["dcpStatus"] == "ON"
    second = again(first, tmp_path, 0.001)
    assert shown(second) == before
    third = again(second, tmp_path, 0.001)
    assert shown(third) == before


def test_changes_on_their_way_have_their_effect_once(first: Desk, tmp_path: Path) -> None:
    floor = first.exchange.floor
    delays = {"match_delay_ms": 5000, "cancel_delay_ms": 5000}
    floor.settings = msgspec.structs.replace(floor.settings, **delays)
    first.post("/v5/order/amend", **LINEAR, orderLinkId="amended", price="58000")
    first.post("/v5/order/cancel", **LINEAR, orderLinkId="cancelled")
    first.order(orderLinkId="created", price="58500")
    first.order(
        orderLinkId="waits", triggerPrice="63000", triggerDirection=1, price="63100", qty="0.2"
    )
    second = again(first, tmp_path, 1)
    found = names(second)
    assert found["amended"]["price"] == "59000.00"
    assert found["cancelled"]["orderStatus"] == "New"
    assert not {"created", "waits"} & set(found)
    busy = second.post("/v5/order/amend", **LINEAR, orderLinkId="amended", price="58100")
    assert busy["retCode"] == 110079
    second.wait(5)
    found = names(second)
    assert found["amended"]["price"] == "58000.00"
    (row,) = second.get("/v5/order/history", **LINEAR, orderLinkId="cancelled")["result"]["list"]
    assert row["orderStatus"] == "Cancelled"
    assert found["created"]["orderStatus"] == "New"
    assert found["waits"]["orderStatus"] == "Untriggered"
    second.trade(NAME, Side.SELL, 585_000, 100_000)
    filled = [row["orderLinkId"] for row in second.executions("Trade")].count("created")
    assert filled == 1, "it is in the book once"


def test_funding_that_fell_due_meanwhile_is_paid_once(first: Desk, tmp_path: Path) -> None:
    paid = {symbol: funded(first, symbol) for symbol in ("BTCUSDT", "BTCPERP")}
    assert {symbol: len(rows) for symbol, rows in paid.items()} == {"BTCUSDT": 1, "BTCPERP": 1}
    before = {coin: Decimal(first.coin(coin)["walletBalance"]) for coin in ("USDT", "USDC")}
    second = again(first, tmp_path, 150)
    instants = second.now_ns // 60_000_000_000 - first.now_ns // 60_000_000_000
    assert instants in (2, 3)
    for symbol, coin in (("BTCUSDT", "USDT"), ("BTCPERP", "USDC")):
        rows = funded(second, symbol)
        assert rows[:1] == paid[symbol]
        assert len(rows) == 1 + instants
        change = -sum(Decimal(fee) for _, fee in rows[1:])
        assert Decimal(second.coin(coin)["walletBalance"]) == before[coin] + change
    third = again(second, tmp_path, 1)
    assert len(funded(third, "BTCUSDT")) == 1 + instants
    third.wait(60)
    assert len(funded(third, "BTCUSDT")) == 2 + instants
    lines = [line for line in third.kinds("market") if line.get("event") == "funding"]
    assert all(int(line["fundingRateTimestamp"]) * 1_000_000 > START_NS for line in lines)


def test_what_was_missed_for_long_is_bounded(first: Desk, tmp_path: Path) -> None:
    second = again(first, tmp_path, 30 * 24 * 3600)
    assert len(funded(second, "BTCUSDT")) <= 100
    assert second.position()["positionStatus"] == "Normal"
    lines = [line for line in second.kinds("market") if line.get("event") == "funding"]
    assert len([line for line in lines if line["symbol"] == NAME]) == 100


def test_what_waits_triggers_after_a_restart(first: Desk, tmp_path: Path) -> None:
    second = again(first, tmp_path, 1)
    second.do_book(NAME, 632_000)
    assert names(second)["stop"]["orderStatus"] in ("New", "Filled")
    second.do_book(NAME, 610_000)  # 2000 below the best price: the trailing stop
    rows = second.get("/v5/execution/list", **LINEAR)["result"]["list"]
    assert rows[0]["stopOrderType"] == "TrailingStop"
    assert second.position()["size"] == "0.000"
    left = second.get("/v5/order/realtime", **LINEAR)["result"]["list"]
    assert not {row["stopOrderType"] for row in left} & {"TakeProfit", "StopLoss"}
    locked = Decimal(second.coin("BTC")["locked"])
    second.do_book("spot:BTCUSDT", 6_700_000)  # one of the pair sells, the other goes
    assert Decimal(second.coin("BTC")["locked"]) < locked
    assert Decimal(second.coin("BTC")["locked"]) == Decimal("0.2")
