"""The ledger by example: profit, fees, funding, flips, adoption, the set of executions seen."""

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    INSTRUMENTS,
    PERP,
    PERP_USDC,
    SPOT,
    T0,
    execution_of,
)

from plimsoll.core.model import Side
from plimsoll.core.portfolio import Ledger, fee_of
from plimsoll.core.portfolio.history import REORDER_FILLS
from plimsoll.core.portfolio.ledger import SEEN_KEEP_MS
from plimsoll.core.records import CashMoved

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def ledger():
    made = Ledger()
    made.instruments.update(INSTRUMENTS)
    return made


def book(ledger, name, side, lots, price, owner="s", **named):
    named.setdefault("at_ms", T0 // 1_000_000 + len(ledger.seen))
    record = execution_of(name, "o", side, lots, price=price, **named)((1, 1, 1, 0))
    if ledger.is_new(record):
        ledger.book_execution(owner, record)


def test_a_round_trip_realises_the_difference_and_fees_stand_apart(ledger):
    book(ledger, "1", BUY, 10, 500_000, fee=100)
    book(ledger, "2", SELL, 10, 510_000, fee=150)
    held = ledger.position("s", PERP)
    assert (held.qty_units, held.cost_units) == (0, 0)
    assert (held.realised_units, held.fee_units) == (10 * CASH, 250)  # 0.01 x 1,000
    assert ledger.cash == {"USDT": 10 * CASH - 250}


def test_a_flip_closes_and_opens_at_its_own_price(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 25, 490_000)
    held = ledger.position("s", PERP)
    assert ledger.qty_lots("s", PERP) == -15
    assert held.realised_units == -10 * CASH
    assert held.cost_units == -15 * 490_000 * 10_000
    assert ledger.unrealised("s", PERP, 480_000) == 15 * CASH


def test_a_partial_close_keeps_the_average(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", BUY, 10, 510_000)
    book(ledger, "3", SELL, 5, 520_000)
    held = ledger.position("s", PERP)
    assert held.realised_units == 5 * 15_000 * 10_000
    assert held.cost_units == 15 * 505_000 * 10_000


def test_a_late_execution_is_booked_where_it_belongs(ledger):
    book(ledger, "2", SELL, 5, 510_000, at_ms=2_000, fee=7)
    book(ledger, "3", BUY, 10, 520_000, at_ms=3_000)
    book(ledger, "1", BUY, 10, 500_000, at_ms=1_000)
    held = ledger.position("s", PERP)
    assert held.realised_units == 5 * 10_000 * 10_000
    assert held.cost_units == (5 * 500_000 + 10 * 520_000) * 10_000
    assert (held.fee_units, held.fills) == (7, 3)
    assert ledger.cash == {"USDT": held.realised_units - 7}


def test_within_a_millisecond_the_venues_sequence_tells(ledger):
    """Found by the kill test on a busy machine: a buy and a sell of one millisecond, swapped."""
    for name, side, price, seq in (
        ("c", BUY, 500_000, 3),
        ("a", BUY, 530_000, 1),
        ("b", SELL, 510_000, 2),
    ):
        book(ledger, name, side, 5, price, at_ms=1_000, seq=seq)
    held = ledger.position("s", PERP)
    assert held.realised_units == -5 * 20_000 * 10_000
    assert held.cost_units == 5 * 500_000 * 10_000


def test_adoption_is_not_booked_again_by_a_late_execution(ledger):
    book(ledger, "2", BUY, 10, 500_000, at_ms=2_000)
    ledger.adopt_position("s", PERP, 3, 3 * 500_000 * 10_000)
    book(ledger, "3", BUY, 1, 500_000, at_ms=3_000)
    book(ledger, "1", BUY, 1, 500_000, at_ms=1_000)
    assert ledger.qty_lots("s", PERP) == 15


def test_the_histories_are_bounded(ledger):
    for number in range(REORDER_FILLS + 50):
        book(ledger, str(number), BUY, 1, 500_000, at_ms=number)
    history = ledger.histories[PERP]
    assert len(history.fills) == REORDER_FILLS
    assert history.base["s"].qty_units == 50 * 100_000
    book(ledger, "late", BUY, 1, 400_000, at_ms=REORDER_FILLS)
    assert ledger.qty_lots("s", PERP) == REORDER_FILLS + 51
    assert history.base["s"].qty_units == 51 * 100_000


def test_rounding_is_against_us(ledger):
    book(ledger, "1", BUY, 1, 500_000)
    book(ledger, "2", BUY, 2, 500_001)
    held = ledger.position("s", PERP)
    cost = held.cost_units
    book(ledger, "3", SELL, 1, 500_000)
    assert held.realised_units <= 5_000_000_000 - cost / 3
    book(ledger, "4", SELL, 2, 500_000)
    assert (held.qty_units, held.cost_units, held.realised_units) == (0, 0, -20_000)


def test_funding_moves_cash_only(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", BUY, 10, 500_000, fee=77, kind="Funding")
    held = ledger.position("s", PERP)
    assert (ledger.qty_lots("s", PERP), held.funding_units, held.fee_units) == (10, 77, 0)
    assert ledger.cash == {"USDT": -77}


def test_a_spot_fee_in_the_base_coin_leaves_the_holding(ledger):
    book(ledger, "1", BUY, 1_000, 5_000_000, instrument=SPOT, fee=100, coin="BTC")
    assert ledger.cash == {"BTC": 100_000 - 100, "USDT": -50 * CASH}
    held = ledger.position("s", SPOT)
    assert (held.qty_units, held.fee_units) == (99_900, 5_000_000)
    assert held.cost_units == 50 * CASH - 5_000_000
    assert ledger.qty_lots("s", SPOT) == 999


def test_the_same_execution_is_booked_once_but_ids_are_per_instrument(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "1", BUY, 10, 5_000_000, instrument=SPOT)
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("s", SPOT)) == (10, 10)


def test_ids_are_kept_as_long_as_the_venue_may_repeat_them(ledger):
    start = T0 // 1_000_000
    book(ledger, "old", BUY, 1, 500_000, at_ms=start)
    book(ledger, "edge", BUY, 1, 500_000, at_ms=start + SEEN_KEEP_MS)
    assert (PERP, "old") in ledger.seen
    book(ledger, "new", BUY, 1, 500_000, at_ms=start + SEEN_KEEP_MS + 1)
    assert (PERP, "old") not in ledger.seen
    assert SEEN_KEEP_MS > 7 * 86_400_000


def test_account_lots_leave_paper_out_and_cut_dust_towards_zero(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 4, 500_000, owner="t")
    book(ledger, "3", BUY, 99, 500_000, owner="p")
    assert ledger.account_lots(PERP, frozenset({"p"})) == 6
    ledger.position("s", SPOT).qty_units = -150
    assert ledger.qty_lots("s", SPOT) == -1


def test_adoption_adds_holding_and_cash_without_profit(ledger):
    ledger.adopt_position("foreign", PERP, -5, -5 * 500_000 * 10_000)
    ledger.adopt_cash("USDT", 123)
    held = ledger.position("foreign", PERP)
    assert (ledger.qty_lots("foreign", PERP), held.realised_units) == (-5, 0)
    assert ledger.unrealised("foreign", PERP, 490_000) == 5 * CASH
    assert ledger.cash == {"USDT": 123}


@pytest.mark.parametrize(
    ("name", "side", "maker", "expected"),
    [
        (PERP, BUY, False, (3_000, "USDT")),
        (PERP, SELL, True, (1_000, "USDT")),
        (SPOT, BUY, False, (1, "BTC")),
        (SPOT, SELL, False, (1, "USDT")),
    ],
)
def test_paper_fees(name, side, maker, expected):
    rates = {"taker_fee": "0.00030", "maker_fee": "0.0001"}
    instrument = msgspec.structs.replace(INSTRUMENTS[name], **rates)
    assert fee_of(instrument, side, 1_000, 1, is_maker=maker) == expected


@pytest.mark.parametrize(
    ("name", "side", "maker", "expected"),
    [
        (PERP, BUY, True, (-1_000, "USDT")),
        (SPOT, BUY, True, (-1_000, "USDT")),
        (SPOT, SELL, True, (-100, "BTC")),
        (SPOT, BUY, False, (300, "BTC")),
        (SPOT, SELL, False, (3_000, "USDT")),
    ],
)
def test_a_makers_rebate_on_spot_comes_in_the_coin_given_away(name, side, maker, expected):
    rates = {"taker_fee": "0.0003", "maker_fee": "-0.0001"}
    instrument = msgspec.structs.replace(INSTRUMENTS[name], **rates)
    ticks, lots = (1_000, 1) if name == PERP else (1_000, 10_000)
    assert fee_of(instrument, side, ticks, lots, is_maker=maker) == expected


def test_cash_follows_the_accounts_net_position_whoever_traded(ledger):
    """Two owners against each other: the venue nets the two and realises the profit."""
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 4, 510_000, owner="t")
    assert ledger.qty_lots("s", PERP) == 10
    assert ledger.qty_lots("t", PERP) == -4
    assert ledger.position("s", PERP).realised_units == 0
    assert ledger.cash == {"USDT": 4 * 10_000 * 10_000}
    book(ledger, "3", SELL, 10, 520_000)  # closes the net 6, opens a net short of 4
    assert ledger.cash == {"USDT": (4 * 10_000 + 6 * 20_000) * 10_000}
    assert ledger.netted[PERP].cost_units == -4 * 520_000 * 10_000
    assert ledger.net_unrealised(PERP, 510_000) == 4 * 10_000 * 10_000
    # Both ways of counting agree on the whole: realised, and open at one price.
    apart = sum(
        ledger.position(owner, PERP).realised_units + ledger.unrealised(owner, PERP, 510_000)
        for owner in ("s", "t")
    )
    assert apart == ledger.cash["USDT"] + ledger.net_unrealised(PERP, 510_000)


# ---- from outside (ORD-12) ----


def test_what_a_person_closes_is_gone_from_the_instance_and_no_foreign_position_stays(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 4, 510_000, owner="foreign", fee=41)
    held = ledger.position("s", PERP)
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (6, 0)
    assert (held.realised_units, held.fee_units) == (4 * 10_000 * 10_000, 41)
    assert held.outside_units == 4 * 100_000


def test_what_goes_beyond_an_instances_size_is_the_outsiders(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 15, 510_000, owner="foreign", fee=100)
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (0, -5)
    # A fee in proportion, rounded against the instance: 67 and 33.
    assert (ledger.position("s", PERP).fee_units, ledger.position("foreign", PERP).fee_units) == (
        67,
        33,
    )
    assert ledger.position("s", PERP).fills + ledger.position("foreign", PERP).fills == 2


def test_what_makes_a_position_larger_is_the_outsiders(ledger):
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", BUY, 3, 510_000, owner="foreign")
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (10, 3)
    assert ledger.position("s", PERP).outside_units == 0


def test_an_outsider_closes_his_own_first(ledger):
    ledger.adopt_position("foreign", PERP, 5, 5 * 500_000 * 10_000)
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 7, 510_000, owner="foreign")
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (8, 0)


