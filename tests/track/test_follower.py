"""Track records from logs: returns on capital, round trips, and when a record begins anew."""

import random

import msgspec
import pytest
from tests.properties.driver import CASH, PERP
from tests.track.log import FIRST, HASH, UNITS_A_TICK, Log, strategy

from plimsoll.core.engine import State
from plimsoll.core.execution.graduation import Stage, summary_of
from plimsoll.core.model import DAY_NS, LiveStage, Mode, Side
from plimsoll.core.records import (
    ExecutionReported,
    ModeSet,
    ParametersChanged,
    StrategyReloaded,
)
from plimsoll.track import Tracks

CAPITAL = 1_000 * CASH


def fed(log: Log) -> Tracks:
    tracks = Tracks()
    for record in log.records:
        tracks.apply(record)
    return tracks


def gains(log: Log, name="ema") -> list[float]:
    return [row.gain for row in fed(log).of[name].rows]


@pytest.fixture(params=[Mode.PAPER, Mode.LIVE])
def log(request) -> Log:
    made = Log().begin(strategy(mode=request.param))
    made.measure()
    return made


def test_a_days_return_is_its_profit_on_capital_whatever_was_earned_before(log):
    log.days((10_000,), (10_000,), (-5_000, 2_000), ())
    share = UNITS_A_TICK / CAPITAL
    assert gains(log) == pytest.approx([10_000 * share, 10_000 * share, -3_000 * share, 0.0])
    assert [row.day for row in fed(log).of["ema"].rows] == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]


def test_days_are_those_of_a_naive_twin_that_adds_up_profits(log):
    draw = random.Random(5)
    days = [
        tuple(draw.randrange(-9_000, 10_000) for _ in range(draw.randrange(4))) for _ in range(40)
    ]
    log.days(*days)
    found = fed(log).of["ema"]
    assert gains(log) == pytest.approx(
        [sum(ticks) * UNITS_A_TICK / CAPITAL for ticks in days], abs=1e-12
    )
    flat = [one for ticks in days for one in ticks]
    whole = summary_of(found.rows)
    assert whole.trips == len(flat)
    assert whole.wins == sum(one > 0 for one in flat)
    assert whole.won_units == sum(one for one in flat if one > 0) * UNITS_A_TICK
    assert whole.lost_units == -sum(one for one in flat if one < 0) * UNITS_A_TICK
    level = peak = 1_000.0
    deepest = 0.0
    for one in flat:
        level += one * UNITS_A_TICK / CASH
        peak = max(peak, level)
        deepest = max(deepest, 1 - level / peak)
    assert whole.drawdown == pytest.approx(deepest)
    assert whole.drawdown == pytest.approx(found.statistics.returns.drawdown.deepest)
    metric = found.counted(fed(log).requests_of(found)).measures()
    assert metric["trips"].value == len(flat)
    assert metric["sharpe"].value == whole.sharpe


def test_requests_are_those_of_execution_quality_by_day():
    log = Log().begin(strategy(mode=Mode.LIVE))
    log.measure()
    log.days((100,))
    log.trip("ema", 0, refused=True)
    log.days((100, 100))
    found = fed(log).of["ema"]
    assert [(row.requests, row.failures) for row in found.rows] == [(2, 0), (5, 1)]
    statistics = found.counted(fed(log).requests_of(found))
    assert statistics.measures()["execution_success"].value == pytest.approx(6 / 7)


def test_a_rejected_order_on_paper_fails_as_a_live_one_does(log):
    log.days((100,))
    log.trip("ema", 0, refused=True)
    log.days((100, 100))
    assert [(row.requests, row.failures) for row in fed(log).of["ema"].rows] == [(2, 0), (5, 1)]


def test_the_day_under_way_is_told_apart(log):
    log.days((100,))
    log.trip("ema", -40)
    log.measure()
    found = fed(log)
    track = found.of["ema"]
    today = track.today(found.requests_of(track))
    assert (len(track.rows), today.trips, today.lost_units) == (1, 1, 40 * UNITS_A_TICK)
    assert today.gain == pytest.approx(-40 * UNITS_A_TICK / CAPITAL)
    assert today.fall > 0


def changed_while_it_runs(log):
    log.put(ParametersChanged, "ema", {"fast": 7}, {"fast": 5}, "anna", "x")
    return "changed: parameters"


def reloaded_while_it_runs(log):
    log.put(StrategyReloaded, "ema", "v1", "v2", "keep", [], [], [], "anna", "x")
    return "changed: code"


@pytest.mark.parametrize("act", [changed_while_it_runs, reloaded_while_it_runs])
def test_what_a_person_changes_while_it_runs_is_another_strategy(log, act):
    log.days((100,), (100,))
    why = act(log)
    log.measure()
    log.days((-70,))
    found = fed(log)
    assert (found.of["ema"].why, found.earlier["ema"]) == (why, 1)
    assert len(found.of["ema"].rows) == 1


def test_a_restart_goes_on_with_a_parameter_changed_before_it(log):
    log.days((100,))
    changed_while_it_runs(log)
    log.measure()
    log.days((100,))
    log.begin(log.strategies["ema"])
    log.measure()
    log.days((100,))
    found = fed(log)
    assert found.earlier["ema"] == 1
    assert len(found.of["ema"].rows) == 2


