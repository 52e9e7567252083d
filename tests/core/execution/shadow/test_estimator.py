"""The estimator finds a hidden queue share, and its interval holds it as often as it says.

The venue here is a few lines of its own: an order joins behind a hidden share of what is displayed,
prints take what is ahead, then the order. Nothing of it is the product's matching.
"""

from random import Random

import pytest
from tests.core.execution.shadow.script import ASK, BID, OWNER, POST_ONLY, SELL, Script
from tests.properties.driver import PERP

from plimsoll.core.execution.shadow import Key, Kind, QueueShare, queue_share_of
from plimsoll.core.model import OrderState, Side

RESTS = Key(OWNER, PERP, Kind.RESTS)
DISPLAYED = 60
ORDERS = 150


def traded(hidden: float, seed: int) -> QueueShare:
    """Rest many orders, one after the other, and return what the estimator makes of them."""
    random, script = Random(seed), Script()
    for _ in range(ORDERS):
        script.after(100)
        script.book([(BID, DISPLAYED), (BID - 1, 20)], [(ASK, 10)], is_snapshot=True)
        number = script.send(Side.BUY, BID, 1, POST_ONLY)
        script.after(5)
        script.report(number)
        script.book([(BID, DISPLAYED + 1)])
        ahead, passing = int(DISPLAYED * hidden), random.randrange(2 * DISPLAYED)
        while passing > 0 and ahead >= 0:
            lots = random.randrange(1, 9)
            script.after(20)
            script.prints(SELL, BID, lots)
            if lots > ahead:  # the order is met as well
                script.fill(number, BID, 1, is_maker=True)
            ahead -= lots
            passing -= lots
        script.after(20)
        if ahead >= 0:
            script.cancel(number)
            script.after(5)
            script.report(number, OrderState.CANCELED)
        script.after(12_000)
    return queue_share_of(script.end().cells[RESTS])


@pytest.mark.parametrize("hidden", [0.0, 0.05, 0.3, 0.6, 1.0])
def test_a_hidden_share_is_inside_the_interval_and_near_the_value(hidden):
    inside = 0
    for seed in range(10):
        found = traded(hidden, seed)
        assert found.reason == ""
        share, low, high = found.share[1:]
        assert share is not None
        assert low is not None
        assert high is not None
        inside += low <= hidden <= high
        assert abs(share - hidden) < 0.13, (seed, found.share)
        assert high - low <= 0.5, (seed, found.share)
    assert inside >= 9, "of ten intervals at 95 % this many hold it, but for one case in ten"
