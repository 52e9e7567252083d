"""Statistics kept event by event equal those computed all at once, and those of another library."""

import math

import numpy
import pandas
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.properties import naive_statistics as naive
from tests.properties.naive_statistics import DAY, Sample

from plimsoll.core.model import day_text
from plimsoll.core.portfolio.statistics import Statistics

empyrical = pytest.importorskip("empyrical")

CAPITAL = 10**12
START = 19_723 * DAY  # 2024-01-01

steps = st.tuples(
    st.integers(1, 2 * DAY),  # time to the next sample
    st.integers(-200_000, 200_000),  # profit, parts per million
    st.sampled_from([0, 0, 0, 0, 1, -1]),  # whether money flows
    st.integers(1, 600_000),  # how much of equity, parts per million
    st.sampled_from([0, CAPITAL // 3, CAPITAL]),  # gross exposure
)
walks = st.lists(steps, min_size=2, max_size=120)
gains = st.lists(
    st.floats(-0.2, 0.2, allow_subnormal=False).map(lambda gain: round(gain, 7)),
    min_size=2,
    max_size=400,
)


def samples_of(walk) -> list[Sample]:
    found = [Sample(START, CAPITAL, 0, 0)]
    for step_ns, profit_ppm, direction, flow_ppm, gross in walk:
        before = found[-1]
        equity = before.equity + before.equity * profit_ppm // 1_000_000
        flow = direction * equity * flow_ppm // 1_000_000
        found.append(Sample(before.ts_ns + step_ns, equity + flow, flow, gross))
    return found


def told(samples: list[Sample]) -> tuple[Statistics, list[tuple[str, float]]]:
    statistics = Statistics(CAPITAL)
    days = []
    for sample in samples:
        days += statistics.sample(sample.ts_ns, sample.equity, sample.flow, sample.gross)
    days += statistics.finish()
    return statistics, [(day_text(day.day), day.gain) for day in days]


def of_days(gains) -> Statistics:
    """Return the statistics of one sample a day."""
    statistics, equity = Statistics(CAPITAL), 10**17
    statistics.sample(START, equity)
    for number, gain in enumerate(gains, start=1):
        equity = round(equity * (1 + gain))
        statistics.sample(START + number * DAY, equity)
    return statistics


def value(statistics: Statistics, name: str) -> float:
    found = statistics.measures()[name].value
    assert found is not None
    return found


close = pytest.approx


@given(walks)
def test_daily_returns_are_those_of_the_whole_sample(walk) -> None:
    samples = samples_of(walk)
    _, days = told(samples)
    wanted = naive.daily(samples)
    assert [day for day, _ in days] == [day for day, _ in wanted]
    assert [gain for _, gain in days] == close([gain for _, gain in wanted], rel=0, abs=1e-12)


@given(walks)
def test_total_return_and_drawdown_are_those_of_the_whole_sample(walk) -> None:
    samples = samples_of(walk)
    statistics, _ = told(samples)
    deepest, now, longest = naive.drawdowns(samples)
    assert value(statistics, "total_return") == close(
        float(naive.levels(samples)[-1] - 1), rel=1e-12, abs=1e-12
    )
    assert value(statistics, "drawdown_max") == close(deepest, abs=1e-12)
    assert value(statistics, "drawdown_now") == close(now, abs=1e-12)
    has_flows = any(sample.flow for sample in samples)
    if not has_flows:  # with them a mark may be reached again to the last digit, or not quite
        assert value(statistics, "drawdown_longest") == longest


@given(walks)
def test_exposure_is_that_of_the_whole_sample(walk) -> None:
    samples = samples_of(walk)
    statistics, _ = told(samples)
    assume(statistics.activity.span_ns >= 10**9)
    within, average = naive.exposures(samples, CAPITAL)
    assert value(statistics, "time_in_market") == within
    assert value(statistics, "average_exposure") == average


@given(gains)
def test_ratios_are_those_of_the_whole_sample(gains) -> None:
    statistics = of_days(gains)
    moments = statistics.returns.moments
    found = [float(gain) for gain in statistics.returns.newest]
    assume(len(found) == len(gains) and float(numpy.std(found)) > 1e-6)
    wanted = naive.moments(found)
    assert moments.count == len(gains)
    assert moments.volatility() == close(wanted["volatility"], rel=1e-12)
    assert moments.sharpe() == close(wanted["sharpe"], rel=1e-9, abs=1e-9)
    assert moments.sharpe_error() == close(wanted["error"], rel=1e-9)
    assert statistics.returns.cagr() == close(wanted["cagr"], rel=1e-9, abs=1e-9)
    if not math.isnan(wanted["sortino"]):
        assert moments.sortino() == close(wanted["sortino"], rel=1e-9, abs=1e-9)


@given(gains)
def test_ratios_are_those_of_empyrical(gains) -> None:
    statistics = of_days(gains)
    moments = statistics.returns.moments
    index = pandas.date_range("2024-01-01", periods=len(gains), freq="D")
    series = pandas.Series(statistics.returns.newest, index=index)
    assume(float(numpy.std(series)) > 1e-6)
    year = {"annualization": 365}

    def same(ours: float | None, theirs: float) -> None:
        assert ours == close(theirs, rel=1e-9, abs=1e-9)

    same(moments.sharpe(), empyrical.sharpe_ratio(series, **year))
    same(moments.volatility(), empyrical.annual_volatility(series, **year))
    same(statistics.returns.total_return(), empyrical.cum_returns_final(series))
    same(statistics.returns.cagr(), empyrical.cagr(series, **year))
    same(-statistics.returns.drawdown.deepest, empyrical.max_drawdown(series))
    same(-statistics.returns.value_at_risk(), empyrical.value_at_risk(series, cutoff=0.05))
    if min(gains) < 0:
        same(moments.sortino(), empyrical.sortino_ratio(series, **year))
    if statistics.returns.drawdown.deepest > 0 and len(gains) >= 30:
        same(value(statistics, "calmar"), empyrical.calmar_ratio(series, **year))


@given(walks, st.integers(0, 119), st.sampled_from([500_000, -500_000, 2_000_000]))
def test_what_flows_moves_neither_drawdown_nor_sharpe_nor_the_days_loss(
    walk, place, part_ppm
) -> None:
    """Half the account comes or goes at any moment: only the money changes, the figures do not."""
    quiet = [(step, profit, 0, 0, gross) for step, profit, _, _, gross in walk]
    samples = samples_of(quiet)
    place = min(place, len(samples) - 1)
    flow = samples[place].equity * part_ppm // 1_000_000
    later = samples[place].equity + flow
    scaled = [
        sample._replace(
            equity=sample.equity * later // samples[place].equity,
            flow=flow if number == place else 0,
        )
        for number, sample in enumerate(samples)
        if number >= place
    ]
    still, still_days = told(samples)
    moved, moved_days = told(samples[:place] + scaled) if place else told(samples)
    assert [gain for _, gain in moved_days] == close([gain for _, gain in still_days], abs=1e-9)
    for name in ("drawdown_max", "drawdown_now", "total_return", "sharpe", "worst_day"):
        one, other = still.measures()[name].value, moved.measures()[name].value
        assert (one is None) == (other is None)
        if one is not None and float(numpy.std(still.returns.newest)) > 1e-6:
            assert other == close(one, rel=1e-6, abs=1e-9), name


def test_memory_does_not_grow_with_the_days() -> None:
    statistics = of_days([0.001, -0.001] * 1_000)
    assert len(statistics.returns.newest) == len(statistics.returns.ordered) == 500
    assert statistics.returns.ordered == sorted(statistics.returns.newest)
