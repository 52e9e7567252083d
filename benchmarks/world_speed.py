"""How much faster than real time the simulated world runs (reliability Q15: 200 times).

Engine, journal, adapter, the exchange's brain and the network between them, at about twenty market
messages a second on two instruments, in one process; see ``tests/simulation/world``. Beside it a
world with everything a seed may draw.

    python -m benchmarks.world_speed [--full]
"""

import time

import msgspec
from benchmarks.report import Result, Size, middle, run
from tests.simulation.world.scenario import Scenario
from tests.simulation.world.world import Outcome, World, scenario_of

_LENGTH_S = {Size.TINY: (1, 5.0), Size.SMALL: (3, 60.0), Size.FULL: (7, 300.0)}
"""Rounds, and virtual seconds of each."""

_TWO = ("linear:BTCUSDT", "linear:ETHUSDT")


def measure(size: Size) -> Result:
    """Run the same worlds several times."""
    rounds, length_s = _LENGTH_S[size]
    quiet = Scenario(1, chaos_s=length_s, instruments=_TWO, every=30)
    busy = Scenario(1, chaos_s=length_s, instruments=_TWO, every=4)
    faults = msgspec.structs.replace(scenario_of(7), volatile=1.0, pulse_ms=200)
    rows: dict[str, tuple[float, ...]] = {}
    for name, scenario in (
        ("a turn in thirty", quiet),
        ("a turn in four", busy),
        ("faults, kills", faults),
    ):
        found = [_timed(scenario) for _ in range(rounds)]
        outcome = found[0][1]
        speeds = [one.virtual_s / spent_s for spent_s, one in found]
        rows[name] = (
            middle(speeds),
            max(speeds),
            outcome.messages / outcome.virtual_s,
            outcome.counts.get("orders", 0) / outcome.virtual_s,
        )
    return Result(
        "the world in virtual time",
        ("times real time", "best", "market messages a second", "orders a second"),
        rows,
    )


def _timed(scenario: Scenario) -> tuple[float, Outcome]:
    world = World(scenario)
    begin_ns = time.process_time_ns()
    outcome = world.run()
    spent_s = (time.process_time_ns() - begin_ns) / 1e9
    assert not outcome.violation, outcome.violation
    return spent_s, outcome


if __name__ == "__main__":
    run("how fast the simulated world runs", [measure])
