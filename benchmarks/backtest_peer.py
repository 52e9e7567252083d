"""NautilusTrader's backtest of the rules of ``backtest_bars`` and ``backtest_quotes``.

Runs under an interpreter of its own, which has NautilusTrader and nothing of ours, over closes or
best bids read from stdin (``benchmarks/peers.py``):

    PEER=/path/to/python python -m benchmarks.backtest_bars
"""

import json
import sys
import time
from decimal import Decimal
from typing import Any

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType, QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

INSTRUMENT = TestInstrumentProvider.btcusdt_perp_binance()
BARS = BarType.from_str(f"{INSTRUMENT.id}-1-MINUTE-LAST-EXTERNAL")
FAST, SLOW = 10, 50
MINUTE_NS, MS_NS = 60_000_000_000, 1_000_000


class Cross(Strategy):  # type: ignore[misc] # it is not installed here
    """Long while the fast average is above the slow one, else short."""

    qty: float

    def __init__(self, *, trades: bool) -> None:
        """Begin without a side."""
        super().__init__(StrategyConfig(strategy_id="X-1"))
        self.trades, self.side, self.turns = trades, 0, 0
        self.fast = self.slow = 0.0
        self.once, self.twice = INSTRUMENT.make_qty(self.qty), INSTRUMENT.make_qty(2 * self.qty)

    def turn(self, side: int) -> None:
        """Take a side, where it is another."""
        if side == self.side:
            return
        if self.trades:
            qty = self.twice if self.side else self.once
            way = OrderSide.BUY if side > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(INSTRUMENT.id, way, qty))
        self.side = side
        self.turns += 1


class OnBars(Cross):
    """Simple averages of closes; sums kept by hand."""

    qty = 0.1

    def on_start(self) -> None:
        """Ask for bars."""
        self.closes: list[float] = []
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


class OnQuotes(Cross):
    """Exponential averages of the middle."""

    qty = 0.001

    def on_start(self) -> None:
        """Ask for quotes."""
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Turn where the averages cross."""
        middle = (tick.bid_price.as_double() + tick.ask_price.as_double()) * 0.5
        if not self.slow:
            self.fast = self.slow = middle
        self.fast += 0.1 * (middle - self.fast)
        self.slow += 0.01 * (middle - self.slow)
        self.turn(1 if self.fast > self.slow else -1)


def bars_of(closes: list[float]) -> list[Bar]:
    """Return a bar a minute."""
    qty, found = Quantity.from_str("100.000"), []
    for number, close in enumerate(closes, start=1):
        prices = (Price(close + away, 1) for away in (0, 5, -5, 0))
        found.append(Bar(BARS, *prices, qty, number * MINUTE_NS, number * MINUTE_NS))
    return found


def quotes_of(bids: list[float]) -> list[QuoteTick]:
    """Return a quote a millisecond, a tick wide."""
    qty, found = Quantity.from_str("1.000"), []
    for number, bid in enumerate(bids, start=1):
        prices = Price(bid, 1), Price(bid + 0.1, 1)
        found.append(QuoteTick(INSTRUMENT.id, *prices, qty, qty, number * MS_NS, number * MS_NS))
    return found


def run(data: list[Any], kind: type[Cross], *, trades: bool) -> tuple[float, int]:
    """Return the CPU time of one run, and how often the rule turned."""
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
    engine.add_data(data)
    strategy = kind(trades=trades)
    engine.add_strategy(strategy)
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    turns = strategy.turns
    engine.dispose()
    return spent, turns


def main() -> None:
    """Run with orders and without."""
    make, kind = {"bars": (bars_of, OnBars), "quotes": (quotes_of, OnQuotes)}[sys.argv[1]]
    data = make(json.load(sys.stdin))
    trading, turns = run(data, kind, trades=True)
    signals, _ = run(data, kind, trades=False)
    label = f"NautilusTrader {nautilus_trader.__version__}"
    print(json.dumps({"label": label, "trading": trading, "signals": signals, "turns": turns}))


if __name__ == "__main__":
    main()
