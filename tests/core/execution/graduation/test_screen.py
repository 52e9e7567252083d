"""Every row of every screen: what passes, what fails, what nobody knows, what cannot be reached."""

import math

import msgspec
import pytest

from plimsoll.core.execution.graduation import (
    SCREENS,
    WAIVABLE,
    Outcome,
    Outside,
    Summary,
    judged,
    passes,
)

GOOD = Summary(
    days=60,
    sharpe=1.2,
    drawdown=0.12,
    trips=100,
    won_units=130,
    lost_units=100,
    requests=100,
    failures=5,
)
KNOWN = Outside(agreement=0.8, shadow_gap=1.0)


def row(screen: str, name: str, of: Summary, outside: Outside = KNOWN):
    return next(one for one in judged(screen, of, outside) if one.need.name == name)


def but(**fields) -> Summary:
    return msgspec.structs.replace(GOOD, **fields)


def test_the_table_is_that_of_the_plan():
    found = {
        name: {one.name: (one.needed, one.is_most) for one in needs}
        for name, needs in SCREENS.items()
    }
    assert found == {
        "candidate": {
            "trips": (50, False),
            "days": (30, False),
            "sharpe": (1.0, False),
            "drawdown": (0.15, True),
            "profit_factor": (1.2, False),
            "agreement": (0.80, False),
        },
        "live": {
            "trips": (100, False),
            "days": (60, False),
            "sharpe": (1.2, False),
            "drawdown": (0.12, True),
            "profit_factor": (1.3, False),
            "shadow_gap": (1.0, True),
            "execution_success": (0.95, False),
        },
        "stay": {
            "sharpe": (0.5, False),
            "drawdown": (0.20, True),
            "profit_factor": (1.0, False),
            "execution_success": (0.95, False),
        },
    }


@pytest.mark.parametrize("screen", SCREENS)
def test_what_is_just_enough_passes(screen):
    rows = judged(screen, GOOD, KNOWN)
    assert {one.outcome for one in rows} == {Outcome.MET}
    assert passes(rows)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("trips", {"trips": 99}),
        ("days", {"days": 59}),
        ("sharpe", {"sharpe": 1.19}),
        ("drawdown", {"drawdown": 0.1201}),
        ("profit_factor", {"won_units": 129}),
        ("execution_success", {"failures": 6}),
    ],
)
def test_what_is_just_too_little_fails(name, fields):
    rows = judged("live", but(**fields), KNOWN)
    assert [one.need.name for one in rows if one.outcome is Outcome.FAIL] == [name]
    assert not passes(rows, waived=frozenset({name}))


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("sharpe", {"days": 12, "sharpe": None}, "n too small: 12 of 30 days; 18 more days"),
        ("sharpe", {"sharpe": None}, "no two days differed"),
        ("profit_factor", {"trips": 0, "won_units": 0, "lost_units": 0}, "no round trip"),
        ("execution_success", {"requests": 9}, "n too small: 9 of 10 requests"),
        ("drawdown", {"days": 0}, "no day has ended"),
    ],
)
def test_what_is_not_known_says_why(name, fields, words):
    found = row("live", name, but(**fields))
    assert (found.outcome, found.measured) == (Outcome.UNKNOWN, None)
    assert words in found.reason


@pytest.mark.parametrize("field", ["sharpe", "drawdown"])
def test_what_is_not_a_number_is_unknown_and_cannot_be_met(field):
    found = row("live", field, but(**{field: math.nan}))
    assert found.outcome is Outcome.UNKNOWN
    assert found.is_unreachable
    assert "not a number" in found.reason


def test_a_profit_factor_without_losses_passes():
    assert row("live", "profit_factor", but(lost_units=0)).reason == "no round trip lost"


@pytest.mark.parametrize(
    ("trips", "days", "is_never", "words"),
    [
        (60, 60, False, "40 more days at 1 a day"),
        (10, 60, True, "540 more days at 0.17 a day, beyond the horizon of 365"),
        (0, 60, True, "none in 60 days: at this rate never"),
        (0, 3, False, "none in 3 days"),
    ],
)
def test_how_long_round_trips_take_and_when_they_never_come(trips, days, is_never, words):
    found = row("live", "trips", but(trips=trips, days=days))
    assert found.reason == words
    assert found.is_unreachable is is_never


def test_a_drawdown_that_was_too_deep_stays_so_unless_newer_days_count():
    assert row("live", "drawdown", but(drawdown=0.3)).is_unreachable
    assert not row("stay", "drawdown", but(drawdown=0.3)).is_unreachable


def test_only_what_is_unknown_can_be_answered_for():
    rows = judged("candidate", GOOD, Outside())
    assert not passes(rows)
    assert passes(rows, frozenset({"agreement"}))
    assert not passes(judged("candidate", GOOD, Outside(agreement=0.5)), frozenset({"agreement"}))
    assert {"agreement", "shadow_gap"} == WAIVABLE
