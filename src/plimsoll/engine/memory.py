"""Keeps the collector of garbage away from the hot path."""

import gc


def settle_memory() -> None:
    """Take it that what lives now lives long; from here on nothing is collected by itself."""
    gc.collect()
    gc.freeze()
    gc.disable()


def tidy_memory(seconds: int) -> None:
    """Collect what a second left behind, each minute also what was older.

    Args:
        seconds: How many there have been.
    """
    gc.collect(2 if seconds % 60 == 0 else 1)
