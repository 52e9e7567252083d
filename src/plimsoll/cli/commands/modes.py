"""The commands about modes: which of a strategy's instances run, and who said so."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command

MODE_COMMANDS: Final = (
    Command(
        "mode show",
        "list the mode of every strategy, its two books, and who set it",
        ("plimsoll mode show --project desk", "plimsoll mode show --json | jq .strategies"),
        "mode:show",
        SHARED,
        "From the logs, with or without an engine.",
    ),
    Command(
        "mode set",
        "switch a strategy of the running engine to paper, live or hybrid",
        (
            'plimsoll mode set trend paper --reason "spreads are wide"',
            "plimsoll mode set trend paper --policy flatten --plan",
            'plimsoll mode set trend live --override --capital 200USDT --reason "a first try"',
        ),
        "mode:change",
        (
            Argument("strategy", "its name in the configuration"),
            Argument("mode", "what it becomes", choices=("paper", "live", "hybrid")),
            *SHARED,
            Argument(
                "--policy",
                "to paper: what becomes of the live book; without it run_off",
                default="",
                choices=("run_off", "flatten", "hand_over"),
            ),
            Argument("--override", "go live without evidence, at your own risk", is_flag=True),
            Argument(
                "--capital",
                "with --override: the most its live book may have at risk, such as 200USDT",
                default="",
                metavar="CASH",
            ),
            Argument(
                "--evidence",
                "hash of its stage, as `graduate approve` prints it: caps it at that capital",
                default="",
                metavar="HASH",
            ),
            Argument("--reason", "why, for the log", default="", metavar="TEXT"),
            Argument("--plan", "show what it would do; change nothing", is_flag=True),
        ),
        "To paper it goes at once: entries are cancelled, new ones go to the paper book, and the\n"
        "live book only reduces until it is flat (run_off), is closed in slices (flatten), or is\n"
        "yours from then on (hand_over). To live it goes from a flat live book, with evidence or\n"
        "--override, and with the operator's passphrase, on the terminal or as the first line of\n"
        "stdin. No position ever moves between paper and live. A restart keeps the mode.",
    ),
)
