"""Where money goes: rows that sum to the balance, closed profit, fees, transfers."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.core.model import Side
from plimsoll.simulator.brain.ledger import Ledger, Rates
from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.messages import FeesChanged, Transfer
from plimsoll.simulator.settings import AccountSettings

LISTINGS = default_listings(("0.01", "0.02"), ("0.005", "0.01"))
SPOT = LISTINGS["spot:BTCUSDT"]
START = {"USDT": "20000", "USDC": "20000", "BTC": "1"}

moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("order"),
            st.sampled_from(
                ["linear:BTCPERP"] * 3 + ["linear:BTCUSDT", "spot:BTCUSDT", "spot:BTCUSDC"]
            ),
            st.sampled_from(["Buy", "Sell"]),
            st.integers(1, 900),
        ),
        st.tuples(st.just("move"), st.integers(520_000, 680_000)),
        st.tuples(st.just("wait"), st.sampled_from([1, 30, 60])),
        st.tuples(
            st.just("transfer"), st.sampled_from(["USDT", "USDC", "BTC"]), st.integers(-900, 900)
        ),
        st.tuples(st.just("fees"), st.integers(-30, 30)),
    ),
    min_size=8,
    max_size=24,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves)
def test_balances_are_the_start_and_every_change(make_desk: Any, steps: list[Any]) -> None:
    """Trades, funding, sessions, transfers, rebates and liquidations, exact to the last digit."""
    desk = make_desk(
        accounts=(AccountSettings(balances=START),),
        funding_interval_min={"linear:BTCUSDT": 1, "linear:BTCPERP": 0.5},
        funding_rates={"linear:BTCUSDT": "0.0001234567"},
        session_interval_min=0.5,
    )
    for action, *args in steps:
        if action == "order":
            name, side, size = args
            category, symbol = name.split(":")
            qty = f"{size / 1000:.3f}"
            market = {"orderType": "Market", "marketUnit": "baseCoin"}
            desk.order(category=category, symbol=symbol, side=side, qty=qty, **market)
        elif action == "move":
            desk.do_book("linear:BTCUSDT", args[0])
            desk.do_book("linear:BTCPERP", args[0])
        elif action == "wait":
            desk.wait(args[0])
        elif action == "fees":
            desk.do(FeesChanged(1001, "spot", "0.001", f"{args[0] / 10**7:.7f}"))
        elif args[1]:
            with contextlib.suppress(ValueError):  # more than it can spare
                desk.do(Transfer(1001, args[0], f"{args[1] / 7:.8f}"))
    account = desk.exchange.floor.accounts["sim-key"]
    sums = {coin: Decimal(text) for coin, text in START.items()}
    for entry in account.transactions:
        coin = entry.row["currency"]
        sums[coin] = sums.get(coin, Decimal(0)) + Decimal(entry.row["change"])
        assert Decimal(entry.row["cashBalance"]) == sums[coin]
        parts = [entry.row[name] or "0" for name in ("cashFlow", "funding", "fee")]
        cash_flow, funding, fee = map(Decimal, parts)
        assert Decimal(entry.row["change"]) == cash_flow + funding - fee
    assert account.ledger.balances == sums
    rows = [row for line in desk.kinds("wallet") for row in line["coin"]]
    recorded = {row["coin"]: Decimal(row["walletBalance"]) for row in rows}
    assert recorded.items() <= sums.items()
    _closed_explains_the_realised(account)


def _closed_explains_the_realised(account: Any) -> None:
    """Profit realised by a coin = closed rows + funding - fees of what is still open."""
    for coin, total in account.ledger.realised.items():
        closed = sum(
            (
                Decimal(one.row()["closedPnl"])
                for one in (*account.closed_pnl, *account.closing.values())
                if one.listing.instrument.settle == coin
            ),
            Decimal(0),
        )
        funding = sum(
            (
                Decimal(entry.row["execFee"])
                for entry in account.executions
                if entry.row["execType"] == "Funding" and entry.row["feeCurrency"] == coin
            ),
            Decimal(0),
        )
        open_fees = sum(
            (
                position.open_fees
                for position in account.ledger.positions.values()
                if position.listing.instrument.settle == coin
            ),
            Decimal(0),
        )
        rounding = Decimal("1e-8") * 2 * len(account.executions)
        assert abs(total - (closed - funding - open_fees)) <= rounding


def test_closed_profit_of_a_long_has_its_fees_in_the_prices(desk: Any) -> None:
    """Bought 1 at 60000.1 (fee 33.000055), sold 0.4 at 60000.0 (fee 13.2).

    Entry 24000.04 + 13.200022, exit 24000 - 13.2, profit -26.440022.
    """
    desk.order(price="60000.10", qty="1")
    sold = desk.order(side="Sell", price="60000.00", qty="0.4")
    (row,) = desk.get("/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert (row["orderId"], row["side"], row["execType"]) == (
        sold["result"]["orderId"],
        "Sell",
        "Trade",
    )
    assert (row["closedSize"], row["qty"], row["fillCount"]) == ("0.400", "0.400", "1")
    assert (row["openFee"], row["closeFee"]) == ("13.200022", "13.2")
    assert (row["cumEntryValue"], row["cumExitValue"]) == ("24013.240022", "23986.8")
    assert (row["avgEntryPrice"], row["avgExitPrice"]) == ("60033.100055", "59967")
    assert row["closedPnl"] == "-26.440022"
    assert row["leverage"] == "10"


def test_closed_profit_of_a_short_and_of_a_flip(desk: Any) -> None:
    """Sold 0.1 at 60000.0 (fee 3.3), bought 0.3 at 60000.1: a third closes (fee 3.3000055).

    Entry 6000 - 3.3, exit 6000.01 + 3.3000055, profit -6.6100055.
    """
    desk.order(side="Sell", price="60000.00", qty="0.1")
    desk.order(price="60000.10", qty="0.3")
    (row,) = desk.get("/v5/position/closed-pnl", category="linear", symbol="BTCUSDT")["result"][
        "list"
    ]
    assert (row["side"], row["closedSize"], row["qty"]) == ("Buy", "0.100", "0.300")
    assert (row["cumEntryValue"], row["cumExitValue"]) == ("5996.7", "6003.3100055")
    assert row["closedPnl"] == "-6.6100055"
    asked = {"category": "linear", "symbol": "ETHUSDT"}
    assert desk.get("/v5/position/closed-pnl", **asked)["result"]["list"] == []


def test_several_fills_of_one_closing_order_are_one_row(desk: Any) -> None:
    desk.order(price="60000.10", qty="1")
    desk.book("linear:BTCUSDT", [(600_000, 300)])
    desk.order(side="Sell", price="59999.90", qty="0.5")
    (row,) = desk.get("/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert (row["fillCount"], row["closedSize"]) == ("2", "0.500")


# ---- fees ----


@pytest.mark.parametrize(
    ("maker_rate", "side", "is_maker", "coin", "fee"),
    [
        ("0.001", Side.BUY, True, "BTC", "0.00001"),
        ("0.001", Side.SELL, True, "USDT", "0.6"),
        ("-0.0001", Side.BUY, True, "USDT", "-0.06"),
        ("-0.0001", Side.SELL, True, "BTC", "-0.000001"),
        ("-0.0001", Side.BUY, False, "BTC", "0.00001"),
        ("-0.0001", Side.SELL, False, "USDT", "0.6"),
    ],
)
def test_spot_fee_coin(maker_rate: str, side: Side, is_maker: bool, coin: str, fee: str) -> None:
    """0.01 BTC at 60000: the venue's table of fee coins, rebates included."""
    ledger = Ledger({"USDT": "1000", "BTC": "1"})
    ledger.fees["spot"] = Rates(Decimal("0.001"), Decimal(maker_rate))
    booked = ledger.book(SPOT, side, 6_000_000, 10_000, is_maker=is_maker)
    assert (booked.fee_coin, booked.fee) == (coin, Decimal(fee))
    sign = side.sign
    flows = {"USDT": Decimal(-600) * sign, "BTC": Decimal("0.01") * sign}
    for name, start in (("USDT", 1000), ("BTC", 1)):
        paid = booked.fee if name == coin else Decimal(0)
        assert ledger.balances[name] == start + flows[name] - paid


