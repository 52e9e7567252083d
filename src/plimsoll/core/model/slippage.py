"""What a price was worse than another by: one sign and one rounding wherever that is told."""

PPM = 1_000_000


def slipped_ppm(sign: int, price: int, reference: int) -> int:
    """Return by how many parts per million of ``reference`` a price is worse; better is negative.

    Rounded down, by less than a hundredth of a basis point.

    Args:
        sign: +1 where low prices are good (a buy), -1 where high ones are.
        price: What was paid or got.
        reference: What it is held against, above 0, in the same unit.
    """
    return (price - reference) * sign * PPM // reference
