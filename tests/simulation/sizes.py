"""How much a test of kills does: the gate's few, or what the environment asks for."""

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")
ALL = 10**9


def kills(few: int) -> int:
    """Return how many kills: ``KILLS=1000``, ``KILLS=all``, or the gate's few."""
    found = os.environ.get("KILLS", "")
    return ALL if found == "all" else int(found or few)


def spread(cases: Sequence[Case], count: int) -> list[Case]:
    """Return about ``count`` cases, evenly from all over; all where there are no more."""
    count, total = min(count, len(cases)), len(cases)
    return [cases[(2 * index + 1) * total // (2 * count)] for index in range(count)]
