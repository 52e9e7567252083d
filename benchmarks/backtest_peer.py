"""NautilusTrader's backtest of the rule of ``backtest_bars`` over closes read from stdin.

Runs under an interpreter of its own, which has NautilusTrader 1.221 and nothing of ours:

    PEER=/path/to/python python -m benchmarks.backtest_bars
"""

import json
import sys
import time
from decimal import Decimal

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
BARS = BarType.from_str(f"{INSTRUMENT.id}-1-MINUTE-LAST-EXTERNAL")
FAST, SLOW = 10, 50
MINUTE_NS = 60_000_000_000


class Cross(Strategy):  # type: ignore[misc] # it is not installed here
    """Long while the fast average is above the slow one, else short; sums kept by hand."""

    def __init__(self, *, trades: bool) -> None:
        """Begin without a side."""
        super().__init__(StrategyConfig(strategy_id="X-1"))
        self.trades, self.side = trades, 0
        self.closes: list[float] = []
        self.fast = self.slow = 0.0

    def on_start(self) -> None:
        """Ask for bars."""
        self.once, self.twice = INSTRUMENT.make_qty(0.1), INSTRUMENT.make_qty(0.2)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        """Turn where the averages cross."""
        close, closes = bar.close.as_double(), self.closes
        closes.append(close)
        self.fast += close
        self.slow += close
        place = len(closes) - 1
        if place >= FAST:
            self.fast -= closes[place - FAST]
        if place >= SLOW:
            self.slow -= closes[place - SLOW]
            self.turn(1 if self.fast * SLOW > self.slow * FAST else -1)

    def turn(self, side: int) -> None:
        """Take a side, where it is another."""
        if side == self.side:
            return
        if self.trades:
            qty = self.twice if self.side else self.once
            way = OrderSide.BUY if side > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(INSTRUMENT.id, way, qty))
        self.side = side


def seconds(bars: list[Bar], *, trades: bool) -> float:
    """Return the CPU time of one run."""
    engine = BacktestEngine(
        BacktestEngineConfig(trader_id=TraderId("B-1"), logging=LoggingConfig(bypass_logging=True))
    )
    engine.add_venue(
        Venue("BINANCE"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USDT)],
        default_leverage=Decimal(10),
    )
    engine.add_instrument(INSTRUMENT)
    engine.add_data(bars)
    engine.add_strategy(Cross(trades=trades))
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    engine.dispose()
    return spent


def main() -> None:
    """Run with orders and without."""
    qty = Quantity.from_str("100.000")
    bars = [
        Bar(
            BARS,
            Price(close, 1),
            Price(close + 5, 1),
            Price(close - 5, 1),
            Price(close, 1),
            qty,
            number * MINUTE_NS,
            number * MINUTE_NS,
        )
        for number, close in enumerate(json.load(sys.stdin), start=1)
    ]
    found = {name: seconds(bars, trades=trades) for name, trades in TURNS.items()}
    print(json.dumps(found))


TURNS = {"trading": True, "signals": False}

if __name__ == "__main__":
    main()
