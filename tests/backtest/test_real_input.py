"""Examples over real bars beside sums made by hand: of the bars alone, and of the fills.

The bars are recordings outside the repository; without them these tests are skipped, visibly.
"""

from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import pytest
from benchmarks import real_input

from plimsoll.backtest.plan import Row
from plimsoll.backtest.results import OwnerResult
from plimsoll.data import read_file

TICKS, LOTS = 100, 10_000
"""Ticks a dollar, lots a coin, as they are read off the prices of ETH."""

HALF = 50e-6
FEE = Fraction("0.00055")


def over(example, market, tmp_path) -> OwnerResult:
    return real_input.done(example, market, tmp_path)[0].owners[0]


def the(shared_data, start):
    found = real_input.markets(shared_data)
    return next(one for name, one in found.items() if name.startswith(start))


class Made(NamedTuple):
    """A fill of the naive twin."""

    side: int
    lots: int
    ticks: int
    rule: str


class Naive:
    """The cross of averages with its stop, in plain numbers, of the bars alone."""

    def __init__(self) -> None:
        self.fills: list[Made] = []
        self.cash = Fraction(10_000)
        self.held = self.wanted = self.stop = self.stopped = self.count = 0
        self.fast = self.slow = 0.0

    def take(self, row: Row) -> None:
        _, first, high, low, last, _ = row
        if self.held * self.wanted < 0:
            self.trade(-self.held, first, "open")
        if self.wanted != self.held:
            self.trade(self.wanted - self.held, first, "open")
        stop = self.stop / TICKS
        if self.held > 0 and low <= stop:
            self.end(min(first, stop))
        elif self.held < 0 and high >= stop:
            self.end(max(first, stop))
        self.count += 1
        self.fast += 2 / 6 * (last - self.fast) if self.count > 1 else last
        self.slow += 2 / 21 * (last - self.slow) if self.count > 1 else last
        if self.count >= 20:
            side = 1 if self.fast > self.slow else -1
            self.stopped *= side == self.stopped
            self.wanted = 0 if self.stopped else side * int(500 / last * LOTS + 1e-9)
            self.stop = floor(last * (1 - side * 0.01) * TICKS + 1e-6)

    def end(self, price: float) -> None:
        """Stopped: it stays out until the averages cross."""
        self.stopped = 1 if self.held > 0 else -1
        self.trade(-self.held, price, "stop")

    def trade(self, lots: int, price: float, rule: str) -> None:
        side = 1 if lots > 0 else -1
        bid = floor(price * (1 - HALF) * TICKS + 1e-6)
        ask = max(ceil(price * (1 + HALF) * TICKS - 1e-6), bid + 1)
        ticks = ask if side > 0 else bid
        value = Fraction(abs(lots) * ticks, LOTS * TICKS)
        self.cash -= side * value + Fraction(ceil(value * FEE * 10**8), 10**8)
        self.held += lots
        self.fills.append(Made(side, abs(lots), ticks, rule))


def test_every_fill_of_a_real_quarter_is_that_of_a_naive_twin(shared_data, tmp_path):
    market = the(shared_data, "bybit_linear_ETHUSDT_5m")
    owner, twin, last = over(real_input.EMA, market, tmp_path), Naive(), 0.0
    for chunk in read_file(market.files[0], market.frame, instrument=market.instruments[0]):
        for row in chunk:
            twin.take(row)
            last = row[4]
    assert owner.fills_total == len(twin.fills) == 24_043
    kept = [
        Made(one.side, round(one.qty * LOTS), round(one.price * TICKS), one.rule)
        for one in owner.fills
    ]
    assert kept == twin.fills[-len(kept) :]
    equity = twin.cash + Fraction(twin.held, LOTS) * Fraction(str(last))
    assert owner.final_equity == pytest.approx(float(equity), abs=1e-8)


@pytest.mark.parametrize("start", ["bybit_linear_{}_5m", "binance_spot_{}_1m_20250301"])
@pytest.mark.parametrize("example", [real_input.PAIRS, real_input.PORTFOLIO])
def test_equity_is_the_sum_of_the_fills(shared_data, tmp_path, example, start):
    legs = [the(shared_data, start.format(symbol)) for symbol in ("BTCUSDT", "ETHUSDT")]
    market = real_input.both("both", *legs)
    owner = over(example, market, tmp_path)
    assert owner.fills_total == len(owner.fills) > 20, "all are kept"
    cash, held = Fraction(10_000), dict.fromkeys(market.instruments, Fraction(0))
    for one in owner.fills:
        price, qty, fee = (Fraction(str(figure)) for figure in (one.price, one.qty, one.fee))
        cash -= one.side * price * qty
        held[one.instrument] += one.side * qty
        if one.instrument.startswith("spot") and one.side > 0:
            held[one.instrument] -= fee / price  # the venue takes it in the coin
        else:
            cash -= fee
    for leg in legs:
        (name,), (file,) = leg.instruments, leg.files
        last = list(read_file(file, leg.frame, instrument=name))[-1][-1][4]
        cash += held[name] * Fraction(str(last))
    assert owner.final_equity == pytest.approx(float(cash), abs=0.005)
