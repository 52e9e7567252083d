from pathlib import Path

import pytest

from plimsoll.venues.bybit.codes import CODES, class_of, outcome_of

TABLE = Path(__file__).resolve().parents[2] / "data" / "bybit" / "codes.txt"
LISTED = {
    int(code): line.split()[0]
    for line in TABLE.read_text().splitlines()
    if not line.startswith("#")
    for code in line.split()[1:]
}


def test_the_table_is_the_documented_one():
    assert {code: str(found) for code, found in CODES.items()} == LISTED


@pytest.mark.parametrize("code", [10006, 10403, 10429, 10019, 20003, 170005, 170222])
def test_a_limited_create_is_unknown_but_a_limited_cancel_was_not_done(code):
    assert outcome_of("create", code, "trade") == "unknown"
    assert outcome_of("amend", code, "trade") == "unknown"
    assert outcome_of("cancel", code, "trade") == "refused"


@pytest.mark.parametrize("code", [110072, 170141])
@pytest.mark.parametrize("action", ["create", "amend", "cancel"])
def test_a_duplicate_id_means_an_earlier_copy_arrived(action, code):
    assert outcome_of(action, code, "rest") == "unknown"


@pytest.mark.parametrize("code", [110001, 170213, 110008, 110010])
def test_a_finished_order_is_gone(code):
    assert outcome_of("cancel", code, "trade") == "gone"
    assert outcome_of("amend", code, "rest") == "gone"
    assert outcome_of("create", code, "rest") == "unknown"


@pytest.mark.parametrize("code", [110007, 10001, 10002, 170131, 110017])
def test_definite_refusals_are_refused(code):
    assert outcome_of("create", code, "trade") == "refused"


@pytest.mark.parametrize("code", [-2, 1, 99999, 403, 10016, 500000, 34040])
def test_everything_else_proves_nothing(code):
    assert outcome_of("create", code, "rest") == "unknown"


def test_a_code_may_mean_another_thing_on_another_channel():
    assert outcome_of("create", 10003, "rest") == "refused"
    assert outcome_of("create", 10003, "trade") == "unknown"
    assert str(class_of(10003, "rest")) == "fatal"


def test_zero_is_acceptance_for_processing():
    assert outcome_of("create", 0, "trade") == "accepted"
