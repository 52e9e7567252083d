"""Limits of instances, instruments and the account's health, and limits changed while running."""

import json

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    PERP,
    SECOND,
    SPOT,
    WIDE,
    Driver,
    Venue,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import HealthMeasured, LimitsChanged, OperatorCommand
from plimsoll.core.risk.limits import ACCOUNT, KEYS, LimitBook, is_wider, refusal_of
from plimsoll.core.settings import NO_LIMIT, Limits

S = OrderState
OWN = {key.field: -1 if key.is_floor else NO_LIMIT for key in KEYS.values()}
PPM = 1_000_000


def own(**fields):
    return Limits(**OWN | fields)


def live(*strategies, names=(PERP, ETH), limits=WIDE, **more):
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    strategies = strategies or (one_strategy(instruments=names),)
    driver = Driver(settings_of(*strategies, limits=limits, **more)).live(*names, venue=venue)
    venue.wallet = driver.core.ledger.cash
    return driver


def account(**fields):
    return msgspec.structs.replace(WIDE, **fields)


def buy(driver, qty="0.010", limit="49000", on=PERP, name="s", side="buy", **named):
    return driver.do(lambda s: getattr(s, side)(on, qty, limit, **named), name=name, on=on).refusal


def code(refusal):
    return str(refusal.code) if refusal else None


def say_limit(driver, key, value, scope=ACCOUNT, reason="why"):
    args = json.dumps({"scope": scope, "key": key, "value": value, "reason": reason})
    return driver.put(OperatorCommand, f"l{driver.seq}", "anna", "limits", args)


# ---- instances ----


@pytest.mark.parametrize(
    ("fields", "expected", "key"),
    [
        ({"order_notional": 490 * CASH}, "order_notional", "order_notional"),
        ({"position_notional": 490 * CASH}, "position", "position_notional"),
        ({"exposure": 490 * CASH}, "exposure", "exposure"),
        ({"orders_per_second": 0}, "rate", "orders_per_second"),
        ({"orders_per_day": 0}, "day_rate", "orders_per_day"),
        ({"open_orders": 0}, "open_orders", "open_orders"),
        ({"leverage_ppm": 4_000}, "leverage", "leverage"),
        ({"daily_loss": 0}, "daily_loss", "daily_loss"),
        ({"drawdown_ppm": 0}, "drawdown", "drawdown"),
    ],
)
def test_each_limit_of_an_instance_refuses_it_names_its_key_and_spares_the_others(
    fields, expected, key
):
    driver = live(one_strategy(limits=own(**fields)), one_strategy(instruments=(ETH,), name="t"))
    refusal = buy(driver)
    assert code(refusal) == expected
    assert f"limits.strategy.s.{key}" in refusal.text
    assert buy(driver, "0.10", "1900", on=ETH, name="t") is None


def test_price_distance_of_an_instance():
    driver = live(one_strategy(limits=own(price_distance_ppm=1_000)))
    refusal = buy(driver, limit="50060")
    assert code(refusal) == "price_distance"
    assert "limits.strategy.s.price_distance is 0.10%" in refusal.text


def test_an_instance_is_measured_by_what_is_its_own():
    """What another instance does uses up the account's limits and nobody else's own."""
    driver = live(
        one_strategy(limits=own(open_orders=1, orders_per_day=2, exposure=1_000 * CASH)),
        one_strategy(instruments=(ETH,), name="t"),
    )
    for _ in range(3):
        assert buy(driver, "1.00", "1900", on=ETH, name="t") is None
    assert buy(driver) is None
    assert code(buy(driver)) == "open_orders"
    driver.report(driver.newest.id, S.CANCELED)
    assert buy(driver) is None
    driver.report(driver.newest.id, S.CANCELED)
    assert code(buy(driver)) == "day_rate"


def test_exposure_of_an_instance_is_over_its_instruments_and_an_amend_is_no_second_order():
    driver = live(
        one_strategy(instruments=(PERP, ETH), limits=own(exposure=800 * CASH, open_orders=2))
    )
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert code(buy(driver, "0.20", "1900", on=ETH)) == "exposure"
    assert buy(driver, "0.10", "1900", on=ETH) is None
    first = handle.order
    driver.was_sent(first.id)
    driver.report(first.id, S.OPEN)
    assert driver.do(lambda _s: handle.amend(price="48900")) is None
    assert first.amend_price_ticks == 489_000


