"""Our engine as it is shipped, on the measuring venue: journal on disk, risk on, defaults kept.

Limits are wide so that none is met; the venue's own order rate is that of a larger account.

    python -m benchmarks.tick_to_order.engine --ws PORT --rest PORT --directory DIR
"""

import argparse
import sys
from pathlib import Path

from plimsoll.core.feed import Market
from plimsoll.core.model import Mode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.engine.process import serve
from plimsoll.engine.settings import EngineSettings
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.settings import Secret

UNIT = 10**8


class Chaser(Strategy):
    """Buy at each new best bid."""

    best = 0.0

    def on_book(self, market: Market) -> None:
        """Look whether the best bid moved."""
        best = market.book.best_bid
        if best != self.best:
            if self.best:
                self.buy(market.instrument.name, 0.001, best, tif="ioc")
            self.best = best


def settings_of(directory: Path, ws: int, rest: int) -> EngineSettings:
    """Return what the engine is started with."""
    sockets = f"ws://127.0.0.1:{ws}/v5"
    return EngineSettings(
        core=CoreSettings(
            account="bench",
            tag="bench",
            breakers=BreakerSettings(off=tuple(BREAKERS)),  # its market is no market
            strategies=(
                StrategySettings(
                    name="chaser",
                    source="chaser",
                    instruments=("linear:BTCUSDT",),
                    mode=Mode.LIVE,
                    capital=100_000 * UNIT,
                ),
            ),
            limits=Limits(
                price_distance_ppm=20_000,
                order_notional=1_000 * UNIT,
                orders_per_second=1_000,
                orders_per_day=1_000_000,
                open_orders=1_000,
                position_notional=1_000_000 * UNIT,
                exposure=1_000_000 * UNIT,
                daily_loss=100_000 * UNIT,
                drawdown_ppm=500_000,
                leverage_ppm=3_000_000,
            ),
            venue_orders_per_second=1_000,
        ),
        journal_dir=directory / "journal",
        lease_dir=directory / "lease",
        run_dir=directory / "run",
        load=lambda _settings: Chaser(),
        venue=BybitSettings(
            rest_url=f"http://127.0.0.1:{rest}",
            public_url=f"{sockets}/public",
            private_url=f"{sockets}/private",
            trade_url=f"{sockets}/trade",
            key="bench-key",
            secret=Secret("bench-secret"),
        ),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the engine under test")
    parser.add_argument("--ws", type=int, required=True)
    parser.add_argument("--rest", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    chosen = parser.parse_args()
    sys.exit(serve(settings_of(chosen.directory, chosen.ws, chosen.rest)))
