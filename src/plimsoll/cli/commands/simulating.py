"""Commands: the simulated exchange, alone and with an engine."""

from typing import Final

from plimsoll.cli.arguments import JSON, Argument, Command

_MARKET: Final = Argument(
    "--market",
    "prices: bars, generated or from --data; calibrated: order flow as measured on recordings; "
    "arrivals: a recorded order book",
    default="prices",
    choices=("prices", "calibrated", "arrivals"),
)
_DATA: Final = Argument(
    "--data", "bar file or recording that --instrument follows", default="", metavar="FILE"
)
_SPEED: Final = Argument(
    "--speed",
    "how fast the market moves; clocks stay real",
    kind=float,
    default=1.0,
    metavar="X",
)
_SEED: Final = Argument("--seed", "seed of everything drawn", kind=int, default=1, metavar="N")

SIMULATING: Final = (
    Command(
        "demo",
        "trade on a simulated exchange in a throw-away project: no keys, no network",
        (
            "plimsoll demo",
            "plimsoll demo --duration 30 --headless --json",
            "plimsoll demo --kill 10 --duration 30      # kill -9 the engine ten times",
        ),
        "demo.command:demo",
        (
            Argument(
                "--duration",
                "seconds to run; 0 runs until Ctrl-C",
                kind=float,
                default=0.0,
                metavar="S",
                least=0,
            ),
            Argument("--headless", "no screen: one line per 10 s on stderr", is_flag=True),
            Argument(
                "--kill",
                "kill -9 the engine this often, spread over --duration",
                kind=int,
                default=0,
                metavar="N",
                least=0,
            ),
            _MARKET,
            _DATA,
            Argument(
                "--instruments",
                "three instruments: the average cross, the quoter, the paper instance",
                default="linear:BTCUSDT,linear:ETHUSDT,linear:DOGEUSDT",
                metavar="A,B,C",
            ),
            _SPEED,
            _SEED,
            Argument(
                "--dir", "where the project is made, instead of $TMPDIR", default="", metavar="DIR"
            ),
            JSON,
        ),
        "The project directory is printed and kept: every other command works on it. At the end\n"
        "the books are compared with the exchange's own record, and every session is replayed.",
    ),
    Command(  # before `sim`: the first command whose words fit is taken
        "sim fault",
        "start, list or stop a fault of a running simulator",
        (
            "plimsoll sim fault                                  # what is active, what there is",
            "plimsoll sim fault lose_ack --rate 0.2 --duration 60",
            "plimsoll sim fault --stop f3",
        ),
        "sim_fault:fault",
        (
            Argument("name", "a fault of the catalogue; without it they are listed", default=""),
            Argument("--rate", "how much of it is hit", kind=float, default=1.0, metavar="0..1"),
            Argument(
                "--duration",
                "seconds; 0 until it is stopped",
                kind=float,
                default=0.0,
                metavar="S",
                least=0,
            ),
            Argument(
                "--every",
                "mean seconds between two occurrences",
                kind=float,
                default=0.0,
                metavar="S",
                least=0,
            ),
            Argument("--magnitude", "its size", kind=float, metavar="X"),
            Argument("--code", "the code it answers", kind=int, default=0, metavar="N"),
            Argument("--account", "only this key or uid", default="", metavar="KEY"),
            Argument(
                "--kind",
                "only rest, public, linear, spot, private or trade",
                default="",
                metavar="KIND",
            ),
            Argument("--topic", "only this topic", default="", metavar="TOPIC"),
            Argument("--symbol", "only this symbol", default="", metavar="SYMBOL"),
            Argument("--endpoint", "only this endpoint", default="", metavar="PATH"),
            Argument("--values", "more of it, such as tickSize=0.5", default="", metavar="K=V,K=V"),
            Argument("--stop", "end the fault of this id", default="", metavar="ID"),
            Argument("--dir", "the simulator's --dir", default="var/sim", metavar="DIR"),
            JSON,
        ),
        "docs/reference/simulator-faults.md says what each does and what may be given with it.",
    ),
    Command(
        "sim",
        "run the exchange simulator",
        (
            "plimsoll sim",
            "plimsoll sim --port 8811 --data bars.csv --instrument linear:BTCUSDT --speed 10",
            "plimsoll sim --scenario bad_hour.toml --fresh",
        ),
        "sim:sim",
        (
            Argument(
                "--port",
                "port on 127.0.0.1; 0 takes any free one",
                kind=int,
                default=0,
                metavar="N",
                least=0,
            ),
            _MARKET,
            _DATA,
            Argument(
                "--instrument",
                "the instrument that follows --data",
                default="linear:BTCUSDT",
                metavar="NAME",
            ),
            _SEED,
            _SPEED,
            Argument(
                "--burst",
                "multiplies the arrivals of the calibrated market, such as 5 or 20",
                kind=float,
                default=1.0,
                metavar="X",
            ),
            Argument(
                "--extra-symbols",
                "further perpetuals SYM001USDT and on, which move while watched",
                kind=int,
                default=0,
                metavar="N",
                least=0,
            ),
            Argument(
                "--push-periods",
                "venue: changes gathered for 10 to 200 ms; none: each a message",
                default="venue",
                choices=("venue", "none"),
            ),
            Argument(
                "--limits",
                "count requests as the venue does, or not",
                default="venue",
                choices=("venue", "off"),
            ),
            Argument(
                "--record",
                "path of the record; default DIR/record.jsonl",
                default="",
                metavar="FILE",
            ),
            Argument(
                "--dir",
                "where sim.json, the record and its state go; it goes on from there",
                default="var/sim",
                metavar="DIR",
            ),
            Argument("--fresh", "ignore what an earlier run left in --dir", is_flag=True),
            Argument("--scenario", "faults at times, TOML or JSON", default="", metavar="FILE"),
            Argument(
                "--faults",
                "drawn: the seed adds faults for --chaos seconds, then calm",
                default="asked",
                choices=("asked", "drawn"),
            ),
            Argument(
                "--chaos",
                "how long drawn faults may last",
                kind=float,
                default=60.0,
                metavar="S",
                least=0,
            ),
            Argument(
                "--accounts",
                "its accounts, TOML or JSON, instead of --key",
                default="",
                metavar="FILE",
            ),
            Argument(
                "--key",
                "file with the API key of its account; default: sim-key",
                default="",
                metavar="FILE",
            ),
            Argument(
                "--secret", "file with its secret; default: sim-secret", default="", metavar="FILE"
            ),
            JSON,
        ),
        "It speaks the venue's protocol and moves no money. DIR/sim.json says where it listens.",
    ),
    Command(
        "sim compare",
        "measure a recording and the calibrated market side by side",
        (
            "plimsoll sim compare recording.jsonl.zst",
            "plimsoll sim compare recording.jsonl.zst --seconds 60 --json",
        ),
        "sim:compare_markets",
        (
            Argument("recording", "lines '<local ns> <json>', or an order book archive"),
            Argument(
                "--seconds",
                "how much of it; 0 takes all",
                kind=float,
                default=0.0,
                metavar="S",
                least=0,
            ),
            _SEED,
            JSON,
        ),
        "The simulator's column is made without a server, over as much time, from the price the\n"
        "recording begins at, its book changes gathered for the recording's own push period.",
    ),
)
