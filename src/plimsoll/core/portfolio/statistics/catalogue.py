"""Every metric: formula, unit, sample and the least of it. The reference page is this table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from plimsoll.core.portfolio.statistics.returns import VAR_DAYS


class Unit(StrEnum):
    """What a metric counts in."""

    SHARE = "share"
    """A fraction of one: 0.05 is 5 %."""
    RATIO = "ratio"
    TIMES = "times"
    CASH = "cash"
    """Quote cash units of 1e-8."""
    NS = "ns"
    COUNT = "count"


class Sample(StrEnum):
    """What a metric is computed over."""

    DAYS = "days"
    """UTC days that have ended."""
    EQUITY = "samples of equity"
    TRIPS = "round trips"
    ORDERS = "orders"
    """Orders that have ended."""
    REQUESTS = "requests"
    FILLS = "fills"
    TIME = "seconds"
    """Seconds between the first and the newest sample."""


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: As results and pages say it.
        label: As people read it.
        formula: How it is computed, in words.
        unit: Of its value.
        sample: What it is computed over.
        least: Fewer of the sample, and it is not shown nor usable by rules.
        undefined: Why it may have no value all the same; empty where it always has one.
    """

    name: str
    label: str
    formula: str
    unit: Unit
    sample: Sample
    least: int = 1
    undefined: str = ""


_DAILY: Final = 30
"""Fewest days of what is scaled to a year."""

_ALL: Final = (
    Metric(
        "total_return",
        "Total return",
        "growth of equity less 1, linked over the stretches between cash flows",
        Unit.SHARE,
        Sample.EQUITY,
    ),
    Metric(
        "cagr",
        "CAGR",
        "growth of equity over the days that have ended ^ (365 / n) - 1",
        Unit.SHARE,
        Sample.DAYS,
        _DAILY,
    ),
    Metric(
        "volatility",
        "Volatility",
        "standard deviation (n - 1) of daily returns x sqrt(365)",
        Unit.SHARE,
        Sample.DAYS,
        _DAILY,
    ),
    Metric(
        "sharpe",
        "Sharpe",
        "mean / standard deviation (n - 1) of daily returns x sqrt(365), risk-free rate 0, "
        "flat days included",
        Unit.RATIO,
        Sample.DAYS,
        _DAILY,
        "no two days differed",
    ),
    Metric(
        "sharpe_low",
        "Sharpe, lower end",
        "Sharpe - 1.96 x its standard error; of one day's ratio s the error is "
        "sqrt((1 - skewness x s + (kurtosis - 1) / 4 x s^2) / n)",
        Unit.RATIO,
        Sample.DAYS,
        _DAILY,
        "no two days differed",
    ),
    Metric(
        "sharpe_high",
        "Sharpe, upper end",
        "Sharpe + 1.96 x the same: together a 95 % interval",
        Unit.RATIO,
        Sample.DAYS,
        _DAILY,
        "no two days differed",
    ),
    Metric(
        "sortino",
        "Sortino",
        "mean / sqrt(mean of squared returns below 0, the others as 0) of daily returns x "
        "sqrt(365)",
        Unit.RATIO,
        Sample.DAYS,
        _DAILY,
        "no day lost",
    ),
    Metric(
        "drawdown_max",
        "Largest drawdown",
        "largest fall from the high-water mark of linked growth, as a fraction of the mark",
        Unit.SHARE,
        Sample.EQUITY,
    ),
    Metric(
        "drawdown_now",
        "Drawdown now",
        "the same at the newest sample",
        Unit.SHARE,
        Sample.EQUITY,
    ),
    Metric(
        "drawdown_longest",
        "Longest drawdown",
        "longest time from a high-water mark until it was reached again, or until now",
        Unit.NS,
        Sample.EQUITY,
    ),
    Metric(
        "calmar",
        "Calmar",
        "CAGR / largest drawdown",
        Unit.RATIO,
        Sample.DAYS,
        _DAILY,
        "equity never fell",
    ),
    Metric(
        "var_95",
        "VaR 95 %, one day",
        f"the loss that one day in twenty exceeded: minus the 5 % quantile of the newest "
        f"{VAR_DAYS} daily returns, interpolated",
        Unit.SHARE,
        Sample.DAYS,
        250,
    ),
    Metric("best_day", "Best day", "largest daily return", Unit.SHARE, Sample.DAYS),
    Metric("worst_day", "Worst day", "smallest daily return", Unit.SHARE, Sample.DAYS),
    Metric("days", "Days", "UTC days that have ended, flat ones included", Unit.COUNT, Sample.DAYS),
    Metric(
        "trips",
        "Round trips",
        "flat to flat in one instrument, net of fees and funding; the fee of an execution across "
        "zero counts with the one it ends",
        Unit.COUNT,
        Sample.TRIPS,
    ),
    Metric("win_rate", "Win rate", "round trips with a profit / all", Unit.SHARE, Sample.TRIPS),
    Metric(
        "profit_factor",
        "Profit factor",
        "sum of profits / sum of losses of round trips",
        Unit.RATIO,
        Sample.TRIPS,
        1,
        "no round trip lost",
    ),
    Metric(
        "average_win",
        "Average win",
        "sum of profits / round trips with a profit",
        Unit.CASH,
        Sample.TRIPS,
        1,
        "no round trip won",
    ),
    Metric(
        "average_loss",
        "Average loss",
        "sum of losses / round trips with a loss",
        Unit.CASH,
        Sample.TRIPS,
        1,
        "no round trip lost",
    ),
    Metric("largest_win", "Largest win", "of one round trip", Unit.CASH, Sample.TRIPS),
    Metric("largest_loss", "Largest loss", "of one round trip", Unit.CASH, Sample.TRIPS),
    Metric(
        "average_hold",
        "Average hold",
        "mean time from opening to flat of round trips",
        Unit.NS,
        Sample.TRIPS,
    ),
    Metric("fees", "Fees", "sum of fees, rebates taken off", Unit.CASH, Sample.FILLS),
    Metric(
        "turnover",
        "Turnover",
        "value of all fills / average capital",
        Unit.TIMES,
        Sample.FILLS,
        1,
        "there is no capital",
    ),
    Metric(
        "fill_ratio",
        "Fill ratio",
        "filled / asked quantity of orders that have ended, each valued at its own price",
        Unit.SHARE,
        Sample.ORDERS,
        1,
        "nothing was asked",
    ),
    Metric(
        "execution_success",
        "Execution success",
        "requests neither rejected nor UNKNOWN / all",
        Unit.SHARE,
        Sample.REQUESTS,
    ),
    Metric(
        "time_in_market",
        "Time in market",
        "time with a position / time",
        Unit.SHARE,
        Sample.TIME,
    ),
    Metric(
        "average_exposure",
        "Average exposure",
        "gross notional over time / capital over time",
        Unit.TIMES,
        Sample.TIME,
        1,
        "there is no capital",
    ),
)

METRICS: Final[Mapping[str, Metric]] = {one.name: one for one in _ALL}
"""All of them by name, in the order of the reference page."""
