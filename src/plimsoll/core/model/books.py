"""Names of the two books of one strategy: what is live, and what is on paper.

The first book a strategy has bears the strategy's name; the other one has a suffix. Names in a
configuration have no dot, so that nobody else is called so.
"""

from typing import Final

_LIVE: Final = ".live"
_PAPER: Final = ".paper"


def live_name(strategy: str) -> str:
    """Return the name of the live book of a strategy whose first book is on paper."""
    return strategy + _LIVE


def paper_name(strategy: str) -> str:
    """Return the name of the paper book of a strategy whose first book is live."""
    return strategy + _PAPER


def strategy_of(owner: str) -> str:
    """Return the strategy a book belongs to; an owner that is no such book is its own."""
    return owner.removesuffix(_LIVE).removesuffix(_PAPER)
