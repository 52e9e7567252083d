"""Ids at the venue above what our log knows: an old copy of it was put back (JRN-2)."""

import pytest
from tests.properties.driver import PERP, TAG, Driver, execution_of, report_of

from plimsoll.core.engine import State, restore, snapshot
from plimsoll.core.model import IdMaker, OrderState, Side
from plimsoll.core.records import CancelIntended, Halted, IncidentRaised, OrderDenied, OrderIntended


def next_session(driver, epoch):
    """Return a driver that goes on from a snapshot of another, in a later epoch."""
    found = Driver(
        state=restore(snapshot(driver.core.state)), epoch=epoch, now_ns=driver.now_ns + 10**9
    )
    return found.live()


def own_id(epoch, counter=7):
    return IdMaker(TAG, epoch, counter).peek()


@pytest.fixture
def session():
    """Return a session of epoch 9; its log ends with epoch 5."""
    first = Driver(epoch=5).live()
    first.open_order()
    return next_session(first, 9)


@pytest.mark.parametrize("epoch", [5, 6, 9, 12])
def test_an_open_order_of_ours_above_the_log_halts_the_account(session, epoch):
    working = session.open_order()
    decided = session.say(report_of(own_id(epoch), OrderState.OPEN))
    (halted,) = [one for one in decided if isinstance(one, Halted)]
    assert halted.actor == "journal"
    for word in (own_id(epoch), "epoch 5", "journal rebuild", "plimsoll resume"):
        assert word in halted.reason
    assert any(isinstance(one, IncidentRaised) for one in decided)
    canceled = {one.client_order_id for one in decided if isinstance(one, CancelIntended)}
    assert working.id in canceled
    session.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert session.of(OrderDenied)[-1].code == "halted"
    sent = len(session.of(OrderIntended))
    again = next_session(session, 13)  # durable: only a person ends it
    again.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert again.core.safety.is_halted
    assert len(again.of(OrderIntended)) == 0
    assert sent >= 1


def test_an_execution_of_such_an_order_halts_as_well(session):
    decided = session.say(execution_of("x1", own_id(7), Side.BUY, 3, at_ms=session.now_ns // 10**6))
    assert [one.actor for one in decided if isinstance(one, Halted)] == ["journal"]


def test_an_older_order_that_was_forgotten_blocks_its_instrument_only(session):
    decided = session.say(report_of(own_id(4), OrderState.OPEN))
    assert not [one for one in decided if isinstance(one, Halted)]
    assert PERP in session.core.safety.blocks


def test_an_order_of_somebody_else_halts_nothing(session):
    decided = session.say(report_of("their-order", OrderState.OPEN))
    assert not [one for one in decided if isinstance(one, Halted)]
    assert PERP not in session.core.safety.blocks


def test_the_next_epoch_is_above_every_id_at_the_venue(session):
    from plimsoll.engine.restoring import highest_epoch_of

    assert highest_epoch_of(session.core.state, TAG) == 9
    session.say(report_of(own_id(12), OrderState.OPEN))
    assert highest_epoch_of(session.core.state, TAG) == 12
    assert highest_epoch_of(State(), TAG) == 0
