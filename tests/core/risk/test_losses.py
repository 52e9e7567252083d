"""Daily loss, drawdown, pacing: numbers that outlive a restart."""

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import DAY_NS
from plimsoll.core.risk import Losses, OwnLosses, Pacing
from plimsoll.core.risk.pacing import SECOND_NS


def test_daily_loss_counts_from_midnight_and_drawdown_from_the_peak():
    losses = Losses()
    losses.measure(1_000, 0)
    losses.measure(1_200, 1)
    losses.measure(900, 2)
    assert (losses.lost_today, losses.drawdown_ppm) == (100, 250_000)
    losses.measure(960, DAY_NS)
    assert (losses.lost_today, losses.drawdown_ppm) == (0, 200_000)


def test_a_flow_is_neither_profit_nor_loss():
    losses = Losses()
    losses.measure(1_000, 0)
    losses.measure(900, 1)
    losses.flow(-450)
    assert (losses.lost_today, losses.equity, losses.peak) == (100, 450, 500)
    losses.flow(450)
    assert (losses.lost_today, losses.peak) == (100, 1_000)


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.lists(st.integers(-(10**15), 10**15)))
def test_a_flow_moves_neither_drawdown_nor_the_days_loss(equity, fallen, flows):
    losses = Losses()
    losses.measure(equity + fallen, 0)
    losses.measure(equity, 1)
    before, lost = losses.drawdown_ppm, losses.lost_today
    for flow in flows:
        if losses.equity + flow > 10**6:  # ppm of less is coarser than a unit
            losses.flow(flow)
    assert losses.lost_today == lost
    assert abs(losses.drawdown_ppm - before) <= 1 + len(flows)


def test_an_account_emptied_and_filled_is_as_before():
    losses = Losses()
    losses.measure(1_000, 0)
    losses.measure(900, 1)
    losses.flow(-900)
    losses.flow(900)
    assert (losses.equity, losses.peak, losses.lost_today) == (900, 1_000, 100)


def test_a_flow_before_the_first_measure_is_in_it():
    losses = Losses()
    losses.flow(500)
    assert (losses.is_known, losses.equity, losses.peak) == (False, 0, 0)


def test_no_peak_no_drawdown():
    losses = Losses()
    losses.measure(0, 0)
    assert losses.drawdown_ppm == 0


def test_pacing_slides():
    pacing = Pacing()
    for at in (0, SECOND_NS // 2, SECOND_NS - 1):
        pacing.note(at, "create.linear")
    assert pacing.in_last_second(SECOND_NS - 1) == 3
    assert pacing.in_last_second(SECOND_NS) == 2
    assert pacing.in_last_second(3 * SECOND_NS) == 0
    pacing.note(3 * SECOND_NS, "cancel.linear")
    assert pacing.in_last_second(3 * SECOND_NS) == 0, "a cancel is no order"
    assert pacing.in_group("cancel.linear", 3 * SECOND_NS) == 1
    assert pacing.in_group("cancel.spot", 3 * SECOND_NS) == 0
    assert (pacing.on_day(0), pacing.on_day(DAY_NS)) == (3, 0)


def test_an_instances_loss_is_of_its_day_and_its_drawdown_of_capital_and_profit_then():
    own = OwnLosses()
    own.measure(100, DAY_NS)
    own.measure(300, DAY_NS + 1)
    own.measure(150, DAY_NS + 2)
    assert (own.lost_today, own.drawdown_ppm(700)) == (0, 150_000)
    own.measure(50, DAY_NS + 3)
    assert own.lost_today == 50
    own.measure(40, 2 * DAY_NS)
    assert own.lost_today == 0
    own.measure(10, 2 * DAY_NS + 1)
    assert (own.lost_today, own.drawdown_ppm(0)) == (30, 966_666)
    own.forgive()
    assert (own.drawdown_ppm(700), own.drawdown_ppm(-10)) == (0, 0)
