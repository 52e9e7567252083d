"""The harness is tested: products with one mistake in them, each found by the world (DST-11).

The gate runs a handful on the seeds that showed them last. ``MUTANTS=all`` (``make mutants``) looks
for the first seed of each from 1 on, at most ``SEEDS``, and prints the table; ``MUTANTS=halt`` does
so for those whose name has the word in it.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.table import GATE, MUTANTS
from tests.simulation.world.world import Outcome, run, scenario_of

REPOSITORY = Path(__file__).resolve().parents[2]
ASKED = os.environ.get("MUTANTS", "")
MOST = int(os.environ.get("SEEDS", "200"))
MOVED_MOST = 12
"""Seeds looked at where the one that showed a mutant last means something else by now."""

SHOWN = [one for one in MUTANTS.values() if not one.test]
ELSEWHERE = [one for one in MUTANTS.values() if one.test]


def asked_for(mutants: list[Mutant]) -> list[Mutant]:
    """Return those the environment asks for."""
    return [one for one in mutants if ASKED and (ASKED == "all" or ASKED in one.name)]


def named(mutant: Mutant) -> str:
    """Return a mutant's name for pytest."""
    return mutant.name.replace(" ", "-")


def first_found(mutant: Mutant, seeds: Iterable[int]) -> tuple[int, Outcome]:
    """Return the first of the seeds that shows a mutant, and what it shows."""
    looked_at = 0
    for seed in seeds:
        outcome = run(scenario_of(seed), mutate=mutant.patch)
        looked_at += 1
        if outcome.violation:
            return seed, outcome
    pytest.fail(f"nothing found in {looked_at} seeds: {mutant.broken}")


def words(outcome: Outcome) -> str:
    """Return what the judge said, without the words of the loop that took it first."""
    return outcome.violation.rpartition("Violation('")[2].removesuffix("')\")")


@cache
def found_in_the_whole_product(seed: int) -> str:
    """Return what a seed shows where nothing is broken."""
    return run(scenario_of(seed)).violation


@pytest.mark.parametrize("name", GATE)
def test_a_broken_product_is_found_and_the_whole_one_is_not(name):
    seed, _ = first_found(MUTANTS[name], (GATE[name], *range(1, MOVED_MOST + 1)))
    assert found_in_the_whole_product(seed) == ""


def test_a_mistake_both_ends_share_is_not_seen_by_the_world():
    shared = MUTANTS["an order stands in front of the queue"]
    assert shared.test, "a naive twin shows it"
    assert run(scenario_of(2), mutate=shared.patch).violation == ""


def test_there_are_enough_of_them():
    assert len(SHOWN) >= 25
    assert len({one.broken for one in MUTANTS.values()}) == len(MUTANTS)


def test_nothing_of_the_product_knows_them():
    for path in (REPOSITORY / "src").rglob("*.py"):
        assert "mutant" not in path.read_text().lower(), path


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", asked_for(SHOWN), ids=named)
def test_the_world_finds(mutant, capsys):
    seed, outcome = first_found(mutant, range(1, MOST + 1))
    with capsys.disabled():
        print(f"\n| {mutant.name} | {mutant.requirement} | {words(outcome)[:100]} | {seed} |")
    assert found_in_the_whole_product(seed) == ""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", asked_for(ELSEWHERE), ids=named)
def test_another_test_finds(mutant):
    plugin = ["-p", "no:cacheprovider", "-p", "tests.simulation.mutants.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", *plugin, mutant.test]
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])
    env = os.environ | {"MUTANT": mutant.name, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "1 failed" in done.stdout
