"""Runs seeds of the world: ``python -m tests.simulation.world 7``, ``1-200``, or a stored FILE."""

import argparse
import sys

from tests.simulation.world.reporting import as_text, read, store
from tests.simulation.world.shrink import Shrinker
from tests.simulation.world.world import Outcome, run, scenario_of


def main() -> int:
    """Run and report; return 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.world", description=__doc__)
    parser.add_argument("seeds", help="7, 1-200, or the path of a stored run")
    parser.add_argument("--story", action="store_true", help="print what happens")
    parser.add_argument("--trace", action="store_true", help="print the hash of the trace only")
    parser.add_argument("--prove", action="store_true", help="replay every session afterwards")
    parser.add_argument("--shrink", action="store_true", help="make a failing run small")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to shrink at most")
    parser.add_argument("--store", metavar="NAME", help="keep it below tests/simulation/found")
    asked = parser.parse_args()
    for scenario in read(asked.seeds) if asked.seeds.endswith(".json") else _drawn(asked.seeds):
        outcome = run(scenario, is_told=asked.story, proves=asked.prove)
        if asked.trace:
            print(outcome.trace)
            continue
        if outcome.violation and asked.shrink:
            outcome = _shrunk(outcome, asked.seconds)
        if outcome.violation or asked.story:
            print(as_text(outcome))
        if asked.store and outcome.violation:
            print(f"stored: {store(outcome, asked.store)}")
        if outcome.violation:
            return 1
    return 0


def _drawn(seeds: str) -> list:
    first, _, last = seeds.partition("-")
    return [scenario_of(seed) for seed in range(int(first), int(last or first) + 1)]


def _shrunk(failed: Outcome, seconds: float) -> Outcome:
    shrinker = Shrinker(failed, seconds=seconds)
    best = shrinker.shrink()
    print(f"shrunk from {failed.size} to {best.size} events in {shrinker.runs} runs")
    return run(best.scenario, is_told=True)


if __name__ == "__main__":
    sys.exit(main())
