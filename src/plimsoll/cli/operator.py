"""``operator passphrase``: makes what `[operator] passphrase` names."""

import os
import secrets
import sys
from getpass import getpass
from pathlib import Path

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.layout import Layout
from plimsoll.engine.authority import LEAST, hashed

_SALT_BYTES = 16


def passphrase(project: str, env: str, *, json: bool, file: str) -> Exit:
    """Ask for a passphrase and write its hash; the passphrase itself is written nowhere.

    Raises:
        Failure: the two do not agree, it is too short, or the file cannot be written.
    """
    root = Layout.of(Path(project), env).root
    path = root / Path(file).expanduser()
    kept = hashed(_asked(), secrets.token_bytes(_SALT_BYTES))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.tmp")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as out:
            out.write(f"{kept}\n")
        fresh.rename(path)
    except OSError as error:
        what = f"{path}: cannot be written: {error.strerror}"
        hint = "--file names another place"
        raise Failure(Exit.CONFIGURATION, "not-written", what, hint) from error
    entry = f'[operator]\npassphrase = "file:{file}"'
    if json:
        print_json({"file": str(path), "configuration": entry})
    else:
        print(f"written: {path}. In plimsoll.toml, read at the next start:\n\n{entry}")
    return Exit.DONE


def _asked() -> str:
    if sys.stdin.isatty():
        first = getpass("new passphrase: ", sys.stderr)
        if getpass("the same again: ", sys.stderr) != first:
            raise Failure(Exit.USAGE, "usage", "the two are not the same", "try again")
    else:
        first = sys.stdin.readline().rstrip("\n")
    if len(first) < LEAST:
        what = f"expected at least {LEAST} characters"
        raise Failure(Exit.USAGE, "usage", what, "in a terminal, or as the first line of stdin")
    return first