def test_a_rebate_rounds_down() -> None:
    ledger = Ledger({})
    ledger.fees["spot"] = Rates(Decimal(0), Decimal("-0.0001"))
    assert ledger.book(SPOT, Side.SELL, 6_000_000, 155, is_maker=True).fee == Decimal("-0.00000001")


def test_fee_rates_of_the_account_and_their_change_while_it_runs(make_desk: Any) -> None:
    tiers = AccountSettings(fees={"linear": ("0.0003", "-0.00005")})
    desk = make_desk(accounts=(tiers,))
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    (row,) = desk.get("/v5/account/fee-rate", **ask)["result"]["list"]
    assert (row["takerFeeRate"], row["makerFeeRate"]) == ("0.0003", "-0.00005")
    desk.order(price="60000.10", qty="1")
    assert desk.executions("Trade")[-1]["execFee"] == "18.00003"
    desk.do(FeesChanged(1001, "linear", "0.001", "0.0005"))
    (row,) = desk.get("/v5/account/fee-rate", **ask)["result"]["list"]
    assert (row["takerFeeRate"], row["makerFeeRate"]) == ("0.001", "0.0005")
    desk.order(price="60000.10", qty="1")
    assert desk.executions("Trade")[-1]["execFee"] == "60.0001"
    (spot,) = desk.get("/v5/account/fee-rate", category="spot", symbol="BTCUSDT")["result"]["list"]
    assert spot["takerFeeRate"] == "0.001"


