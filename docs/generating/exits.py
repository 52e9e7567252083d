"""The page of the exit codes."""

from generating.page import made_from, page
from plimsoll.cli.exits import Exit


def exits_page() -> str:
    """Return the exit codes."""
    lines = [
        "# Exit codes",
        "",
        *made_from("src/plimsoll/cli/exits.py"),
        "They never change their meaning. Result on stdout, talk on stderr; with `--json` an error",
        'is one line `{"error": {"code", "message", "hint"}}` on stderr.',
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {one.value} | {one.meaning} |" for one in Exit),
        "",
        "A backtest or a replay in which a callback of a strategy does not return ends with 8 and",
        "names it, with file and line; a sweep goes on with its other runs, and ends with 3 where",
        "all of them failed.",
        "",
        "## When the engine does not start",
        "",
        "| found | code |",
        "|---|---|",
        "| an instrument that does not exist, does not trade or cannot be counted exactly | 3 |",
        "| a key the venue does not accept, or one that may do more or less than trade | 5 |",
        "| no usable answer from the venue | 6 |",
        "| an account that is not Unified, not one-way, or in portfolio margin | 7 |",
        "| the lease is held by another process, or the epoch file cannot be trusted | 7 |",
        "| a damaged journal, one of another account, format, release or a later epoch | 7 |",
        "",
        "## What `plimsoll venue probe` ends with",
        "",
        "| found | code |",
        "|---|---|",
        "| every row equal, or unknown with its reason | 0 |",
        "| a row that differs | 9 |",
        "| an order or position of the probe that is still at the venue | 4 |",
        "| mainnet, an account that is not flat, or not in a mode the engine trades in | 7 |",
        "| another environment than the configuration's | 3 |",
        "| Ctrl-C or SIGTERM, after everything was taken back | 130, 143 |",
    ]
    return page(lines)
