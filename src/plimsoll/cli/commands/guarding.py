"""Commands: limits, breakers, and whose an account's holdings are."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command
from plimsoll.cli.commands.common import REASON

GUARDING: Final = (
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
            REASON,
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
            REASON,
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
            REASON,
        ),
        "Changes our books only: nothing is sent to the venue. `plimsoll status` shows what is\n"
        "observed: instruments that take no new risk until this is decided.",
    ),
)
