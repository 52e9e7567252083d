"""What a denial says where an amount is above a limit."""

from plimsoll.core.model import Denied, Refusal, cash_text


def over(key: str, code: Refusal, found: int, limit: int) -> Denied:
    """Return the denial of an amount, in cash units, above the limit of this key."""
    hint = "" if limit else " (a limit left out is zero: set it in [limits])"
    return Denied(code, f"{cash_text(found)} would exceed {key} = {cash_text(limit)}{hint}")
