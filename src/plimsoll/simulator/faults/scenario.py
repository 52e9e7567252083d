"""Scenario files: faults at times, as TOML or JSON; what is wrong is said with file and key."""

import json
import tomllib
from pathlib import Path
from typing import Any

from plimsoll.simulator.faults.ask import Ask, FaultError, ask_of


class ScenarioError(Exception):
    """A scenario cannot be used; the text names file, key and remedy."""


def read_scenario(path: Path) -> list[Ask]:
    """Return the faults of a file: a list of tables ``fault``, or a JSON list of objects.

    Raises:
        ScenarioError: the file is missing, does not parse, or asks for what cannot be had.
    """
    try:
        text = path.read_bytes().decode()
        found: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ScenarioError(f"{path}: {error}") from error
    if isinstance(found, dict):
        unknown = sorted(set(found) - {"fault"})
        if unknown:
            raise ScenarioError(f"{path}:{unknown[0]}: unknown key; a scenario holds only fault")
        found = found.get("fault", [])
    if not isinstance(found, list):
        raise ScenarioError(f"{path}:fault: must be a list of tables, [[fault]]")
    asks = []
    for number, table in enumerate(found):
        where = f"{path}:fault[{number}]"
        if not isinstance(table, dict):
            raise ScenarioError(f"{where}: must be a table")
        try:
            asks.append(ask_of(table))
        except FaultError as error:
            raise ScenarioError(f"{where}.{error}" if error.key else f"{where}: {error}") from error
    return asks
