"""A search: parameters are proposed in rounds, by what the rounds before came to.

Pure: proposer and runs are handed in. A round is of one size whatever the number of processes, so
that a search with a seed asks for the same parameters wherever it runs.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from plimsoll.backtest.sweep import Outcome, Params

ROUND: Final = 8
"""Sets proposed at once: as many can run side by side, and no more are chosen blindly."""


class Proposer(Protocol):
    """Whoever has ideas."""

    def ask(self, count: int) -> list[Params]:
        """Return so many sets of parameters; some may have been proposed before."""
        ...

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn what the sets asked for last came to, in their order."""
        ...


def search(
    proposer: Proposer, trials: int, run_all: Callable[[list[Params]], list[Outcome]]
) -> list[Outcome]:
    """Return the outcome of every set that was tried, each once, in the order of the proposals.

    Args:
        proposer: Proposes, and learns.
        trials: How many sets to ask for; those proposed twice are run once and count twice.
        run_all: Runs sets and returns their outcomes in order.
    """
    known: dict[str, Outcome] = {}
    left = trials
    while left:
        asked = proposer.ask(min(ROUND, left))
        fresh = {_key(one): one for one in asked if _key(one) not in known}
        known |= zip(fresh, run_all(list(fresh.values())), strict=True)
        proposer.tell([known[_key(one)] for one in asked])
        left -= len(asked)
    return list(known.values())


def _key(params: Params) -> str:
    return repr(sorted(params.items()))
