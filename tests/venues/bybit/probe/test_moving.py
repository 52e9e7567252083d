"""The market moves, the machine stalls between two questions: no check is misled by either."""

import pytest

from plimsoll.venues.bybit.probe import CHECKS, Pace, Verdict
from plimsoll.venues.bybit.probe.desk import Desk

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


@pytest.mark.parametrize("name", ["conditional-trigger-linear", "conditional-trigger-spot"])
def test_a_trigger_the_market_has_left_is_tried_again(probed, monkeypatch, name):
    """Somebody bids more between our question and our sale: the order would wait for long."""
    best, far, asked = Desk.best, Desk.far, []

    async def far_and_then(desk, side):
        asked.append(side)
        return await far(desk, side)

    async def left_at_first(desk):
        bid, ask = await best(desk)
        return (desk.on_tick(bid * 99 / 100), ask) if len(asked) == 1 else (bid, ask)

    monkeypatch.setattr(Desk, "far", far_and_then)
    monkeypatch.setattr(Desk, "best", left_at_first)
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
