"""Order books from the venue's snapshots and deltas.

In: ``BookChanged``. Out: best prices, depth, and why the book may not be trusted.
The feed and everything above it may import it.
"""

from plimsoll.core.book.order_book import BookFault, OrderBook

__all__ = ["BookFault", "OrderBook"]
