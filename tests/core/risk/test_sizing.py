"""Sizes against exact decimals, and what limits and filters make of them."""

from decimal import ROUND_FLOOR, Decimal, localcontext
from itertools import pairwise
from math import sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.driver import (
    CASH,
    ETH,
    INSTRUMENTS,
    PERP,
    SECOND,
    SPOT,
    WIDE,
    Driver,
    Puppet,
    Venue,
    one_strategy,
    settings_of,
)

from plimsoll.core.model import Denied, Mode, Refusal, Side
from plimsoll.core.risk.limits import NOTHING_NARROWER
from plimsoll.core.risk.sizing import Room, fitted, fixed_lots, percent_lots, volatility_lots

BTC, DAY_NS = INSTRUMENTS[PERP], 86_400 * SECOND


def exact(value, price, instrument=BTC):
    """Return a value in quote coin as whole lots at a price in ticks, by decimals."""
    of_a_lot = instrument.tick * price * instrument.lot
    return int((value / of_a_lot).to_integral_value(ROUND_FLOOR))


@given(st.decimals("0.0001", "99", places=6))
def test_a_fixed_size_is_rounded_down_to_a_lot(qty):
    assert fixed_lots(BTC, qty) == int(qty / Decimal("0.001"))


@given(
    st.integers(1, 10**15),
    st.decimals("0.01", "300", places=4),
    st.integers(1, 10**7),
)
def test_per_cent_of_capital_is_exact(capital, percent, price):
    value = Decimal(capital) * percent / 100 / 10**8
    expected = exact(value.quantize(Decimal("1e-8"), ROUND_FLOOR), price)
    assert percent_lots(BTC, capital, percent, price) == expected


def decimal_volatility(closes, span_ns):
    with localcontext() as context:
        context.prec = 40
        returns = [(Decimal(b) / Decimal(a)).ln() for a, b in pairwise(closes)]
        mean_square = sum(one * one for one in returns) / len(returns)
        bars = Decimal(365 * 86_400 * 10**9) / span_ns
        return (mean_square * bars).sqrt()


