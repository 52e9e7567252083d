"""Every check on the simulator: what it takes for granted is what the simulator does."""

from decimal import Decimal

import pytest

from plimsoll.venues.bybit.probe import CHECKS, Verdict

NEVER_SEEN_HERE = {
    "amend-queue": "nobody can see it from outside",
    "least-qty-linear": "the least quantity of every contract here is one lot",
    "book-1-repeat": "the books of a generated market never rest for three seconds",
    "tier-scale": "there were no risk tiers here when this was written",
}
"""Rows the simulator cannot decide, and why."""

NOT_CUT_HERE = {"idle-public", "idle-private", "idle-trade"}
"""The simulator lets idle sockets live."""

SLOW_LOCALLY = {"bar-confirm"}
"""Waits for the end of a minute; its judge is tested on frames."""

QUICK = [check for check in CHECKS if not check.is_slow]


@pytest.mark.parametrize("category", ["linear", "spot"])
def test_every_check_finds_the_simulator_as_expected(probed, category):
    """Rows of no category are asked with both kinds of instrument."""
    checks = [check for check in QUICK if check.category in ("", category)]
    ran = probed(checks, names=(f"{category}:BTCUSDT",))
    assert ran.error is None
    rows = {row.name: row for row in ran.report.rows}
    assert len(rows) == len(checks)
    odd = [row for row in rows.values() if row.verdict is not Verdict.EQUAL]
    assert not [row for row in odd if row.name not in NEVER_SEEN_HERE], odd
    assert all(row.verdict is Verdict.UNKNOWN and len(row.note) > 10 for row in odd)
    assert (ran.report.left, ran.orders, ran.position) == ([], [], 0)
    assert 0 < Decimal(ran.report.spent) < 5


def test_slow_checks_run_and_say_what_the_simulator_does_otherwise(probed):
    slow = [check for check in CHECKS if check.is_slow and check.name not in SLOW_LOCALLY]
    rows = {row.name: row for row in probed(slow).report.rows}
    different = {name for name, row in rows.items() if row.verdict is Verdict.DIFFERENT}
    assert different == NOT_CUT_HERE
    assert all(rows[name].seen == "open after 0.3 s" for name in NOT_CUT_HERE)
    assert {row.verdict for name, row in rows.items() if name not in NOT_CUT_HERE} == {"equal"}


def test_another_expectation_is_told_as_different(probed):
    names = {
        *("duplicate-id-linear", "off-lot-spot", "post-only-linear", "cancelled-leaves-spot"),
        *("conditional-life-linear", "stamp-old", "cursor", "leverage-again", "order-margin"),
        *("topic-text", "bad-topic", "book-chain-50-linear", "trade-malformed", "fee-coin-spot"),
        *("reduce-cut", "exits-again", "words-linear"),
    }
    checks = [check._replace(expected="so not") for check in CHECKS if check.name in names]
    assert len(checks) == len(names)
    ran = probed(checks)
    assert {row.name for row in ran.report.rows if row.verdict is Verdict.DIFFERENT} == names
    assert all(row.seen and row.seen != row.expected for row in ran.report.rows)


def test_a_row_without_its_kind_of_instrument_is_unknown(probed):
    checks = [check for check in QUICK if check.name in ("off-tick-spot", "off-tick-linear")]
    rows = {row.name: row for row in probed(checks, names=("linear:BTCUSDT",)).report.rows}
    assert rows["off-tick-linear"].verdict is Verdict.EQUAL
    assert rows["off-tick-spot"].verdict is Verdict.UNKNOWN
    assert rows["off-tick-spot"].note == "no spot instrument was given"


def test_the_table_has_each_name_once_and_words_in_every_cell():
    assert len({check.name for check in CHECKS}) == len(CHECKS) > 150
    for check in CHECKS:
        assert check.category in ("", "linear", "spot")
        assert check.question
        assert check.expected
        assert check.page
        assert check.find.__doc__ or "find" in check.find.__name__
    assert set(NEVER_SEEN_HERE) | NOT_CUT_HERE | SLOW_LOCALLY <= {check.name for check in CHECKS}
