"""Funding: the rate, who pays whom, and every place where a payment shows."""

from decimal import Decimal
from typing import Any

import pytest

from plimsoll.simulator.brain.funding import Funding, funding_rate
from plimsoll.simulator.brain.messages import FundingFixed
from plimsoll.simulator.settings import AccountSettings, SimSettings

HOUR_MS = 3_600_000
QUICK = {"funding_interval_min": {"linear:BTCUSDT": 1, "linear:BTCPERP": 1}}
TWO = (
    AccountSettings(),
    AccountSettings(key="other", secret="sim-secret", uid=2),
)


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        ("0", "0.0001"),  # 0 + (0.0001 - 0), inside the clamp
        ("0.0004", "0.0001"),  # 0.0004 + (0.0001 - 0.0004)
        ("0.001", "0.0005"),  # 0.001 - 0.0005
        ("-0.001", "-0.0005"),  # -0.001 + 0.0005
        ("0.01", "0.00375"),  # the upper bound
        ("-0.01", "-0.00375"),
    ],
)
def test_the_rate_is_premium_plus_clamped_interest(premium: str, rate: str) -> None:
    assert funding_rate(Decimal(premium), Decimal("0.0001")) == Decimal(rate)


def test_the_rate_is_published_each_minute_and_the_published_one_is_paid() -> None:
    funding = Funding(8 * HOUR_MS)
    assert funding.advance(1) == []
    for _ in range(30):
        funding.sample(Decimal("0.001"))
        funding.sample(Decimal("0.002"))
    funding.advance(59_999)
    assert funding.rate == Decimal("0.0001")
    funding.advance(60_000)
    assert funding.rate == Decimal("0.001")  # mean 0.0015 - 0.0005
    (paid,) = funding.advance(8 * HOUR_MS + 3)
    assert (paid.time_ms, paid.rate) == (8 * HOUR_MS, Decimal("0.001"))
    assert funding.rate == Decimal("0.0001")  # samples begin anew
    assert [one.time_ms for one in funding.advance(25 * HOUR_MS)] == [16 * HOUR_MS, 24 * HOUR_MS]


def test_interest_and_times_follow_the_interval() -> None:
    funding = Funding(HOUR_MS)
    assert funding.rate == Decimal("0.0000125")
    assert funding.next_ms(5) == HOUR_MS
    assert funding.shown(5)["fundingIntervalHour"] == "1"
    assert funding.shown(HOUR_MS)["nextFundingTime"] == str(2 * HOUR_MS)


def test_a_long_pays_what_a_short_receives_when_the_rate_is_positive(make_desk: Any) -> None:
    """1 BTC at mark 60000.0, rate 0.0001: 6 USDT."""
    desk = make_desk(accounts=TWO, funding_rates={"linear:BTCUSDT": "0.0001"}, **QUICK)
    desk.order(price="60000.10", qty="1")
    desk.order(side="Sell", price="60000.00", qty="1", key="other")
    before = {key: Decimal(desk.coin(key=key)["walletBalance"]) for key in ("sim-key", "other")}
    desk.wait(60)
    for key, sign in (("sim-key", 1), ("other", -1)):
        (row,) = desk.executions("Funding", key)
        assert (row["execFee"], row["orderType"], row["orderLinkId"]) == (
            str(6 * sign),
            "UNKNOWN",
            "",
        )
        assert (row["execQty"], row["execPrice"], row["feeRate"]) == ("1.000", "60000.00", "0.0001")
        assert (row["side"], row["execValue"]) == ("Buy" if sign > 0 else "Sell", "60000")
        entry = desk.transactions(key, type="SETTLEMENT")[0]
        assert (entry["funding"], entry["change"]) == (str(-6 * sign), str(-6 * sign))
        assert (entry["fee"], entry["cashFlow"], entry["size"]) == ("0", "0", str(sign))
        assert Decimal(desk.coin(key=key)["walletBalance"]) == before[key] - 6 * sign
    position = desk.position()
    assert position["curRealisedPnl"] == position["cumRealisedPnl"] == "-39.000055"


def test_a_negative_rate_turns_the_payment_round_and_a_fraction_rounds_against_us(
    make_desk: Any,
) -> None:
    """60000.0 x 0.001 x 0.000333333 = 0.01999998 exactly; x 0.0003333333 = 0.019999998."""
    desk = make_desk(accounts=TWO, funding_rates={"linear:BTCUSDT": "-0.0003333333"}, **QUICK)
    desk.order(price="60000.10", qty="0.001")
    desk.order(side="Sell", price="60000.00", qty="0.001", key="other")
    desk.wait(60)
    assert desk.executions("Funding")[0]["execFee"] == "-0.01999999"
    assert desk.executions("Funding", "other")[0]["execFee"] == "0.02"


