"""Our engine as it is shipped, as a receiver: sequence and trust checked, market log on disk.

python -m benchmarks.receive.engine --ws PORT --rest PORT --count N --out FILE --directory DIR
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.receive.noting import Noting
from benchmarks.tick_to_order.engine import settings_of

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy
from plimsoll.engine.process import serve


class Noter(Strategy):
    """Notes when it hears of a book; trades nothing."""

    noting: Noting

    def on_book(self, market: Market) -> None:
        """Note the time."""
        self.noting.took(market.book.update_id)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the engine as a receiver")
    parser.add_argument("--ws", type=int, required=True)
    parser.add_argument("--rest", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    chosen = parser.parse_args()
    strategy = Noter()
    strategy.noting = Noting(chosen.count, chosen.out)
    settings = settings_of(chosen.directory, chosen.ws, chosen.rest)
    sys.exit(serve(replace(settings, load=lambda _settings: strategy)))
