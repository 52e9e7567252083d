"""All mutants, by room."""

from typing import Final

from tests.simulation.mutants import (
    fills,
    halt,
    identity,
    journal,
    ledger,
    limits,
    market,
    matching,
    modes,
    order_path,
    reconcile,
    session,
    unknown,
)
from tests.simulation.mutants.mutant import Mutant

ROOMS: Final = (
    *(identity, order_path, unknown, fills, ledger, limits),
    *(halt, session, journal, market, reconcile, matching, modes),
)
MUTANTS: Final[dict[str, Mutant]] = {one.name: one for room in ROOMS for one in room.MUTANTS}

GATE: Final[dict[str, int]] = {
    "an id given twice": 2,
    "the intent after the send": 1,
    "a cancel that was refused ends the order": 1,
    "the answer to an amend is its effect": 3,
    "paper orders go to the venue": 3,
    "UNKNOWN ends by time": 2,
    "filled twice": 1,
    "a snapshot without the ids of executions": 2,
    "the fee in coins stays in the holding": 1,
    "limits without what is in flight": 1,
    "limits without the position": 1,
    "spot sells what is not held": 1,
    "cancels before the halt": 1,
    "a restart ends the halt": 2,
    "a failed force is forgiven": 2,
    "records are gathered before they are written": 3,
}
"""What each run of the gate looks at: quick ones, with the seed that showed them last."""
