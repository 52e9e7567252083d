"""Stages in the engine: what a person decides, what ends a promotion, what outlives a restart."""

import msgspec
import pytest
from tests.core.engine.test_breaking import guarded, wait
from tests.core.engine.test_halting import command, two
from tests.properties.driver import (
    PERP,
    SECOND,
    Driver,
    Puppet,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot, state_hash
from plimsoll.core.engine.judging import CommandRefused, read_command
from plimsoll.core.execution.graduation import Stage, Standing
from plimsoll.core.records import (
    IncidentRaised,
    OrderIntended,
    StageChanged,
    StrategyFreed,
)
from plimsoll.core.settings import NO_LIMIT, Limits

HASH = "0123456789abcdef" * 4
PROBING = {"stage": "candidate", "capital": 700, "expected_ppb": 12_345, "evidence": HASH}


def promoted(driver, owner="a"):
    command(driver, "stage", strategy=owner, reason="earned", **PROBING)
    return driver


def standing(driver, owner="a") -> Standing:
    return driver.core.state.standing(owner)


def test_an_instance_nobody_decided_about_is_on_paper():
    assert standing(two()) == Standing()


def test_an_approval_is_a_record_with_user_evidence_and_reason():
    driver = promoted(two())
    (record,) = driver.of(StageChanged)
    assert (record.owner, record.stage, record.before) == ("a", "candidate", "paper")
    assert (record.actor, record.reason, record.evidence) == ("anna", "earned", HASH)
    assert (record.capital_units, record.expected_ppb, record.step) == (700, 12_345, 0)
    found = standing(driver)
    assert (found.stage, found.since_ns, found.seq) == (Stage.CANDIDATE, record.ts_ns, record.seq)
    assert standing(driver, "b") == Standing()


def test_along_the_ramp_it_is_held_to_what_it_was_promoted_for():
    driver = promoted(two())
    driver.advance(SECOND)
    steps = {"strategy": "a", "stage": "live", "evidence": HASH}
    command(driver, "stage", step=1, expected_ppb=77, capital=1_400, **steps)
    held = standing(driver).held_ns
    driver.advance(SECOND)
    command(driver, "stage", step=2, expected_ppb=99_999, capital=4_200, **steps)
    found = standing(driver)
    assert (found.step, found.expected_ppb, found.capital_units) == (2, 77, 4_200)
    assert found.held_ns == held
    assert found.probing_ns < held < found.since_ns


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"stage": "live", "step": 1, "evidence": HASH}, "live does not follow paper"),
        ({"stage": "candidate"}, "64 hexadecimal digits"),
        ({"stage": "candidate", "evidence": HASH[1:]}, "64 hexadecimal digits"),
        ({"stage": "candidate", "evidence": HASH, "step": 2}, "the next step is 0"),
        ({"stage": "under_review"}, "under_review does not follow paper"),
        ({"stage": "sainthood"}, "Invalid enum value"),
        ({"stage": "retired", "capital": -1}, "a capital from 0 on"),
        ({"stage": "retired", "capital": NO_LIMIT}, "a capital from 0 on"),
        ({"stage": "retired", "expected_ppb": 2 * 10**9}, "within -1 .. 1"),
        ({"stage": "retired", "step": "x"}, "Expected `int`"),
        ({"strategy": "aa", "stage": "retired"}, "did you mean 'a'?"),
        ({"strategy": "manual", "stage": "retired"}, "manual is no strategy"),
        ({}, "missing required field `stage`"),
    ],
)
def test_what_may_not_be_is_refused_with_words(args, words):
    driver = two()
    with pytest.raises(CommandRefused) as caught:
        read_command(driver.core.state, "stage", {"strategy": "a"} | args)
    assert words in str(caught.value)
    command(driver, "stage", **({"strategy": "a"} | args))
    assert driver.of(StageChanged) == []


