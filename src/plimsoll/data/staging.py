"""A file as a table of the database: ``staged(line, cells, at_ms, values...)``, not yet judged.

Numbers and times that cannot be read are NULL there; ``judging`` says so with the row as it stood.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from plimsoll.data.database import literal, parquet
from plimsoll.data.errors import DataError, FileCut, NotRecognised
from plimsoll.data.files import TextFile, is_parquet, unpacked
from plimsoll.data.frames import Series
from plimsoll.data.shape import Shape, shape_of, shape_of_names, split
from plimsoll.data.times import TimeFormat, TimeWords, of_timestamps, recognise

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGED = "staged"


class Staged(NamedTuple):
    """What was staged, and how it was read."""

    path: Path
    series: Series
    shape: Shape
    notes: tuple[str, ...]
    """What was recognised, in words."""

    rows_of: Callable[[set[int]], dict[int, str]]
    """From numbers of rows to the rows as they stand in the file."""

    needed: tuple[str, ...]
    """Values that must be there in every row."""

    how: str = ""
    """What to do about a faulty row, where it is always the same."""

    now_ms: int = 0
    """When it was read, 0 = not known: a bar that ends later is not over yet."""


def stage(
    connection: DuckDBPyConnection,
    directory: Path,
    path: Path,
    series: Series,
    *,
    columns: str = "",
    times: TimeWords | None = None,
) -> Staged:
    """Read a file into the table ``staged``.

    Args:
        connection: An open database.
        directory: Where text is unpacked to.
        path: CSV (plain, gzip, Zstandard) or Parquet.
        series: What its rows are rows of.
        columns: Names of the columns in their order; empty: recognise them.
        times: What is known of its times.

    Raises:
        NotRecognised: columns or times.
        FileCut: it is not whole.
        DataError: it cannot be read, or holds another symbol.
    """
    said = times or TimeWords()
    if is_parquet(path):
        return _stage_parquet(connection, path, series, columns, said)
    return _stage_text(connection, unpacked(path, directory), series, columns, said)


def _stage_text(
    connection: DuckDBPyConnection, file: TextFile, series: Series, columns: str, said: TimeWords
) -> Staged:
    where = f"{file.path}:{file.first_line}"
    shape = shape_of(file.head, series.kind, columns, where)
    sample = split(file.head[1 if shape.has_header else 0], shape.delimiter)
    if len(sample) <= shape.time:
        raise NotRecognised("the first row is cut short", where, "take the whole file")
    form = recognise(sample[shape.time], said, where)
    is_quoted = any('"' in line for line in file.head)
    text = "replace(text, '\"', '')" if is_quoted else "text"
    source = (
        f"SELECT line, string_split({text}, {literal(shape.delimiter)}) AS cells FROM ("
        "SELECT row_number() OVER () AS line, text FROM read_csv("
        f"{literal(file.text)}, columns = {{'text': 'VARCHAR'}}, delim = '\x01', quote = '', "
        "escape = '', header = false, auto_detect = false, new_line = '\\n')"
        f") WHERE text IS NOT NULL AND line > {file.first_line if shape.has_header else 0}"
    )
    _create(
        connection,
        series,
        shape,
        source,
        time=form.sql(f"trim(cells[{shape.time + 1}])"),
        count="len(cells)",
        cell=lambda place: f"cells[{place + 1}]",
        where=str(file.path),
    )
    notes = _notes(shape, form)
    if not file.has_end:
        notes += ("the last line has no newline: where the file was cut, its last value is wrong",)
    return Staged(file.path, series, shape, notes, file.lines, _needed(series, shape))


def _stage_parquet(
    connection: DuckDBPyConnection, path: Path, series: Series, columns: str, said: TimeWords
) -> Staged:
    import duckdb

    try:
        described = connection.execute(f"DESCRIBE FROM {parquet(path)}").fetchall()
        first = connection.execute(f"FROM {parquet(path)} LIMIT 1").fetchone()
    except duckdb.Error as error:
        raise _cut(path, error) from error
    names, types = [row[0] for row in described], [row[1] for row in described]
    shape = shape_of_names(names, series.kind, columns, str(path))
    if first is None:
        raise NotRecognised("expected rows, found none", str(path), "take it from its source again")
    form = _parquet_time(types[shape.time], first[shape.time], said, f"{path}:1")

    def column(place: int) -> str:
        return '"' + str(names[place]).replace('"', '""') + '"'

    source = f"SELECT file_row_number + 1 AS line, * FROM {parquet(path, with_row=True)}"

    def rows_of(numbers: set[int]) -> dict[int, str]:
        wanted = ", ".join(map(str, sorted(numbers))) or "0"
        rows = connection.execute(
            f"SELECT * FROM ({source}) WHERE line IN ({wanted}) ORDER BY line"
        ).fetchall()
        return {row[0]: ", ".join(map(str, row[1 : len(names) + 1])) for row in rows}

    try:
        _create(
            connection,
            series,
            shape,
            source,
            time=form.sql(column(shape.time)),
            count=str(shape.width),
            cell=column,
            where=str(path),
        )
    except duckdb.Error as error:
        raise _cut(path, error) from error
    return Staged(path, series, shape, _notes(shape, form), rows_of, _needed(series, shape))


def _create(
    connection: DuckDBPyConnection,
    series: Series,
    shape: Shape,
    source: str,
    *,
    time: str,
    count: str,
    cell: Callable[[int], str],
    where: str,
) -> None:
    """Make the table; closing times become the beginnings of their bars."""
    begins = "at_ms"
    if shape.is_closing:
        span = series.frame.span_ms
        begins = (
            f"CASE (at_ms - {series.frame.offset_ms}) % {span} WHEN 0 THEN at_ms - {span} "
            f"WHEN {span - 1} THEN at_ms - {span - 1} ELSE at_ms END"
        )
    values = [
        f"TRY_CAST({cell(shape.columns[name])} AS DOUBLE) AS {name}"
        if name in shape.columns
        else f"CAST(NULL AS DOUBLE) AS {name}"
        for name in values_of(series, shape)
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT * REPLACE ({begins} AS at_ms) FROM ("
        f"SELECT line, {count} AS cells, {time} AS at_ms, {', '.join(values)} FROM ({source}))"
    )
    if "symbol" in shape.columns:
        _check_symbol(connection, source, cell(shape.columns["symbol"]), series, where)


def _notes(shape: Shape, form: TimeFormat) -> tuple[str, ...]:
    closing = ", of the end of each bar" if shape.is_closing else ""
    return (*shape.notes, f"times: {form.word}{closing}")


def _check_symbol(
    connection: DuckDBPyConnection, source: str, cell: str, series: Series, where: str
) -> None:
    symbol = series.instrument.partition(":")[2]
    row = connection.execute(
        f"SELECT line, {cell} FROM ({source}) WHERE {cell} <> {literal(symbol)} LIMIT 1"
    ).fetchone()
    if row is not None:
        raise DataError(
            f"expected rows of {symbol}, found {row[1]!r}",
            f"{where}:{row[0]}",
            "name the instrument the file is of; split a file that holds several",
        )


def values_of(series: Series, shape: Shape) -> tuple[str, ...]:
    """Return the value columns of the staged table: of trades a price and a size."""
    if shape.content != "trades":
        return series.values
    return ("price", "size" if "size" in shape.columns else "volume")


def _needed(series: Series, shape: Shape) -> tuple[str, ...]:
    return tuple(name for name in values_of(series, shape) if name in shape.columns)


def _parquet_time(kind: str, value: object, said: TimeWords, where: str) -> TimeFormat:
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        has_zone = "TZ" in kind or "TIME ZONE" in kind
        return of_timestamps(said.zone, where, has_zone=has_zone)
    return recognise(str(value), said, where)


def _cut(path: Path, error: Exception) -> FileCut:
    return FileCut(
        f"expected a whole Parquet file, found one that cannot be read ({str(error)[:160]})",
        str(path),
        "take it from its source again",
    )
