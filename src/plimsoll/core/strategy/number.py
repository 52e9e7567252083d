"""What a strategy may say for a price or a quantity."""

from decimal import Decimal

Number = str | int | float | Decimal
"""Text, integers and Decimals are exact, floats are rounded by rule."""
