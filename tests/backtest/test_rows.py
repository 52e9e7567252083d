"""Rows of results hold quote, fractions and seconds."""

from plimsoll.backtest.rows import daily_of, stats_of, trip_row
from plimsoll.core.portfolio.statistics import Day, Measure, RoundTrip, Statistics

CASH = 10**8


def test_money_is_in_quote_and_time_in_seconds() -> None:
    stats, missing = stats_of(
        {
            "average_win": Measure(150_000_000, 2),
            "average_hold": Measure(1_500_000_000, 2),
            "win_rate": Measure(0.5, 2),
            "trips": Measure(2, 2),
            "sharpe": Measure(None, 3, "3 of 30 days"),
        }
    )
    assert stats == {
        "average_win": 1.5,
        "average_hold": 1.5,
        "win_rate": 0.5,
        "trips": 2,
        "sharpe": None,
    }
    assert missing == {"sharpe": "3 of 30 days"}


def test_every_metric_has_a_place() -> None:
    stats, missing = stats_of(Statistics(CASH).measures())
    assert missing.keys() == {name for name, value in stats.items() if value is None}


def test_a_round_trip_is_a_row() -> None:
    sums = (CASH // 100, CASH // 50, 1000 * CASH, CASH // 50, 1020 * CASH)
    trip = RoundTrip("linear:BTCUSDT", 1, 2, 1, *sums, 19 * CASH, CASH, 0)
    row = trip_row("ema", trip)
    assert (row.owner, row.instrument, row.qty) == ("ema", "linear:BTCUSDT", 0.01)
    assert (row.entry, row.exit, row.profit, row.fees) == (50_000, 51_000, 19, 1)


def test_days_have_dates() -> None:
    assert daily_of([Day(19_723, 0.5)]) == [("2024-01-01", 0.5)]
