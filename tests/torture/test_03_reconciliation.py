"""Row 3: putting the books right makes it worse.

What it costs: after a restart a bot "repairs" its books by a trade, closes a position that was
never open, drops an order that still works, or calls the same order by another name at each start.

We promise: comparing with the venue takes over facts and sends nothing. Done twice it changes
nothing; done by another process from the same records it comes to the same books and names.

Judged: fills, cancels, hand orders, liquidations, funding and cash happen at random; the engine
hears half of it, some twice, or is dead meanwhile and starts from its snapshot. Then it compares
twice: orders, position and wallet are the venue's own, no order was sent, and a third comparison
finds nothing. A thousand cases in full size.
"""

import random

from tests.properties.divergent import Divergent, diverge, session, settle
from tests.properties.driver import MS, PERP, SECOND, Driver
from tests.torture.bench import sized

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    DifferenceFound,
    OrderIntended,
    ProtectionIntended,
    Reconciled,
)
from plimsoll.core.settings import Timing

CASES = sized(120, 1_000)
SWEEP = Timing().sweep_ns
REQUESTS = (OrderIntended, AmendIntended, CancelIntended, ProtectionIntended)


def restarted(driver: Driver, venue: Divergent) -> Driver:
    """Begin the next session from the snapshot of the one before."""
    state = restore(snapshot(driver.core.state))
    return Driver(driver.settings, state=state, epoch=driver.epoch + 1, now_ns=driver.now_ns).live(
        venue=venue
    )


def assert_equal(driver: Driver, venue: Divergent, where: str) -> None:
    core = driver.core
    assert core.ledger.account_lots(PERP, frozenset()) == venue.position.get(PERP, 0), where
    assert core.ledger.cash == venue.wallet, where
    live = {order.id for order in venue.orders.values() if order.is_live}
    assert set(core.orders.working) == live, where
    assert core.safety.blocks == {}, where


def books_of(driver: Driver) -> dict[str, object]:
    """Return orders and ledger, without how far the executions were read."""
    core = driver.core
    orders = [
        (one.id, one.owner, one.state, one.filled_lots) for one in core.orders.working.values()
    ]
    found = core.ledger.neutral(frozenset())
    del found["cursor_ms"]
    return found | {"orders": sorted(orders)}


def test_comparing_ends_equal_to_the_venue_sends_nothing_and_is_done_once():
    choose = random.Random(3)
    starts = 0
    for case in range(CASES):
        driver, venue = session(choose)
        asked = len(driver.sent)
        is_dead = choose.random() < 0.3
        for _ in range(choose.randint(1, 8)):
            driver.now_ns += choose.randint(1, 900) * MS
            venue.at(driver.now_ns)
            heard = [one for one in diverge(venue, choose) if choose.random() < 0.5]
            for message in () if is_dead else heard * choose.choice((1, 1, 2)):
                driver.say(message)
        if is_dead:
            starts += 1
            driver, asked = restarted(driver, venue), 0
        where = f"case {case}{' after a restart' if is_dead else ''}"
        settle(driver, venue, 2 * SWEEP + 4 * SECOND)  # what one saw first, the next one asks for
        assert_equal(driver, venue, where)
        # Once more, and once more by another process: nothing is left to do.
        done, books = len(driver.log), books_of(driver)
        settle(driver, venue, SWEEP + SECOND)
        again = restarted(driver, venue)
        settle(again, venue, 2 * SECOND)
        later = [*driver.log[done:], *again.log]
        assert sum(isinstance(one, Reconciled) for one in later) >= 2, where
        assert not [one for one in later if isinstance(one, (*REQUESTS, DifferenceFound))], where
        assert books_of(again) == books_of(driver) == books, where
        assert len(driver.sent) == asked, where
        assert_equal(again, venue, where)
    assert starts > CASES // 5
