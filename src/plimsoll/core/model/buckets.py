"""Fixed buckets: bounds that grow, and a quantile of what was counted between them."""

from collections.abc import Iterable, Sequence

GROWTH = 1.12
"""A bucket is about 12 % wide: so far a quantile may be from the exact one."""


def grown_bounds(first: int, most: int) -> tuple[int, ...]:
    """Return bucket bounds that grow by about 12 % from ``first`` until they reach ``most``."""
    bounds, value = [first], float(first)
    while bounds[-1] < most:
        value *= GROWTH
        if round(value) > bounds[-1]:
            bounds.append(round(value))
    return tuple(bounds)


def quantile_of(
    counted: Iterable[tuple[int, int]], bounds: Sequence[int], q: float, lowest: int
) -> float | None:
    """Return the q-quantile, interpolated inside its bucket; None where nothing was counted.

    Args:
        counted: Pairs (bucket, count), lowest bucket first. Bucket ``i`` ends at ``bounds[i]``; one
            more takes what is above the last bound and stands for that bound.
        bounds: Upper bounds of the buckets.
        q: From 0 to 1.
        lowest: Where the first bucket begins.
    """
    pairs = list(counted)
    rank, seen = q * sum(count for _, count in pairs), 0
    for place, count in pairs:
        if seen + count >= rank:
            low = bounds[place - 1] if place else lowest
            high = bounds[min(place, len(bounds) - 1)]
            return low + (high - low) * max(0.0, rank - seen) / count
        seen += count
    return None
