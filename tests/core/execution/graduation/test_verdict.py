"""What a record comes to: which days count, what is earned, what ends it, what is only an alert."""

import msgspec
import pytest

from plimsoll.core.execution.graduation import (
    DEFAULTS,
    Case,
    DayRow,
    Outside,
    Stage,
    Standing,
    bet_on,
    expected_of,
    summary_of,
    verdict_of,
)
from plimsoll.core.model import DAY_NS

KNOWN = Outside(agreement=1.0, shadow_gap=0.5)
FIRST = 20_000


def days(count: int, *, gains=(0.004, -0.001), first: int = FIRST) -> list[DayRow]:
    """Return days that pass every screen but for what is changed of them."""
    rows, level = [], 1.0
    for nth in range(count):
        gain = gains[nth % len(gains)]
        before, level = level, level * (1 + gain)
        high, low = max(before, level), min(before, level)
        rows.append(
            DayRow(
                first + nth,
                gain,
                high,
                low,
                (high - low) / high * (gain < 0),
                2,
                1,
                200,
                100,
                10,
                0,
            )
        )
    return rows


def case(rows, stage=Stage.PAPER, *, is_paper=None, outside=KNOWN, streak=0, **fields) -> Case:
    standing = msgspec.structs.replace(Standing(stage), **fields)
    paper = not stage.is_promoted if is_paper is None else is_paper
    return Case(standing, paper, rows, None, streak, outside)


def promoted(stage=Stage.CANDIDATE, step=0, expected_ppb=0):
    since = (FIRST - 1) * DAY_NS
    return {
        "stage": stage,
        "step": step,
        "since_ns": since,
        "probing_ns": since,
        "held_ns": since,
        "expected_ppb": expected_ppb,
    }


def test_a_good_record_on_paper_earns_the_probing_and_no_test_is_asked_for():
    found = verdict_of(case(days(30)))
    assert (found.goal, found.step, found.is_earned) == (Stage.CANDIDATE, 0, True)
    assert found.evidence.wanted == 0
    assert found.screen == "candidate"
    assert found.held is None


def test_what_is_not_passed_or_not_known_stands_against_it():
    found = verdict_of(case(days(24), outside=Outside()))
    assert not found.is_earned
    assert found.obstacles == [
        "the screen is not passed (fails: round trips, days; unknown: Sharpe, "
        "paper and backtest decide alike)"
    ]
    waived = msgspec.structs.replace(
        case(days(30), outside=Outside()), waived=frozenset({"agreement"})
    )
    assert verdict_of(waived).is_earned


def test_going_live_takes_evidence_too():
    found = verdict_of(case(days(60), **promoted()))
    assert (found.goal, found.step, found.screen) == (Stage.LIVE, 1, "live")
    assert found.evidence.wanted == DEFAULTS.ramp[1]
    assert found.is_earned == (found.evidence.test.best >= 2)
    assert found.evidence.test == bet_on(days(60))
    weak = verdict_of(case(days(60, gains=(0.0006, -0.0004)), **promoted()))
    assert "the step takes 2" in weak.obstacles[-1]
    assert weak.evidence.days_wanted
    assert weak.evidence.word == "open"


def test_days_needed_are_never_where_nothing_is_earned():
    found = verdict_of(case(days(60, gains=(-0.004, 0.001)), **promoted()))
    assert found.evidence.days_wanted is None


def test_only_days_after_the_decision_count():
    rows = days(60)
    late = promoted() | {"probing_ns": (FIRST + 19) * DAY_NS + 5, "held_ns": 0}
    found = verdict_of(case(rows, **late))
    assert found.summary.days == 40
    assert found.evidence.test == bet_on(rows[20:])
    again = verdict_of(case(rows, Stage.UNDER_REVIEW, since_ns=(FIRST + 49) * DAY_NS))
    assert (again.summary.days, again.goal) == (10, Stage.CANDIDATE)


