"""Commands: processes of a project, and how they stand."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command

RUNNING: Final = (
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
)
