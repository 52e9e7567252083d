"""The entry point: finds the command, runs it, and turns every end into words and an exit code."""

import os
import sys
from collections.abc import Sequence

from plimsoll.cli.arguments import find, help_of, overview, parse
from plimsoll.cli.commands import COMMANDS
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure, tell, unexpected
from plimsoll.config.errors import ConfigError, CredentialError


def run() -> None:
    """Run the command of this process and end it."""
    sys.exit(main(sys.argv[1:]))


def main(words: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    as_json = "--json" in words or os.environ.get("PLIMSOLL_JSON", "") not in ("", "0", "false")
    try:
        return _dispatch(words)
    except Failure as error:
        return _told(error, as_json=as_json)
    except ConfigError as error:
        return _told(_of_config(error), as_json=as_json)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has left
        return Exit.DONE
    except Exception as error:  # the root of the process: told, with a report file
        return _told(unexpected(error, list(words)), as_json=as_json)


def _told(failure: Failure, *, as_json: bool) -> int:
    tell(failure, as_json=as_json)
    return failure.exit_code


def _dispatch(words: Sequence[str]) -> int:
    if not words or words[0] in ("--help", "-h", "help"):
        print(overview(COMMANDS))
        return Exit.DONE if words else Exit.USAGE
    if words[0] == "--version":
        words = ["version", *words[1:]]
    command, rest = find(COMMANDS, words)
    values = parse(command, rest)
    if values is None:
        print(help_of(command))
        return Exit.DONE
    return command.run(values)


def _of_config(error: ConfigError) -> Failure:
    errors = (error, *error.others)
    hints = dict.fromkeys(item.hint for item in errors if item.hint)
    is_credential = isinstance(error, CredentialError)
    return Failure(
        Exit.CREDENTIALS if is_credential else Exit.CONFIGURATION,
        error.code,
        "\n       ".join(str(item) for item in errors),
        "\n      ".join(hints),
    )
