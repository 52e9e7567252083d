"""The words an order is described with."""

from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Direction of an order or execution."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for buy, -1 for sell."""
        return 1 if self is _BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the other side."""
        return _SELL if self is _BUY else _BUY


_BUY: Final = Side.BUY  # hot: a member read through its class costs ten times a global
_SELL: Final = Side.SELL


class OrderType(StrEnum):
    """What the strategy asked for; a market order leaves us as an IOC limit inside a band."""

    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    """How long an order works."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class Mode(StrEnum):
    """Where the orders of a strategy instance go."""

    PAPER = "paper"
    LIVE = "live"
    HYBRID = "hybrid"
    """Both: one instance live, the other on paper, each with a book of its own."""


class LiveStage(StrEnum):
    """What the live book of a strategy may do."""

    NONE = "none"
    """Nothing: it is flat, and no live instance runs."""
    LIVE = "live"
    RUN_OFF = "run_off"
    """Only reduce what it holds; the live instance goes on until it is flat."""
    FLATTEN = "flatten"
    """As ``RUN_OFF``, and it is being closed in slices."""
    HANDED_OVER = "handed_over"
    """Nothing: what it held is ``manual``, and so is what still comes in."""


class OrderState(StrEnum):
    """The states of an order's life; transitions stand in ``core/execution/lifecycle.py``."""

    INTENT = "intent"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACKED = "acked"
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DENIED = "denied"
    ABSENT = "absent"


TERMINAL: Final = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.DENIED,
        OrderState.ABSENT,
    }
)
"""States after which nothing more is sent for an order."""
