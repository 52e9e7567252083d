"""Market inputs brought to what strategies and risk read: books, prices, staleness, bars.

In: ``BookChanged``, ``PublicTraded``, ``TickerChanged``, ``BarChanged``. Out: ``Market`` per
instrument, closed bars. Strategy, risk and execution may import it.
"""

from plimsoll.core.feed.bars import Bar, BarMaker, span_ns
from plimsoll.core.feed.market import Market, StreamStatus

__all__ = ["Bar", "BarMaker", "Market", "StreamStatus", "span_ns"]
