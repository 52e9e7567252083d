"""Commands: configuration, instruments, account and venue."""

from typing import Final

from plimsoll.cli.arguments import JSON, SHARED, Argument, Command

PREPARING: Final = (
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
