"""The market moves, the machine stalls between two questions: no check is misled by either."""

import pytest

from plimsoll.venues.bybit.probe import CHECKS, Verdict
from plimsoll.venues.bybit.probe.desk import Desk

STILL = {"speed": 1e-6}
"""A market without events, so that only what a test does moves."""

TAKING = (
    *("post-only", "new-before-fill", "amend-across", "market-price", "fee-amount"),
    *("reduce-trim", "exits-closed", "trigger-side", "market-base", "market-quote"),
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
