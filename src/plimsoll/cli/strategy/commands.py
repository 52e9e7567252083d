"""The commands about strategy files: words, help, arguments. Imports nothing heavy."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command

_REASON: Final = Argument("--reason", "why, for the log", default="", metavar="TEXT")

STRATEGY_COMMANDS: Final = (
    Command(
        "strategy list",
        "list a project's strategies: instances, classes, parameters",
        (
            "plimsoll strategy list --project desk",
            "plimsoll strategy list ema                 # one instance, every parameter",
            "plimsoll strategy list strategies/grid.py  # a class that no instance uses",
        ),
        "strategy.listing:strategies",
        (
            Argument("name", "an instance or a class; without it all", default=""),
            *SHARED,
        ),
        "Loads every file in strategies/: one that cannot be imported is listed with the reason.",
    ),
    Command(
        "strategy new",
        "write a strategy to begin from, and its test",
        ("plimsoll strategy new mean_reversion --project desk",),
        "strategy.new:new",
        (Argument("name", "name of the file; its class is named after it"), *SHARED),
        "Writes strategies/NAME.py and tests/test_NAME.py and prints the [[strategy]] table for\n"
        "it. Exit code 7, and nothing is written, where one of the files is there.",
    ),
    Command(
        "strategy check",
        "read and load strategies: what would break replay, restart or a live market",
        (
            "plimsoll strategy check --project desk     # every instance and file",
            "plimsoll strategy check strategies/grid.py --json",
            "plimsoll strategy check ema",
        ),
        "strategy.check:check",
        (
            Argument("name", "an instance or a file; without it all", default=""),
            *SHARED,
        ),
        "Exit code 4 when a finding is an error, 0 when there are warnings only. A comment\n"
        "`# plimsoll: allow(CODE) reason` in the line, or alone in the line above, silences one.\n"
        "The codes are listed in docs/reference/strategy.md.",
    ),
    Command(
        "strategy set",
        "change parameters of a running strategy that are declared hot",
        (
            'plimsoll strategy set ema fast=8 slow=21 --reason "calmer market"',
            "plimsoll strategy set pairs 'weights=[0.4, 0.6]'",
        ),
        "strategy.changing:change",
        (
            Argument("name", "the strategy, as plimsoll.toml names it"),
            Argument("pairs", "KEY=VALUE, written as in plimsoll.toml", is_many=True),
            *SHARED,
            _REASON,
        ),
        "All of them or none, in each of its books (live and paper); the strategy reads them in\n"
        "its next callback. They hold over restarts until the configuration says something else\n"
        "of them; it is not rewritten.\n"
        "Exit code 2 where a value will not do, 7 where the engine refuses.",
    ),
    Command(
        "strategy reload",
        "let a running strategy go on with the code its file holds now",
        (
            'plimsoll strategy reload ema --reason "mended the exit"',
            "plimsoll strategy reload quoter --orders cancel",
        ),
        "strategy.changing:reload",
        (
            Argument("name", "the strategy, as plimsoll.toml names it"),
            *SHARED,
            Argument(
                "--orders",
                "what becomes of its working orders; what protects a position stays",
                default="keep",
                choices=("keep", "cancel"),
            ),
            _REASON,
        ),
        "The file is loaded and checked first; one that is broken (exit code 3) never touches the\n"
        "running one. Both of its books (live and paper) go on with it, or neither. Positions and\n"
        "their stops stay; declared state goes over by name and type. Both hashes are recorded,\n"
        "and a copy of the code is kept for replays.",
    ),
    Command(
        "strategy schema",
        "print the JSON schema of a class's parameters",
        (
            "plimsoll strategy schema strategies/ema_cross.py:EmaCross",
            "plimsoll strategy schema strategies/grid.py --json",
        ),
        "strategy.listing:schema",
        (Argument("name", "FILE.py:Class, FILE.py or package.module:Class"), *SHARED),
        "What may stand under params, for editors and forms. x-hot marks what may change while\n"
        "the strategy runs.",
    ),
)
"""In the order of the overview."""
