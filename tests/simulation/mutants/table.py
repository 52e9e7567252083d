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
    order_path,
    reconcile,
    session,
    unknown,
)
from tests.simulation.mutants.mutant import Mutant

ROOMS: Final = (
    *(identity, order_path, unknown, fills, ledger, limits),
    *(halt, session, journal, market, reconcile, matching),
)
MUTANTS: Final[dict[str, Mutant]] = {one.name: one for room in ROOMS for one in room.MUTANTS}

KNOWN: Final[dict[str, int]] = {}
