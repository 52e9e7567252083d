"""Row 1: an order whose answer does not come is not a refused order.

What it costs: a bot that takes a timeout for "rejected" sends the order again and holds it twice,
or forgets it and leaves a position nobody watches.

We promise: an unanswered order is UNKNOWN, and only the venue ends that, never the time. Nothing is
sent again under another id.

Judged: the answer of every k-th create is lost, k = 1 to 10, all others come up to 60 s late, half
of the order and execution messages are lost, and one create in twenty never arrives. After the heal
the exchange's record and our books are equal to the last unit: no order doubled, none without an
intent, none held absent that was there. Ten thousand orders in full size.
"""

import pytest
from tests.torture.bench import IS_FULL, SECOND, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.records import AbsenceShown, OrderIntended
from plimsoll.simulator.faults.ask import Ask

ORDERS = sized(40, 1_000)
"""For each k; the gate takes five of them."""
CREATE = "order.create"
LATEST_MS = 60_000.0


def faults() -> list[Ask]:
    return [
        Ask("lose_ack", endpoint=CREATE, rate=0.5),  # its draws are replaced by counting
        Ask("slow_answers", endpoint=CREATE, magnitude=LATEST_MS),
        Ask("lose_request", endpoint=CREATE, rate=0.05),
        Ask("drop_push", topic="order", rate=0.5),
        Ask("drop_push", topic="execution", rate=0.5),
    ]


def lose_every(bench: Bench, k: int) -> None:
    """Have the fault hit each k-th create instead of drawn ones."""
    plan = bench.venue.faulty.plan
    drawn, count = plan.choose, 0

    def counted(label: str, n: int) -> int:
        nonlocal count
        if not label.endswith(":lose_ack"):
            return drawn(label, n)
        count += 1
        return n - 1 if count % k == 0 else 0

    plan.choose = counted


@pytest.mark.timeout(600)
@pytest.mark.parametrize("k", range(1, 11) if IS_FULL else (1, 2, 3, 5, 10))
def test_no_lost_or_late_answer_doubles_or_loses_an_order(k):
    def placed(_one):
        strategy = Steady()
        strategy.enough = ORDERS
        return strategy

    bench = Bench(engine(), placed, seed=k, seconds=45 + ORDERS / 20, asks=faults(), pulse_ms=100)
    lose_every(bench, k)
    bench.judged()
    asked = {one.client_order_id for one in bench.of(OrderIntended)}
    there = {line["orderLinkId"] for line in bench.lines("order")} & asked
    effects = bench.lines("fault", event="effect")
    lost = sum(line["name"] == "lose_ack" for line in effects)
    late = [line["ms"] for line in effects if line["name"] == "slow_answers"]
    absent = {one.client_order_id for one in bench.of(AbsenceShown)}
    assert len(asked) == ORDERS
    assert lost == len(there) // k, "the faults were not those of the row"
    assert k == 1 or max(late) > LATEST_MS / 2
    assert absent == asked - there
    asked_ns = {one.client_order_id: one.ts_ns for one in bench.of(OrderIntended)}
    shown = [one.ts_ns - asked_ns[one.client_order_id] for one in bench.of(AbsenceShown)]
    assert not shown or min(shown) > 13 * SECOND  # its window, the venue's lists, three looks
