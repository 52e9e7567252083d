"""What a price was worse than another by: one sign and one rounding wherever that is told."""

from typing import Final

PPM: Final = 1_000_000


def slipped(sign: int, price: int, reference: int, parts: int = PPM) -> int:
    """Return by how many parts of ``reference`` a price is worse; a better one is negative.

    Rounded down, by less than one part.

    Args:
        sign: +1 where low prices are good (a buy), -1 where high ones are.
        price: What was paid or got.
        reference: What it is held against, above 0, in the same unit.
        parts: How many parts the reference has: by default a million.
    """
    return (price - reference) * sign * parts // reference
