"""A thousand switches of mode under load, faults and kills, in the world (design: 3.6).

The judge asks of the exchange's record whether an order is in two books, whether one of a paper
book ever was at the venue, and of our books whether a live position has nobody to look after it.
The gate makes ``SWITCHES`` of them; ``SWITCHES=1000`` is the full size, ``SEED=7`` one world.
"""

import os

import msgspec
import pytest
from tests.simulation.mutants.modes import MUTANTS
from tests.simulation.world.choices import Choices
from tests.simulation.world.reporting import headline
from tests.simulation.world.scenario import Scenario, draw, with_switches
from tests.simulation.world.world import run

SWITCHES = int(os.environ.get("SWITCHES", "120"))
IN_A_WORLD = 60
SEEDS = range(int(os.environ["SEED"]), 1 << 30) if os.environ.get("SEED") else range(1, 1 << 30)


def world_of(seed: int) -> Scenario:
    """Return the world of a seed with switches in it."""
    choose = Choices(seed).choose
    drawn = msgspec.structs.replace(draw(seed, choose), every=2, resumes=True)
    return with_switches(drawn, IN_A_WORLD, choose)


@pytest.mark.timeout(0 if SWITCHES > 200 else 600)
def test_random_switches_under_load_leave_every_order_in_one_book_and_nothing_without_an_owner():
    made = ended = orders = 0
    for seed in SEEDS:
        outcome = run(world_of(seed), proves=seed % 5 == 0)
        assert not outcome.violation, f"seed {seed}: {headline(outcome)}"
        made += outcome.counts.get("switches", 0)
        ended += outcome.counts.get("live lives ended", 0)
        orders += outcome.counts.get("orders", 0)
        if made >= SWITCHES:
            break
    print(f"{seed} worlds, {made} switches, {ended} live lives ended, {orders} orders")
    assert ended > made / 20
    assert orders > made


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_switch_that_is_wrong_is_found(mutant):
    for seed in range(1, 9):
        scenario = with_switches(Scenario(seed, chaos_s=20.0), IN_A_WORLD, Choices(seed).choose)
        if run(scenario, mutate=mutant.patch).violation:
            return
    pytest.fail(f"{mutant.name}: eight worlds have not shown it")
