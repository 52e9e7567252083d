"""Which settings would make paper agree with what was measured.

Latency is a mean. The queue share is where the difference of filled shares, known at some shares,
crosses zero. Its interval ends at the nearest tried shares that the orders refute on either side:
what lies between two tried ones is not known, so no straight line makes it narrower. A share is
refuted where the whole interval of its difference is further from zero than ``RESOLUTION``.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from plimsoll.core.execution.shadow.cell import PPM, SHARES_PPM, Cell
from plimsoll.core.execution.shadow.intervals import Estimate, Pairs

RESOLUTION: Final = 0.01
"""A difference of filled shares below this says nothing about the queue: what happens between two
pushes of the book is not seen (0.7 % of orders in our simulator under the very same model)."""

LEAST: Final = 30
"""Orders below which no share is suggested."""


class QueueShare(msgspec.Struct, frozen=True):
    """The place in the queue that agrees with the live fills, from 0 (in front) to 1 (behind)."""

    share: Estimate
    reason: str
    """Why there is none, or why it is not a number between; else empty."""
    differences: tuple[tuple[float, Estimate], ...]
    """Share of orders filled, live less paper, for each share that was tried."""


def latency_of(cell: Cell) -> Estimate:
    """Return the latency paper should have, in ms."""
    return cell.latency.estimate().scaled(1e-6)


def queue_share_of(cell: Cell) -> QueueShare:
    """Return the queue share paper should have."""
    tried = tuple(
        (ppm / PPM, pairs.difference())
        for ppm, pairs in zip(SHARES_PPM, cell.by_share, strict=True)
    )
    n = cell.by_share[0].n
    if n < LEAST:
        return QueueShare(Estimate(n, None), f"n is {n}, needs {LEAST}", tried)
    if _is_indifferent(cell.by_share):
        text = "no order's fate depended on its place in the queue"
        return QueueShare(Estimate(n, None), text, tried)
    values, lows, highs = (
        [(share, getattr(one, name) or 0.0) for share, one in tried]
        for name in ("value", "low", "high")
    )
    # The further behind, the less is filled on paper: the difference grows with the share.
    if highs[-1][1] < -RESOLUTION:
        text = "paper fills more often even behind all of the queue: another cause"
        return QueueShare(Estimate(n, 1.0, 1.0, 1.0), text, tried)
    if lows[0][1] > RESOLUTION:
        text = "live fills more often even than paper in front of the queue: another cause"
        return QueueShare(Estimate(n, 0.0, 0.0, 0.0), text, tried)
    low = max((share for share, high in highs if high < -RESOLUTION), default=0.0)
    high = min((share for share, low in lows if low > RESOLUTION), default=1.0)
    return QueueShare(Estimate(n, min(high, max(low, _crossing(values))), low, high), "", tried)


def _is_indifferent(tried: Sequence[Pairs]) -> bool:
    return all((one.both, one.paper_only) == (tried[0].both, tried[0].paper_only) for one in tried)


def _crossing(curve: Sequence[tuple[float, float]]) -> float:
    """Return where a growing curve crosses zero: its ends where it does not."""
    if curve[0][1] >= 0:
        return curve[0][0]
    for (left, before), (right, after) in pairwise(curve):
        if after >= 0:
            return left + (right - left) * -before / (after - before)
    return curve[-1][0]
