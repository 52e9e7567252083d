"""The commands about the past: backtests of one set of parameters, and of many."""

from typing import Final

from plimsoll.cli.arguments import CALLBACK_LIMIT, SHARED, Argument, Command

_STRATEGY: Final = Argument("strategy", "FILE.py:CLASS, MODULE:CLASS, or a strategy of the project")
_TESTED: Final = (
    Argument(
        "--instruments",
        "comma between; default: the strategy's",
        default="",
        metavar="LIST",
    ),
    Argument(
        "--data",
        "bars: CSV or Parquet files, one an instrument; or recorded books and prints: archives, "
        "captures, or the directory of a journal, NAME=FILE where a symbol is not enough; comma "
        "between; default: the store that `plimsoll data fetch` fills",
        default="",
        metavar="FILES",
    ),
    Argument(
        "--frames",
        "time frames in the place of those the strategy declares, such as 1s=1m",
        default="",
        metavar="LIST",
    ),
    Argument("--bars", "time frame of the bars in --data", default="1m", metavar="FRAME"),
    Argument(
        "--intrabar",
        "finer bars that decide what happens inside a bar: 1m of the store, or 1m=FILES",
        default="",
        metavar="FRAME",
    ),
    Argument("--from", "first bar, or when strategies begin, UTC; default: the first", default=""),
    Argument("--until", "what comes from here on is left out, UTC", default="", metavar="TIME"),
    Argument(
        "--capital",
        "of the strategy, in quote; 0: as configured, or 10,000",
        kind=float,
        default=0.0,
        metavar="X",
        least=0,
    ),
    Argument(
        "--spread-bps",
        "between best bid and best ask, where a bar has none",
        kind=float,
        default=1.0,
        metavar="X",
        least=0,
    ),
    Argument(
        "--delay-ms",
        "from a bar's close, or the venue's time of a message, until it is heard",
        kind=int,
        default=100,
        metavar="N",
        least=0,
    ),
    Argument(
        "--latency-ms",
        "until a request takes effect",
        kind=int,
        default=20,
        metavar="N",
        least=0,
    ),
    CALLBACK_LIMIT,
    Argument("--seed", "seed of everything drawn", kind=int, default=1, metavar="N"),
)
"""What both ask of the data and of the market."""

BACKTESTS: Final = (
    Command(
        "backtest",
        "what a strategy would have done on past bars or recorded books, as a report",
        (
            "plimsoll backtest strategies/ema_cross.py:EmaCross --instruments linear:BTCUSDT "
            "--from 2024-01-01",
            "plimsoll backtest ema --from 2024-01-01 --until 2024-07-01 --params fast=10,slow=30",
            "plimsoll backtest mine.py:Mine --instruments spot:BTCUSDT --data btc_1m.csv.zst",
            "plimsoll backtest mine.py:Quoter --instruments linear:XRPUSDT "
            "--data xrp_ob500.data.zip,xrp_trades.csv.gz",
        ),
        "backtest:backtest",
        (
            _STRATEGY,
            Argument("--params", "NAME=VALUE, comma between", default="", metavar="LIST"),
            *_TESTED,
            Argument(
                "--out",
                'directory for page and JSON; "" writes none',
                default="backtests",
                metavar="DIR",
            ),
            *SHARED,
        ),
    ),
    Command(
        "sweep",
        "backtest many parameters on all processors",
        (
            "plimsoll sweep mine.py:Mine --instruments linear:BTCUSDT --data btc_1m.csv.zst "
            "--grid 'fast=5|10|20,slow=50|100'",
            "plimsoll sweep ema --from 2024-01-01 --grid 'slow=50|100|200' --steps 5",
            "plimsoll sweep ema --search 'fast=5..50,slow=20..200..10' --trials 200",
            "plimsoll sweep ema --grid 'slow=50|100|200' --cluster 10.0.0.5:8786",
        ),
        "sweep:sweep",
        (
            _STRATEGY,
            Argument("--grid", "NAME=VALUE|VALUE, comma between", default="", metavar="LIST"),
            Argument(
                "--search",
                "NAME=LOW..HIGH, NAME=LOW..HIGH..STEP, NAME=VALUE|VALUE, or NAME with its own "
                "bounds, comma between: what is tried next follows from what was good (needs "
                "the extra `sweep`)",
                default="",
                metavar="LIST",
            ),
            Argument(
                "--trials",
                "sets a search tries",
                kind=int,
                default=100,
                metavar="N",
                least=1,
            ),
            Argument("--params", "NAME=VALUE of the others", default="", metavar="LIST"),
            Argument(
                "--by",
                "what is best",
                default="sharpe",
                choices=("sharpe", "total_return", "calmar", "profit_factor"),
            ),
            Argument(
                "--steps",
                "walk forward: choose on a stretch, look at the next, so often",
                kind=int,
                default=0,
                metavar="N",
                least=0,
            ),
            Argument(
                "--workers",
                "processes; 0: one a processor",
                kind=int,
                default=0,
                metavar="N",
                least=0,
            ),
            Argument(
                "--cluster",
                "address of a Dask scheduler, or `local`; its workers see the same files by the "
                "same paths (needs the extra `cluster`)",
                default="",
                metavar="HOST:PORT",
            ),
            *_TESTED,
            *SHARED,
        ),
    ),
)
