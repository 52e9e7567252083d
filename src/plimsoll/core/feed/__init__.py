"""Market inputs brought to what strategies and risk read: books, prices, staleness, bars.

In: ``BookChanged``, ``PublicTraded``, ``TickerChanged``, ``BarChanged``, ``StreamChanged``. Out:
``Market`` per instrument, what stands against trusting it, closed bars. Strategy, risk and
execution may import it.
"""

from plimsoll.core.feed.bar_market import DEEP, BarMarket
from plimsoll.core.feed.bars import Bar, BarMaker, span_ns
from plimsoll.core.feed.market import DEPTH, Market
from plimsoll.core.feed.trust import (
    STREAM_DEAD,
    STREAM_LIVE,
    STREAM_SUSPECT,
    Cause,
    Doubt,
    StreamName,
    StreamStatus,
)

__all__ = [
    "DEEP",
    "DEPTH",
    "STREAM_DEAD",
    "STREAM_LIVE",
    "STREAM_SUSPECT",
    "Bar",
    "BarMaker",
    "BarMarket",
    "Cause",
    "Doubt",
    "Market",
    "StreamName",
    "StreamStatus",
    "span_ns",
]
