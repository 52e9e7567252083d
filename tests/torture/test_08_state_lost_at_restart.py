"""Row 8: a restart loses what belonged together.

What it costs: after a crash the stops of a position are nobody's, or a second set is placed beside
them; the trade has another id and its exit is never found.

We promise: parent, protection and the state of a strategy are in the log. The next session knows
them by the same ids and touches nothing that is as it should be.

Judged: a strategy that turns its position and moves its stops is killed with every kind of write
and send under way, and begins again. What the next session knows equals what the dead one knew, to
the last order. From a death to the first request of the next session no exit at the venue changes,
but by a fill; each position has exactly one stop and one take, at every line of the record.
"""

import random

import pytest
from tests.simulation.bracketed import Bracketed
from tests.simulation.exits import exits, naked, size
from tests.torture.bench import PERP, Bench, engine, sized

from plimsoll.core.engine import Core
from plimsoll.core.records import Reconciled
from plimsoll.simulator.faults.ask import Ask

KILLS = sized(20, 300)
BATCH = 20
FAULTS = (Ask("lose_ack", rate=0.05), Ask("delay_push", rate=0.1))
ORDERS = ("order.create", "order.amend", "order.cancel", "position/trading-stop")


class Killed(Bench):
    """Dies at random, and compares what each session knows with what the one before knew."""

    def __init__(self, seed):
        super().__init__(
            engine(PERP), brackets, seed=seed, asks=FAULTS, volatile=20.0, course=Killed.live
        )
        self.draw = random.Random(seed)
        self.core: Core | None = None
        self.wished: set[tuple[str, str]] | None = None
        """What the dead session wished protected, until the next one has compared its books."""
        self.compared = 0
        self.deaths: list[int] = []
        """Where in the record each session ended."""

    def live(self) -> None:
        for _ in range(BATCH):
            self.kernel.run(self.kernel.now_ns + int(self.draw.uniform(0.5, 12.0) * 1e9))
            self.machine.kill(self.draw.randint(0, 40))
            self.kernel.run(self.kernel.now_ns + int(3e9))
        self.settle()

    def began(self, epoch, state):
        super().began(epoch, state)
        before, process = self.core, self.machine.process
        assert process is not None
        self.core = process.core
        if before is None:
            return
        for record in self.log:  # it was killed between a write and taking it over
            if record.seq > before.seq:
                before.apply(record)
        known = Core(None, state)
        assert known.books_hash() == before.books_hash()
        assert state.protections.wishes == before.state.protections.wishes
        self.wished = set(before.state.protections.wishes)

    def recorded(self, seq, payload):
        super().recorded(seq, payload)
        if isinstance(self.log[-1], Reconciled) and self.wished is not None:
            assert self.core is not None
            assert self.wished <= set(self.core.state.protections.wishes), "wishes were forgotten"
            self.wished = None
            self.compared += 1

    def died(self, *, power):
        super().died(power=power)
        self.deaths.append(len(self.record))


def brackets(_one):
    strategy = Bracketed()
    strategy.away = 0.006
    return strategy


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, KILLS // BATCH + 1))
def test_after_each_death_a_position_has_exactly_its_own_exits(seed):
    bench = Killed(seed)
    bench.judged()
    assert len(bench.deaths) >= BATCH * 0.8
    assert bench.compared > len(bench.deaths) // 2
    held = sum(stands(bench.record, death) for death in bench.deaths)
    assert held > BATCH // 3, "there was seldom a position: the test shows little"
    assert naked(bench.record) == []
    pair = {"BTCUSDT": ["StopLoss", "TakeProfit"]}
    assert exits(bench.record) == (pair if size(bench.record) else {})


def stands(record: list[dict], death: int) -> bool:
    """Check that the exits of a death stand until somebody acts; return whether there were any."""
    live: set[str] = set()
    for line in record[:death]:
        track(live, line)
    found = set(live)
    for line in record[death:]:
        if line["kind"] == "execution" or is_request(line):
            break
        track(live, line)
        assert live == found, f"the restart changed the exits: {line}"
    return bool(found)


def track(live: set[str], line: dict) -> None:
    if line["kind"] == "order" and line.get("stopOrderType") in ("StopLoss", "TakeProfit"):
        (live.add if line["orderStatus"] == "Untriggered" else live.discard)(line["orderId"])


def is_request(line: dict) -> bool:
    return line["kind"] == "request" and any(line["path"].endswith(one) for one in ORDERS)
