"""The ledger by example: profit, fees, funding, flips, adoption, the set of executions seen."""

import msgspec
import pytest
from tests.properties.driver import CASH, INSTRUMENTS, PERP, SPOT, T0, execution_of

from plimsoll.core.model import Side
from plimsoll.core.portfolio import Ledger, fee_of
from plimsoll.core.portfolio.ledger import REORDER_FILLS, SEEN_KEEP_MS

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
    history = ledger.histories["s", PERP]
    assert len(history.fills) == REORDER_FILLS
    assert history.base.qty_units == 50 * 100_000
    book(ledger, "late", BUY, 1, 400_000, at_ms=REORDER_FILLS)
    assert ledger.qty_lots("s", PERP) == REORDER_FILLS + 51
    assert history.base.qty_units == 51 * 100_000


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
    """A person sells into a strategy's long: the venue nets the two and realises the profit."""
    book(ledger, "1", BUY, 10, 500_000)
    book(ledger, "2", SELL, 4, 510_000, owner="foreign")
    assert ledger.qty_lots("s", PERP) == 10
    assert ledger.qty_lots("foreign", PERP) == -4
    assert ledger.position("s", PERP).realised_units == 0
    assert ledger.cash == {"USDT": 4 * 10_000 * 10_000}
    book(ledger, "3", SELL, 10, 520_000)  # closes the net 6, opens a net short of 4
    assert ledger.cash == {"USDT": (4 * 10_000 + 6 * 20_000) * 10_000}
    assert ledger.netted[PERP].cost_units == -4 * 520_000 * 10_000
    assert ledger.net_unrealised(PERP, 510_000) == 4 * 10_000 * 10_000
    # Both ways of counting agree on the whole: realised, and open at one price.
    apart = sum(
        ledger.position(owner, PERP).realised_units + ledger.unrealised(owner, PERP, 510_000)
        for owner in ("s", "foreign")
    )
    assert apart == ledger.cash["USDT"] + ledger.net_unrealised(PERP, 510_000)