def test_a_stage_outlives_a_restart_and_counts_in_the_state():
    driver = promoted(two())
    again = restore(snapshot(driver.core.state))
    assert again.stages == driver.core.state.stages
    assert state_hash(again, {}) != state_hash(two().core.state, {})
    again.stages = {}
    assert state_hash(again, {}) != state_hash(restore(snapshot(driver.core.state)), {})


def test_a_snapshot_of_before_there_were_stages_still_restores():
    found = msgspec.msgpack.decode(snapshot(promoted(two()).core.state))
    names = list(found)
    assert "stages" in names
    del found["stages"]
    assert restore(msgspec.msgpack.encode(found)).stages == {}


def test_a_halt_by_name_puts_it_under_review_and_one_of_the_account_does_not():
    driver = promoted(promoted(two()), "b")
    command(driver, "halt", reason="all of it")
    driver.advance(SECOND)
    assert standing(driver).stage is Stage.CANDIDATE
    command(driver, "halt", scope="strategy:a", reason="fills look wrong")
    driver.advance(SECOND)
    found = standing(driver)
    assert (found.stage, found.actor) == (Stage.UNDER_REVIEW, "engine")
    assert found.reason == "halted by anna: fills look wrong"
    assert standing(driver, "b").stage is Stage.CANDIDATE
    told = [one for one in driver.of(IncidentRaised) if one.code == "under_review"]
    assert [one.subject for one in told] == ["a"]
    driver.advance(10 * SECOND)
    assert len(driver.of(StageChanged)) == 3


def test_a_halt_of_one_that_is_on_paper_changes_no_stage():
    driver = two()
    command(driver, "halt", scope="strategy:a")
    driver.advance(SECOND)
    assert driver.of(StageChanged) == []


class Raising(Puppet):
    """Raises at the next book."""

    def on_book(self, market):
        raise RuntimeError("no")


def test_a_fault_puts_it_under_review_and_being_freed_does_not_bring_it_back():
    driver = Driver(settings_of(one_strategy(name="a")), lambda _: Raising())
    promoted(driver.begin())
    driver.connect()
    driver.book()
    driver.advance(SECOND)
    found = standing(driver)
    assert found.stage is Stage.UNDER_REVIEW
    assert found.reason.startswith("stopped for a fault: ")
    command(driver, "strategy-resume", strategy="a")
    assert driver.of(StrategyFreed)
    assert standing(driver).stage is Stage.UNDER_REVIEW


def test_its_drawdown_breaker_puts_it_under_review():
    own = msgspec.structs.replace(
        Limits(**dict.fromkeys(Limits.__struct_fields__, NO_LIMIT)), drawdown_ppm=100_000
    )
    strategy = one_strategy(name="a", capital=1_000 * 10**8, limits=own)
    driver = promoted(guarded(strategy))
    driver.do(lambda s: s.buy(PERP, "0.1"), "a")
    made = driver.of(OrderIntended)[-1].client_order_id
    driver.was_sent(made)
    driver.answered(made)
    driver.execute(made, 100, "e1")
    for price in (50_000.0, 48_500.0):
        driver.book(mid=price)
        driver.mark(PERP, price)
        wait(driver, 3 * SECOND, move=False)
    trips = driver.core.state.trips.active
    assert ("drawdown", "a") in trips, trips
    found = standing(driver)
    assert found.stage is Stage.UNDER_REVIEW
    assert found.reason.startswith("drawdown breaker: ")


def test_a_replay_decides_the_same():
    driver = promoted(promoted(two()), "b")
    command(driver, "halt", scope="strategy:a")
    driver.advance(2 * SECOND)
    core = replayed(driver.log, lambda _: Puppet())
    assert core.state.stages == driver.core.state.stages


def test_a_stage_moves_no_order_and_no_mode():
    driver = two()
    before = (len(driver.sent), driver.core.settings, driver.core.state.paper_owners)
    promoted(driver)
    assert (len(driver.sent), driver.core.settings, driver.core.state.paper_owners) == before
