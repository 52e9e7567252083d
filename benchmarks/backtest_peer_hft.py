"""hftbacktest's run of the rule of ``backtest_quotes``: a compiled rule over an exchange in Rust.

Runs under an interpreter of its own, which has hftbacktest and nothing of ours, over best bids read
from stdin (``benchmarks/peers.py``). It keeps latency, queue, position and fees; it has no risk
checks and no records. The compilation is not counted.
"""

import json
import sys
import time
from typing import Any

import hftbacktest as hft
import numpy as np
from numba import njit

QTY = 0.001
LATENCY_NS = 500_000
BEGIN_NS, MS_NS = 1_750_000_020_000_000_000, 1_000_000
FAR_NS = 10**15


def rows_of(bids: list[float]) -> Any:
    """Return changes of best prices, one quote a millisecond: the old go, the new come."""
    found, before = [], 0.0
    for number, bid in enumerate(bids):
        ts_ns = BEGIN_NS + number * MS_NS
        if before and before != bid:
            found.append((hft.BUY_EVENT, ts_ns, before, 0.0))
            found.append((hft.SELL_EVENT, ts_ns, round(before + 0.1, 1), 0.0))
        found.append((hft.BUY_EVENT, ts_ns, bid, 1.0))
        found.append((hft.SELL_EVENT, ts_ns, round(bid + 0.1, 1), 1.0))
        before = bid
    rows = np.zeros(len(found), hft.event_dtype)
    sides, times, prices, qtys = (np.array(column) for column in zip(*found, strict=True))
    rows["ev"] = sides | hft.DEPTH_EVENT | hft.EXCH_EVENT | hft.LOCAL_EVENT
    rows["exch_ts"] = rows["local_ts"] = times
    rows["px"], rows["qty"] = prices, qtys
    return rows


@njit
def follow(backtest: Any, trades: bool) -> int:
    """Turn where the averages cross; return how often."""
    fast = slow = 0.0
    side = turns = 0
    while backtest.wait_next_feed(False, FAR_NS) == 2:
        depth = backtest.depth(0)
        middle = (depth.best_bid + depth.best_ask) * 0.5
        if not np.isfinite(middle):
            continue
        if slow == 0.0:
            fast = slow = middle
        fast += 0.1 * (middle - fast)
        slow += 0.01 * (middle - slow)
        wanted = 1 if fast > slow else -1
        if wanted == side:
            continue
        turns += 1
        if trades:
            qty = QTY if side == 0 else 2 * QTY
            backtest.clear_inactive_orders(0)
            if wanted > 0:
                backtest.submit_buy_order(0, turns, depth.best_ask, qty, hft.GTC, hft.MARKET, False)
            else:
                backtest.submit_sell_order(
                    0, turns, depth.best_bid, qty, hft.GTC, hft.MARKET, False
                )
        side = wanted
    return turns


def run(rows: Any, bids: list[float], *, trades: bool) -> tuple[float, int]:
    """Return the CPU time of one run, and how often the rule turned."""
    asset = (
        hft.BacktestAsset()
        .data(rows)
        .linear_asset(1.0)
        .constant_order_latency(LATENCY_NS, LATENCY_NS)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.00055)
        .tick_size(0.1)
        .lot_size(0.001)
        .roi_lb(min(bids) - 100)
        .roi_ub(max(bids) + 100)
        .last_trades_capacity(0)
    )
    backtest = hft.ROIVectorMarketDepthBacktest([asset])
    began = time.process_time()
    turns = follow(backtest, trades)
    spent = time.process_time() - began
    filled = backtest.state_values(0).num_trades
    backtest.close()
    assert not trades or filled >= turns - 1, f"{filled} fills of {turns} orders"
    return spent, turns


def main() -> None:
    """Compile, then run with orders and without."""
    assert sys.argv[1:] == ["quotes"]
    bids = json.load(sys.stdin)
    rows = rows_of(bids)
    run(rows, bids, trades=True)
    trading, turns = run(rows, bids, trades=True)
    signals, _ = run(rows, bids, trades=False)
    label = f"hftbacktest {hft.__version__}"
    print(json.dumps({"label": label, "trading": trading, "signals": signals, "turns": turns}))


if __name__ == "__main__":
    main()
