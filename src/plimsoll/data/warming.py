"""Stored minutes for an engine that starts, read in a process of its own.

DuckDB takes threads and memory that a trading process has no use for: it asks this one, which ends.
In: ``Wanted`` as JSON on standard input. Out: ``Kept`` by instrument, as msgpack.
"""

import math
import subprocess
import sys
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.data.errors import DataError, NothingStored
from plimsoll.data.frames import series_of
from plimsoll.data.reading import Row, read_bars
from plimsoll.data.store import Store

MINUTE_MS: Final = 60_000
_PATIENCE_S: Final = 60.0


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for: from when on, Unix ms, by instrument."""

    store: str
    since_ms: dict[str, int]


class Kept(msgspec.Struct):
    """What is stored of an instrument's minutes.

    ``rows``: six doubles each, as ``Row``, oldest first. ``environment``: of the venue they were
    fetched from, empty where that is not known. ``unsound``: rows that make no sense, left out.
    ``why``: nothing can be read.
    """

    rows: bytes = b""
    environment: str = ""
    unsound: int = 0
    why: str = ""


def kept(store: Path, since_ms: Mapping[str, int]) -> dict[str, Kept]:
    """Return what a store has of these instruments; one without minutes is left out.

    Nothing is started where there is nothing to read.
    """
    wanted = {name: since for name, since in since_ms.items() if _has_minutes(store, name)}
    if not wanted:
        return {}
    words = [sys.executable, "-m", "plimsoll.data.warming"]
    asked = msgspec.json.encode(Wanted(str(store), wanted))
    try:
        done = subprocess.run(  # noqa: S603 - this very program
            words, input=asked, capture_output=True, timeout=_PATIENCE_S, check=True
        )
        return msgspec.msgpack.decode(done.stdout, type=dict[str, Kept])
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        return {name: Kept(why=f"it cannot be read: {str(error)[:200]}") for name in wanted}


def _has_minutes(store: Path, name: str) -> bool:
    try:
        return bool(Store(store).files(series_of(name, "last", "1m")))
    except DataError:  # no name of an instrument: the venue is to say so
        return False


def read(wanted: Wanted) -> dict[str, Kept]:
    """Return the same, read here."""
    return {name: _read(Path(wanted.store), name, since) for name, since in wanted.since_ms.items()}


def _read(store: Path, name: str, since_ms: int) -> Kept:
    found, numbers = Kept(), array("d")
    try:
        filters = Store(store).filters(name)
        found.environment = filters.environment if filters is not None else ""
        for chunk in read_bars(store, name, "1m", since_ms, 1 << 62):
            for row in chunk:
                if is_sound(row):
                    numbers.extend(row)
                else:
                    found.unsound += 1
    except NothingStored:
        return found
    except DataError as error:
        return Kept(environment=found.environment, why=f"{error.where}: {error.what}; {error.how}")
    found.rows = numbers.tobytes()
    return found


def is_sound(row: Row) -> bool:
    """Return whether a minute is one, as an import judges it."""
    start_ms, first, high, low, last, volume = row
    return (
        all(map(math.isfinite, row))
        and start_ms % MINUTE_MS == 0
        and 0 < low <= min(first, last)
        and high >= max(first, last)
        and volume >= 0
    )


if __name__ == "__main__":
    asked_for = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    sys.stdout.buffer.write(msgspec.msgpack.encode(read(asked_for)))
