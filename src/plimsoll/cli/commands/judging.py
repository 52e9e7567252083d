"""Commands: how good execution and strategies are."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command
from plimsoll.cli.commands.common import PLAN, REASON

_OF_STRATEGY: Final = Argument("--strategy", "only this instance", default="", metavar="NAME")
_OF_INSTRUMENT: Final = Argument("--instrument", "only this instrument", default="", metavar="NAME")
_SESSION: Final = Argument(
    "--session",
    "what was recorded in one session: its epoch, or `last`; or `all`",
    default="all",
    metavar="N",
)

JUDGING: Final = (
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
            REASON,
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
            PLAN,
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
            REASON,
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
            "plimsoll graduate ema --check                   # backtests of its paper sessions",
            "plimsoll graduate --json | jq '.strategies[].test'",
        ),
        "graduate:graduate",
        (
            Argument("strategy", "only this strategy", default=""),
            *SHARED,
            Argument("--plan", "the capital ramp and what it may cost as well", is_flag=True),
            Argument(
                "--check",
                "run its paper sessions as backtests first: do both decide alike",
                is_flag=True,
            ),
        ),
        "Works with the engine running or dead. One entry a strategy: the record that counts is\n"
        "that of its paper book, once money stands behind it that of its live book. The table is\n"
        "a screen against broken strategies; the test is the evidence.\n"
        "docs/explanation/graduation.md says how often each is wrong.",
    ),
)
