"""A backtest in which nothing was bought says why: what the strategy asked for wrongly."""

import io

import pytest
from rich.console import Console
from tests.backtest import tapes
from tests.backtest.bars import MINUTE, T0_MS, flat, plan_of, rows, series_of
from tests.properties.driver import PERP

from plimsoll.backtest.recorded import run_recorded
from plimsoll.backtest.report import page
from plimsoll.backtest.report.text import summary
from plimsoll.backtest.results import Results, decoded, encoded
from plimsoll.backtest.run import run
from plimsoll.backtest.sweep import outcome_of

BARS = 200


def wrong(one):
    return one.target(PERP, qty=1, stop="abc")


def plan(*, every=1, action=wrong):
    script = dict.fromkeys(range(0, BARS, every), action)
    return plan_of(series_of(rows(*flat(100.0, BARS))), script=script)


@pytest.fixture(scope="module")
def results() -> Results:
    return run(plan())


def shown(results: Results) -> str:
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(summary(results, 100))
    return out.getvalue()


def test_each_kind_is_a_row_with_its_count_its_first_time_and_its_words(results):
    (row,) = results.owners[0].refused
    assert (row.ask, row.code, row.times, row.instrument) == ("target", "off_step", BARS, PERP)
    assert row.first_ns == (T0_MS + 2 * MINUTE) * 1_000_000 + plan().delay_ns
    assert row.text == f"stop 'abc' is not a price of {PERP}: give a number above 0"
    assert results.owners[0].fills_total == 0


def test_json_terminal_page_and_sweep_say_it(results):
    assert decoded(encoded(results)) == results
    for text in (shown(results), page(results)):
        words = " ".join(text.replace("&#x27;", "'").split())
        assert "efused at once" in words
        assert "200 calls were refused at once, target for off_step: stop 'abc'" in words
    assert "refused at once" in " ".join(outcome_of({}, results).warnings)


def test_a_strategy_that_asks_rightly_has_no_such_part():
    good = run(plan(action=lambda one: one.target(PERP, qty=0.01)))
    assert good.owners[0].refused == []
    assert "efused at once" not in shown(good) + page(good)


def test_an_order_that_has_moved_on_is_counted_and_no_reason_to_warn():
    found = run(plan(every=50, action=lambda one: one.buy(PERP, 0.01).cancel()))
    (row,) = found.owners[0].refused
    assert (row.ask, row.code, row.times) == ("cancel", "no_such_order", 4)
    assert not any("refused at once" in one for one in found.warnings)


def test_what_comes_of_it_is_the_same_whether_bars_are_quiet_or_not():
    def mixed(one):
        one.target(PERP, qty=0.01 * (one.count % 3))
        one.quote(PERP, [("x", 1)])

    def made():
        return plan(every=7, action=mixed)

    assert run(made()).hash == run(made(), is_plain=True).hash


def test_over_recordings_it_is_told_alike():
    script = dict.fromkeys(range(20), wrong)
    tape = tapes.tape_of(tapes.market(40))
    found = run_recorded(tapes.plan_of(tape, script=script))
    (row,) = found.owners[0].refused
    assert (row.ask, row.code, row.times) == ("target", "off_step", 20)
