"""The operator's passphrase, asked for where a command needs it."""

import sys
from getpass import getpass

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure


def typed(what: str) -> str:
    """Return what the operator types, or the first line of stdin where that is no terminal.

    Args:
        what: What needs it, such as ``this raises a limit``.

    Raises:
        Failure: there is neither a terminal nor a line.
    """
    if sys.stdin.isatty():
        return getpass(f"{what}; passphrase: ", sys.stderr)
    line = sys.stdin.readline().rstrip("\n")
    if not line:
        raise Failure(
            Exit.CREDENTIALS,
            "passphrase",
            f"{what}, which needs the operator's passphrase, and stdin has none",
            "run it in a terminal, or give the passphrase as the first line of stdin",
        )
    return line