def test_a_liquidation_of_everything_leaves_nobody_anything(ledger):
    ledger.adopt_position("foreign", PERP, 5, 5 * 500_000 * 10_000)
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 15, 400_000, owner="venue", kind="BustTrade")
    lots = [ledger.qty_lots(owner, PERP) for owner in ("s", "foreign", "venue")]
    assert lots == [0, 0, 0]
    assert ledger.netted[PERP].qty_units == 0


def test_what_the_venue_forces_comes_from_the_instances_before_other_outsiders(ledger):
    ledger.adopt_position("foreign", PERP, 5, 5 * 500_000 * 10_000)
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 3, 400_000, owner="venue", kind="AdlTrade")
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (7, 5)


def test_a_late_fill_moves_what_an_outsider_took(ledger):
    """The hand's sell is heard before the buy it closed: in the venue's order it was ours."""
    book(ledger, "2", SELL, 4, 510_000, owner="foreign", at_ms=2_000)
    assert ledger.qty_lots("foreign", PERP) == -4
    record = execution_of("1", "o", BUY, 10, price=500_000, at_ms=1_000)((1, 1, 1, 0))
    assert ledger.book_execution("s", record) == [("s", 4 * 100_000)]
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (6, 0)


def test_on_spot_the_outsiders_coins_are_those_in_the_wallet(ledger):
    ledger.adopt_cash("BTC", 300_000)  # 0.003 were there before
    book(ledger, "1", BUY, 1_000, 5_000_000, instrument=SPOT)
    book(ledger, "2", SELL, 2_500, 5_000_000, instrument=SPOT, owner="foreign")
    assert ledger.qty_lots("s", SPOT) == 1_000
    book(ledger, "3", SELL, 700, 5_000_000, instrument=SPOT, owner="foreign")
    assert ledger.qty_lots("s", SPOT) == 800  # 500 of these were still the outsider's
    assert ledger.account_lots(SPOT, frozenset()) == 800
    assert ledger.cash["BTC"] == 300_000 + (1_000 - 2_500 - 700) * 100