def test_a_candidate_that_runs_on_paper_earns_nothing():
    found = verdict_of(case(days(90), is_paper=True, **promoted()))
    assert found.summary.days == 0
    assert not found.is_earned
    assert "runs on paper: only live days count" in found.obstacles[0]


@pytest.mark.parametrize(("step", "goal"), [(1, Stage.LIVE), (2, Stage.LIVE), (3, None)])
def test_the_ramp_ends_at_its_last_step(step, goal):
    found = verdict_of(case(days(900, gains=(0.02, -0.01)), **promoted(Stage.LIVE, step)))
    assert found.goal is goal
    assert found.is_earned is (goal is not None)
    assert found.evidence.word == "proven"
    assert found.evidence.days_proven == 0


def test_a_fall_ends_a_promotion_and_nothing_on_paper():
    rows = days(40, gains=(-0.01, 0.002))
    rows += days(40, gains=(-0.01,), first=FIRST + 40)
    found = verdict_of(case(rows, **promoted()))
    assert found.endings[0].cause == "drawdown"
    assert found.endings[0].policy == "flatten"
    assert verdict_of(case(rows)).endings == []


def test_the_day_under_way_ends_it_too():
    now = case(days(40), **promoted())
    today = DayRow(FIRST + 40, 0.0, 1.1, 0.85, 0.23)
    found = verdict_of(msgspec.structs.replace(now, today=today))
    assert [one.cause for one in found.endings] == ["drawdown"]
    assert not found.is_earned


def test_a_day_beyond_the_bound_ends_it():
    rows = [*days(40), DayRow(FIRST + 40, -0.11, 1.05, 0.93, 0.11)]
    found = verdict_of(case(rows, **promoted()))
    assert [one.cause for one in found.endings] == ["day_loss"]
    assert found.evidence.word == "against"


def test_what_has_ended_earns_nothing_however_good_it_is_since():
    rows = days(900, gains=(0.02, -0.01))
    rows[500] = msgspec.structs.replace(rows[500], gain=-0.11)
    found = verdict_of(case(rows, **promoted(Stage.LIVE, 1)))
    assert [one.cause for one in found.endings] == ["day_loss"]
    assert found.obstacles == []
    assert not found.is_earned


def test_what_falls_short_of_what_it_was_promoted_for_ends():
    rows = days(80, gains=(-0.0012, 0.0008))
    found = verdict_of(case(rows, **promoted(Stage.LIVE, 1, expected_ppb=6_000_000)))
    assert [one.cause for one in found.endings] == ["expectation"]
    assert found.endings[0].policy == "run_off"
    held = verdict_of(case(rows, **promoted(Stage.LIVE, 1, expected_ppb=0)))
    assert held.endings == []


def test_it_is_held_to_half_a_sharpe_or_to_the_lower_end_of_its_own():
    strong, weak = summary_of(days(400)), summary_of(days(30, gains=(0.011, -0.009)))
    root = 365**0.5
    assert expected_of(weak) == round(0.5 * weak.variance**0.5 / root * 1e9)
    assert expected_of(strong) == round(strong.sharpe_low * strong.variance**0.5 / root * 1e9)
    assert expected_of(strong) < strong.mean * 1e9


def test_a_bad_week_and_a_losing_streak_are_alerts_and_nothing_else():
    rows = days(60) + days(7, gains=(-0.004, -0.002), first=FIRST + 60)
    found = verdict_of(case(rows, streak=10, **promoted()))
    assert len(found.alerts) == 2
    assert found.endings == []


@pytest.mark.parametrize("stage", [Stage.RESEARCH, Stage.RETIRED])
def test_what_only_a_person_can_change_says_so(stage):
    found = verdict_of(case(days(60), stage))
    assert found.goal is None
    assert found.obstacles
    assert not found.is_earned


def test_the_same_days_give_the_same_verdict():
    assert verdict_of(case(days(77))) == verdict_of(case(days(77)))
