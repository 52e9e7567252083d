"""A backtest ends at a callback that does not return: over bars, finer bars and recordings."""

import msgspec
import pytest
from tests.backtest import tapes
from tests.backtest.bars import MINUTE, T0_MS, flat, plan_of, rows, series_of
from tests.properties.driver import PERP

from plimsoll.backtest.recorded import run_recorded
from plimsoll.backtest.run import run
from plimsoll.engine.guard import CallbackHung

LIMIT_NS = 50_000_000
pytestmark = pytest.mark.timeout(60)


def forever(_one):
    while True:
        pass


def plan(action=forever, **more):
    series = series_of(rows(*flat(100.0, 50)))
    return plan_of(series, script={20: action}, callback_limit_ns=LIMIT_NS, **more)


def quotes_first(one):
    one.quote(PERP, [(99.0, 0.01)])  # its bar is not quiet
    forever(one)


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("action", [forever, quotes_first])
def test_over_bars_it_says_which_callback_when_in_the_data_and_where(action, is_plain):
    with pytest.raises(CallbackHung) as caught:
        run(plan(action), is_plain=is_plain)
    hung = caught.value
    assert (hung.cut.owner, hung.cut.callback) == ("s", "on_bar")
    assert hung.cut.ts_ns == (T0_MS + 22 * MINUTE) * 1_000_000 + plan().delay_ns
    assert "bars.py:" in hung.place or "test_hanging.py:" in hung.place


def test_over_recordings_too():
    made = tapes.plan_of(tapes.tape_of(tapes.market(40)), script={20: forever})
    with pytest.raises(CallbackHung) as caught:
        run_recorded(msgspec.structs.replace(made, callback_limit_ns=LIMIT_NS))
    assert caught.value.cut.callback == "on_book"


def test_what_returns_in_time_is_as_without_a_limit():
    def short(one):
        one.target(PERP, qty=1)

    assert (
        run(plan(short)).hash == run(msgspec.structs.replace(plan(short), callback_limit_ns=0)).hash
    )


def test_the_next_run_is_none_the_worse():
    with pytest.raises(CallbackHung):
        run(plan())
    assert run(plan(lambda one: one.target(PERP, qty=1))).owners[0].fills_total == 1
