"""Days as everything here counts them: UTC, from 1970."""

from datetime import date, timedelta
from typing import Final

DAY_NS: Final = 86_400_000_000_000

_FIRST: Final = date(1970, 1, 1)


def day_text(day: int) -> str:
    """Return the date of a day counted from 1970, as ``2024-01-31``."""
    return (_FIRST + timedelta(days=day)).isoformat()
