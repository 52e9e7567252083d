"""Commands: what a person tells a running engine."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command
from plimsoll.cli.commands.common import PLAN, REASON, SCOPES

_SCOPE: Final = Argument("scope", f"{SCOPES}; without it the account", default="")
_ALL: Final = Argument(
    "--all", "foreign orders and positions too; needs account.dedicated", is_flag=True
)

ACTING: Final = (
    Command(
        "pause",
        "take no new risk; orders that rest stay",
        (
            'plimsoll pause trend --reason "news at two"',
            "plimsoll pause linear:BTCUSDT",
            "plimsoll pause trend/linear:BTCUSDT",
        ),
        "control:pause",
        (_SCOPE, *SHARED, REASON),
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
            REASON,
            PLAN,
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
        "resume",
        "end the halt and the pause of a scope",
        ('plimsoll resume --reason "prices are right again"', "plimsoll resume trend"),
        "control:resume",
        (_SCOPE, *SHARED, REASON),
        "It ends exactly what was halted or paused under this scope, and a flatten under way.\n"
        "Exit code 7 when nothing is; the words name what stands instead.",
    ),
    Command(
        "flatten",
        "halt a scope and close its positions",
        ("plimsoll flatten account --plan", 'plimsoll flatten trend --reason "enough"'),
        "acting:flatten",
        (
            Argument("scope", f"{SCOPES}; `account` for all of it"),
            *SHARED,
            REASON,
            PLAN,
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
            REASON,
            PLAN,
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
            REASON,
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
            REASON,
            PLAN,
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
        (Argument("name", "the instance, as `plimsoll status` names it"), *SHARED, REASON),
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
        (Argument("instrument", "a blocked instrument, such as linear:BTCUSDT"), *SHARED, REASON),
        "`plimsoll status` tells what is blocked and why. A block that still has its cause comes "
        "back.",
    ),
)
