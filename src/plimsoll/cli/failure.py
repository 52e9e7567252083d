"""Errors as people and programs read them: what, where, how to fix; never a traceback."""

import json
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from plimsoll import __version__
from plimsoll.cli.exits import Exit

SCHEMA = 1
"""Version of every JSON document printed; fields are only ever added."""


class Failure(Exception):
    """An end that is not success: told to the user, with the exit code for the caller."""

    def __init__(self, exit_code: Exit, code: str, message: str, hint: str = "") -> None:
        """Carry the words.

        Args:
            exit_code: What the process ends with.
            code: A stable word for programs.
            message: What happened, and where.
            hint: What to do about it.
        """
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.hint = hint


def tell(failure: Failure, *, as_json: bool) -> None:
    """Write a failure to stderr."""
    if as_json:
        error = {"code": failure.code, "message": failure.message, "hint": failure.hint}
        print(json.dumps({"error": error}), file=sys.stderr)
        return
    print(f"error: {failure.message}", file=sys.stderr)
    if failure.hint:
        print(f"hint: {failure.hint}", file=sys.stderr)


def unexpected(error: BaseException, arguments: list[str]) -> Failure:
    """Write the report of a bug to a file and return what to tell the user."""
    text = "".join(traceback.format_exception(error))
    head = f"plimsoll {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    with tempfile.NamedTemporaryFile(
        "w", prefix="plimsoll-report-", suffix=".txt", delete=False
    ) as file:
        file.write(f"{head}arguments: {arguments}\n\n{text}")
    last = traceback.format_exception_only(error)[-1].strip()
    return Failure(
        Exit.UNEXPECTED,
        "unexpected",
        f"this should not have happened: {last}",
        f"the report is in {Path(file.name)}; it holds no key and no secret of the configuration",
    )
