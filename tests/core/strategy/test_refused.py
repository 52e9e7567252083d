"""Each call that a desk refuses at once is counted by call and reason, and says field and cure."""

import math

import pytest
from tests.properties.driver import PERP, Driver, one_strategy, settings_of

from plimsoll.core.model import Denied, Mode, Refusal
from plimsoll.core.strategy import Grid
from plimsoll.core.strategy.refused import Refusals


@pytest.fixture
def paper():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).begin()
    driver.book()
    driver.mark(PERP, 50_000.0)
    return driver


def kinds(driver):
    return driver.core.trader.desks["s"].refusals.kinds


ORDER = "is not a finite number"


@pytest.mark.parametrize(
    ("ask", "call", "code", "says"),
    [
        ("target", lambda s: s.target(PERP, qty=1, stop="abc"), "off_step", "stop 'abc'"),
        ("target", lambda s: s.target(PERP, qty=1, take=-1), "off_step", "above 0"),
        ("target", lambda s: s.target(PERP, weight=math.nan), "off_step", "weight nan"),
        ("target", lambda s: s.target(PERP), "off_step", "one of qty, notional and weight"),
        ("target", lambda s: s.target("linear:X", qty=1), "unknown_instrument", "`instruments`"),
        ("quote", lambda s: s.quote(PERP, [("x", 1)]), "off_step", "rows are (price, quantity)"),
        ("quote", lambda s: s.quote("linear:X"), "unknown_instrument", PERP),
        ("buy", lambda s: s.buy(PERP, "many", 49_000.0), "off_step", f"qty 'many' {ORDER}"),
        ("sell", lambda s: s.sell(PERP, 1.0, "much"), "off_step", f"limit 'much' {ORDER}"),
        ("sell", lambda s: s.sell(PERP, "0.0105"), "off_step", "pass a float to have it rounded"),
        ("buy", lambda s: s.buy(PERP, 1.0, trigger="no"), "off_step", "trigger 'no'"),
        ("buy", lambda s: s.buy(PERP, 1.0, label="twap#1.0"), "executor", "give it another"),
        ("size", lambda s: s.size(PERP, "buy"), "off_step", "size() takes one of"),
        ("execute", lambda s: s.execute(Grid(0, 0, 0, 0), PERP), "executor", ""),
        ("cancel", lambda s: s.buy(PERP, "many").cancel(), "no_such_order", "not working"),
        ("amend", lambda s: s.buy(PERP, "many").amend(qty=1), "no_such_order", "not working"),
    ],
)
def test_a_wrong_call_is_counted_with_its_first_words(paper, ask, call, code, says):
    for _ in range(3):
        paper.do(call)
    found = kinds(paper)[ask, Refusal(code)]
    assert (found.times, found.since_ns) == (3, paper.now_ns)
    assert says in found.text


def test_what_is_asked_rightly_is_not_counted(paper):
    handle = paper.do(lambda s: s.buy(PERP, "0.010", "49000"))
    paper.do(lambda s: s.target(PERP, qty=0.02, stop=40_000.0))
    assert handle.refusal is None
    assert kinds(paper) == {}


def test_the_first_words_of_a_kind_stay_and_are_bounded():
    found = Refusals()
    first = found.note("target", "x" * 1_000, Denied(Refusal.OFF_STEP, "y" * 10_000), 7)
    assert first is not None
    assert found.note("target", "other", Denied(Refusal.OFF_STEP, "later"), 8) is None
    assert (first.since_ns, first.times, len(first.text), len(first.instrument)) == (7, 2, 400, 80)
    assert found.note("quote", "other", Denied(Refusal.OFF_STEP, "later"), 8) is not None
