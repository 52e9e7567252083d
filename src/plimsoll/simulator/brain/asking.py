"""What questions have in common: their parameters as words, and the category they name."""

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import CATEGORIES
from plimsoll.simulator.brain.paging import whole

_MOST: Final = 10**30
_LISTS: Final = ("request", "utaDemoApplyMoney")
"""Parameters that are lists: orders of a batch, coins."""
Params = Mapping[str, Any]
Result = dict[str, Any]


def category_of(params: Params) -> str:
    """Return the category asked for.

    Raises:
        VenueRefusal: 10001 where it is none the venue knows.
    """
    category = params.get("category", "")
    if category not in CATEGORIES:
        raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
    return str(category)


def checked(params: Mapping[str, Any]) -> Params:
    """Return parameters that are words, numbers and truths, or lists of objects made of them.

    Raises:
        VenueRefusal: 10001 where one is a list or an object, or a number no order can have.
    """
    for name, value in params.items():
        if name in _LISTS and isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    checked(item)
        elif isinstance(value, list | dict) or (isinstance(value, int) and abs(value) > _MOST):
            raise VenueRefusal(10001, f"params error: {name[:40]} invalid")
    return params


def limit_of(params: Params, *, usual: int, most: int) -> int:
    """Return how many rows are asked for.

    Raises:
        VenueRefusal: 10001 for a number that is none, or not positive.
    """
    limit = whole(params, "limit", usual)
    if limit < 1:
        raise VenueRefusal(10001, f"params error: limit {limit} must be positive")
    return min(limit, most)


def has(params: Params, *names: str) -> bool:
    """Return whether at least one of these parameters was given."""
    return any(params.get(name) for name in names)