def test_a_live_book_begins_a_record_of_its_own_and_that_on_paper_goes_on():
    log = Log().begin(strategy())
    log.measure()
    log.days((100,), (100,))
    switch = ("ema", Mode.HYBRID, LiveStage.LIVE, "", 300 * CASH, HASH, "anna", "x")
    log.put(ModeSet, *switch)
    log.measure("ema", "ema.live")
    found = fed(log)
    assert (len(found.of["ema"].rows), found.earlier) == (2, {})
    live = found.of["ema.live"]
    assert (live.why, live.is_paper, live.capital_units) == ("new", False, 300 * CASH)
    log.put(ModeSet, *switch[:4], 900 * CASH, *switch[5:])
    found = fed(log)
    assert (found.of["ema.live"].capital_units, found.earlier) == (900 * CASH, {})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source_hash": "v2"}, "changed: code"),
        ({"params": {"fast": 7}}, "changed: parameters"),
        ({"frames": {"1s": "1m"}}, "changed: time frames"),
        ({"source": "b.py:B", "source_hash": "v2"}, "changed: class, code"),
    ],
)
def test_another_strategy_has_a_record_of_its_own(log, change, words):
    before = log.strategies["ema"]
    log.days((100,), (100,), (100,))
    log.begin(msgspec.structs.replace(before, **change))
    log.measure()
    log.days((-70,))
    found = fed(log)
    track = found.of["ema"]
    assert (track.why, found.earlier["ema"]) == (words, 1)
    assert [row.gain for row in track.rows] == pytest.approx([-70 * UNITS_A_TICK / CAPITAL])
    assert (track.statistics.trips.count, track.statistics.trips.losses) == (1, 1)
    assert track.statistics.trips.lost_units == 70 * UNITS_A_TICK
    assert sum(row.requests for row in track.rows) == 2


def test_another_mode_has_a_record_of_its_own():
    log = Log().begin(strategy())
    log.measure()
    log.days((100,), (100,))
    log.begin(strategy(mode=Mode.LIVE))
    log.measure()
    log.days((50,))
    tracks = fed(log).of
    assert (tracks["ema"].is_paper, tracks["ema.live"].is_paper) == (True, False)
    assert tracks["ema.live"].why == "new"


def test_a_restart_and_another_capital_are_the_same_strategy(log):
    before = log.strategies["ema"]
    log.days((100,), (100,))
    log.begin(before)
    log.measure()
    log.days((100,))
    log.begin(msgspec.structs.replace(before, capital=2 * CAPITAL))
    log.measure()
    log.days((100,), (-100,))
    share = UNITS_A_TICK / CAPITAL
    assert gains(log) == pytest.approx([100 * share] * 3 + [50 * share, -50 * share])
    track = fed(log).of["ema"]
    assert (track.why, track.capital_units) == ("new", 2 * CAPITAL)
    assert track.statistics.returns.drawdown.deepest < 1e-3  # the capital was no profit or loss


def test_days_nobody_saw_are_flat(log):
    log.days((100,))
    log.now_ns += 3 * DAY_NS
    log.measure()
    assert gains(log)[1:] == [0.0, 0.0, 0.0]


def test_instances_do_not_mix():
    log = Log().begin(strategy(), strategy("mean"))
    log.measure()
    log.days((100,))
    log.days((-30,), name="mean")
    share = UNITS_A_TICK / CAPITAL
    assert gains(log) == pytest.approx([100 * share, 0.0])
    assert gains(log, "mean") == pytest.approx([0.0, -30 * share])


def test_what_another_hand_closes_ends_the_round_trip():
    log = Log().begin(strategy(mode=Mode.LIVE))
    log.measure()
    log.trip("ema", 100)
    last = log.records.pop()
    assert isinstance(last, ExecutionReported)
    assert last.side is Side.SELL
    log.put(
        *(ExecutionReported, "x", "", "by hand", PERP, Side.SELL, 500_040, 10, 0, "USDT", False),
        *("Trade", log.now_ns // 10**6, "stream", 0, b""),
    )
    track = fed(log).of["ema"]
    assert (track.statistics.trips.count, track.statistics.trips.won_units) == (
        1,
        40 * UNITS_A_TICK,
    )


def test_the_least_capital_is_that_of_its_smallest_order(log):
    log.days((100,))
    found = fed(log)
    # 10 lots of 0.001 at 50,000 are 500 of 1,000; the venue takes 0.001, worth 50.
    assert found.least_capital(found.of["ema"]) == 100 * CASH


def test_stages_and_books_are_those_of_the_state(log):
    log.days((100,))
    log.staged("candidate", capital=7)
    found, state = fed(log), State()
    for record in log.records:
        state.apply(record)
    assert found.state.stages == state.stages
    assert found.state.standing("ema").stage is Stage.CANDIDATE
    assert found.state.ledger.neutral(frozenset()) == state.ledger.neutral(frozenset())


def test_nothing_is_left_for_a_decide_that_is_not_going_to_happen(log):
    log.days((100,))
    state = fed(log).state
    assert (state.news, state.taken, state.moved) == ([], [], [])
