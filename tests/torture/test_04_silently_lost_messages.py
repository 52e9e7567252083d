"""Row 4: messages of fills get lost while the connection looks fine.

What it costs: the stream skips a fill, the bot believes it is flat, and holds a position nobody
watches until somebody looks at the venue.

We promise: a push is a hint. The venue's list of executions is asked again and again with a cursor,
and an order whose cumulated quantity is ahead of what we booked is asked for at once.

Judged: of all private messages 30 % are never sent, and in a second run all of them. Every execution
in the exchange's record is booked within two sweep periods, and our position is never apart from
the venue's for longer. The strategy rests near the touch, so that no answer tells of its fills.
"""

import pytest
from tests.torture.bench import PERP, SECOND, SPOT, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.records import ExecutionReported
from plimsoll.core.settings import Timing
from plimsoll.simulator.faults.ask import Ask

SECONDS = sized(60, 600)
SEEDS = sized(1, 10)
BOUND_NS = 2 * Timing().sweep_ns


def rests(_one):
    strategy = Steady()
    strategy.each, strategy.away = 1, 0.0001
    strategy.takes = False
    return strategy


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
    bench = Watched(
        engine(PERP, SPOT), rests, seed=seed, seconds=SECONDS, asks=[ask], volatile=10.0
    )
    bench.judged()
    known: dict[str, int] = {}
    for one in bench.of(ExecutionReported):
        known.setdefault(one.execution_id, one.ts_ns)
    late = {line["execId"]: known[line["execId"]] - line["t_ns"] for line in executions(bench)}
    assert len(late) > SECONDS // 2, "too few fills to say anything"
    assert max(late.values()) > SECOND, "no fill was lost: the fault was not that of the row"
    assert max(late.values()) <= BOUND_NS
    assert 0 < bench.apart_ns <= BOUND_NS


def executions(bench: Bench) -> list[dict]:
    return bench.lines("execution", execType="Trade")