# ---- transfers ----


def test_money_comes_and_goes_with_a_cause(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["wallet"]})
    desk.do(Transfer(1001, "USDT", "50000"))
    desk.do(Transfer(1001, "BTC", "-0.25"))
    desk.do(Transfer(1001, "USDT", "10", cause="BONUS"))
    desk.do(Transfer(1001, "USDT", "1.5", cause="FEE_REFUND"))
    rows = desk.transactions()
    assert [(row["type"], row["change"]) for row in rows] == [
        ("TRANSFER_IN", "50000"),
        ("TRANSFER_OUT", "-0.25"),
        ("BONUS", "10"),
        ("FEE_REFUND", "1.5"),
    ]
    assert rows[2]["bonusChange"] == "10"
    assert desk.coin()["walletBalance"] == "150011.5"
    assert desk.coin()["bonus"] == "10"
    causes = [line["cause"] for line in desk.kinds("wallet")]
    assert causes == ["TRANSFER_IN", "TRANSFER_OUT", "BONUS", "FEE_REFUND"]
    coins = [row["coin"] for frame in desk.topic("wallet") for row in frame["data"][0]["coin"]]
    assert coins == ["USDT", "BTC", "USDT", "USDT"]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (Transfer(9, "USDT", "1"), "no account 9"),
        (Transfer(1001, "USDT", "x"), "not a decimal"),
        (Transfer(1001, "USDT", "0.000000001"), "finer than 1e-8"),
        (Transfer(1001, "USDT", "-100000.1"), "cannot spare"),
        (Transfer(1001, "USDT", "1", cause="GIFT"), "cause must be one of"),
        (Transfer(1001, "USDT", "-1", cause="BONUS"), "cannot be negative"),
    ],
)
def test_transfers_that_cannot_be(desk: Any, request_: Transfer, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        desk.do(request_)
    assert desk.coin()["walletBalance"] == "100000"


def test_what_margin_needs_cannot_leave(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "10000"}),))
    desk.order(price="60000.10", qty="1")
    with pytest.raises(ValueError, match="cannot spare"):
        desk.do(Transfer(1001, "USDT", "-3938"))
    desk.do(Transfer(1001, "USDT", "-3937"))


def test_demo_money_once_a_minute(desk: Any) -> None:
    path = "/v5/account/demo-apply-money"
    asked = [{"coin": "USDT", "amountStr": "109.5"}, {"coin": "ETH", "amountStr": "1"}]
    assert desk.post(path, adjustType=0, utaDemoApplyMoney=asked)["retCode"] == 0
    assert desk.coin()["walletBalance"] == "100109.5"
    assert desk.post(path, adjustType=0, utaDemoApplyMoney=asked)["retCode"] == 10006
    desk.wait(60)
    too_much = [{"coin": "BTC", "amountStr": "1.5"}]
    assert desk.post(path, adjustType=1, utaDemoApplyMoney=too_much)["retCode"] == 10001
    for bad in ([], "x", [{"coin": "DOGE", "amountStr": "1"}], [{"coin": "BTC"}]):
        assert desk.post(path, utaDemoApplyMoney=bad)["retCode"] == 10001
    assert desk.post(path, adjustType=1, utaDemoApplyMoney=asked)["retCode"] == 0
    assert desk.coin()["walletBalance"] == "100000"


def test_only_changed_coins_are_pushed(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["wallet", "position"]})
    desk.order()
    assert desk.topic("wallet") == []
    assert len(desk.topic("position")) == 1
    desk.order(category="spot", qty="0.1", price="59900")
    desk.order(category="spot", side="Sell", qty="0.1", price="60100")
    desk.order(category="spot", qty="0.001", price="60000.01")
    found = [[row["coin"] for row in frame["data"][0]["coin"]] for frame in desk.topic("wallet")]
    assert found == [["USDT"], ["BTC"], ["USDT", "BTC"]]
