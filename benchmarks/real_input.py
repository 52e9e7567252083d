"""Every worked example over recorded markets: what it did, and what that cost.

    PLIMSOLL_DATA=DIRECTORY python -m benchmarks.real_input [--full]

The directory holds ``bars/`` and ``market/``, which are not part of the repository. ``--full``
takes every file, else one of each kind. Each run is what ``plimsoll backtest`` does with the same
words: 10,000 of capital, the venue's highest fees, tick and lot read off the prices. A file that
cannot be read ends it: nothing is left out quietly.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.report import Result, Size
from benchmarks.report import run as report

from plimsoll.backtest.results import Results
from plimsoll.cli.backtest_options import Asked, params_of
from plimsoll.cli.backtesting import planned, results_of
from plimsoll.data import Store, TimeWords, import_file, series_of

EXAMPLES: Final = Path(__file__).parents[1] / "examples" / "strategies"
BARS: Final = re.compile(
    r"(?P<venue>binance|bybit|bybit_testnet)_(?P<category>spot|linear)_(?P<symbol>[A-Z]+)"
    r"_(?P<frame>1m|5m)_(?P<when>\d+|200min_windows)_[\d_]+\.(csv\.zst|parquet)"
)
"""Names of files of bars; those of trades and quotes of one day are others."""

BOOKS: Final = {
    "bybit_linear_XRPUSDT_orderbook500_20241201_first50msgs.jsonl.zst": "linear:XRPUSDT",
    "bybit_linear_top5_books_many_symbols_20240701_62s.csv.zst": "linear:BTCUSDT",
    "other_venues/binance_coinm_BTCUSD_depth0ms_bbo_trades_20240808_344s.jsonl.zst": (
        "linear:BTCUSD_PERP"
    ),
    "other_venues/binance_spot_BTCUSDT_depth100ms_bbo_trades_20240808_346s.jsonl.zst": (
        "spot:BTCUSDT"
    ),
    "other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst": (
        "linear:BTCUSDT"
    ),
}
"""Recordings of books that begin with one, and their instruments."""

DAY: Final = "20221213"
"""The one day with bars of spot and perpetual, and the fundings of it."""


class Market(NamedTuple):
    """Recorded data of some instruments."""

    label: str
    instruments: tuple[str, ...]
    files: tuple[Path, ...]
    """One for each; empty: they are in a store."""
    frame: str
    """How long its bars are; empty: books and prints."""

    @property
    def data(self) -> str:
        """Return it in the words of the command line."""
        if self.frame:
            return ",".join(map(str, self.files))
        pairs = zip(self.instruments, self.files, strict=True)
        return ",".join(f"{name}={file}" for name, file in pairs)


class Example(NamedTuple):
    """A worked example, and how it is asked to run."""

    source: str
    over_bars: bool = False
    """Whether it listens to bars; else books, which bars do not have."""
    declares: str = ""
    """The frame it declares."""
    on_books: str = ""
    """Parameters over books of some minutes."""


EMA: Final = Example("ema_cross.py:EmaCross", over_bars=True, declares="1s")
SINGLE: Final = (
    EMA,
    Example("quoter.py:Quoter"),
    Example("grid.py:Grid", on_books="step=0.0002"),
    Example("market_maker_skew.py:SkewedMaker"),
)
PAIRS: Final = Example("mean_reversion_pairs.py:Pairs", over_bars=True, declares="1s")
PORTFOLIO: Final = Example("rebalance.py:Rebalance", over_bars=True, on_books="every=60")
CARRY: Final = Example("funding_carry.py:FundingCarry", over_bars=True)


def directory() -> Path:
    """Return where the recordings are.

    Raises:
        SystemExit: they are nowhere.
    """
    found = Path(os.environ.get("PLIMSOLL_DATA", ""))
    if not (found / "bars").is_dir() or not (found / "market").is_dir():
        raise SystemExit("PLIMSOLL_DATA=DIRECTORY names one that holds bars/ and market/")
    return found


def markets(data: Path) -> dict[str, Market]:
    """Return what is there for one instrument, by file name."""
    found = {}
    for path in sorted((data / "bars").iterdir()):
        word = BARS.fullmatch(path.name)
        if word is not None:
            name = f"{word['category']}:{word['symbol']}"
            label = f"{name} {word['frame']} {word['when'].removesuffix('_windows')}"
            if word["venue"] == "bybit_testnet":
                label += ", testnet"
            found[path.name] = Market(label, (name,), (path,), word["frame"])
    for file, name in BOOKS.items():
        path = data / "market" / file
        seconds = re.search(r"_(\d+s)\.", path.name)
        label = f"{name} books {seconds[1] if seconds else '5s'}"
        found[path.name] = Market(label, (name,), (path,), "")
    return found


def both(label: str, one: Market, other: Market) -> Market:
    """Return two markets of one time."""
    names, files = one.instruments + other.instruments, one.files + other.files
    return Market(label, names, files, one.frame)


def runs(data: Path, size: Size) -> Iterator[tuple[Example, Market]]:
    """Yield every example with every market that it can run over."""
    found = markets(data)

    def the(start: str) -> Market:
        return next(one for name, one in found.items() if name.startswith(start))

    eth = the("bybit_linear_ETHUSDT_5m")
    btc = the("bybit_linear_BTCUSDT_5m")
    spots = the("binance_spot_BTCUSDT_1m_20250301"), the("binance_spot_ETHUSDT_1m_20250301")
    books = the("binance_spot_BTCUSDT_depth"), the("binance_usdm_BTCUSDT_depth")
    singles = {Size.TINY: (), Size.SMALL: (eth, books[1]), Size.FULL: tuple(found.values())}[size]
    for market in singles:
        for example in SINGLE:
            if example.over_bars or not market.frame:
                yield example, market
    pairs = [both("BTC and ETH 5m 20250403", btc, eth), both("BTC and ETH 1m 20250301", *spots)]
    for example in (PAIRS, PORTFOLIO):
        for market in pairs if size is Size.FULL else pairs[:1]:
            yield example, market
        yield example, both("spot and perpetual books 345s", *books)
    yield CARRY, both("spot and perpetual books 345s", *books)
    names = ("spot:BTCUSDT", "linear:BTCUSDT")
    yield CARRY, Market(f"spot and perpetual 1m {DAY}, funding", names, (), "1m")


def filled(store: Store, data: Path) -> None:
    """Bring the bars and the fundings of the one day into a store."""
    day = TimeWords(day=f"{DAY[:4]}-{DAY[4:6]}-{DAY[6:]}")
    bars = data / "bars"
    for category in ("spot", "linear"):
        path = bars / f"bybit_{category}_BTCUSDT_1m_trade_{DAY}.csv.zst"
        import_file(store, path, series_of(f"{category}:BTCUSDT", "last", "1m"), times=day)
    rates = bars / f"bybit_linear_BTCUSDT_funding_{DAY}.csv"
    import_file(store, rates, series_of("linear:BTCUSDT", "funding", ""))


def done(example: Example, market: Market, project: Path) -> tuple[Results, float]:
    """Run one; return its results and CPU seconds, reading included."""
    began = time.process_time()
    frames = f"{example.declares}={market.frame}" if example.declares and market.frame else ""
    asked = Asked(
        project=str(project),
        env="none",
        strategy=str(EXAMPLES / example.source),
        instruments=",".join(market.instruments),
        data=market.data,
        bars=market.frame or "1m",
        frames=frames,
        params=params_of("" if market.frame else example.on_books),
    )
    results = results_of(planned(asked).plan)
    return results, time.process_time() - began


def measure(size: Size) -> Result:
    """Run all of them."""
    data, rows = directory(), {}
    with TemporaryDirectory() as project:
        filled(Store(Path(project) / "data"), data)
        for example, market in runs(data, size):
            results, seconds = done(example, market, Path(project))
            owner = results.owners[0]
            name = example.source.partition(".py")[0]
            rows[f"{name}, {market.label}"] = (
                results.events,
                owner.fills_total,
                (owner.final_equity / owner.capital - 1) * 100,
                float(str(owner.stats["drawdown_max"])) * 100,
                float(str(owner.execution["rule_share"])) * 100,
                seconds,
            )
    return Result(
        name="worked examples over recorded markets; bars or inputs, capital 10,000",
        columns=("inputs", "fills", "return %", "drawdown %", "by rule %", "CPU s"),
        rows=rows,
        notes=(f"{EMA.source}, {PAIRS.source}: bars in place of the seconds they declare",),
    )


if __name__ == "__main__":
    report("worked examples over recorded markets", [measure])
