"""The harness is tested: products with one mistake in them, each found by the world (DST-11).

The gate runs a handful on the seed that is known to show them. ``MUTANTS=all`` looks for the first
seed of each from 1 on, at most ``SEEDS``, and prints the table; ``MUTANTS=halt`` those whose name
has the word in it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation.mutants.mutant import Mutant
from tests.simulation.mutants.table import KNOWN, MUTANTS
from tests.simulation.world.world import Outcome, run, scenario_of

REPOSITORY = Path(__file__).resolve().parents[2]
ASKED = os.environ.get("MUTANTS", "")
MOST = int(os.environ.get("SEEDS", "200"))

SHOWN = [one for one in MUTANTS.values() if not one.test]
ELSEWHERE = [one for one in MUTANTS.values() if one.test]


def named(mutant: Mutant) -> str:
    """Return a mutant's name for pytest."""
    return mutant.name.replace(" ", "-")


def first_found(mutant: Mutant) -> tuple[int, Outcome]:
    """Return the first seed that shows a mutant, and what it shows."""
    for seed in range(1, MOST + 1):
        outcome = run(scenario_of(seed), mutate=mutant.patch)
        if outcome.violation:
            return seed, outcome
    pytest.fail(f"nothing found in {MOST} seeds: {mutant.broken}")


@pytest.mark.parametrize(("name", "seed"), KNOWN.items(), ids=lambda one: str(one))
def test_a_broken_product_is_found_and_the_whole_one_is_not(name, seed):
    assert run(scenario_of(seed), mutate=MUTANTS[name].patch).violation
    assert run(scenario_of(seed)).violation == ""


def test_there_are_enough_of_them():
    assert len(SHOWN) >= 25
    assert len({one.broken for one in MUTANTS.values()}) == len(MUTANTS)


def test_nothing_of_the_product_knows_them():
    for path in (REPOSITORY / "src").rglob("*.py"):
        assert "mutant" not in path.read_text().lower(), path


@pytest.mark.skipif(
    not ASKED, reason="MUTANTS=all runs every mutant over as many seeds as it takes"
)
@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", SHOWN, ids=named)
def test_the_world_finds(mutant, capsys):
    if ASKED not in ("all", "1") and ASKED not in mutant.name:
        pytest.skip("not asked for")
    seed, outcome = first_found(mutant)
    with capsys.disabled():
        print(f"\n| {mutant.name} | {mutant.requirement} | {outcome.violation[:120]} | {seed} |")
    assert run(scenario_of(seed)).violation == ""


@pytest.mark.skipif(not ASKED, reason="MUTANTS=all runs the tests that show what the world cannot")
@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", ELSEWHERE, ids=named)
def test_another_test_finds(mutant):
    if ASKED not in ("all", "1") and ASKED not in mutant.name:
        pytest.skip("not asked for")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    command += ["-p", "tests.simulation.mutants.plugin", *mutant.test.split()]
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")])
    env = os.environ | {"MUTANT": mutant.name, "PYTHONPATH": paths}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "failed" in done.stdout
