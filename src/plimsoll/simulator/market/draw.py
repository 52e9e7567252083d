"""The one place where a market gets its chance from: a generator seeded by names."""

from random import Random as Draw  # noqa: TID251 - seeded: a market is a function of its seed

__all__ = ["Draw", "draw_of"]


def draw_of(seed: int, name: str, purpose: str) -> Draw:
    """Return the generator of one purpose; equal arguments give equal markets."""
    return Draw(f"{seed}:{name}:{purpose}")  # noqa: S311 - prices, not secrets
