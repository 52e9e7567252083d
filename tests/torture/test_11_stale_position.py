"""Row 11: the bot acts on a position of a while ago, and holds more than it may.

What it costs: the fill is told late, the bot believes that nothing was bought, and buys once more:
142 % of the wallet limit, the same entry twice.

We promise: a limit looks at the worst that can come of everything sent and not shown to be over.
A fill nobody told us of was reserved when its order was sent, so late news never make room.

Judged: all private messages come 1 to 120 s late while a strategy asks for as much as it can. At
every order in the exchange's record its own position and all that works there are inside the limit;
and the limit is reached, or it would have shown nothing.
"""

import pytest
from tests.simulation.world.adversary import Adversary
from tests.simulation.world.scenario import LARGEST, LIMITS, START_NS
from tests.torture.bench import IS_FULL, PERP, Bench, engine, sized

from plimsoll.core.records import OrderDenied
from plimsoll.simulator.faults.ask import Ask

LATE_S = (1, 2, 5, 10, 20, 30, 60, 120) if IS_FULL else (1, 15, 120)
SEEDS = range(1, sized(1, 5) + 1)
SECONDS = sized(30, 150)


class Greedy(Adversary):
    """As much as it can, in the ways that add."""

    def close(self, name: str, middle: float) -> None:
        """Never make room."""
        self.large(name, middle)


class Measured(Bench):
    """Notes the largest share of the position limit that the exchange's books could lead to."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.share = 0.0
        self.looks.append(self.measure)

    def measure(self) -> None:
        judge = self.judge
        reach = max(judge._reach(PERP, is_buy=True), judge._reach(PERP, is_buy=False))
        value = reach * judge._least(PERP) * 10**8
        self.share = max(self.share, float(value) / LIMITS.position_notional)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("late_s", LATE_S)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_worst_case_stays_inside_the_limit_however_late_the_private_stream_is(late_s, seed):
    def greedy(_one):
        strategy = Greedy()
        strategy.seed, strategy.every = seed, 2
        strategy.largest = float(LARGEST)
        strategy.share = 0.2
        strategy.quiet_after_ms = START_NS // 10**6 + SECONDS * 1000
        return strategy

    ask = Ask("delay_push", magnitude=late_s * 1000.0)
    bench = Measured(
        engine(PERP, limits=LIMITS), greedy, seed=seed, seconds=SECONDS, asks=[ask], volatile=5.0
    )
    bench.judged()
    late = [line for line in bench.lines("fault", event="effect") if line["name"] == "delay_push"]
    assert late
    assert 0.6 < bench.share <= 1.0
    assert [one for one in bench.of(OrderDenied) if one.code in ("position", "exposure")]
