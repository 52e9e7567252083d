"""Row 12: the same fill is booked twice.

What it costs: a reconnect or a sweep brings executions again, the ledger doubles the position, and
the bot sells what it never had.

We promise: an execution is booked once, by account, symbol and execution id, whatever way and
however often it comes; and orders go forward only.

Judged: every private message of a session of fills, fees, cancels and funding is told one to five
times in a random order; the books are identical, to the hash. Then a session on the simulated
exchange that doubles, reorders and delays everything it says, with sweeps on top: equal to its
record to the last unit.
"""

import random
from typing import Any

import pytest
from tests.properties.divergent import Divergent, diverge
from tests.properties.driver import MS, Driver, Message
from tests.torture.bench import PERP as TRADED
from tests.torture.bench import SPOT, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.engine import Core
from plimsoll.core.records import ExecutionReported, OrderIntended
from plimsoll.simulator.faults.ask import Ask

SESSIONS = sized(6, 50)
ORDERINGS = sized(20, 200)
"""Of each session."""
STEPS = 40


def story(choose: random.Random) -> tuple[list[OrderIntended], list[Message]]:
    """Return the orders of a session, and all its private messages in their order."""
    venue = Divergent()
    driver = Driver().live(venue=venue)
    intents: list[OrderIntended] = []
    messages: list[Message] = []
    for number in range(STEPS):
        venue.at(driver.now_ns)
        if number % 3 == 0 and len(intents) < 8:
            side, price = choose.choice((("buy", "49990"), ("sell", "50010")))
            driver.open_order(side, "0.010", price)
            sent: Any = driver.sent[-1]
            intents.append(sent)
            messages.append(venue.report(venue.create(sent)))
        driver.now_ns += choose.randint(1, 900) * MS
        messages += diverge(venue, choose)
    return intents, messages


def told(intents: list[OrderIntended], messages: list[Message]) -> Core:
    """Return the books of an engine that meant these orders and was told this."""
    driver = Driver().begin()
    for intent in intents:
        fields = {name: getattr(intent, name) for name in intent.__struct_fields__}
        stamp = dict(zip(("seq", "ts_ns", "epoch", "cause"), driver.stamp(), strict=True))
        driver._append(OrderIntended(**fields | stamp))
    for message in messages:
        driver._append(message(driver.stamp()))
    return driver.core


def test_told_any_number_of_times_in_any_order_the_books_are_the_same():
    choose = random.Random(12)
    fills = 0
    for session in range(SESSIONS):
        intents, messages = story(choose)
        plain = told(intents, messages)
        for ordering in range(ORDERINGS):
            some = [one for one in messages for _ in range(choose.randint(1, 5))]
            choose.shuffle(some)
            found = told(intents, some)
            where = f"session {session}, ordering {ordering}"
            assert found.books_hash() == plain.books_hash(), where
            assert found.ledger.cash == plain.ledger.cash, where
        fills += len(plain.ledger.seen)
    assert fills > 5 * SESSIONS


FAULTS = (
    Ask("duplicate_push", rate=0.5),
    Ask("duplicate_frame", kind="private", rate=0.3),
    Ask("reorder_push", rate=0.3),
    Ask("delay_push", rate=0.3, magnitude=20_000.0),
    Ask("history_doubled", rate=0.5),
    Ask("cut", kind="private", every_s=10.0, duration_s=float(sized(40, 300))),
)


def takes(_one):
    strategy = Steady()
    strategy.each = 1
    return strategy


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, sized(1, 10) + 1))
def test_a_venue_that_says_everything_twice_is_booked_once(seed):
    bench = Bench(engine(TRADED, SPOT), takes, seed=seed, seconds=sized(40, 300), asks=FAULTS)
    bench.judged()
    heard = [one.execution_id for one in bench.of(ExecutionReported)]
    there = {line["execId"] for line in bench.lines("execution")}
    assert set(heard) == there
    assert len(heard) > 2 * len(there), "little came twice: the session shows little"
