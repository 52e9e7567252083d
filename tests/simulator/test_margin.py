"""Margin by hand: formulas, tiers, both sides, liquidation prices, and what funds allow."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.liq_price import liquidation_price
from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.margin import Quotes, order_margin, totals_of
from plimsoll.simulator.brain.tiers import tier_of
from plimsoll.simulator.settings import AccountSettings

LISTINGS = default_listings(("0.01", "0.02"), ("0.005", "0.01"))
BTC = LISTINGS["linear:BTCUSDT"]
POOR = (AccountSettings(balances={"USDT": "10000"}),)


def test_a_long_of_one_btc_at_mark_60000_and_leverage_10(desk: Any) -> None:
    """IM 60000/10 + 60000 x 0.9 x 0.00055 = 6029.7; MM 60000 x 0.005 + 29.7 = 329.7."""
    desk.order(price="60000.10", qty="1")
    row = desk.position()
    assert row["markPrice"] == "60000.00"
    assert (row["positionIM"], row["positionMM"]) == ("6029.7", "329.7")
    assert (row["positionValue"], row["riskId"], row["riskLimitValue"]) == ("60000", 1, "2000000")
    assert row["positionBalance"] == "0"


def test_a_short_pays_more_to_close(desk: Any) -> None:
    """The fee to close is 60000 x (1 + 1/10) x 0.00055 = 36.3."""
    desk.order(side="Sell", price="60000.00", qty="1")
    row = desk.position()
    assert (row["positionIM"], row["positionMM"]) == ("6036.3", "336.3")


def test_an_order_holds_its_margin_and_the_fees_of_opening_and_closing() -> None:
    """59000/10 + 59000 x 0.00055 + 59000 x 0.9 x 0.00055 = 5900 + 32.45 + 29.205."""
    needed = order_margin(Side.BUY, Decimal(59000), Decimal(10), BTC.taker_rate)
    assert needed == Decimal("5961.655")
    sell = order_margin(Side.SELL, Decimal(59000), Decimal(10), BTC.taker_rate)
    assert sell == Decimal("5968.145")


def test_deductions_keep_the_maintenance_margin_without_a_jump() -> None:
    """Tier 2: 2,000,000 x (0.01 - 0.005) = 10,000; tier 3: 10,000,000 x 0.005 + 10,000."""
    assert [tier.deduction for tier in BTC.tiers[:3]] == [0, 10_000, 60_000]
    for lower, higher in zip(BTC.tiers, BTC.tiers[1:], strict=False):
        at = lower.limit
        assert at * lower.rate - lower.deduction == at * higher.rate - higher.deduction
    assert tier_of(BTC.tiers, Decimal(2_000_000)).number == 1
    assert tier_of(BTC.tiers, Decimal(2_000_001)).number == 2
    assert tier_of(BTC.tiers, Decimal(10**12)).number == 6


def test_the_tier_follows_position_and_orders(make_desk: Any) -> None:
    """3,000,000 in tier 2: MM 30,000 - 10,000 + 3,000,000 x 0.9 x 0.00055 = 21,485."""
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "10000000"}),))
    desk.order(price="60000.10", qty="10")
    assert desk.position()["riskId"] == 1
    desk.order(price="59000", qty="40")
    row = desk.position()
    assert (row["riskId"], row["riskLimitValue"]) == (2, "10000000")
    assert row["positionMM"] == "3297"  # of its own 600,000, in tier 1
    desk.book("linear:BTCUSDT", asks=[(600_001, 40_000)])
    desk.order(price="60000.10", qty="40")
    assert desk.position()["positionMM"] == "21485"


def test_both_sides_open_count_the_larger_and_reductions_count_nothing(desk: Any) -> None:
    desk.order(price="59000.00", qty="1")
    assert desk.coin()["totalOrderIM"] == "5961.655"
    desk.order(side="Sell", price="60500.00", qty="0.5")
    assert desk.coin()["totalOrderIM"] == "5961.655"
    desk.order(side="Sell", price="61000.00", qty="1")
    # (60500 x 0.5 + 61000) / 10 + 91250 x 0.00055 + 91250 x 1.1 x 0.00055
    assert desk.coin()["totalOrderIM"] == "9230.39375"
    desk.post("/v5/order/cancel-all", category="linear", symbol="BTCUSDT")
    desk.order(price="60000.10", qty="1")
    desk.order(side="Sell", price="61000.00", qty="1")
    assert desk.coin()["totalOrderIM"] == "0"
    desk.order(side="Sell", price="61000.00", qty="0.5")
    # of 1.5 BTC sold a third opens: 30500/10 + 30500 x 0.00055 x 2.1
    assert desk.coin()["totalOrderIM"] == "3085.2275"


def test_the_account_in_usd_weighs_every_coin(desk: Any) -> None:
    """USDT 100000 + BTC 60000.00 x 0.95 + ETH 10 x 3000.00 x 0.9."""
    row = desk.account()
    assert row["totalWalletBalance"] == "190000"
    assert row["totalMarginBalance"] == "184000"
    assert (row["accountIMRate"], row["accountMMRate"]) == ("0", "0")
    desk.order(price="60000.10", qty="1")
    row = desk.account()
    balance = Decimal(184_000) - Decimal("33.000055") - Decimal("0.1")
    assert Decimal(row["totalMarginBalance"]) == balance.quantize(Decimal("1e-8"))
    assert Decimal(row["totalAvailableBalance"]) == balance - Decimal("6029.7")
    assert Decimal(row["accountIMRate"]) == (Decimal("6029.7") / balance).quantize(
        Decimal("1e-8"), "ROUND_CEILING"
    )
    assert row["totalPerpUPL"] == "-0.1"


@pytest.mark.parametrize(
    ("before", "order", "code"),
    [
        ([], {"price": "59000", "qty": "1.6"}, 0),
        ([], {"price": "59000", "qty": "1.7"}, 110007),
        ([], {"price": "59000", "qty": "35"}, 110007),
        ([{"qty": "1.6"}], {"price": "59000", "qty": "0.1"}, 110007),
        ([{"qty": "1.6"}], {"side": "Sell", "price": "60500", "qty": "0.1"}, 0),
    ],
)
def test_an_order_needs_its_margin(
    make_desk: Any, before: list[dict[str, Any]], order: dict[str, Any], code: int
) -> None:
    desk = make_desk(accounts=POOR)
    for params in before:
        assert desk.order(**params)["retCode"] == 0
    assert desk.order(**order)["retCode"] == code
    assert desk.account()["totalAvailableBalance"] >= "0"


def test_refusals_name_what_is_missing(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "6100"}),))
    assert desk.order(price="60000.10", qty="1")["retCode"] == 0
    desk.move("linear:BTCUSDT", 595_000)
    assert Decimal(desk.account()["accountIMRate"]) > 1
    assert desk.order(price="59000", qty="0.001")["retCode"] == 110044
    assert desk.order(side="Sell", price="59600", qty="0.5")["retCode"] == 0
    empty = make_desk(accounts=(AccountSettings(balances={"USDT": "0"}),))
    assert empty.order(price="59000", qty="0.001")["retCode"] == 110004


def test_leverage_is_bound_by_the_tier(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "1000000"}),))
    ask = {"category": "linear", "symbol": "BTCUSDT"}

    def leverage(text: str) -> int:
        answer = desk.post("/v5/position/set-leverage", **ask, buyLeverage=text, sellLeverage=text)
        return int(answer["retCode"])

    assert leverage("100") == 0
    assert leverage("0.5") == leverage("100.01") == 110013
    assert leverage("10.005") == leverage("x") == 10001
    assert desk.order(qty="40")["retCode"] == 110090  # 2,400,000 at the mark is tier 2: 50x
    assert leverage("50") == 0
    assert desk.order(qty="40")["retCode"] == 0
    assert leverage("51") == 110013
    assert leverage("2") == 110006  # 2,360,000 / 2 is more than the account has
    assert desk.position()["leverage"] == "50"


def test_beyond_the_last_tier_nothing_more_is_opened(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "1000000000"}),))
    for _ in range(3):
        assert desk.order(qty="1000")["retCode"] == 0
    assert desk.order(qty="1000")["retCode"] == 110089


@given(
    balance=st.integers(7_000, 100_000),
    lots=st.integers(-1_000, 1_000).filter(bool),
    entry=st.integers(500_000, 700_000),
    leverage=st.integers(1, 100),
)
def test_at_the_liquidation_price_the_margin_rate_reaches_one(
    balance: int, lots: int, entry: int, leverage: int
) -> None:
    """The closed formula against the definition, tick by tick."""
    account = Account(AccountSettings(balances={"USDT": str(balance)}))
    side = Side.BUY if lots > 0 else Side.SELL
    account.ledger.book(BTC, side, entry, abs(lots), is_maker=False)
    position = account.ledger.position(BTC)
    position.leverage = Decimal(leverage)

    def at(mark: int) -> Quotes:
        return Quotes(lambda _: mark, {"USDT": Decimal(1)}, {"USDT": Decimal(1)})

    price = liquidation_price(account, position, totals_of(account, at(entry)), at(entry))
    if price is None:
        assert lots > 0
        assert not totals_of(account, at(1)).is_liquidated
        return
    ticks = int(price / BTC.instrument.tick)
    if not 2 < ticks < 20_000_000:  # beyond, another risk tier begins
        return
    assert totals_of(account, at(ticks - 2 * side.sign)).is_liquidated
    assert not totals_of(account, at(ticks + 2 * side.sign)).is_liquidated


def test_the_row_shows_the_liquidation_price_of_cross_margin(make_desk: Any) -> None:
    """Long 1 at 60000.1 with 10000 - 33.000055: (E - MM) / (1 - 0.005 - 0.9 x 0.00055)."""
    desk = make_desk(accounts=POOR)
    desk.order(price="60000.10", qty="1")
    free = Decimal(10_000) - Decimal("33.000055") - Decimal("0.1") - Decimal("329.7")
    exact = 60_000 - free / (1 - Decimal("0.005") - Decimal("0.000495"))
    assert 0 <= Decimal(desk.position()["liqPrice"]) - exact < Decimal("0.1")
    assert desk.position()["bustPrice"] == ""
    desk.order(side="Sell", price="60000.00", qty="0.9")
    assert desk.position()["liqPrice"] == ""  # 0.1 BTC cannot lose 10000


def test_spot_buys_spend_a_coin_and_may_not_undermine_margin(make_desk: Any) -> None:
    desk = make_desk(accounts=POOR)
    desk.order(price="60000.10", qty="1")  # holds 6029.7 of 9966.9
    doge = {"category": "spot", "symbol": "DOGEUSDT", "price": "0.2"}
    assert desk.order(**doge, qty="20000")["retCode"] == 170131  # DOGE counts nothing
    assert desk.order(**doge, qty="19000")["retCode"] == 0
    assert desk.order(**doge, qty="1000")["retCode"] == 170131
    btc = {"category": "spot", "qty": "0.1", "price": "60000"}
    assert desk.order(**btc)["retCode"] == 170131  # 3800 + 6000 is more than the wallet
    assert desk.coin()["locked"] == "3800"


def test_an_open_order_worse_than_the_mark_weighs_on_the_rates(make_desk: Any) -> None:
    """A bid of 1 BTC at 60100 with nothing to take: 100 above the mark is a loss to come."""
    desk = make_desk(accounts=POOR)
    desk.book("linear:BTCUSDT", asks=[(600_001 + i, 0) for i in range(5)])
    assert desk.order(price="60100", qty="1")["retCode"] == 0
    needed = Decimal(desk.account()["totalInitialMargin"])
    mark = Decimal(desk.position()["markPrice"])
    rate = needed / (10_000 - (60_100 - mark))
    assert mark < 60_100
    assert Decimal(desk.account()["accountIMRate"]) == rate.quantize(
        Decimal("1e-8"), "ROUND_CEILING"
    )


def test_a_debt_counts_in_full_where_the_coin_counts_half(make_desk: Any) -> None:
    desk = make_desk(collateral_ratios={"USDC": "0.5"})
    desk.order(symbol="BTCPERP", price="60000.10", qty="1")
    assert desk.account()["totalMarginBalance"] == "183966.899945"  # 184000 - 33.000055 - 0.1


def test_a_higher_leverage_that_would_liquidate_is_refused(make_desk: Any) -> None:
    """Isolated at mark 59400: with leverage 100 the liquidation price would be 59700.1."""
    desk = make_desk(accounts=(AccountSettings(margin_mode="ISOLATED_MARGIN"),))
    desk.order(price="60000.10", qty="1")
    desk.move("linear:BTCUSDT", 594_000)
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    to = {"buyLeverage": "100", "sellLeverage": "100"}
    assert desk.post("/v5/position/set-leverage", **ask, **to)["retCode"] == 110046
    assert desk.position()["leverage"] == "10"
    to = {"buyLeverage": "50", "sellLeverage": "50"}
    assert desk.post("/v5/position/set-leverage", **ask, **to)["retCode"] == 0
