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


def test_profit_on_capital_is_the_same_whatever_was_earned_before() -> None:
    of_equity, of_capital = Returns(), Returns(capital_units=1000)
    days: list[list[float]] = [[], []]
    for nth, equity in enumerate((1000, 1100, 1200, 1150, 1150)):
        for gains, returns in zip(days, (of_equity, of_capital), strict=True):
            gains += [day.gain for day in returns.sample(START + nth * DAY_NS, equity)]
    assert days[0] == pytest.approx([0.1, 1 / 11, -50 / 1200, 0.0])
    assert days[1] == pytest.approx([0.1, 0.1, -0.05, 0.0])
    assert of_capital.drawdown == of_equity.drawdown
    assert of_capital.total_return() == of_equity.total_return()
    assert of_capital.cagr() == of_equity.cagr()


def test_neither_a_flow_nor_another_capital_is_a_return() -> None:
    returns = Returns(capital_units=1000)
    assert returns.sample(START, 1000) == []
    returns.sample(START + HOUR, 1100)
    returns.recapitalise(2000)
    returns.sample(START + 2 * HOUR, 2200, 1000)  # the capital came, and 100 were earned on it
    (day,) = returns.sample(START + DAY_NS, 2200)
    assert day.gain == pytest.approx(0.1 + 0.05)
    (day,) = returns.sample(START + 2 * DAY_NS, 2100)
    assert day.gain == pytest.approx(-0.05)
