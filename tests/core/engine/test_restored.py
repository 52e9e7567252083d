"""What a strategy of an earlier session may do before it speaks again, and its timers."""

from tests.properties.driver import PERP, SECOND, Driver, Puppet, one_strategy, settings_of

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode
from plimsoll.core.records import RateMeasured


class Silent(Puppet):
    """Asks for nothing by itself and counts its timers."""

    def on_timer(self, name):
        self.heard.append(("timer", name))
        if name == "again":
            self.timer("again", 5)


def a_driver(**more):
    driver = Driver(settings_of(one_strategy(Mode.PAPER)), **more)
    driver.core._load = lambda one: driver.strategies.setdefault(one.name, Silent())
    return driver.begin()


def first_session():
    driver = a_driver()
    driver.book()
    driver.mark(PERP, 50_000.0)
    return driver


def next_session(first):
    state = first.core.state
    state.checkpoints = first.core.saved()
    driver = a_driver(state=state, epoch=2, now_ns=first.now_ns)
    driver.book()
    driver.mark(PERP, 50_000.0)
    return driver


def fired(driver):
    return [name for kind, name in driver.strategies["s"].heard if kind == "timer"]


def held(driver):
    return driver.core.ledger.qty_lots("s", PERP)


def test_a_snapshot_remembers_what_the_venue_grants():
    """Seed 59 of the world: a session begun from a snapshot paced otherwise than its replay."""
    first = first_session()
    first.put(RateMeasured, "create.linear", 20, 0)
    again = restore(snapshot(first.core.state))
    assert again.rates.limits == first.core.state.rates.limits == {"create.linear": 20}


def test_a_restored_target_is_not_traded_towards_until_the_strategy_speaks():
    first = first_session()
    first.do(lambda s: s.target(PERP, qty="0.010"))
    first.advance(SECOND)
    first.do(lambda s: s.target(PERP, qty="-0.010"))  # the order that closes is on its way
    second = next_session(first)
    for _ in range(5):
        second.book()
        second.advance(SECOND)
    assert held(second) == 0, "the order on its way ends, the other direction is not entered"
    second.do(lambda s: s.target(PERP, qty="0.003"))
    for _ in range(4):
        second.book()
        second.advance(SECOND)
    assert held(second) == 3


def test_the_stop_of_a_restored_target_still_closes():
    first = first_session()
    first.do(lambda s: s.target(PERP, qty="0.010", stop=49_500))
    first.advance(SECOND)
    assert held(first) == 10
    second = next_session(first)
    second.mark(PERP, 49_400.0)
    second.advance(SECOND)
    assert held(second) == 0


def test_timers_fire_once_in_order_and_survive_a_restart():
    first = first_session()
    first.do(lambda s: (s.timer("late", 2), s.timer("soon", 1), s.timer("again", 4)))
    first.advance(3 * SECOND)
    assert fired(first) == ["soon", "late"]
    second = next_session(first)
    second.advance(7 * SECOND)
    assert fired(second) == ["again", "again"]