def test_funding_is_shared_out_by_what_each_holds(ledger):
    ledger.adopt_position("foreign", PERP, -4, -4 * 500_000 * 10_000)
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "f", BUY, 6, 500_000, fee=100, kind="Funding")
    paid = [ledger.position(owner, PERP).funding_units for owner in ("s", "foreign")]
    assert paid == [167, -67]
    assert ledger.causes["USDT"]["funding"].units == -100


def test_moving_a_position_changes_neither_the_accounts_nor_the_sum(ledger):
    ledger.adopt_position("foreign", PERP, 5, 5 * 500_000 * 10_000)
    book(ledger, "1", SELL, 2, 520_000)
    ledger.move_position("foreign", "s", PERP, 5, 5 * 500_000 * 10_000)
    assert (ledger.qty_lots("s", PERP), ledger.qty_lots("foreign", PERP)) == (3, 0)
    assert ledger.position("s", PERP).realised_units == 2 * 20_000 * 10_000
    assert ledger.account_lots(PERP, frozenset()) == 3
    book(ledger, "0", BUY, 1, 500_000, at_ms=1)  # older than the move: booked, not put before it
    assert ledger.qty_lots("s", PERP) == 4


# ---- causes of cash (ACC-4) ----


def row(kind, change, *, coin="USDT", name="r1", instrument="", execution="", funding=0, at=9_000):
    return CashMoved(
        1, 1, 1, 0, name, coin, kind, instrument, change, 0, 0, funding, execution, at, 0, b""
    )


