"""Exact numbers and derived ids."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec
import pytest
from tests.properties.driver import INSTRUMENTS, PERP

from plimsoll.core.model import IdMaker
from plimsoll.core.model.ids import check_tag, counter_of, epoch_of, is_own
from plimsoll.core.model.money import cash_text, cash_units, decimal_of

BTC = INSTRUMENTS[PERP]


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("0", 0), ("1", 10**8), ("1E-8", 1), ("-2.5", -250_000_000)]
)
def test_cash_units(text, units):
    assert cash_units(text) == units


def test_cash_rounds_down_and_fees_up():
    assert (cash_units("0.000000019"), cash_units("0.000000011", up=True)) == (1, 2)
    assert (cash_units("-0.000000011"), cash_units("-0.000000011", up=True)) == (-2, -1)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-inf", "abc", "1,5", "0x10", "99e999999", "1e-200"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="finite decimal"):
        decimal_of(text)


def test_implausible_amounts_are_refused():
    with pytest.raises(ValueError, match="beyond every plausible balance"):
        cash_units("1e40")


@pytest.mark.parametrize(("units", "text"), [(0, "0"), (1, "0.00000001"), (-150_000_000, "-1.5")])
def test_cash_text(units, text):
    assert cash_text(units) == text


def test_prices_are_exact_unless_a_rounding_is_named():
    assert BTC.ticks_of("50000.1") == 500_001
    with pytest.raises(ValueError, match=r"50000\.15 is not a multiple of tick_size 0\.1"):
        BTC.ticks_of("50000.15")
    assert BTC.ticks_of("50000.15", rounding=ROUND_FLOOR) == 500_001
    assert BTC.ticks_of(Decimal("50000.15"), rounding=ROUND_CEILING) == 500_002
    assert BTC.price_text(500_001) == "50000.1"
    assert BTC.qty_text(7) == "0.007"
    assert BTC.notional_units(500_000, -2) == -100 * 10**8


@pytest.mark.parametrize(
    "changed",
    [{"tick_size": "0"}, {"lot_size": "-1"}, {"tick_size": "0.00001", "lot_size": "0.0001"}],
)
def test_filters_that_integers_cannot_carry_are_refused(changed):
    with pytest.raises(ValueError, match=r"positive|finer"):
        msgspec.structs.replace(BTC, **changed)


def test_a_name_must_say_what_it_is():
    with pytest.raises(ValueError, match="is not linear:ETHUSDT"):
        msgspec.structs.replace(BTC, symbol="ETHUSDT")


def test_ids_grow_are_ours_and_fit_the_venue():
    made, seen = IdMaker("acc", 7), []
    for _ in range(1_000):
        seen.append(made.peek())
        made.counter += 1
    assert seen == sorted(set(seen))
    assert all(len(one) <= 36 and is_own(one, "acc") for one in seen)
    assert (epoch_of(seen[-1]), counter_of(seen[-1])) == (7, 1_000)
    assert IdMaker("acc", 8).peek() > seen[-1]


def test_peeking_takes_nothing():
    made = IdMaker("acc", 1)
    assert made.peek() == made.peek()


def test_a_changed_character_is_not_ours():
    one = IdMaker("acc", 7).peek()
    for place in range(4, len(one)):
        if one[place] != "-":
            other = one[:place] + ("1" if one[place] != "1" else "2") + one[place + 1 :]
            assert not is_own(other, "acc"), other
    assert not is_own(one, "other")
    assert (epoch_of("by hand"), counter_of("")) == (0, 0)


@pytest.mark.parametrize("tag", ["", "1a", "a-b", "toolongtag", "ä"])
def test_tags_that_ids_cannot_carry(tag):
    with pytest.raises(ValueError, match="account tag"):
        check_tag(tag)


def test_ids_of_the_watchdog_carry_the_tag_with_a_w_and_are_nobody_elses():
    from plimsoll.core.model import guard_id, is_guard, is_own

    for tag in ("desk", "a", "eightabc"):
        found = guard_id(tag, 1_795_630_000, 7)
        assert found.startswith(f"{tag}W-")
        assert len(found) <= 36
        assert is_guard(found, tag)
        assert not is_own(found, tag)
        assert not is_guard(found, "other")
        assert not is_guard(found[:-1] + ("A" if found[-1] != "A" else "B"), tag)
