"""Row 4: messages of fills get lost while the connection looks fine.

What it costs: the stream skips a fill, the bot believes it is flat, and holds a position nobody
watches until somebody looks at the venue.

We promise: a push is a hint. The venue's list of executions is asked again and again with a cursor,
and an order whose cumulated quantity is ahead of what we booked is asked for at once.

Judged: of all private messages 30 % are never sent, and in a second run all of them. Every
execution in the exchange's record is booked within two sweep periods, and our position is never
apart from the venue's for longer. The strategy leaves its orders alone, so that no answer tells.
"""

import pytest
from tests.torture.bench import PERP, SECOND, SPOT, Bench, engine, sized

from plimsoll.core.feed import Market
from plimsoll.core.records import ExecutionReported
from plimsoll.core.settings import Timing
from plimsoll.core.strategy import Strategy
from plimsoll.simulator.faults.ask import Ask

SECONDS = sized(60, 600)
SEEDS = sized(1, 10)
EVERY = 60
"""Books between two rounds of orders: about 12 s."""
BOUND_NS = 2 * Timing().sweep_ns


class Patient(Strategy):
    """Rest orders near the touch, and never touch them again."""

    def on_start(self) -> None:
        """Count turns."""
        self.turns = 0

    def on_book(self, market: Market) -> None:
        """Place a few now and then, as long as the faults last."""
        self.turns += 1
        if self.turns % EVERY == 1 and self.turns < SECONDS * 4:
            name, middle = market.instrument.name, market.book.mid
            for step in range(1, 4):
                self.buy(name, 0.01, middle * (1 - step * 0.0002))
                self.sell(name, 0.01, middle * (1 + step * 0.0002))


def patient(_one):
    return Patient()


class Watched(Bench):
    """Notes for how long our position is apart from the venue's, and how far."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.apart_since = 0
        self.apart_ns = 0
        self.looks.append(self.compare)

    def compare(self) -> None:
        process = self.machine.process
        if process is None or PERP not in process.core.ledger.instruments:
            return
        core = process.core
        ours = core.ledger.account_lots(PERP, frozenset()) * core.ledger.instruments[PERP].lot
        now_ns = self.kernel.now_ns
        if ours == self.judge.positions.get(PERP, 0):
            self.apart_since = 0
            return
        self.apart_since = self.apart_since or now_ns
        self.apart_ns = max(self.apart_ns, now_ns - self.apart_since)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lost", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_fill_is_known_within_two_sweeps_though_messages_are_lost(seed, lost):
    ask = Ask("drop_push", rate=lost)
    core = engine(PERP, SPOT)
    bench = Watched(core, patient, seed=seed, seconds=SECONDS, asks=[ask], volatile=10.0)
    bench.judged()
    known: dict[str, int] = {}
    for one in bench.of(ExecutionReported):
        known.setdefault(one.execution_id, one.ts_ns)
    late = {line["execId"]: known[line["execId"]] - line["t_ns"] for line in executions(bench)}
    assert len(late) > SECONDS // 5, "too few fills to say anything"
    assert max(late.values()) > SECOND, "no fill was lost: the fault was not that of the row"
    assert max(late.values()) <= BOUND_NS
    assert 0 < bench.apart_ns <= BOUND_NS


def executions(bench: Bench) -> list[dict]:
    return bench.lines("execution", execType="Trade")
