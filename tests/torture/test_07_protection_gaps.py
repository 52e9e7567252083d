"""Row 7: a position without its stop, and a stop that outlives its position.

What it costs: between the cancel of the old stop and the new one the market falls; or a stop is
left over and opens a position nobody wants.

We promise: on a perpetual the stop is the venue's own, it comes with the entry and is amended where
it stands, so there is no moment without; it ends with the position.

Judged: steps at random of a strategy that changes its mind under losses, delays, doubles and links
that break, while prices reach the stops. After each message the venue's own books are looked at: a
position has a stop, and a stop a position. Ten thousand steps in full size, and a session on the
simulated exchange with named faults, whose record is read line by line.
"""

import pytest
from tests.properties.driver import PERP as HELD
from tests.properties.driver import settings_of
from tests.properties.guarded_market import Bracketeer, GuardedChance
from tests.simulation.bracketed import Bracketed
from tests.simulation.exits import exits, naked, size
from tests.torture.bench import PERP, Bench, engine, sized

from plimsoll.core.records import ProtectionIntended
from plimsoll.simulator.faults.ask import Ask

STEPS = 250
RUNS = sized(10, 40)
SECONDS = sized(60, 900)
SEEDS = sized(1, 6)
TRADING_STOP = "position.trading-stop"


def test_no_moment_without_a_stop_over_random_steps():
    moved = reached = looked = 0
    for seed in range(RUNS):
        chance = GuardedChance(settings_of(repeat_max=10**6), lambda _: Bracketeer(), seed)
        gaps: list[str] = []

        def look(chance, gaps=gaps):
            nonlocal looked
            looked += 1
            held = chance.venue.position.get(HELD, 0)
            level = chance.venue.exits.get(HELD)
            if bool(held) != bool(level and level.stop_ticks):
                gaps.append(f"{held} lots under {level}")

        chance.judge = look
        chance.run(STEPS)
        assert not gaps, f"seed {seed}: {gaps[:3]}"
        moved += len(chance.driver.of(ProtectionIntended))
        reached += sum(name.startswith("exit-") for _, name, _, _ in chance.venue.executions)
    assert looked > RUNS * STEPS
    assert moved > RUNS
    assert reached > RUNS // 2


def brackets(_one):
    strategy = Bracketed()
    strategy.away = 0.004  # near enough to be reached
    return strategy


FAULTS = (
    Ask("lose_ack", rate=0.1),
    Ask("late_request", rate=0.05, magnitude=1500.0),
    Ask("slow_answers", rate=0.2),
    Ask("drop_push", rate=0.1),
    Ask("delay_push", rate=0.2),
    Ask("http_error", endpoint=TRADING_STOP, rate=0.2),
    Ask("http_error_after", endpoint=TRADING_STOP, rate=0.2),
    Ask("crash", magnitude=-0.01, every_s=12.0, duration_s=float(SECONDS)),
    Ask("cut", kind="private", every_s=20.0, duration_s=float(SECONDS)),
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_the_exchange_never_held_a_position_without_its_stop(seed):
    bench = Bench(engine(PERP), brackets, seed=seed, seconds=SECONDS, asks=FAULTS, volatile=60.0)
    bench.judged()
    assert naked(bench.record) == []
    pair = {"BTCUSDT": ["StopLoss", "TakeProfit"]}
    assert exits(bench.record) == (pair if size(bench.record) else {})
    asked = [line for line in bench.lines("request") if "trading-stop" in line["path"]]
    carried_out = [line for line in bench.lines("execution") if line["stopOrderType"]]
    assert len(asked) > SECONDS // 20
    assert carried_out, "no stop was reached: the session shows little"
