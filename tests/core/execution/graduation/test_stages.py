"""Which stage may follow which, and where an instance stands after a decision."""

import pytest

from plimsoll.core.execution.graduation import (
    FOLLOWING,
    NEXT,
    Stage,
    Standing,
    refusal_of,
    standing_after,
)
from plimsoll.core.records import StageChanged

HASH = "0123456789abcdef" * 4


def changed(stage, *, step=0, ts_ns=5, expected=0) -> StageChanged:
    return StageChanged(
        9, ts_ns, 1, 8, "ema", stage, step, "paper", 700, expected, HASH, "anna", "because"
    )


def test_every_stage_has_a_row_and_evidence_earns_only_what_may_follow():
    assert set(FOLLOWING) == set(Stage)
    assert all(after in FOLLOWING[before] for before, after in NEXT.items())
    for stage in Stage:
        if stage.is_promoted:
            assert {Stage.UNDER_REVIEW, Stage.PAPER, Stage.RETIRED} <= FOLLOWING[stage]


def test_real_money_comes_by_way_of_the_probing_alone():
    assert {before for before, after in FOLLOWING.items() if Stage.LIVE in after} == {
        Stage.CANDIDATE,
        Stage.LIVE,
    }
    for before in (Stage.RESEARCH, Stage.PAPER, Stage.UNDER_REVIEW, Stage.RETIRED):
        words = refusal_of(Standing(before), Stage.LIVE, 1, HASH)
        assert words.startswith(f"live does not follow {before}; what may: ")


@pytest.mark.parametrize("evidence", ["", HASH[1:], HASH.upper(), "x" * 64])
def test_a_promotion_needs_the_hash_of_its_evidence(evidence):
    assert "64 hexadecimal digits" in refusal_of(Standing(), Stage.CANDIDATE, 0, evidence)
    assert refusal_of(Standing(), Stage.CANDIDATE, 0, HASH) == ""


def test_no_step_of_the_ramp_is_left_out():
    now = Standing(Stage.LIVE, 1)
    assert refusal_of(now, Stage.LIVE, 2, HASH) == ""
    assert refusal_of(now, Stage.LIVE, 3, HASH) == "the next step is 2, not 3"
    assert refusal_of(now, Stage.LIVE, 1, HASH)
    assert refusal_of(Standing(), Stage.CANDIDATE, 1, HASH)
    assert refusal_of(now, Stage.UNDER_REVIEW, 1, "") == "under_review has no steps"


def test_the_test_counts_from_the_probing_on_whatever_step_follows():
    now = standing_after(Standing(), changed("candidate", ts_ns=5, expected=11))
    assert (now.probing_ns, now.held_ns, now.expected_ppb, now.capital_units) == (5, 5, 11, 700)
    now = standing_after(now, changed("live", step=1, ts_ns=6, expected=12))
    assert (now.probing_ns, now.held_ns, now.since_ns, now.step) == (5, 6, 6, 1)
    now = standing_after(now, changed("live", step=2, ts_ns=7, expected=12))
    assert (now.probing_ns, now.held_ns, now.since_ns, now.step) == (5, 6, 7, 2)
    now = standing_after(now, changed("under_review", ts_ns=8))
    assert (now.stage, now.probing_ns, now.held_ns, now.step) == (Stage.UNDER_REVIEW, 0, 0, 0)
    assert (now.actor, now.reason, now.seq) == ("anna", "because", 9)


def test_a_stage_of_another_release_changes_nothing():
    before = standing_after(Standing(), changed("candidate"))
    assert standing_after(before, changed("sainthood")).stage is Stage.CANDIDATE
