"""Price-time matching of own orders against a market that does not know them.

In: levels and prints of the outside market, own orders. Out: fills and how each order ended.
Pure; the simulator, paper trading and backtests import it; it imports ``core.model`` only.
"""

from plimsoll.core.matching.book import WHOLE_QUEUE, Fill, MatchingBook, Outcome, Resting

__all__ = ["WHOLE_QUEUE", "Fill", "MatchingBook", "Outcome", "Resting"]
