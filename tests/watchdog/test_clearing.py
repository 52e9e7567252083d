"""The clearing loop against a venue that is scripted: late orders, refusals, lists that fail."""

import asyncio

import pytest
from tests.watchdog.test_plan import OURS, order

from plimsoll.watchdog import clearing as module
from plimsoll.watchdog.clearing import Clearing
from plimsoll.watchdog.hands import LookFailed
from plimsoll.watchdog.plan import Reach


class FakeVenue:
    """Lists what is open; each look may first bring something, or fail."""

    def __init__(self, orders=(), arrivals=(), refusals=0):
        self.open = {one.venue_order_id: one for one in orders}
        self.arrivals = list(arrivals)
        self.refusals = refusals
        self.looks = self.measured = 0

    async def orders(self):
        self.looks += 1
        arrived = self.arrivals.pop(0) if self.arrivals else None
        if arrived == "failed":
            raise LookFailed("test")
        if arrived is not None:
            self.open[arrived.venue_order_id] = arrived
        return list(self.open.values())

    async def cancel(self, step):
        if self.refusals:
            self.refusals -= 1
            return "10006: too many"
        for one in step.orders:
            self.open.pop(one.venue_order_id, None)
        return ""

    async def measure(self):
        self.measured += 1
        return ""


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    for name in ("SETTLE_S", "LOOK_AGAIN_S", "RETRY_S", "_TRY_AGAIN_S"):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr(module, "PER_SECOND", {"linear": 10_000, "spot": 10_000})


def cleared(venue, reach=Reach.OWN, deadline_s=20.0):
    told = []
    clearing = Clearing(venue, reach, "desk", lambda event, fields: told.append((event, fields)))
    return asyncio.run(clearing.run(deadline_s)), told


def ours(number):
    return order(number, client_order_id=OURS)


def test_what_turns_up_after_an_empty_list_goes_too():
    venue = FakeVenue(arrivals=[None, ours(2)])
    outcome, _ = cleared(venue)
    assert outcome.is_clear
    assert venue.open == {}
    assert [one.venue_order_id for one in outcome.cancelled] == ["v2"]


def test_a_list_that_failed_is_no_empty_list():
    venue = FakeVenue(arrivals=[None, "failed", None, None])
    outcome, _ = cleared(venue)
    assert outcome.is_clear
    assert (venue.looks, outcome.failed_looks, venue.measured) == (4, 1, 1)


def test_refused_cancels_are_asked_for_until_they_are_taken():
    venue = FakeVenue([ours(n) for n in range(40)], refusals=30)
    outcome, told = cleared(venue)
    assert outcome.is_clear
    assert venue.open == {}
    assert outcome.failed_requests == 30
    assert sum(event == "cancel failed" for event, _ in told) == 30


def test_a_cancel_is_told_before_it_is_sent():
    sent = []
    venue = FakeVenue([ours(1)])
    cancel = venue.cancel

    async def noted(step):
        sent.append([event for event, _ in told])
        return await cancel(step)

    told: list[tuple[str, dict[str, object]]] = []
    venue.cancel = noted  # type: ignore[method-assign]
    clearing = Clearing(
        venue, Reach.OWN, "desk", lambda event, fields: told.append((event, fields))
    )
    asyncio.run(clearing.run(20.0))
    assert sent == [["looked", "cancels"]]


def test_at_its_deadline_it_tells_what_is_not_confirmed():
    venue = FakeVenue([ours(1)], refusals=10**9)
    outcome, _ = cleared(venue, deadline_s=0.2)
    assert not outcome.is_clear
    assert [one.venue_order_id for one in outcome.unconfirmed] == ["v1"]
    assert outcome.cancelled == ()
    assert "10006" in outcome.trouble


def test_what_is_out_of_reach_or_protects_is_never_asked_for():
    stays = [order(1, client_order_id="hand"), order(2, reduce_only=True, client_order_id=OURS)]
    venue = FakeVenue([*stays, ours(3)])
    outcome, _ = cleared(venue)
    assert outcome.is_clear
    assert sorted(venue.open) == ["v1", "v2"]
    assert [one.venue_order_id for one in outcome.foreign] == ["v1"]
    assert [one.venue_order_id for one in outcome.protection] == ["v2"]


def test_a_cancel_all_that_keeps_failing_is_helped_by_id():
    class Stubborn(FakeVenue):
        async def cancel(self, step):
            return "10006: too many" if step.kind == "all" else await super().cancel(step)

    venue = Stubborn([order(n) for n in range(60)])
    outcome, _ = cleared(venue, Reach.ACCOUNT)
    assert outcome.is_clear
    assert venue.open == {}
