"""The market moves, the machine stalls between two questions: no check is misled by either."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from plimsoll.venues.bybit.probe import CHECKS, Pace, Tape, Verdict, asking
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.rest import Heard

SHORT = Pace(patience_s=10, quiet_s=0.15, market_s=6)
STILL = {"speed": 1e-6}
"""A market without events, so that only what a test does moves."""

TAKING = (
    *("post-only", "new-before-fill", "amend-across", "market-price", "fee-amount"),
    *("flip", "reduce-trim", "exits-closed", "trigger-side", "market-base", "market-quote"),
)


def checks_of(*names):
    found = [check for check in CHECKS if check.name in names]
    assert len(found) == len(names)
    return found


@pytest.mark.parametrize("ticks", [-50, 50])
def test_prices_that_are_fifty_ticks_old_change_no_answer(probed, monkeypatch, ticks):
    best = Desk.best

    async def before_it_moved(desk):
        bid, ask = await best(desk)
        return bid + ticks * desk.instrument.tick, ask + ticks * desk.instrument.tick

    monkeypatch.setattr(Desk, "best", before_it_moved)
    names = [check.name for check in CHECKS if check.name.startswith(TAKING)]
    rows = probed(checks_of(*names), sim=STILL).report.rows
    assert len(rows) > len(TAKING)
    assert not [row for row in rows if row.verdict is not Verdict.EQUAL]


@pytest.fixture
def first_try(monkeypatch):
    """Give the first try of a check other best prices; return what ``Desk.far`` was asked for."""

    def change(changed):
        best, far, asked = Desk.best, Desk.far, []

        async def far_and_then(desk, side):
            asked.append(side)
            return await far(desk, side)

        async def changed_at_first(desk):
            found = await best(desk)
            return changed(desk, *found) if len(asked) == 1 else found

        monkeypatch.setattr(Desk, "far", far_and_then)
        monkeypatch.setattr(Desk, "best", changed_at_first)
        return asked

    return change


def is_met(_desk, bid, ask):
    """Somebody sells at the bid after our question: the price is where it is to fall to."""
    return ask + (ask - bid), ask


def is_left(desk, bid, ask):
    """Somebody bids more before our sale: the order would wait for long."""
    return desk.on_tick(bid * 99 / 100), ask


@pytest.mark.parametrize("changed", [is_met, is_left])
@pytest.mark.parametrize("name", ["conditional-trigger-linear", "conditional-trigger-spot"])
def test_a_trigger_the_market_has_met_or_left_is_tried_again(probed, first_try, name, changed):
    asked = first_try(changed)
    ran = probed(checks_of(name), sim=STILL, pace=SHORT)
    (row,) = ran.report.rows
    assert row.verdict is Verdict.EQUAL, row
    assert len(asked) >= 2
    assert (ran.report.left, ran.orders, ran.position) == ([], [], 0)


def split_at_flat(times):
    """Return ``Desk.rows`` that tells the first sales as two executions, one of each kind."""
    real = Desk.rows
    count: list[str] = []

    def rows(desk, topic, order_id="", since=-1):
        found = real(desk, topic, order_id, since)
        if topic != "execution" or len(found) != 1 or found[0]["closedSize"] in ("", "0", "0.000"):
            return found
        if found[0]["execQty"] == found[0]["closedSize"] or len(count) >= 2 * times:
            return found
        count.append(order_id)
        one = found[0]["closedSize"]
        return [{**found[0], "execQty": one}, {**found[0], "execQty": one, "closedSize": "0"}]

    return rows


@pytest.mark.parametrize(
    ("times", "seen"), [(1, "one execution closes and opens"), (9, "told apart")]
)
def test_a_level_that_ends_where_we_are_flat_is_not_believed_at_once(
    probed, monkeypatch, times, seen
):
    monkeypatch.setattr(Desk, "rows", split_at_flat(times))
    ran = probed(checks_of("flip"), sim=STILL)
    assert [row.seen for row in ran.report.rows] == [seen]
    assert ran.position == 0


@pytest.mark.parametrize(
    ("name", "why"), [("rate-breach-linear", "within a second"), ("trade-shared-limit", "second")]
)
def test_requests_that_took_longer_than_a_second_say_nothing_of_its_rate(
    probed, clock, monkeypatch, name, why
):
    real = clock.monotonic_ns
    monkeypatch.setattr(clock, "monotonic_ns", lambda: real() * 10_000)
    monkeypatch.setattr(asking, "_WINDOW_S", 0)
    (row,) = probed(checks_of(name), sim=STILL | {"limits": "off"}).report.rows
    assert row.verdict is Verdict.UNKNOWN
    assert why in row.note


def test_how_long_an_answer_took_is_not_how_late_the_venue_knew():
    now = SimpleNamespace(ns=0)
    clock = SimpleNamespace(monotonic_ns=lambda: now.ns)
    desk: Any = SimpleNamespace(common=SimpleNamespace(clock=clock))

    async def slow():
        now.ns += 3_000_000_000
        return now.ns >= wanted_ns

    wanted_ns = 0
    assert asyncio.run(Desk.eventually(desk, slow, bool, 15)) == (True, 0)
    wanted_ns = 9_000_000_000
    assert asyncio.run(Desk.eventually(desk, slow, bool, 15)) == (True, 3)
    wanted_ns = 99_000_000_000
    assert asyncio.run(Desk.eventually(desk, slow, bool, 15))[0] is None


@pytest.mark.parametrize(("reset_ms", "ahead_ms"), [(900, -100), (1500, 0), (2700, 200)])
def test_a_reset_time_is_judged_by_when_the_venue_can_have_answered(reset_ms, ahead_ms):
    headers = [(b"X-Bapi-Limit-Reset-Timestamp", str(reset_ms).encode())]
    heard = Heard("POST", "", b"", 200, headers, b"{}")
    offset = SimpleNamespace(at=lambda at_ns: (0, 0))
    desk = cast(Desk, SimpleNamespace(client=SimpleNamespace(rest=SimpleNamespace(offset=offset))))
    told = asking._Told(1_000_000_000, 2_500_000_000, heard)
    assert asking._reset_ahead_ms(desk, told) == ahead_ms


def test_answers_are_found_by_their_number_when_older_ones_are_forgotten(clock):
    tape, mark = Tape(clock), 0
    for count in range(4100):
        mark = tape.mark()
        tape.rest(Heard("GET", f"/{count}?x", b"", 200, [], b""))
        assert [heard.target for _, heard in tape.since(mark)] == [f"/{count}?x"]
    assert tape.last("/4099", mark) is not None
    assert tape.last("/4098", mark) is None
    assert len(tape.since(0)) == len(tape.heard) == 2000