@given(
    st.lists(st.integers(40_000, 60_000), min_size=11, max_size=60).filter(
        lambda closes: len(set(closes)) > 1
    ),
    st.sampled_from([DAY_NS, DAY_NS // 24, 60 * SECOND]),
    st.integers(10_000, 500_000),
)
def test_a_volatility_target_agrees_with_decimals_and_never_exceeds_them(closes, span_ns, target):
    volatility = decimal_volatility(closes, span_ns)
    found = volatility_lots(BTC, 10**13, target, [float(one) for one in closes], span_ns, 500_000)
    value = Decimal(100_000) * Decimal(target) / 10**6 / volatility
    most = exact(value, 500_000)
    slack = exact(value * Decimal("2e-6") / max(volatility, Decimal("1e-6")), 500_000) + 1
    assert most - slack <= found <= most


def test_a_known_volatility():
    """One per cent up and down each day: 1 % x sqrt(365) = 19.1 % a year."""
    closes = [50_000.0, 50_500.0] * 10
    found = volatility_lots(BTC, 100_000 * CASH, 191_000, closes, DAY_NS, 500_000)
    assert found == pytest.approx(100_000 * 0.191 / (0.00995033 * sqrt(365)) / 50, abs=1)


@pytest.mark.parametrize(
    ("closes", "code"),
    [
        ([1.0] * 10, Refusal.WARMING_UP),
        ([], Refusal.WARMING_UP),
        ([0.0, 1.0] * 10, Refusal.WARMING_UP),
        ([5.0] * 20, Refusal.NO_REFERENCE),
    ],
)
def test_bars_that_say_nothing_give_no_size(closes, code):
    found = volatility_lots(BTC, 10**13, 100_000, closes, DAY_NS, 500_000)
    assert isinstance(found, Denied)
    assert found.code == code


def test_the_room_and_the_venues_filters_cut_and_say_what_did():
    assert fitted(BTC, 10, Room(20, "limits.exposure"), 500_000) == 10
    assert fitted(BTC, 30, Room(20, "limits.exposure"), 500_000) == 20
    assert fitted(BTC, 10**9, Room(10**9, ""), 500_000) == 100_000
    none = fitted(BTC, 30, Room(0, "limits.exposure"), 500_000)
    assert isinstance(none, Denied)
    assert none.text == "size(): limits.exposure leaves 0.000, the minimum is 0.001"
    small = fitted(BTC, 1, Room(20, ""), 40_000)
    assert isinstance(small, Denied)
    assert "what was asked for leaves 0.001, the minimum value is 5 USDT" in small.text
    assert isinstance(fitted(BTC, 1, Room(-5, "x"), 500_000), Denied)


# ---- as a strategy asks ----


def live(*strategies, names=(PERP, ETH), limits=WIDE, **more):
    venue = Venue()
    venue.wallet = {"USDT": 10**5 * CASH}
    strategies = strategies or (one_strategy(instruments=names),)
    return Driver(settings_of(*strategies, limits=limits, **more)).live(*names, venue=venue)


def size(driver, side="buy", on=PERP, **how):
    return driver.do(lambda s: s.size(on, side, **how), on=on)


def test_each_way_of_asking():
    driver = live()
    assert size(driver, qty="0.0129") == Decimal("0.012")
    assert size(driver, percent=5) == Decimal("0.100")  # 5,000 of 100,000 at 50,000
    assert size(driver, percent=5, on=ETH) == Decimal("2.50")


class Barred(Puppet):
    bars = {"1s": 30}  # noqa: RUF012


def test_a_volatility_target_from_the_bars_of_a_strategy():
    driver = Driver(settings_of())
    driver.core._load = lambda one: driver.strategies.setdefault(one.name, Barred())
    driver.live()
    refusal = size(driver, volatility=0.2, frame="1s")
    assert refusal.code == "warming_up"
    maker = driver.core.trader.desks["s"].makers[PERP, "1s"]
    for second in range(20):
        price = 50_000.0 if second % 2 else 50_005.0
        maker.start_ns, maker.open_bar = second + 1, [price] * 4 + [1.0]
        maker._emit(is_warming=False)
    # 1 bp a second is 56 % a year: 100,000 x 0.2 / 0.5615 is worth 35,616.
    assert size(driver, volatility=0.2, frame="1s") == Decimal("0.712")
    assert size(driver, volatility="0.2", frame="1s") == Decimal("0.712")


@pytest.mark.parametrize(
    ("fields", "key", "expected"),
    [
        ({"order_notional": 5_050 * CASH}, "order_notional", "0.100"),
        ({"position_notional": 5_050 * CASH}, "position_notional", "0.090"),
        ({"exposure": 5_050 * CASH}, "exposure", "0.090"),
        ({"leverage_ppm": 50_500}, "leverage", "0.090"),
    ],
)
def test_limits_cut_what_is_in_flight_counted_and_the_gate_agrees(fields, key, expected):
    for strategies, limits in (
        ((), msgspec.structs.replace(WIDE, **fields)),
        (
            (one_strategy(limits=msgspec.structs.replace(NOTHING_NARROWER, **fields)),),
            WIDE,
        ),
    ):
        driver = live(*strategies, limits=limits)
        driver.open_order()
        assert size(driver, qty=5) == Decimal(expected)
        lot = Decimal("0.001")
        more = driver.do(lambda s, lot=lot: s.buy(PERP, Decimal(expected) + lot, "50000"))
        assert key in more.refusal.text
        fits = driver.do(lambda s: s.buy(PERP, s.size(PERP, "buy", qty=5), "50000"))
        assert fits.refusal is None
        assert size(driver, qty=5) == Decimal("0.100") or isinstance(size(driver, qty=5), Denied)


def test_the_other_side_has_room_of_its_own_and_an_instrument_its_quantity():
    bound = msgspec.structs.replace(NOTHING_NARROWER, order_units=CASH // 4)
    driver = live(
        limits=msgspec.structs.replace(WIDE, position_notional=5_050 * CASH),
        instrument_limits={PERP: bound},
    )
    driver.open_order(qty="0.100")
    none = size(driver, qty=1)
    assert none.text == "size(): limits.position_notional leaves 0.000, the minimum is 0.001"
    assert size(driver, "sell", qty=1) == Decimal("0.100")
    assert size(live(instrument_limits={PERP: bound}), qty=1) == Decimal("0.250")


def test_spot_sells_what_is_held():
    driver = live(one_strategy(instruments=(SPOT,)), names=(SPOT,))
    assert "what is held leaves 0" in size(driver, "sell", on=SPOT, qty=1).text
    driver.do(lambda s: s.buy(SPOT, "0.5", "50000"), on=SPOT)
    driver.execute(driver.newest.id, 500_000, "x1", price=5_000_000)
    assert size(driver, "sell", on=SPOT, qty=1) == Decimal("0.500000")


def test_a_paper_instance_is_sized_by_its_own_books():
    driver = live(
        one_strategy(Mode.PAPER), limits=msgspec.structs.replace(WIDE, exposure=5_050 * CASH)
    )
    assert size(driver, qty=5) == Decimal("0.100")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "takes one of"),
        ({"qty": 1, "percent": 1}, "takes one of"),
        ({"qty": "NaN"}, "not a number above zero"),
        ({"qty": -1}, "not a number above zero"),
        ({"percent": 0}, "not a number above zero"),
        ({"percent": "1e30"}, "not a number above zero"),
        ({"volatility": float("inf")}, "not a number above zero"),
    ],
)
def test_absurd_wishes_are_refused_in_words(how, words):
    refusal = size(live(), **how)
    assert refusal.code == "off_step"
    assert words in refusal.text
    assert size(live(), on=PERP, qty=1) == 1


def test_another_instrument_is_refused():
    driver = live(one_strategy(instruments=(PERP,)), names=(PERP,))
    assert driver.do(lambda s: s.size(ETH, Side.BUY, qty=1)).code == "unknown_instrument"
