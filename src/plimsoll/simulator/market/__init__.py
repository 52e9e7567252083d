"""Markets for the simulated exchange: made from bars, calibrated, or a recording replayed.

In: bar files, recordings, a seed. Out: market events with the time they are due.
Imported by the simulator's shell and by ``sim compare`` only.
"""

from plimsoll.simulator.market.bars import Bar
from plimsoll.simulator.market.comparison import Comparison, compare
from plimsoll.simulator.market.files import DataError
from plimsoll.simulator.market.source import MarketSource, open_markets

__all__ = ["Bar", "Comparison", "DataError", "MarketSource", "compare", "open_markets"]
