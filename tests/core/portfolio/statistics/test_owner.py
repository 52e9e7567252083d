"""All statistics of one owner: what is shown, what is hidden and why, and what can be stored."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.driver import CASH, INSTRUMENTS, PERP

from plimsoll.core.model import DAY_NS, Position, Side
from plimsoll.core.portfolio.history import Booked, book_alone
from plimsoll.core.portfolio.statistics import METRICS, Measure, Sample, Statistics, months_of
from plimsoll.core.portfolio.statistics.returns import Day

CAPITAL = 1_000 * CASH
START = 19_723 * DAY_NS


def traded(days: int, gain: float = 0.01) -> Statistics:
    """Return an owner who won and lost in turn."""
    statistics, equity = Statistics(CAPITAL), CAPITAL
    for day in range(days + 1):
        statistics.sample(START + day * DAY_NS, equity, gross_units=CAPITAL // 2 * (day % 2))
        equity += round(equity * (gain if day % 2 else -gain / 2))
    return statistics


def trade(statistics: Statistics, held: Position, prices: tuple[int, int], fee: int = CASH) -> None:
    for number, (side, price) in enumerate(zip((Side.BUY, Side.SELL), prices, strict=True)):
        fill = Booked(0, 0, 0, str(number), side, price, 10, fee, "USDT")
        book_alone(held, INSTRUMENTS[PERP], fill)
        units = side.sign * 10 * INSTRUMENTS[PERP].base_units_per_lot
        value = INSTRUMENTS[PERP].notional_units(price, 10)
        lots = 10 * (1 - number)
        statistics.on_fill(number * 60 * 10**9, PERP, units, value, fee, lots=lots, held=held)


def test_every_metric_of_the_catalogue_has_a_measure_or_a_reason() -> None:
    for statistics in (Statistics(CAPITAL), traded(3), traded(300)):
        measures = statistics.measures()
        assert list(measures) == list(METRICS)
        assert all((one.value is None) == bool(one.missing) for one in measures.values())


def test_what_needs_thirty_days_is_hidden_before() -> None:
    hidden = traded(29).measures()
    for name in ("sharpe", "sharpe_low", "sharpe_high", "sortino", "volatility", "cagr", "calmar"):
        assert hidden[name] == Measure(None, 29, "29 of 30 days")
    shown = traded(30).measures()
    low, middle, high = (shown[name].value for name in ("sharpe_low", "sharpe", "sharpe_high"))
    assert low is not None
    assert middle is not None
    assert high is not None
    assert low < middle < high
    assert middle - low == pytest.approx(high - middle)


def test_value_at_risk_needs_two_hundred_and_fifty_days() -> None:
    assert traded(249).measures()["var_95"].missing == "249 of 250 days"
    assert traded(250).measures()["var_95"].value == pytest.approx(0.005, rel=1e-6)


def test_days_that_never_differ_have_no_sharpe() -> None:
    measures = traded(40, gain=0).measures()
    assert measures["sharpe"] == Measure(None, 40, "no two days differed")
    assert measures["sharpe_low"].value is None
    assert measures["sortino"].missing == "no day lost"
    assert measures["calmar"].missing == "equity never fell"


def test_round_trips_are_counted_net_of_fees() -> None:
    statistics, held = Statistics(CAPITAL), Position()
    assert statistics.measures()["win_rate"] == Measure(None, 0, "no round trips")
    trade(statistics, held, (500_000, 510_000))
    measures = statistics.measures()
    assert measures["profit_factor"] == Measure(None, 1, "no round trip lost")
    assert measures["average_win"].value == 8 * CASH
    assert measures["average_loss"].missing == "no round trip lost"
    trade(statistics, held, (500_000, 500_000))
    measures = statistics.measures()
    assert measures["profit_factor"].value == 4
    assert measures["win_rate"] == Measure(0.5, 2)
    assert measures["average_hold"].value == 60 * 10**9
    assert measures["fees"].value == 4 * CASH
    assert measures["turnover"].value == pytest.approx(2.01)


def test_exposure_is_over_time() -> None:
    statistics = Statistics(CAPITAL)
    for second, gross in ((0, 0), (10, CAPITAL * 2), (15, 0), (20, 0)):
        statistics.sample(START + second * 10**9, CAPITAL, gross_units=gross)
    measures = statistics.measures()
    assert measures["time_in_market"] == Measure(0.25, 20)
    assert measures["average_exposure"].value == 0.5


def test_capital_may_change_and_counts_from_then_on() -> None:
    statistics = Statistics(CAPITAL)
    statistics.sample(START, CAPITAL, gross_units=CAPITAL)
    statistics.capital_units = 3 * CAPITAL
    statistics.sample(START + 10**9, 3 * CAPITAL, 2 * CAPITAL, gross_units=CAPITAL)
    statistics.sample(START + 2 * 10**9, 3 * CAPITAL)
    assert statistics.measures()["average_exposure"].value == 0.5


def test_orders_and_requests() -> None:
    statistics = Statistics(0)
    statistics.on_order(100, 100)
    statistics.on_order(100, 20)
    statistics.on_request(is_done=True)
    statistics.on_request(is_done=False)
    measures = statistics.measures()
    assert measures["fill_ratio"] == Measure(0.6, 2)
    assert measures["execution_success"] == Measure(0.5, 2)
    statistics.on_fill(0, PERP, 1, 1, 0, lots=1, held=Position())
    assert statistics.measures()["turnover"].missing == "there is no capital"


def test_what_is_stored_is_taken_up_again() -> None:
    whole, half = traded(90), traded(90)
    trade(half, Position(), (500_000, 510_000))
    trade(whole, Position(), (500_000, 510_000))
    half = msgspec.json.decode(msgspec.json.encode(half), type=Statistics)
    for one in (whole, half):
        one.sample(START + 91 * DAY_NS, 2 * CAPITAL)
        one.finish()
    assert half.measures() == whole.measures()


def test_months_are_linked_days() -> None:
    days = [Day(19_723, 0.1), Day(19_724, 0.1), Day(19_754, -0.5)]
    assert months_of(days) == {"2024-01": pytest.approx(0.21), "2024-02": pytest.approx(-0.5)}


def test_samples_are_those_of_the_catalogue() -> None:
    statistics = Statistics(CAPITAL)
    assert [statistics.count(sample) for sample in Sample] == [0] * len(Sample)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 60 * 10**9, DAY_NS // 3, 3 * DAY_NS]),
            st.one_of(st.integers(-50, 200), st.just(100)),
            st.sampled_from([0, 0, 70]),
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(1, 30),
)
def test_a_stretch_of_samples_is_the_same_as_one_after_the_other(drawn, size) -> None:
    one, other = Statistics(CAPITAL), Statistics(CAPITAL)
    days, more, at, samples = [], [], START, []
    for step, equity, gross in drawn:
        at += step
        samples.append((at, equity * CASH, gross * CASH))
    for ts_ns, equity, gross in samples:
        days += one.sample(ts_ns, equity, gross_units=gross)
    for begin in range(0, len(samples), size):
        more += other.stretch(*zip(*samples[begin : begin + size], strict=True))
    assert days == more
    assert one == other
