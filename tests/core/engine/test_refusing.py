"""What desks refuse at once: the first of a kind is recorded at once, counts by checkpoints."""

import pytest
from tests.properties.driver import PERP, SECOND, Driver, one_strategy, settings_of

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode
from plimsoll.core.records import AskRefused, LeaseTaken, StrategyReloaded, StrategyStopped


@pytest.fixture
def paper():
    return Driver(settings_of(one_strategy(Mode.PAPER))).live()


def wrong(driver, times=1):
    for _ in range(times):
        driver.do(lambda s: s.target(PERP, qty=1, stop="abc"))


def told(driver):
    return [(one.ask, one.code, one.times) for one in driver.of(AskRefused)]


def test_the_first_is_on_record_at_once_with_its_cause_and_words(paper):
    wrong(paper)
    (one,) = paper.of(AskRefused)
    assert (one.owner, one.ask, one.instrument, one.code) == ("s", "target", PERP, "off_step")
    assert (one.times, one.since_ns, one.ts_ns) == (1, paper.now_ns, paper.now_ns)
    assert one.cause == paper.log[-2].seq, "the book it was asked at"
    assert "stop 'abc'" in one.text


def test_more_of_a_kind_are_one_record_a_checkpoint(paper):
    wrong(paper, 500)
    assert told(paper) == [("target", "off_step", 1)]
    paper.advance(61 * SECOND)
    assert told(paper) == [("target", "off_step", 1), ("target", "off_step", 500)]
    paper.advance(300 * SECOND)
    assert len(told(paper)) == 2, "nothing more came: nothing more is told"


def test_several_in_one_callback_are_all_in_the_first_record(paper):
    paper.do(lambda s: [s.target(PERP, qty="x") for _ in range(4)])
    assert told(paper) == [("target", "off_step", 4)]


def test_a_callback_that_raises_loses_its_requests_and_not_its_refusals(paper):
    def fail(one):
        one.target(PERP, qty=1, stop="abc")
        raise RuntimeError("broken")

    with pytest.raises(IndexError):  # the driver waits for a result that never comes
        paper.do(fail)
    assert told(paper) == [("target", "off_step", 1)]
    assert len(paper.of(StrategyStopped)) == 1


def test_it_does_not_stop_the_instance_however_often(paper):
    wrong(paper, 1_000)
    assert paper.of(StrategyStopped) == []


def test_readers_find_the_newest_of_each_kind_also_behind_a_snapshot(paper):
    wrong(paper, 7)
    paper.do(lambda s: s.quote("linear:X"))
    paper.advance(61 * SECOND)
    state = restore(snapshot(paper.core.state))
    assert state.refused == paper.core.state.refused
    assert {key[1:]: one.times for key, one in state.refused.items()} == {
        ("target", "off_step"): 7,
        ("quote", "unknown_instrument"): 1,
    }


def test_a_new_session_begins_without(paper):
    wrong(paper)
    paper.put(LeaseTaken, "main", "acc", "test", "1")
    assert paper.core.state.refused == {}


def test_new_code_begins_without(paper):
    wrong(paper)
    paper.put(StrategyReloaded, "s", "0" * 64, "1" * 64, "keep", [], [], [], "anna", "")
    assert paper.core.state.refused == {}
