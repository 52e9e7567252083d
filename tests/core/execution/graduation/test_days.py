"""Days together: the fall over them is that of every sample, figures are those of statistics."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plimsoll.core.execution.graduation import DayRow, deepest, summary_of
from plimsoll.core.portfolio.statistics.moments import Moments

levels = st.lists(st.lists(st.floats(0.2, 3.0), min_size=1, max_size=5), min_size=1, max_size=6)


def row_of(nth: int, seen: list[float]) -> DayRow:
    peak = fall = 0.0
    for level in seen:
        peak = max(peak, level)
        fall = max(fall, (peak - level) / peak)
    return DayRow(nth, 0.0, max(seen), min(seen), fall)


@given(levels)
def test_the_deepest_fall_over_days_is_that_over_all_samples(days):
    rows = [row_of(nth, seen) for nth, seen in enumerate(days)]
    naive, peak = 0.0, 0.0
    for level in (level for seen in days for level in seen):
        peak = max(peak, level)
        naive = max(naive, (peak - level) / peak)
    assert deepest(rows) == pytest.approx(naive)


@given(st.lists(st.floats(-0.05, 0.05), max_size=50))
@example([0.0, 3.66e-121])  # its variance squared is too small for a float
def test_sharpe_is_that_of_statistics_and_hidden_below_thirty_days(gains):
    found = summary_of([DayRow(nth, gain, 1.0, 1.0, 0.0) for nth, gain in enumerate(gains)])
    moments = Moments()
    for gain in gains:
        moments.add(gain)
    assert found.days == len(gains)
    if len(gains) < 30:
        assert found.sharpe is None
        assert found.sharpe_low is None
    else:
        assert found.sharpe == moments.sharpe()
    error = moments.sharpe_error()
    if found.sharpe is not None and found.sharpe_high is not None and error is not None:
        assert found.sharpe_high - found.sharpe == pytest.approx(1.95996 * error, rel=1e-4)


def test_the_day_under_way_counts_but_for_its_return():
    ended = DayRow(1, 0.01, 1.01, 1.0, 0.0, 2, 1, 300, 100, 5, 1)
    today = DayRow(2, -0.5, 1.01, 0.5, 0.505, 1, 0, 0, 50, 5, 0)
    found = summary_of([ended], today)
    assert (found.days, found.mean) == (1, 0.01)
    assert found.drawdown == pytest.approx(0.505)
    assert (found.trips, found.win_rate, found.profit_factor) == (3, 1 / 3, 2.0)
    assert found.success == 0.9


def test_what_there_is_nothing_of_has_no_figure():
    found = summary_of([])
    assert (found.profit_factor, found.win_rate, found.success, found.sharpe) == (None,) * 4
