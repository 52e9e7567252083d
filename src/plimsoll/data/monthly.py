"""One month of a series: what is new in it, its file written beside the old one, then put there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plimsoll.data.database import literal, parquet
from plimsoll.data.errors import Overlaps
from plimsoll.data.frames import Series, moment, month_span
from plimsoll.data.staging import STAGED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PART: Final = ".part"
"""Suffix of a file that is being written; what a crash leaves of it is never read."""

_SHOWN: Final = 3


def counted(connection: DuckDBPyConnection, series: Series, path: Path) -> tuple[int, int, int]:
    """Return how many staged rows of a month are new, stored already, and stored differently."""
    within = _within(path)
    if not path.exists():
        row = connection.execute(f"SELECT count(*), 0, 0 FROM {STAGED} WHERE {within}").fetchone()
    else:
        row = connection.execute(
            f"SELECT count(*) FILTER (old.{series.time} IS NULL), "
            f"count(*) FILTER (old.{series.time} IS NOT NULL AND NOT ({_differs(series)})), "
            f"count(*) FILTER (old.{series.time} IS NOT NULL AND ({_differs(series)})) "
            f"FROM {STAGED} LEFT JOIN {parquet(path)} AS old ON old.{series.time} = at_ms "
            f"WHERE {within}"
        ).fetchone()
    assert row is not None, "an aggregate has a row"
    return row[0], row[1], row[2]


def _differs(series: Series) -> str:
    """Return the test of a value that is known twice, and differently."""
    return " OR ".join(
        f"({STAGED}.{name} IS NOT NULL AND old.{name} IS NOT NULL "
        f"AND {STAGED}.{name} <> old.{name})"
        for name in series.values
    )


def write(
    connection: DuckDBPyConnection, series: Series, path: Path, *, is_replacing: bool
) -> None:
    """Write stored and staged rows of a month beside its file, oldest first."""
    values = ", ".join(series.values)
    staged = f"SELECT at_ms AS {series.time}, {values} FROM {STAGED} WHERE {_within(path)}"
    both = staged
    if path.exists():
        first = (staged, f"SELECT {series.time}, {values} FROM {parquet(path)}")
        winner, other = first if is_replacing else first[::-1]
        both = (
            f"({winner}) UNION ALL SELECT * FROM ({other}) AS other "
            f"ANTI JOIN ({winner}) AS winner USING ({series.time})"
        )
    connection.execute(
        f"COPY (SELECT * FROM ({both}) ORDER BY {series.time}) "
        f"TO {literal(path.with_suffix(PART))} (FORMAT parquet, COMPRESSION zstd)"
    )


def _within(path: Path) -> str:
    first, following = month_span(path.stem)
    return f"at_ms >= {first} AND at_ms < {following}"


def put(moves: list[tuple[Path, Path]]) -> None:
    """Force new files to disk, then put each in place of its old one."""
    for part, _ in moves:
        with part.open("rb") as file:
            os.fsync(file.fileno())
    for part, path in moves:
        part.replace(path)
    if moves:
        directory = os.open(moves[0][1].parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def overlaps(connection: DuckDBPyConnection, series: Series, path: Path, count: int) -> Overlaps:
    """Return the refusal of staged rows that differ from ``count`` stored ones, with examples."""
    names = ", ".join(f"{STAGED}.{name}, old.{name}" for name in series.values)
    rows = connection.execute(
        f"SELECT at_ms, {names} FROM {STAGED} JOIN {parquet(path)} AS old "
        f"ON old.{series.time} = at_ms WHERE {_differs(series)} ORDER BY at_ms LIMIT {_SHOWN}"
    ).fetchall()
    shown = []
    for at_ms, *values in rows:
        pairs = zip(series.values, values[::2], values[1::2], strict=True)
        differing = [f"{name} {old} -> {new}" for name, new, old in pairs if new != old]
        shown.append(f"{moment(at_ms)} {', '.join(differing)}")
    return Overlaps(
        f"expected rows equal to the {count:,} stored of the same time, found {'; '.join(shown)}",
        str(path),
        "nothing was stored; find out which is right, then give --replace",
    )
