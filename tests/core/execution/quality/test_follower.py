"""The follower agrees with a twin that reads the whole log for every question."""

from bisect import bisect_left
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.execution.quality.schedules import Schedule
from tests.core.execution.quality.twin import Twin
from tests.core.test_records import sample
from tests.properties.driver import settings_of

from plimsoll.core.execution.quality import Cell, Kind, Quality
from plimsoll.core.execution.quality.cell import COSTS_PPB, TIMES_US
from plimsoll.core.records import Configured, InstrumentListed
from plimsoll.core.records.stored import STORED
from plimsoll.core.settings import to_text

COUNTS = (
    *("orders", "ended", "canceled", "asked_units", "filled_units", "denied", "requests"),
    *("rejected", "unknown", "failed", "fills", "worth_units", "maker_units"),
)
COSTS = ("decision", "arrival", "at_fill", "markout_1", "markout_10", "markout_60")


def fed(log) -> Quality:
    quality = Quality()
    for record in log:
        quality.apply(record)
    return quality


def cost_of(cell: Cell, name: str):
    if name.startswith("markout"):
        return cell.markouts[COSTS[3:].index(name)]
    return getattr(cell, name)


def compare(quality: Quality, twin: Twin) -> None:
    keys = {(*key[:3], str(key.kind)): cell for key, cell in quality.cells.items()}
    assert keys.keys() == twin.found.keys()
    for key, found in twin.found.items():
        cell = keys[key]
        for name in COUNTS:
            assert getattr(cell, name) == found.counts[name], (key, name)
        for name in COSTS:
            ours, theirs = cost_of(cell, name), found.lists[name]
            assert ours.n == len(theirs), (key, name)
            assert ours.cost_halves == sum(row[0] for row in theirs), (key, name)
            assert ours.base_halves == sum(row[1] for row in theirs), (key, name)
            places = Counter(bisect_left(COSTS_PPB, int(row[2] * 10**9 // 1)) for row in theirs)
            assert ours.counts == dict(places), (key, name)
        for name in ("ack", "first_fill", "full_fill"):
            ours, theirs = getattr(cell, name), found.lists[name]
            places = Counter(bisect_left(TIMES_US, max(0, ns) // 1_000) for ns in theirs)
            assert (ours.n, ours.counts) == (len(theirs), dict(places)), (key, name)
        fees = found.lists["fees"]
        assert cell.fee_fills == len(fees)
        assert (cell.fee_units, cell.fee_worth_units) == tuple(
            sum(row[place] for row in fees) for place in (0, 1)
        ), key


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 150))
@settings(deadline=None)
def test_any_log_is_measured_as_the_naive_twin_measures_it(seed, steps):
    log = Schedule(seed, steps).log
    compare(fed(log), Twin(log))


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_every_record_is_taken_even_by_a_fresh_follower(kind):
    record = sample(kind)
    if kind is Configured:
        record = msgspec.structs.replace(record, settings=to_text(settings_of()))
    quality = Quality()
    quality.apply(record)
    assert quality.ts_ns == record.ts_ns


def test_what_is_not_listed_is_passed_over():
    quality = Quality()
    log = [record for record in Schedule(3, 100).log if type(record) is not InstrumentListed]
    for record in log:
        quality.apply(record)
    assert not quality.places.of
    assert all(key.kind is Kind.NONE for key in quality.cells)
    assert quality.outside > 0
