"""The one place that knows DuckDB: it reads and writes Parquet and counts quickly.

It is an extra of the package, and is imported only when data are really touched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plimsoll.data.errors import DataError, PackageMissing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY: Final = "256MB"
"""Most it holds in memory; what is larger goes to its temporary directory."""


@contextmanager
def database() -> Iterator[tuple[DuckDBPyConnection, Path]]:
    """Yield an empty database and its temporary directory; both are gone afterwards.

    Raises:
        PackageMissing: DuckDB is not installed.
        DataError: memory or the temporary directory was not enough.
    """
    try:
        import duckdb
    except ImportError as error:
        raise PackageMissing(
            "expected the package duckdb, found none",
            "the extra `data`",
            "install it: python -m pip install 'duckdb>=1.4,<3' (or 'plimsoll[data]')",
        ) from error
    # Not a TemporaryDirectory: who reads half of the rows and is collected later is no mistake.
    directory = tempfile.mkdtemp(prefix="plimsoll-data-")
    # Nothing is ever loaded from the network, and nothing is written but where we say.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": _MEMORY,
        "temp_directory": directory,
    }
    try:
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            try:
                yield connection, Path(directory)
            except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
                raise DataError(
                    f"there was too little memory or space ({str(error)[:160]})",
                    directory,
                    "make room, or name another place with the variable TMPDIR",
                ) from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def literal(text: object) -> str:
    """Return a text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


def parquet(path: Path, *, with_row: bool = False) -> str:
    """Return what reads a Parquet file; ``file_row_number`` counts from 0."""
    option = ", file_row_number = true" if with_row else ""
    return f"read_parquet({literal(path)}{option})"
