"""Every command: its words, its help, its arguments and where its function is."""

from typing import Final

from plimsoll.cli.arguments import JSON, SHARED, Argument, Command
from plimsoll.cli.backtest_commands import BACKTESTS
from plimsoll.cli.data import commands as data
from plimsoll.cli.mode_commands import MODE_COMMANDS
from plimsoll.cli.strategy.commands import STRATEGY_COMMANDS

_REASON: Final = Argument("--reason", "why, for the log", default="", metavar="TEXT")
_SCOPES: Final = "a strategy, an instrument, or STRATEGY/INSTRUMENT"
_SCOPE: Final = Argument("scope", f"{_SCOPES}; without it the account", default="")
_PLAN: Final = Argument("--plan", "show what it would touch; change nothing", is_flag=True)
_ALL: Final = Argument(
    "--all", "foreign orders and positions too; needs account.dedicated", is_flag=True
)
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
_OF_STRATEGY: Final = Argument("--strategy", "only this instance", default="", metavar="NAME")
_OF_INSTRUMENT: Final = Argument("--instrument", "only this instrument", default="", metavar="NAME")
_SESSION: Final = Argument(
    "--session",
    "what was recorded in one session: its epoch, or `last`; or `all`",
    default="all",
    metavar="N",
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
    *BACKTESTS,
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
        "pause",
        "take no new risk; orders that rest stay",
        (
            'plimsoll pause trend --reason "news at two"',
            "plimsoll pause linear:BTCUSDT",
            "plimsoll pause trend/linear:BTCUSDT",
        ),
        "control:pause",
        (_SCOPE, *SHARED, _REASON),
        "Durable: only `plimsoll resume` with the same scope ends it. SIGUSR1 to the engine\n"
        "pauses the account. Reductions and stops of perpetuals go on.",
    ),
    Command(
        "halt",
        "stop adding risk now and cancel every order that can add risk",
        (
            'plimsoll halt --reason "wrong prices"',
            "plimsoll halt trend --plan",
            "plimsoll halt linear:BTCUSDT --flatten",
            "plimsoll halt --direct --plan",
        ),
        "control:halt",
        (
            _SCOPE,
            *SHARED,
            _REASON,
            _PLAN,
            Argument(
                "--direct",
                "cancel at the venue itself, with neither engine nor journal",
                is_flag=True,
            ),
            Argument("--keep-orders", "cancel nothing", is_flag=True),
            Argument(
                "--protections-too",
                "cancel protective orders as well; --plan lists what that leaves naked",
                is_flag=True,
            ),
            Argument("--flatten", "and close the positions of the scope", is_flag=True),
            _ALL,
        ),
        "Durable: only `plimsoll resume` with the same scope ends it. Without a running engine a\n"
        "standing request is written, which the next engine obeys before anything else. Exit code\n"
        "8 when after 5 s something is still working, or the venue's lists have not confirmed,\n"
        "twice in a row, that nothing is; with --flatten after 35 s, or when something is left.\n"
        "With --direct 8 when something is left or not confirmed, 6 when the venue gave no list.",
    ),
    Command(
        "watchdog",
        "guard the engine of a project: cancel what can add risk when it does not live",
        ("plimsoll watchdog --project desk", "plimsoll watchdog --project desk --env production"),
        "watchdog:watchdog",
        SHARED,
        "Runs beside `plimsoll run`, with a key and a connection of its own. It acts when the\n"
        "trading loop makes no progress for watchdog.patience, leaves a standing halt and\n"
        "protection, and goes on until the venue's list is empty twice. SIGTERM ends it.",
    ),
    Command(
        "resume",
        "end the halt and the pause of a scope",
        ('plimsoll resume --reason "prices are right again"', "plimsoll resume trend"),
        "control:resume",
        (_SCOPE, *SHARED, _REASON),
        "It ends exactly what was halted or paused under this scope, and a flatten under way.\n"
        "Exit code 7 when nothing is; the words name what stands instead.",
    ),
    Command(
        "flatten",
        "halt a scope and close its positions",
        ("plimsoll flatten account --plan", 'plimsoll flatten trend --reason "enough"'),
        "acting:flatten",
        (
            Argument("scope", f"{_SCOPES}; `account` for all of it"),
            *SHARED,
            _REASON,
            _PLAN,
            _ALL,
        ),
        "In slices: limit orders that fill at once or not at all, no worse than 1 % from the\n"
        "reference price, for 30 s; on spot never more than the instances' own coins. Exit code 8\n"
        "when something is left: it stays halted, and a person chooses.",
    ),
    Command(
        "close",
        "close one instance's position in an instrument, and halt it there",
        (
            "plimsoll close linear:BTCUSDT --plan",
            'plimsoll close linear:BTCUSDT --strategy trend --reason "too large"',
        ),
        "acting:close",
        (
            Argument("instrument", "what to close, such as linear:BTCUSDT"),
            *SHARED,
            _REASON,
            _PLAN,
            Argument(
                "--strategy",
                "whose position, where several hold it",
                default="",
                metavar="NAME",
            ),
        ),
        "As `flatten`. `plimsoll resume NAME/linear:BTCUSDT` lets the instance trade it again.",
    ),
    Command(
        "order",
        "place an order by hand",
        (
            "plimsoll order linear:BTCUSDT buy 0.01 --limit 30000 --post-only",
            "plimsoll order linear:BTCUSDT sell 0.01 --reduce-only",
        ),
        "acting:order",
        (
            Argument("instrument", "one the engine trades, such as linear:BTCUSDT"),
            Argument("side", "direction", choices=("buy", "sell")),
            Argument("qty", "quantity in base coin"),
            *SHARED,
            _REASON,
            Argument(
                "--limit",
                "price; without it at the market, inside execution.max_slippage",
                default="",
                metavar="P",
            ),
            Argument("--reduce-only", "only make a position smaller", is_flag=True),
            Argument("--post-only", "only if it rests; needs --limit", is_flag=True),
        ),
        "It goes the way of every order: journal, gate, the account's limits, an id of ours; its\n"
        "owner is `manual`. Exit code 7 with the gate's words where it is refused.",
    ),
    Command(
        "cancel",
        "cancel one order, or what can add risk of a strategy or an instrument",
        (
            'plimsoll cancel demo-000001-000000004-X --reason "too close"',
            "plimsoll cancel --strategy trend --plan",
        ),
        "intervene:cancel",
        (
            Argument("order", "id of a working order: `plimsoll orders` lists them", default=""),
            *SHARED,
            _REASON,
            _PLAN,
            Argument("--strategy", "of this instance", default="", metavar="NAME"),
            Argument("--instrument", "on this instrument", default="", metavar="NAME"),
        ),
        "The strategy is not told to keep away: one that still wants the order asks again. To stop "
        "it,\nuse `plimsoll halt`. Exit code 8 when the venue has not confirmed within 5 s.",
    ),
    Command(
        "strategy resume",
        "let a strategy that was stopped for a fault start again",
        ('plimsoll strategy resume trend --reason "mended"',),
        "acting:strategy_resume",
        (Argument("name", "the instance, as `plimsoll status` names it"), *SHARED, _REASON),
        "It was stopped because it raised, or repeated itself. It starts as a new object from its\n"
        "newest checkpoint; the code is the one the engine was started with.",
    ),
    Command(
        "signal",
        "tell a running strategy something from outside",
        (
            """plimsoll signal follow '{"side": "long", "strength": 0.8}' --id alert-4711""",
            "plimsoll signal follow -                        # the object from stdin",
        ),
        "signalling:send",
        (
            Argument("strategy", "the instance, as `plimsoll status` names it"),
            Argument("payload", "a JSON object as its class declares it; - reads it from stdin"),
            *SHARED,
            Argument(
                "--id", "names it for ever: sent again it counts once", default="", metavar="ID"
            ),
            Argument(
                "--at",
                "when it was made, Unix milliseconds: one that is too old is refused",
                kind=int,
                default=0,
                metavar="MS",
                least=0,
            ),
        ),
        "It is recorded and heard by `on_signal`; what the strategy then asks for passes every\n"
        "limit. It can do nothing else. Exit code 7 where the strategy does not take it: not as\n"
        "declared, too old, too many in a minute, over 4 KB, or not started.",
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
        "limits show",
        "list the limits in force, from the logs",
        ("plimsoll limits show --project desk", "plimsoll limits show --json"),
        "limits:show",
        SHARED,
        "What was changed while the engine ran is marked. A limit that narrows nothing is not "
        "listed.",
    ),
    Command(
        "limits set",
        "change one limit of the running engine",
        (
            'plimsoll limits set exposure "2_000 USDT" --reason "thin books"',
            "plimsoll limits set open_orders 2 --strategy ema",
            'plimsoll limits set order_qty 0.05 --instrument linear:BTCUSDT --reason "size"',
        ),
        "limits:change",
        (
            Argument("key", "a key of [limits]"),
            Argument("value", "as the configuration has it"),
            *SHARED,
            Argument("--strategy", "of this instance", default="", metavar="NAME"),
            Argument("--instrument", "of this instrument", default="", metavar="NAME"),
            _REASON,
        ),
        "In force at once, recorded, and after a restart as long as the configuration says nothing "
        "narrower.\nLowering needs nothing. Raising asks for the operator's passphrase, on the "
        "terminal or as the first line of stdin.",
    ),
    Command(
        "operator passphrase",
        "make the passphrase that raises limits",
        ("plimsoll operator passphrase --project desk",),
        "operator:passphrase",
        (
            *SHARED,
            Argument(
                "--file",
                "where its hash goes, from the project directory",
                default="secrets/operator",
                metavar="FILE",
            ),
        ),
        "Asks twice on the terminal, or reads the first line of stdin. Only the hash is written.",
    ),
    Command(
        "breakers",
        "list the circuit breakers: what has tripped, what each would touch now",
        ("plimsoll breakers --project desk", "plimsoll breakers --json | jq .tripped"),
        "breakers:breakers",
        SHARED,
        "From the logs; it changes nothing. Exit code 4 when one is in force.",
    ),
    Command(
        "breakers reset",
        "arm a circuit breaker again",
        (
            'plimsoll breakers reset drawdown account --reason "sizes halved"',
            "plimsoll breakers reset losing_streak ema/linear:BTCUSDT",
        ),
        "breakers:reset",
        (
            Argument("breaker", "a breaker that has tripped"),
            Argument("scope", "where, as `plimsoll breakers` prints it"),
            *SHARED,
            _REASON,
        ),
    ),
    Command(
        "reconcile",
        "compare the books with the venue's own record, order by order",
        (
            "plimsoll reconcile --project desk",
            "plimsoll reconcile --record var/sim/record.jsonl",
            "plimsoll reconcile --plan",
        ),
        "reconcile:reconcile",
        (
            *SHARED,
            Argument(
                "--plan",
                "ask the venue instead, and show what the engine's next comparison would do",
                is_flag=True,
            ),
            Argument(
                "--record",
                "the simulator's record; default: the one venue.url leads to",
                default="",
                metavar="FILE",
            ),
        ),
        "Read-only. Exit code 9 when they differ. A plan is made by the engine's own rules, works\n"
        "with the engine dead or alive, and has no step that could send an order.",
    ),
    Command(
        "adopt",
        "decide whose a foreign position is",
        (
            'plimsoll adopt linear:BTCUSDT --to trend --reason "opened by hand last week"',
            "plimsoll adopt linear:BTCUSDT --to manual --qty 0.010 --orders",
            "plimsoll adopt linear:BTCUSDT --leave",
        ),
        "adopt:adopt",
        (
            Argument("instrument", "an instrument, such as linear:BTCUSDT"),
            *SHARED,
            Argument("--to", "a live instance, or manual", default="", metavar="OWNER"),
            Argument("--qty", "only so much of it", default="", metavar="QTY"),
            Argument("--orders", "foreign orders that still work as well", is_flag=True),
            Argument("--leave", "it stays foreign, and trading goes on beside it", is_flag=True),
            _REASON,
        ),
        "Changes our books only: nothing is sent to the venue. `plimsoll status` shows what is\n"
        "observed: instruments that take no new risk until this is decided.",
    ),
    Command(
        "quality",
        "how well orders were executed: prices, times, rejections, from the logs",
        (
            "plimsoll quality",
            "plimsoll quality --strategy quoter --instrument linear:BTCUSDT",
            "plimsoll quality --session last --json | jq .totals",
        ),
        "quality:quality",
        (
            *SHARED,
            _OF_STRATEGY,
            _OF_INSTRUMENT,
            _SESSION,
        ),
        "Works with the engine running or dead; paper and live orders are measured alike and\n"
        "apart. Positive costs are against us. A dash stands where n is too small, with the n it\n"
        "takes. docs/reference/execution-quality.md has the formula of each line.",
    ),
    Command(
        "gap",
        "how far live fills are from what paper would have given, from the logs",
        (
            "plimsoll gap",
            "plimsoll gap --strategy quoter --instrument linear:BTCUSDT",
            "plimsoll gap --latency 35ms --queue 0.6     # what other settings would have given",
            "plimsoll gap --follow",
            "plimsoll gap --session last --json | jq .verdicts",
        ),
        "gap:gap",
        (
            *SHARED,
            _OF_STRATEGY,
            _OF_INSTRUMENT,
            _SESSION,
            Argument(
                "--latency",
                "latency of the shadow: a duration, `configured`, or `measured` (each order's own)",
                default="configured",
                metavar="TIME",
            ),
            Argument(
                "--queue",
                "part of the displayed quantity a resting order joins behind, or `configured`",
                default="configured",
                metavar="SHARE",
            ),
            Argument("--follow", "print it again each 5 s, until Ctrl-C", is_flag=True),
        ),
        "Every live order is filled on paper as well, against the recorded market without our own\n"
        "orders and executions. Works with the engine running or dead. docs/explanation/shadow.md\n"
        "says how, and what it cannot say.",
    ),
    Command(
        "stats",
        "returns, drawdown, round trips and execution of strategy instances, from the log",
        ("plimsoll stats", "plimsoll stats ema", "plimsoll stats --json | jq '.strategies[0]'"),
        "stats:stats",
        (Argument("strategy", "only this instance", default=""), *SHARED),
        "Returns are of strategy capital, days are UTC. A record begins anew when code,\n"
        "parameters, instruments or mode of an instance change. A dash stands where n is too\n"
        "small. docs/reference/statistics.md has the formula of each line.",
    ),
    Command(  # before `graduate`: the first command whose words fit is taken
        "graduate approve",
        "approve the stage or capital a strategy has earned, with evidence on file",
        (
            'plimsoll graduate approve ema --reason "60 days, gap inside its bounds"',
            "plimsoll graduate approve ema --plan            # the evidence, nothing recorded",
        ),
        "approving:approve",
        (
            Argument("strategy", "the instance"),
            *SHARED,
            _REASON,
            Argument(
                "--waive",
                "unknown rows you answer for: agreement, shadow_gap",
                default="",
                metavar="NAMES",
            ),
            Argument(
                "--equity",
                "what the account is worth, where it was never measured",
                default="",
                metavar="MONEY",
            ),
            _PLAN,
        ),
        "Refused (exit code 7) while anything stands against it. Writes the evidence to\n"
        "var/ENV/graduation, and records user, reason and SHA-256 in the log. A stage moves no\n"
        "order up: the command that does is printed.",
    ),
    Command(
        "graduate move",
        "put a strategy under review, back to paper or research, or retire it",
        ('plimsoll graduate move ema under_review --reason "fills look wrong"',),
        "approving:move",
        (
            Argument("strategy", "the strategy"),
            Argument("stage", "where to", choices=("under_review", "paper", "research", "retired")),
            *SHARED,
            _REASON,
        ),
        "Needs no evidence. Where money stood behind its stage its live book goes to paper at\n"
        "once, by `demotion` of its [[strategy]] table: it runs off unless that says otherwise.",
    ),
    Command(
        "graduate",
        "where strategies stand on their way to real money, and what they still need",
        (
            "plimsoll graduate",
            "plimsoll graduate ema --plan                    # with the capital ramp",
            "plimsoll graduate ema --check                   # a backtest of its paper session",
            "plimsoll graduate --json | jq '.strategies[].test'",
        ),
        "graduate:graduate",
        (
            Argument("strategy", "only this strategy", default=""),
            *SHARED,
            Argument("--plan", "the capital ramp and what it may cost as well", is_flag=True),
            Argument(
                "--check",
                "run its newest paper session as a backtest first: do both decide alike",
                is_flag=True,
            ),
        ),
        "Works with the engine running or dead. One entry a strategy: the record that counts is\n"
        "that of its paper book, once money stands behind it that of its live book. The table is\n"
        "a screen against broken strategies; the test is the evidence.\n"
        "docs/explanation/graduation.md says how often each is wrong.",
    ),
    Command(
        "replay",
        "run a session again from its log and compare every decision",
        (
            "plimsoll replay last",
            "plimsoll replay 3 --json",
            "plimsoll replay last --with strategies/ema_new.py:EmaCross --params fast=8",
        ),
        "replay:replay",
        (
            Argument("session", "epoch of the session, or `last`", default="last"),
            *SHARED,
            Argument(
                "--with",
                "what would this class have done, on paper over the recorded market",
                default="",
                metavar="FILE.py:CLASS",
            ),
            Argument("--strategy", "with --with: in whose place", default="", metavar="NAME"),
            Argument("--params", "with --with: NAME=VALUE, comma between", default="", metavar="L"),
        ),
        "Exit code 9 when a decision differs: the first one is shown, as the log has it and as it\n"
        "was made again. With --with three courses stand beside each other: what was done, the\n"
        "session's own code on paper, and the other code on paper.",
    ),
    Command(  # before `why`: the first command whose words fit is taken
        "why-not",
        "what prevents orders of a strategy instance right now",
        ("plimsoll why-not quoter", "plimsoll why-not quoter --json"),
        "why_not:why_not",
        (Argument("strategy", "the instance"), *SHARED),
        "The engine's own gate is asked about the smallest order the venue takes, on either side\n"
        "of each instrument, from the books as the log has them. Exit code 4 when anything stands\n"
        "against it.",
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
    *STRATEGY_COMMANDS,
    *MODE_COMMANDS,
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
    *data.COMMANDS,
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