def test_leverage_of_an_instance_is_of_its_capital_and_profit():
    driver = live(one_strategy(capital=1_000 * CASH, limits=own(leverage_ppm=PPM)))
    assert buy(driver, "0.019") is None
    driver.report(driver.newest.id, S.CANCELED)
    assert code(buy(driver, "0.020")) == "leverage"


def test_a_paper_instance_has_its_own_limits_too():
    paper = one_strategy(Mode.PAPER, limits=own(open_orders=1, daily_loss=5 * CASH))
    driver = live(paper, names=(PERP,))
    assert buy(driver) is None
    driver.advance(SECOND)
    assert code(buy(driver)) == "open_orders"


# ---- instruments ----


def test_quantity_orders_and_rate_of_one_instrument():
    bound = {PERP: own(order_units=CASH // 100, open_orders=2, orders_per_second=3)}
    driver = live(instrument_limits=bound)
    refusal = buy(driver, "0.011")
    assert code(refusal) == "order_qty"
    assert f'limits.instrument."{PERP}".order_qty = 0.01' in refusal.text
    assert buy(driver, "0.100", "1900", on=ETH) is None
    assert [code(buy(driver)) for _ in range(3)] == [None, None, "open_orders"]
    driver.report(driver.newest.id, S.CANCELED)
    assert buy(driver) is None
    driver.report(driver.newest.id, S.CANCELED)
    assert code(buy(driver)) == "rate"
    driver.now_ns += 2 * SECOND
    assert buy(driver) is None


def test_the_narrowest_of_the_three_levels_answers():
    driver = live(
        one_strategy(limits=own(order_notional=600 * CASH)),
        instrument_limits={PERP: own(order_notional=550 * CASH)},
        limits=account(order_notional=580 * CASH),
    )
    assert "limits.instrument" in buy(driver, "0.012").text


# ---- the account ----


def test_net_exposure_counts_longs_against_shorts():
    driver = live(limits=account(net_exposure=600 * CASH))
    assert buy(driver) is None
    refusal = buy(driver, "0.10", "1900", on=ETH)
    assert code(refusal) == "net_exposure"
    assert "limits.net_exposure" in refusal.text
    first = driver.newest
    driver.was_sent(first.id)
    driver.execute(first.id, 10, "x1", price=490_000)
    driver.report(first.id, S.FILLED, cum=10)
    assert buy(driver, "0.50", "2100", on=ETH, side="sell") is None
    assert code(buy(driver, "0.20", "2100", on=ETH, side="sell")) == "net_exposure"


def test_the_net_of_a_pair_is_a_limit_of_its_instance():
    narrow = own(net_exposure=600 * CASH)
    driver = live(one_strategy(instruments=(PERP, ETH), limits=narrow))
    assert buy(driver) is None  # 500
    refusal = buy(driver, "0.10", "1900", on=ETH)
    assert code(refusal) == "net_exposure"
    assert "limits.strategy.s.net_exposure" in refusal.text
    first = driver.newest
    driver.was_sent(first.id)
    driver.execute(first.id, 10, "x1", price=490_000)
    driver.report(first.id, S.FILLED, cum=10)
    assert buy(driver, "0.50", "2100", on=ETH, side="sell") is None  # 500 long, 1050 short
    assert code(buy(driver, "0.20", "2100", on=ETH, side="sell")) == "net_exposure"


def test_margin_and_free_balance_need_a_young_statement():
    driver = live(limits=account(margin_ppm=400_000, free_balance=100 * CASH))
    assert code(buy(driver)) == "not_reconciled"
    health(driver, initial=399_999)
    assert buy(driver) is None
    health(driver, initial=400_000)
    assert code(buy(driver)) == "margin"
    health(driver, initial=-1)
    assert code(buy(driver)) == "margin"
    health(driver)
    driver.now_ns += 61 * SECOND
    assert code(buy(driver)) == "not_reconciled"


def health(driver, initial=0, available=1_000):
    units = available * CASH
    driver.put(HealthMeasured, units, units, initial, 0, {}, "stream", 0)


def test_free_balance_on_a_contract_is_what_the_venue_says_less_what_it_does_not_know_yet():
    limits = account(free_balance=100 * CASH)
    driver = live(limits=limits, venue_leverage_ppm=2 * PPM)
    health(driver)
    driver.now_ns += SECOND
    assert buy(driver, "0.020") is None  # 980 at twice: 490 of 1,000
    refusal = buy(driver, "0.020")
    assert code(refusal) == "free_balance"
    assert "limits.free_balance is 100" in refusal.text
    assert buy(driver, "0.010") is None
    driver.now_ns += SECOND
    health(driver, available=265)
    assert buy(driver, "0.006") is None
    assert buy(driver, "0.100", side="sell", limit="51000", reduce_only=True) is None


def test_free_balance_on_spot_is_the_quote_coin_not_offered_yet():
    driver = live(one_strategy(instruments=(SPOT,)), names=(SPOT,), limits=account(free_balance=0))
    health(driver, available=0)
    assert buy(driver, "10", "49000", on=SPOT) is None
    assert buy(driver, "10", "49000", on=SPOT) is None
    assert code(buy(driver, "1", "49000", on=SPOT)) == "free_balance"


# ---- changed while running ----


def test_a_lowered_limit_holds_at_once_survives_a_restart_and_a_higher_file():
    driver = live()
    assert buy(driver) is None
    (changed,) = say_limit(driver, "order_notional", 400 * CASH, reason="thin books")
    assert isinstance(changed, LimitsChanged)
    assert (changed.actor, changed.reason, changed.before) == (
        "anna", "thin books", WIDE.order_notional,
    )  # fmt: skip
    assert "limits.order_notional = 400" in buy(driver).text
    wider = settings_of(
        one_strategy(instruments=(PERP, ETH)), limits=account(order_notional=10**8 * CASH)
    )
    again = Driver(wider, state=restore(snapshot(driver.core.state)), epoch=2)
    again.live(PERP, ETH)
    assert "limits.order_notional = 400" in buy(again).text


def test_a_narrower_file_ends_a_change_for_good():
    book, settings = LimitBook(), settings_of(limits=account(open_orders=10))
    book.configure(settings)
    book.on_changed(LimitsChanged(1, 1, 1, 0, ACCOUNT, "open_orders", 5, 10, "anna", ""))
    book.configure(settings_of(limits=account(open_orders=3)))
    assert (book.account.open_orders, book.changes) == (3, {})
    book.configure(settings_of(limits=account(open_orders=9)))
    assert book.account.open_orders == 9


def test_a_raise_ends_with_the_session_where_the_file_stays_narrower():
    book = LimitBook()
    book.configure(settings_of(limits=account(open_orders=3)))
    book.on_changed(LimitsChanged(1, 1, 1, 0, ACCOUNT, "open_orders", 5, 3, "anna", ""))
    assert book.account.open_orders == 5
    book.configure(settings_of(limits=account(open_orders=3)))
    assert book.account.open_orders == 3


def test_an_instance_and_an_instrument_may_be_narrowed_where_the_file_says_nothing():
    driver = live()
    say_limit(driver, "open_orders", 0, scope="s")
    assert "limits.strategy.s.open_orders is 0" in buy(driver).text
    say_limit(driver, "order_qty", CASH // 1_000, scope=ETH)
    say_limit(driver, "open_orders", 5, scope="s")
    assert f'limits.instrument."{ETH}".order_qty' in buy(driver, "0.10", "1900", on=ETH).text


@pytest.mark.parametrize(
    ("scope", "key", "value", "words"),
    [
        (ACCOUNT, "expozure", 1, "there is no limit"),
        (ACCOUNT, "exposure", -1, "from 0 on"),
        (ACCOUNT, "exposure", True, "from 0 on"),
        (ACCOUNT, "exposure", "9", "from 0 on"),
        (ACCOUNT, "order_qty", 1, "of: an instrument"),
        ("nobody", "exposure", 1, "no instance is called"),
        (PERP, "margin", 1, "of: the account"),
    ],
)
def test_what_cannot_be_set_changes_nothing(scope, key, value, words):
    driver = live()
    assert words in refusal_of(scope, key, value, driver.core.settings)
    decided = say_limit(driver, key, value, scope=scope)
    assert [one for one in decided if isinstance(one, LimitsChanged)] == []


def test_what_is_wider():
    assert is_wider("exposure", 2, 1)
    assert not is_wider("exposure", 1, 1)
    assert is_wider("free_balance", 1, 2)
    assert not is_wider("free_balance", 5, -1)
