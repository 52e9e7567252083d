"""Commands: what happened and why: replays, reasons, journals."""

from typing import Final

from plimsoll.cli.arguments import CALLBACK_LIMIT, SHARED, Argument, Command

EXPLAINING: Final = (
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
            CALLBACK_LIMIT,
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
        "the chain of records behind an order, a fill, a denial, a halt, a signal",
        (
            "plimsoll why acc-000003-000000007-K        # an order: from the input to the ledger",
            "plimsoll why halt                          # the newest halt and what it did",
            "plimsoll why quoter                        # its newest refusal or stop",
            "plimsoll why alert-4711                    # a signal: who heard it, what it led to",
            "plimsoll why 18230 --json                  # whatever stands at this seq",
        ),
        "why:why",
        (
            Argument(
                "id",
                "an order, execution, command or signal id, an instance, an instrument, halt, or a "
                "seq",
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
)
