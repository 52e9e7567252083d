"""Time-weighted returns by example: days, gaps, flows, ruin, drawdown and what it means."""

import pytest

from plimsoll.core.model import DAY_NS, day_text
from plimsoll.core.portfolio.statistics.returns import Day, Returns

START = 19_723 * DAY_NS  # 2024-01-01
HOUR = DAY_NS // 24


def returns_of(*samples) -> tuple[Returns, list[Day]]:
    returns, days = Returns(), []
    for hours, equity, *flow in samples:
        days += returns.sample(START + hours * HOUR, equity, *flow)
    return returns, days


def test_a_day_ends_with_the_first_sample_of_the_next() -> None:
    _, days = returns_of((0, 1000), (23, 1100), (24, 1210), (47, 1210))
    assert [day_text(day.day) for day in days] == ["2024-01-01"]
    assert days[0].gain == pytest.approx(0.21)


def test_days_nobody_saw_are_flat() -> None:
    _, days = returns_of((1, 1000), (80, 1100))
    assert [day.gain for day in days] == [pytest.approx(0.1), 0.0, 0.0]


def test_the_day_under_way_counts_once_the_sample_has_ended_within_it() -> None:
    returns, days = returns_of((0, 1000), (24, 1000), (30, 900))
    assert [day.gain for day in days] == [0.0]
    assert [day.gain for day in returns.finish()] == [pytest.approx(-0.1)]
    assert returns.finish() == []


def test_a_sample_that_ends_at_midnight_leaves_no_day_under_way() -> None:
    returns, days = returns_of((0, 1000), (24, 1100))
    assert len(days) == 1
    assert returns.finish() == []


def test_nothing_seen_is_nothing() -> None:
    assert Returns().finish() == []


def test_a_deposit_is_no_profit_of_the_day() -> None:
    returns, _ = returns_of((0, 1000), (6, 900), (7, 1800, 900))
    assert returns.today_units() == -100
    assert returns.today_return() == pytest.approx(-0.1)
    assert returns.drawdown.now == returns.drawdown.deepest == pytest.approx(0.1)


def test_half_the_account_withdrawn_moves_neither_drawdown_nor_the_days_loss() -> None:
    returns, _ = returns_of((0, 1000), (6, 900))
    before = returns.drawdown.now, returns.today_units(), returns.today_return()
    returns.sample(START + 6 * HOUR, 450, -450)
    assert (returns.drawdown.now, returns.today_units(), returns.today_return()) == before


def test_an_account_that_was_empty_begins_with_its_deposit() -> None:
    returns, _ = returns_of((0, 0), (1, 1000, 1000), (2, 1100))
    assert returns.total_return() == pytest.approx(0.1)
    assert returns.drawdown.deepest == 0


def test_all_withdrawn_and_paid_in_again_goes_on_as_before() -> None:
    returns, _ = returns_of((0, 1000), (1, 800), (2, 0, -800), (3, 0), (4, 400, 400), (5, 500))
    assert returns.total_return() == pytest.approx(0.0)
    assert returns.drawdown.deepest == pytest.approx(0.2)


def test_what_is_lost_altogether_stays_lost() -> None:
    returns, days = returns_of((0, 1000), (1, -50), (24, 1000, 1050), (48, 2000))
    assert returns.total_return() == -1
    assert returns.drawdown.deepest == returns.drawdown.now == 1
    assert [day.gain for day in days] == [-1.0, 1.0]


def test_the_longest_drawdown_ends_where_the_mark_is_reached_again() -> None:
    returns, _ = returns_of((0, 1000), (1, 900), (5, 1000), (6, 1100), (7, 1000), (9, 1050))
    assert returns.drawdown.longest_ns == 5 * HOUR
    returns.sample(START + 20 * HOUR, 1050)
    assert returns.drawdown.longest_ns == 14 * HOUR


def test_an_account_at_rest_is_not_under_water() -> None:
    returns, _ = returns_of((0, 1000), (100, 1000), (200, 1000))
    assert returns.drawdown.longest_ns == 0


def test_samples_come_in_order_of_time() -> None:
    with pytest.raises(AssertionError, match="behind one of"):
        returns_of((2, 1000), (1, 1000))
