"""Money: fees, positions and balances are exact and round against the account."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import Side
from plimsoll.simulator.brain.ledger import Ledger
from plimsoll.simulator.brain.listings import default_listings

LISTINGS = default_listings(("0.01", "0.02"), ("0.005", "0.01"))
BTC = LISTINGS["linear:BTCUSDT"]
SPOT = LISTINGS["spot:BTCUSDT"]


def ledger() -> Ledger:
    return Ledger({"USDT": "1000", "BTC": "1"})


def test_fee_rounds_up() -> None:
    booked = ledger().book(BTC, Side.BUY, 600_001, 1, is_maker=False)
    assert booked.fee == Decimal("0.03300006")  # 60.0001 x 0.00055 = 0.033000055
    assert booked.fee_coin == "USDT"
    maker = ledger().book(BTC, Side.BUY, 600_000, 1, is_maker=True)
    assert maker.fee == Decimal("0.012")


def test_partial_close_removes_its_share_of_the_cost_rounded_against_us() -> None:
    for side, removed in ((Side.BUY, "60.00006667"), (Side.SELL, "60.00006666")):
        book = ledger()
        book.book(BTC, side, 600_000, 1, is_maker=True)
        book.book(BTC, side, 600_001, 2, is_maker=True)
        position = book.position(BTC)
        assert position.cost == Decimal("180.0002")
        booked = book.book(BTC, side.opposite, 600_000, 1, is_maker=True)
        assert position.cost == Decimal("180.0002") - Decimal(removed)
        assert booked.realised == side.sign * (60 - Decimal(removed))
        assert booked.realised * side.sign < 0


def test_flip_closes_and_opens_in_one_execution() -> None:
    book = ledger()
    book.book(BTC, Side.BUY, 600_000, 10, is_maker=True)
    booked = book.book(BTC, Side.SELL, 610_000, 15, is_maker=True)
    position = book.position(BTC)
    assert (booked.closed_lots, booked.realised) == (10, Decimal(10))
    assert (position.lots, position.cost, position.side) == (-5, Decimal(305), Side.SELL)


def test_position_is_free_of_cost_when_flat() -> None:
    book = ledger()
    book.book(BTC, Side.SELL, 600_000, 7, is_maker=True)
    book.book(BTC, Side.BUY, 599_999, 3, is_maker=True)
    book.book(BTC, Side.BUY, 599_998, 4, is_maker=True)
    position = book.position(BTC)
    assert (position.lots, position.cost, position.side) == (0, Decimal(0), None)


def test_spot_buy_pays_in_base_and_sell_in_quote() -> None:
    book = ledger()
    buy = book.book(SPOT, Side.BUY, 6_000_000, 10_001, is_maker=False)
    assert (buy.fee_coin, buy.fee) == ("BTC", Decimal("0.00001001"))
    assert book.balances == {"USDT": Decimal("399.94"), "BTC": Decimal("1.00999099")}
    sell = book.book(SPOT, Side.SELL, 6_000_000, 10_000, is_maker=False)
    assert (sell.fee_coin, sell.fee) == ("USDT", Decimal("0.6"))
    assert book.balances["USDT"] == Decimal("399.94") + 600 - Decimal("0.6")


fills = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 2_000_000), st.integers(1, 5_000)),
    min_size=1,
    max_size=30,
)


@given(fills)
def test_balance_is_all_cash_flow_less_the_open_cost(
    executions: list[tuple[Side, int, int]],
) -> None:
    """Cash = start - buys + sells - fees, with the open position valued at its own cost."""
    book = ledger()
    flow = fees = Decimal(0)
    for side, ticks, lots in executions:
        booked = book.book(BTC, side, ticks, lots, is_maker=False)
        flow -= side.sign * BTC.value(ticks, lots)
        fees += booked.fee
    position = book.position(BTC)
    open_cost = position.cost if position.lots >= 0 else -position.cost
    assert book.balances["USDT"] == 1000 + flow - fees + open_cost
    assert position.lots == sum(side.sign * lots for side, _, lots in executions)
    assert position.cost >= 0