def test_a_row_is_booked_once_under_its_own_name(ledger):
    assert ledger.book_row(row("INTEREST", -7)) == "interest"
    assert ledger.book_row(row("INTEREST", -7)) == ""
    assert ledger.book_row(row("PIXIE_DUST", 5, name="r2")) == "pixie_dust"
    assert ledger.cash == {"USDT": -2}
    assert {name: one.units for name, one in ledger.causes["USDT"].items()} == {
        "interest": -7,
        "pixie_dust": 5,
    }


@pytest.mark.parametrize("first", ["execution", "row"])
def test_an_execution_and_its_row_are_one_event(ledger, first):
    """Funding's sign is the other way round in the log: paid 77 is ``funding`` -77 (trap 44)."""
    book(ledger, "1", BUY, 10, 500_000)
    said = row("SETTLEMENT", -77, instrument=PERP, execution="f", funding=-77)
    if first == "row":
        assert ledger.book_row(said) == ""
    book(ledger, "f", BUY, 10, 500_000, fee=77, kind="Funding")
    assert ledger.book_row(said) == ""
    assert ledger.cash == {"USDT": -77}
    assert ledger.book_row(row("TRADE", -5, instrument=PERP, execution="1", name="t")) == ""


def test_a_trade_of_an_instrument_nobody_lists_is_cash_and_not_booked_again(ledger):
    said = row("TRADE", -500, instrument="linear:XYZUSDT", execution="x")
    assert ledger.book_row(said) == "trade"
    assert ledger.cash == {"USDT": -500}
    late = execution_of("x", "o", BUY, 1, instrument="linear:XYZUSDT")((1, 1, 1, 0))
    assert not ledger.is_new(late)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_session_settlement_is_cash_and_no_profit(ledger, is_late):
    book(ledger, "1", BUY, 10, 500_000, instrument=PERP_USDC, coin="USDC", at_ms=1_000)
    of_a_lot = INSTRUMENTS[PERP_USDC].notional_units(1, 1)
    settled = 10 * 20_000 * of_a_lot
    said = row("SETTLEMENT", settled, coin="USDC", instrument=PERP_USDC, at=2_000)
    before = ledger.net_unrealised(PERP_USDC, 520_000)
    if not is_late:
        ledger.book_row(said)
        assert ledger.cash == {"USDC": settled}
        assert ledger.net_unrealised(PERP_USDC, 520_000) == before - settled == 0
        assert ledger.unrealised("s", PERP_USDC, 520_000) == settled
    sell = {"instrument": PERP_USDC, "coin": "USDC", "at_ms": 3_000}
    book(ledger, "2", SELL, 10, 530_000, **sell)
    if is_late:
        ledger.book_row(said)
    profit = 10 * 30_000 * of_a_lot
    assert ledger.cash == {"USDC": profit}
    assert {name: one.units for name, one in ledger.causes["USDC"].items()} == {
        "settlement": settled,
        "trade": profit - settled,
    }
    assert ledger.position("s", PERP_USDC).realised_units == profit


def test_the_sum_of_causes_is_the_wallet(ledger):
    book(ledger, "1", BUY, 1_000, 5_000_000, instrument=SPOT, fee=100, coin="BTC")
    book(ledger, "2", SELL, 300, 5_100_000, instrument=SPOT, fee=-9, coin="USDT")
    book(ledger, "3", BUY, 7, 500_000, fee=11)
    book(ledger, "4", SELL, 9, 505_000, fee=13, owner="foreign")
    ledger.book_row(row("TRANSFER_IN", 1_000))
    ledger.adopt_cash("USDT", 500)
    for coin, units in ledger.cash.items():
        assert sum(one.units for one in ledger.causes[coin].values()) == units
