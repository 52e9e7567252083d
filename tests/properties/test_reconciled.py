"""Lesson 3: whatever the books missed, comparing ends equal to the venue and sends no order."""

import random

import pytest
from tests.properties.divergent import diverge, session, settle
from tests.properties.driver import MS, PERP, SECOND

from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    DifferenceFound,
    OrderIntended,
    Reconciled,
)
from plimsoll.core.settings import Timing

CASES = 250
"""Of each of four seeds."""

SWEEP = Timing().sweep_ns


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_divergences_end_equal_to_the_venue_and_send_nothing(seed):
    choose = random.Random(seed)
    for case in range(CASES):
        driver, venue = session(choose)
        asked = len(driver.sent)
        for _ in range(choose.randint(1, 8)):
            driver.now_ns += choose.randint(1, 900) * MS
            venue.at(driver.now_ns)
            heard = [one for one in diverge(venue, choose) if choose.random() < 0.5]
            for message in heard * choose.choice((1, 1, 2)):
                driver.say(message)
        settle(driver, venue, SWEEP + 4 * SECOND)
        core, where = driver.core, f"seed {seed}, case {case}"
        assert core.ledger.account_lots(PERP, frozenset()) == venue.position.get(PERP, 0), where
        assert core.ledger.cash == venue.wallet, where
        live = {order.id for order in venue.orders.values() if order.is_live}
        assert set(core.orders.working) == live, where
        assert (
            sum(cause.units for cause in core.ledger.causes["USDT"].values())
            == core.ledger.cash["USDT"]
        )
        assert len(driver.sent) == asked, where
        assert not [one for one in driver.of(DifferenceFound) if one.action != "adopted"], where
        assert core.safety.blocks == {}, where
        # Once more: nothing is left to do.
        done = len(driver.log)
        settle(driver, venue, SWEEP + SECOND)
        later = {type(one) for one in driver.log[done:]}
        assert Reconciled in later
        assert not later & {OrderIntended, AmendIntended, CancelIntended, DifferenceFound}, where
