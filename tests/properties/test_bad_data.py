"""No order that adds risk on bad data, and good data are trusted again soon (Q12)."""

import os

import pytest
from tests.properties import bad_data
from tests.properties.bad_data import FAULTS, RECOVERY_NS, World, minutes

HOURS = float(os.environ.get("HOURS", "2.4"))
"""A tenth of the full size; ``make full`` asks for 24."""

CAUSES = {
    "gap": {"gap"},
    "crossed": {"crossed"},
    "bad level": {"bad_level"},
    "emptied": {"empty"},
    "stale": {"late"},
    "frozen time": {"late"},
    "silent book": {"silent", "gap"},
    "everything silent": {"carried", "void"},
    "unnoticed silence": {"silent", "gap"},
    "frozen ticker": {"silent"},
    "spike": {"price_distance"},
    "apart": {"diverged"},
    "disagreeing": {"disagreeing"},
    "void": {"carried", "void"},
    "link down": {"void"},
}


@pytest.mark.timeout(900)
def test_bad_data_once_a_minute_never_leads_to_an_order_and_is_over_in_three_seconds():
    world = World(0)
    for world in minutes(seed=12, count=int(HOURS * 60)):  # noqa: B007 - the last one is judged
        pass
    found = world.verdict
    assert found.violations == []
    assert max(found.recoveries_ns.values()) <= RECOVERY_NS
    assert sum(found.faults.values()) == int(HOURS * 60)
    assert len(found.faults) == len(FAULTS), "every kind must have happened"
    seen: dict[str, set[str]] = {}
    for words in found.causes:
        kind, _, cause = words.partition(": ")
        seen.setdefault(kind, set()).add(cause)
    for kind, causes in CAUSES.items():
        assert causes <= seen[kind], f"{kind} was refused for {seen[kind]}"
    assert found.orders > 60 * 60 * HOURS, "good data were traded on all the time"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_bad_data_by_itself(fault, seed):
    world = World(seed)
    world.run(5)
    for _ in range(3):
        fault(world, world.random)
        world.run(8)
    assert world.verdict.violations == []


def test_the_judge_sees_an_order_on_bad_data(monkeypatch):
    """A judge that never condemns judges nothing."""
    kinds = bad_data.silent_book, bad_data.apart, bad_data.frozen_ticker, bad_data.everything_silent
    for fault in kinds:
        world = World(1)
        world.run(5)
        monkeypatch.setattr("plimsoll.core.feed.Market.doubt", lambda *_: None)
        fault(world, world.random)
        world.run(2)
        monkeypatch.undo()
        assert world.verdict.violations, fault.__name__
