"""Backtests: what came out of one, and how it is shown.

In: recorded markets, strategies, what a backtest run measured. Out: ``Results`` and reports.
``cli`` may import it; the engine and everything below it do not.
"""