def test_only_holders_at_the_instant_pay_and_history_lists_every_payment(make_desk: Any) -> None:
    desk = make_desk(funding_rates={"linear:BTCUSDT": "0.0002"}, **QUICK)
    desk.wait(60)
    assert desk.executions("Funding") == []
    desk.order(price="60000.10", qty="1")
    desk.order(side="Sell", price="60000.00", qty="1")
    desk.wait(60)
    assert desk.executions("Funding") == []
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    rows = desk.get("/v5/market/funding/history", **ask, limit=2)["result"]["list"]
    assert [row["fundingRate"] for row in rows] == ["0.0002"] * 2
    newer, older = (int(row["fundingRateTimestamp"]) for row in rows)
    assert (newer - older, newer % 60_000) == (60_000, 0)
    rows = desk.get("/v5/market/funding/history", **ask, startTime=newer, endTime=newer)
    assert len(rows["result"]["list"]) == 1
    assert desk.get("/v5/market/funding/history", **ask, startTime=newer)["retCode"] == 10001


def test_the_payment_is_pushed_and_recorded(make_desk: Any) -> None:
    desk = make_desk(funding_rates={"linear:BTCPERP": "0.0001"}, **QUICK)
    desk.socket(1, "/v5/private", auth=True)
    topics = ["execution", "execution.fast", "position", "wallet"]
    desk.say(1, {"op": "subscribe", "args": topics})
    desk.order(symbol="BTCPERP", price="60000.10", qty="1")
    for name in topics:
        assert len(desk.topic(name)) == 1
    desk.wait(60)
    pushed = desk.topic("execution")[1]["data"][0]
    assert (pushed["execType"], pushed["execFee"], pushed["feeCurrency"]) == (
        "Funding",
        "6",
        "USDC",
    )
    assert len(desk.topic("execution.fast")) == 1
    assert desk.topic("position")[1]["data"][0]["size"] == "1.000"
    (coin,) = desk.topic("wallet")[1]["data"][0]["coin"]
    assert coin["coin"] == "USDC"
    line = desk.kinds("execution")[-1]
    assert (line["execType"], line["execFee"]) == ("Funding", "6")
    assert desk.kinds("wallet")[-1]["coin"][0]["walletBalance"] == coin["walletBalance"]
    assert desk.kinds("position")[-1]["size"] == "1.000"


def test_the_ticker_and_the_instrument_show_it(make_desk: Any) -> None:
    desk = make_desk(funding_interval_min={"linear:BTCUSDT": 60})
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    row = desk.get("/v5/market/tickers", **ask)["result"]["list"][0]
    assert (row["fundingRate"], row["fundingIntervalHour"]) == ("0.0000125", "1")
    assert (row["fundingCap"], int(row["nextFundingTime"]) % HOUR_MS) == ("0.00375", 0)
    info = desk.get("/v5/market/instruments-info", **ask)["result"]["list"][0]
    assert (info["fundingInterval"], info["upperFundingRate"]) == (60, "0.00375")
    desk.do(FundingFixed("linear:BTCUSDT", "-0.001"))
    row = desk.get("/v5/market/tickers", **ask)["result"]["list"][0]
    assert row["fundingRate"] == "-0.001"
    assert desk.kinds("config")[-1]["event"] == "funding-rate"


def test_a_premium_of_the_book_over_the_index_raises_the_rate(desk: Any) -> None:
    desk.book("linear:BTCUSDT", [(600_000 - i, 0) for i in range(5)])
    for step in range(130):
        bid = 600_000 + 300 * step  # the index lags behind a rising middle
        desk.book("linear:BTCUSDT", [(bid - 300, 0), (bid, 100)])
        desk.book("linear:BTCUSDT", asks=[(bid - 299, 0), (bid + 1, 100)])
        desk.wait(1)
    assert desk.exchange.floor.markets["linear:BTCUSDT"].funding.rate > Decimal("0.0001")


def test_intervals_no_run_can_have_are_refused() -> None:
    with pytest.raises(ValueError, match="a second or longer"):
        SimSettings(funding_interval_min={"linear:BTCUSDT": 0})


def test_names_nobody_lists_are_refused(make_desk: Any) -> None:
    for settings in (
        {"funding_rates": {"linear:XUSDT": "0"}},
        {"funding_interval_min": {"spot:BTCUSDT": 1}},
    ):
        with pytest.raises(ValueError, match="there is no perpetual"):
            make_desk(**settings)


def test_without_a_price_nothing_is_paid_or_settled(make_desk: Any) -> None:
    desk = make_desk(session_interval_min=1, **QUICK)
    desk.order(symbol="BTCPERP", price="60000.10", qty="1")
    market = desk.exchange.floor.markets["linear:BTCPERP"]
    index, market._index_e6 = market._index_e6, 0
    desk.wait(60)
    market._index_e6 = index
    assert [row["type"] for row in desk.transactions()] == ["TRADE"]
    assert desk.position("BTCPERP")["sessionAvgPrice"] == "60000.1"
