"""``sim``: the exchange simulator in the foreground, and how true its market is."""

import json as json_text
import sys
import tomllib
from pathlib import Path

import msgspec

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.text import table
from plimsoll.simulator import AccountSettings, SimSettings, serve
from plimsoll.simulator.market import Comparison, DataError, compare


def sim(
    *,
    port: int,
    market: str,
    data: str,
    instrument: str,
    seed: int,
    speed: float,
    burst: float,
    extra_symbols: int,
    push_periods: str,
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
            burst=burst,
            extra_symbols=extra_symbols,
            push_periods=push_periods,
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


def compare_markets(*, recording: str, seconds: float, seed: int, json: bool) -> Exit:
    """Print the statistics of a recording and of the calibrated market.

    Raises:
        Failure: the file cannot be used.
    """
    try:
        found = compare(Path(recording), seconds, seed)
    except DataError as error:
        raise Failure(Exit.CONFIGURATION, "no-data", str(error), _DATA_HINT) from error
    names = list(found.recording | found.simulator)
    if json:
        rows = {
            name: {"recording": found.recording.get(name), "simulator": found.simulator.get(name)}
            for name in names
        }
        head = {"instrument": found.instrument, "seconds": found.seconds}
        print_json(head | {"period_ms": found.period_ms, "statistics": rows})
        return Exit.DONE
    print(f"{found.instrument}, {found.seconds:.1f} s, a message each {found.period_ms:.1f} ms")
    titles = ("statistic", ">recording", ">simulator", ">ratio")
    print(table(titles, [_row(name, found) for name in names]))
    return Exit.DONE


def _row(name: str, found: Comparison) -> tuple[str, str, str, str]:
    recorded, simulated = found.recording.get(name), found.simulator.get(name)
    ratio = simulated / recorded if recorded and simulated is not None else None
    first, second, third = (
        "-" if value is None else f"{value:,.3f}" for value in (recorded, simulated, ratio)
    )
    return name, first, second, third


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
