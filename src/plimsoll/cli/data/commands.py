"""The words of ``plimsoll data``."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command

_STORE: Final = Argument(
    "--store", "where it is kept; default: data in the project", default="", metavar="DIR"
)
_BARS: Final = Argument(
    "--bars",
    "length of a bar: 1m 3m 5m 15m 30m 1h 2h 4h 6h 12h 1d 1w; funding needs none",
    default="1m",
    metavar="FRAME",
)
_DROP: Final = Argument(
    "--drop-bad", "leave out rows with these faults, and tell", default="", metavar="FAULTS"
)
_ONE: Final = Argument("instrument", "only this one, such as linear:BTCUSDT", default="")

COMMANDS: Final = (
    Command(
        "data fetch",
        "fetch bars, mark bars and funding rates from the venue, only what is missing",
        (
            "plimsoll data fetch linear:BTCUSDT --bars 1m --from 2024-01-01",
            "plimsoll data fetch linear:BTCUSDT --kind last,mark,funding --from 2024-01-01",
            "plimsoll data fetch spot:ETHUSDT --from 2024-01-01 --environment mainnet --store bars",
        ),
        "data.fetch:fetch",
        (
            Argument("instrument", "an instrument, such as linear:BTCUSDT"),
            *SHARED,
            _BARS,
            Argument(
                "--from",
                "first bar, UTC, as 2024-01-01 or 2024-01-01T08:00",
                default="",
                metavar="TIME",
            ),
            Argument("--to", "end, not included, UTC; default: now", default="", metavar="TIME"),
            Argument("--kind", "last, mark, funding, or several", default="last", metavar="KINDS"),
            Argument(
                "--environment",
                "mainnet, testnet, demo or simulator, instead of the project's venue",
                default="",
                metavar="NAME",
            ),
            _DROP,
            _STORE,
        ),
        "Public REST, no key: 12 pages of 1000 bars a second at most, a tenth of what the address\n"
        "may ask. Broken off, it goes on where it was. The bar under way is never stored. What is\n"
        "missing all the same is listed: the venue has none. The filters are stored as well.\n"
        "Exit code 6 when the venue stopped answering, 7 when the store holds another environment.",
    ),
    Command(
        "data import",
        "import bars, trade archives or funding rates from CSV and Parquet files",
        (
            "plimsoll data import BTCUSDT-1m-*.csv.gz --instrument linear:BTCUSDT --bars 1m",
            "plimsoll data import BTCUSDT2024-01-01.csv.gz --instrument linear:BTCUSDT --bars 1m",
            "plimsoll data import old.csv --instrument spot:ETHUSDT --zone +03:00 --drop-bad range",
        ),
        "data.importing:import_files",
        (
            Argument("files", "CSV (plain, .gz, .zst) or Parquet", metavar="FILE", is_many=True),
            *SHARED,
            Argument("--instrument", "what they are of", default="", metavar="NAME"),
            _BARS,
            Argument("--kind", "last, mark or funding", default="last", metavar="KIND"),
            Argument(
                "--columns",
                "names of the columns in their order; _ leaves one out",
                default="",
                metavar="A,B,...",
            ),
            Argument(
                "--zone",
                "of times without one: UTC, +03:00 or --zone=-05:00",
                default="",
                metavar="ZONE",
            ),
            Argument(
                "--day", "of times that count ms from midnight", default="", metavar="YYYY-MM-DD"
            ),
            Argument(
                "--time-format", "of other times: %d/%m/%Y %H:%M", default="", metavar="FORMAT"
            ),
            Argument("--sort", "rows may come in any order", is_flag=True),
            _DROP,
            Argument("--replace", "rows stored with other values are replaced", is_flag=True),
            _STORE,
        ),
        "How a file was read is told: columns by header or number, times by their size or form.\n"
        "What can be read in two ways is refused. So is a file with a bad row, as a whole, with\n"
        "each row's line, value and fault: cut, time, number, price, range, volume, frame,\n"
        "under_way, order, duplicate. Of a trade archive bars are made. Exit code 3 when a file\n"
        "was refused, 7 when its rows differ from stored ones; the other files are imported.",
    ),
    Command(
        "data list",
        "list what is stored",
        ("plimsoll data list --project desk", "plimsoll data list --json | jq .series"),
        "data.listing:list_stored",
        (*SHARED, _STORE),
    ),
    Command(
        "data verify",
        "check every stored row and list the gaps; repairs nothing",
        ("plimsoll data verify", "plimsoll data verify linear:BTCUSDT --json | jq .counts"),
        "data.verifying:verify_stored",
        (_ONE, *SHARED, _STORE),
        "Each finding with file, row, value and what to do. Exit code 9 when something is found:\n"
        "gaps and prices off the tick count, minutes without a trade are only told.",
    ),
)
"""In the order of the overview."""
