"""A topic of one instrument: what was last sent, and what has to be sent next."""

from abc import ABC, abstractmethod

from plimsoll.simulator.brain.public import PublicMarket


class Topic(ABC):
    """One topic while somebody subscribes to it; times are Unix ms."""

    period_ms = 0
    """Least time between two frames."""

    def __init__(self, topic: str, market: PublicMarket) -> None:
        """Publish ``topic``, the text of subscriptions such as ``tickers.BTCUSDT``."""
        self.topic = topic
        self.market = market
        self.sent_ms = 0

    def snapshot(self, now_ms: int) -> bytes | None:
        """Return the frame a new subscriber starts with, ``None`` where there is none."""
        return None

    @abstractmethod
    def due(self, now_ms: int) -> list[bytes]:
        """Return the frames that are due now."""
