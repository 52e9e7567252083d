"""Whose an order or execution is that nobody here asked for (ORD-12)."""

from typing import Final

from plimsoll.core.model import FOREIGN, VENUE
from plimsoll.core.portfolio import FORCED_KINDS

FORCED_BY: Final = frozenset(
    {"CreateByLiq", "CreateByTakeOver_PassThrough", "CreateByAdl_PassThrough"}
    | {"CreateBySettle", "CreateByAdminClosing"}
)
"""createType values of orders the venue makes by itself. Source: Bybit v5 docs, enum."""


def outsider(created_by: str, kind: str = "Trade") -> str:
    """Return ``venue`` for what was forced, ``foreign`` for what somebody else asked for."""
    return VENUE if kind in FORCED_KINDS or created_by in FORCED_BY else FOREIGN


def forced_word(created_by: str, kind: str) -> str:
    """Return what the venue did, in a word that ends an incident's code."""
    if kind == "AdlTrade" or created_by == "CreateByAdl_PassThrough":
        return "deleveraged"
    if kind in ("Settle", "Delivery") or created_by == "CreateBySettle":
        return "settled"
    return "liquidated"
