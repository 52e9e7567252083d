"""Every command: its words, its help, its arguments and where its function is."""

from typing import Final

from plimsoll.cli.arguments import JSON, SHARED, Argument, Command

_REASON: Final = Argument("--reason", "why, for the log", default="", metavar="TEXT")
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

COMMANDS: Final = (
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
    Command(
        "run",
        "run the engine of a project in the foreground",
        (
            "plimsoll run --project desk",
            "plimsoll run --project desk --env production --confirm-live main",
        ),
        "run:run",
        (
            *SHARED,
            Argument(
                "--confirm-live",
                "name of the account that may trade real money",
                default="",
                metavar="ACCOUNT",
            ),
        ),
        "Ctrl-C or SIGTERM stops it gracefully: no new risk, orders that add risk are cancelled,\n"
        "the log is forced to disk. A second one hastens it.",
    ),
    Command(
        "auditor",
        "derive the books again from the logs, compare, write snapshots",
        (
            "plimsoll auditor --project desk            # beside `plimsoll run`, until Ctrl-C",
            "plimsoll auditor --once --from-start",
        ),
        "auditor:auditor",
        (
            *SHARED,
            Argument("--once", "end at the end of the logs", is_flag=True),
            Argument(
                "--from-start",
                "derive from the first record instead of the newest snapshot",
                is_flag=True,
            ),
            Argument("--forget", "what was found before was looked into: begin anew", is_flag=True),
        ),
        "It compares its books with the hashes the engine records each minute, checks the bytes\n"
        "of finished segments, and writes snapshots that make a restart quick. Exit code 9 once\n"
        "something differs: `plimsoll status` shows it until --forget. Exit code 7 where another\n"
        "auditor of the account runs.",
    ),
    Command(
        "status",
        "show what an account is doing, from its logs",
        ("plimsoll status --project desk", "plimsoll status --json | jq .equity"),
        "status:status",
        SHARED,
        "Works with the engine dead. Exit code 4 when it died, hangs, is halted, has blocked\n"
        "instruments or stopped a strategy, or runs with a link down or books not yet compared,\n"
        "and when the auditor found something.",
    ),
    Command(
        "orders",
        "list orders, from the logs",
        ("plimsoll orders", "plimsoll orders --all --limit 50"),
        "orders:orders",
        (
            *SHARED,
            Argument("--all", "those that are over as well, newest last", is_flag=True),
            Argument("--limit", "at most this many", kind=int, default=100, metavar="N", least=1),
        ),
    ),
    Command(
        "positions",
        "list positions and profit of each strategy, from the logs",
        ("plimsoll positions", "plimsoll positions --json"),
        "orders:positions",
        SHARED,
    ),
    Command(
        "halt",
        "stop adding risk now and cancel every order that can add risk",
        ('plimsoll halt --reason "wrong prices"',),
        "control:halt",
        (*SHARED, _REASON),
        "Durable: only `plimsoll resume` ends it. Without a running engine a standing request is\n"
        "written, which the next engine obeys before anything else.",
    ),
    Command(
        "resume",
        "end a halt",
        ('plimsoll resume --reason "prices are right again"',),
        "control:resume",
        (*SHARED, _REASON),
    ),
    Command(
        "cancel",
        "cancel one order",
        ('plimsoll cancel demo-000001-000000004-X --reason "too close"',),
        "intervene:cancel",
        (
            Argument("order", "id of a working order: `plimsoll orders` lists them"),
            *SHARED,
            _REASON,
        ),
        "The strategy is not told to keep away: one that still wants the order asks again. To stop "
        "it,\nuse `plimsoll halt`. Exit code 8 when the venue has not confirmed within 5 s.",
    ),
    Command(
        "release",
        "end the block of one instrument",
        ('plimsoll release linear:BTCUSDT --reason "the missing fill is booked"',),
        "intervene:release",
        (Argument("instrument", "a blocked instrument, such as linear:BTCUSDT"), *SHARED, _REASON),
        "`plimsoll status` tells what is blocked and why. A block that still has its cause comes "
        "back.",
    ),
    Command(
        "reconcile",
        "compare the books with the venue's own record, order by order",
        ("plimsoll reconcile --project desk", "plimsoll reconcile --record var/sim/record.jsonl"),
        "reconcile:reconcile",
        (
            *SHARED,
            Argument(
                "--record",
                "the simulator's record; default: the one venue.url leads to",
                default="",
                metavar="FILE",
            ),
        ),
        "Read-only. Exit code 9 when they differ.",
    ),
    Command(
        "replay",
        "run a session again from its log and compare every decision",
        ("plimsoll replay last", "plimsoll replay 3 --json"),
        "replay:replay",
        (
            Argument("session", "epoch of the session, or `last`", default="last"),
            *SHARED,
        ),
        "Exit code 9 when a decision differs.",
    ),
    Command(
        "why",
        "the chain of records behind an order, a fill, a denial, a halt",
        (
            "plimsoll why acc-000003-000000007-K        # an order: from the input to the ledger",
            "plimsoll why halt                          # the newest halt and what it did",
            "plimsoll why quoter                        # its newest refusal or stop",
            "plimsoll why 18230 --json                  # whatever stands at this seq",
        ),
        "why:why",
        (
            Argument(
                "id",
                "an order, execution or command id, an instance, an instrument, halt, or a seq",
            ),
            *SHARED,
        ),
        "Works with the engine running or dead. Checks that passed and lines of the ledger are no\n"
        "records; they are worked out from the log, as `apply` leaves the books at that place.",
    ),
    Command(
        "journal tail",
        "print the newest records of the trading log",
        ("plimsoll journal tail --limit 20", "plimsoll journal tail --follow --json"),
        "journal:tail",
        (
            *SHARED,
            Argument("--limit", "how many", kind=int, default=20, metavar="N", least=0),
            Argument("--follow", "go on as records are written", is_flag=True),
            Argument(
                "--type",
                "only this type of record, such as intend or execution",
                default="",
                metavar="TAG",
            ),
        ),
    ),
    Command(
        "journal verify",
        "check every byte of the logs: checksums, hash chain, missing segments",
        ("plimsoll journal verify --project desk",),
        "journal:verify",
        SHARED,
        "Exit code 9 when something is not what was written: each place with file, byte, the last\n"
        "good record before it and what is wrong. `plimsoll journal rebuild` is the way out where\n"
        "there is no good copy.",
    ),
    Command(
        "journal rebuild",
        "move a damaged journal aside and let the next start begin from the venue",
        (
            "plimsoll journal rebuild --project desk         # tells what is lost, asks",
            "plimsoll journal rebuild --yes --above 41",
        ),
        "rebuild:rebuild",
        (
            *SHARED,
            Argument("--yes", "do not ask", is_flag=True),
            Argument(
                "--above",
                "an epoch the new sessions must be above: the highest in our ids at the venue",
                kind=int,
                default=0,
                metavar="EPOCH",
                least=0,
            ),
        ),
        "Nothing is deleted. The next engine takes over what the account holds as foreign, and\n"
        "starts halted: look at the books, then `plimsoll resume`. Refused while an engine or an\n"
        "auditor runs.",
    ),
    Command(
        "config check",
        "check a project's configuration and its strategies",
        ("plimsoll config check --project desk", "plimsoll config check --env production"),
        "config:check",
        SHARED,
    ),
    Command(
        "config show",
        "print the merged configuration and where each value came from",
        ("plimsoll config show --project desk",),
        "config:show",
        SHARED,
        "Keys and secrets are shown as references only.",
    ),
    Command(
        "strategy list",
        "list the strategies of a project with their parameters",
        ("plimsoll strategy list --project desk",),
        "config:strategies",
        SHARED,
    ),
    Command(
        "instrument",
        "show what the venue says of an instrument, and its smallest order",
        (
            "plimsoll instrument linear:BTCUSDT --project desk",
            "plimsoll instrument spot:ETHUSDT --json | jq .least_order",
        ),
        "instrument:instrument",
        (Argument("name", "an instrument, such as linear:BTCUSDT"), *SHARED),
        "Filters, own fees, prices, funding, price limits and risk tiers, asked now. Exit code 4\n"
        "when a part could not be had.",
    ),
    Command(
        "account check",
        "check key and account at the venue; changes nothing",
        ("plimsoll account check --project desk", "plimsoll account check --probe"),
        "account:check",
        (
            *SHARED,
            Argument(
                "--probe",
                "ask the venue's other environments, read-only, which of them knows the key",
                is_flag=True,
            ),
        ),
        "Exit code 4 when the engine would not start so, 9 when a setting differs from the\n"
        "configuration, 5 when the venue does not know the key.",
    ),
    Command(
        "account setup",
        "bring the account's settings to what the configuration wants",
        (
            "plimsoll account setup --plan",
            "plimsoll account setup --apply --env production --confirm-live main",
        ),
        "account:setup",
        (
            *SHARED,
            Argument("--plan", "show have, want and request; change nothing", is_flag=True),
            Argument("--apply", "make the requests, read again, show both", is_flag=True),
            Argument(
                "--confirm-live",
                "name of the account that may be changed on mainnet",
                default="",
                metavar="ACCOUNT",
            ),
        ),
        "Position mode and leverage of each configured contract, margin mode, and that prices\n"
        "beyond the limit are refused. A refused request stops none of the others; each result is\n"
        "shown. Exit code 9 while something differs, 4 when the engine would not start so.",
    ),
    Command(
        "venue probe",
        "ask a demo or test venue how it really behaves, with orders of the smallest size",
        (
            "plimsoll venue probe --environment demo --env demo",
            "plimsoll venue probe --environment testnet --instrument linear:ETHUSDT --slow",
            "plimsoll venue probe --environment simulator --only duplicate-id-linear,flip --json",
        ),
        "probe:probe",
        (
            *SHARED,
            Argument(
                "--environment",
                "demo, testnet or simulator; the same as venue.environment, never mainnet",
                default="",
                metavar="NAME",
            ),
            Argument(
                "--instrument",
                "what is traded: a contract and a pair answer every row",
                default="linear:BTCUSDT,spot:BTCUSDT",
                metavar="NAMES",
            ),
            Argument("--only", "these rows", default="", metavar="NAMES"),
            Argument(
                "--slow", "rows that wait for minutes as well: half an hour more", is_flag=True
            ),
            Argument(
                "--budget",
                "what fees and spread may cost together, in quote coin",
                kind=float,
                default=5.0,
                metavar="N",
                least=0,
            ),
            Argument(
                "--out",
                "where report and recording go; default var/probe/TIME in the project",
                default="",
                metavar="DIR",
            ),
        ),
        "Needs an account without orders and positions on its instruments (else exit code 7),\n"
        "which nobody else uses meanwhile. Everything it opened is taken back at the end, after\n"
        "Ctrl-C and errors too. Exit code 9 when a row differs, 4 when something is left behind.",
    ),
    Command("version", "print the version", ("plimsoll version",), "version:version", (JSON,)),
)
"""In the order of the overview."""
