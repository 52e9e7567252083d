"""``sim``: the exchange simulator in the foreground."""

import json as json_text
import sys
import tomllib
from pathlib import Path

import msgspec

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.simulator import AccountSettings, SimSettings, serve


def sim(
    *,
    port: int,
    market: str,
    data: str,
    instrument: str,
    seed: int,
    speed: float,
    limits: str,
    record: str,
    dir: str,
    key: str,
    secret: str,
    fresh: bool,
    scenario: str,
    faults: str,
    chaos: float,
    accounts: str,
    json: bool,
) -> Exit:
    """Run until Ctrl-C or SIGTERM.

    Raises:
        Failure: an option or a file cannot be used.
    """
    held = _accounts(accounts) if accounts else (AccountSettings(),)
    if (key or secret) and accounts:
        raise Failure(Exit.USAGE, "usage", "--accounts replaces --key and --secret", "")
    if key or secret:
        held = (AccountSettings(key=_first_line(key), secret=_first_line(secret)),)
    if not 0 <= port <= _PORT_MOST:
        raise Failure(
            Exit.USAGE,
            "usage",
            f"--port {port}: expected 0 to {_PORT_MOST}",
            "0 takes any free one",
        )
    if data and not Path(data).is_file():
        raise Failure(
            Exit.CONFIGURATION, "no-data", f"--data {data}: there is no such file", _DATA_HINT
        )
    try:
        settings = SimSettings(
            port=port,
            market=market,
            data=data,
            instrument=instrument,
            seed=seed,
            speed=speed,
            limits=limits,
            record=record,
            directory=dir,
            accounts=held,
            fresh=fresh,
            scenario=scenario,
            faults=faults,
            chaos_s=chaos,
        )
    except ValueError as error:
        raise Failure(Exit.USAGE, "usage", str(error), "plimsoll sim --help") from error

    def ready(bound: int) -> None:
        address = f"127.0.0.1:{bound}"
        if json:
            print_json({"event": "ready", "address": address, "directory": dir})
        else:
            print(f"simulator listens on {address}, writes to {dir}", file=sys.stderr, flush=True)

    try:
        return Exit(serve(settings, ready))
    except OSError as error:
        where = error.filename or dir
        raise Failure(
            Exit.CONFIGURATION, "directory", f"{where} cannot be written: {error.strerror}"
        ) from error


_PORT_MOST = 65_535
_DATA_HINT = "docs/reference/simulator.md says which files it reads"


def _accounts(path: str) -> tuple[AccountSettings, ...]:
    """Return the accounts of a file: tables ``[[account]]``, or a JSON list of objects."""
    try:
        text = Path(path).read_bytes().decode()
        found = json_text.loads(text) if path.endswith(".json") else tomllib.loads(text)
        rows = found.get("account") if isinstance(found, dict) else found
        return msgspec.convert(rows, tuple[AccountSettings, ...])
    except OSError as error:
        raise Failure(
            Exit.CREDENTIALS, "credentials", f"{path} cannot be read: {error.strerror}"
        ) from error
    except (ValueError, msgspec.ValidationError) as error:
        raise Failure(
            Exit.CONFIGURATION, "accounts", f"{path}: {error}", "see docs/reference/simulator.md"
        ) from error


def _first_line(path: str) -> str:
    if not path:
        raise Failure(Exit.USAGE, "usage", "--key and --secret belong together", "")
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise Failure(
            Exit.CREDENTIALS, "credentials", f"{path} cannot be read: {error.strerror}"
        ) from error
