"""What a person gets to see of a run, and how one is kept."""

import subprocess
from pathlib import Path
from typing import Final

import msgspec
from tests.simulation.world.scenario import Scenario
from tests.simulation.world.world import Outcome

FOUND: Final = Path(__file__).parents[1] / "found"
"""Runs that once failed; each is run again by the tests."""
STORY_MOST: Final = 200


class Kept(msgspec.Struct):
    """A run that once failed, and what was wrong."""

    note: str
    violation: str
    scenario: Scenario


def headline(outcome: Outcome) -> str:
    """Return what is needed to run it again: seed, commit, hash of the configuration, the line."""
    scenario = outcome.scenario
    return (
        f"seed {scenario.seed}, commit {commit()}, configuration {scenario.digest}, "
        f"at {outcome.at_s:.3f} s: {outcome.violation or 'nothing found'}\n"
        f"replay: make chaos SEED={scenario.seed}"
    )


def as_text(outcome: Outcome) -> str:
    """Return headline and story."""
    told = [f"{at_s:9.4f}  {text}" for at_s, text in outcome.story]
    if len(told) > STORY_MOST:
        told = [f"... {len(told) - STORY_MOST} lines before ...", *told[-STORY_MOST:]]
    return "\n".join([*told, headline(outcome)])


def commit() -> str:
    """Return the commit that is checked out, "unknown" where there is none."""
    asked = ["git", "rev-parse", "--short=12", "HEAD"]
    here = Path(__file__).parent
    done = subprocess.run(asked, cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def store(outcome: Outcome, name: str, note: str = "") -> Path:
    """Keep a failing run as a regression case; its note is to be written by who mends it."""
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{name}.json"
    kept = Kept(note, outcome.violation, _tidy(outcome.scenario))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    return path


def _tidy(scenario: Scenario) -> Scenario:
    """Leave out the last faults where they do not happen; a fault's place is part of its draws."""
    asks, off = list(scenario.asks), list(scenario.off)
    while asks and (len(asks) - 1 in off or asks[-1].at_s >= scenario.chaos_s):
        asks.pop()
    off = [place for place in off if place < len(asks)]
    return msgspec.structs.replace(scenario, asks=asks, off=off)


def read(path: str | Path) -> list[Scenario]:
    """Return the scenario of a stored run."""
    return [msgspec.json.decode(Path(path).read_bytes(), type=Kept).scenario]
