"""The one JSON document of a command."""

import json
from typing import Any

from plimsoll import __version__
from plimsoll.cli.failure import SCHEMA


def print_json(fields: dict[str, Any]) -> None:
    """Print one document on one line, with its schema and the program's version."""
    print(json.dumps({"schema": SCHEMA, "version": __version__} | fields), flush=True)
