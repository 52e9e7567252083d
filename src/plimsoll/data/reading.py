"""Bars as the rest of the program reads them: in chunks, so that memory does not grow with them."""

import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from plimsoll.data.database import database, parquet
from plimsoll.data.errors import DataError, FileCut, NothingStored
from plimsoll.data.frames import Series, series_of
from plimsoll.data.judging import drop_or_refuse
from plimsoll.data.staging import STAGED, stage
from plimsoll.data.store import Store
from plimsoll.data.times import TimeWords
from plimsoll.data.trades import make_bars

Row = tuple[int, float, float, float, float, float]
"""start_ms (Unix ms, UTC), open, high, low, close, volume in base coin; 0.0 where there is none."""

Rate = tuple[int, float]
"""Time of the settlement (Unix ms, UTC) and funding rate, positive where longs pay."""

CHUNK: Final = 8192
"""Most rows of a chunk."""

_BAR: Final = "open, high, low, close, coalesce(volume, 0.0)"


def read_bars(
    store_dir: Path, instrument: str, frame: str, from_ms: int, to_ms: int, kind: str = "last"
) -> Iterator[list[Row]]:
    """Yield stored bars, oldest first, in chunks of up to ``CHUNK`` rows.

    Gaps are left as they are: a row says when it begins. Every row is newer than the one before.

    Args:
        store_dir: The store, ``data`` in a project directory.
        instrument: Such as ``linear:BTCUSDT``.
        frame: Such as ``1m``.
        from_ms: First bar that may be yielded, Unix ms.
        to_ms: Bars that begin here or later are not yielded.
        kind: ``last`` or ``mark``.

    Raises:
        NothingStored: the store has nothing of this series, at any time.
        FileCut: a stored file cannot be read.
        DataError: instrument, frame or kind is none, rows are not in order, or DuckDB is missing.
    """
    series = series_of(instrument, kind, frame)
    if series.is_funding:
        raise DataError("funding has rates, not bars", instrument, "use read_funding")
    yield from _stored(store_dir, series, _BAR, from_ms, to_ms)


def read_funding(
    store_dir: Path, instrument: str, from_ms: int, to_ms: int
) -> Iterator[list[Rate]]:
    """Yield stored funding rates, oldest first, in chunks; it raises as ``read_bars`` does."""
    yield from _stored(store_dir, series_of(instrument, "funding", ""), "rate", from_ms, to_ms)


def read_file(
    path: Path,
    frame: str,
    *,
    instrument: str = "linear:BTCUSDT",
    kind: str = "last",
    columns: str = "",
    times: TimeWords | None = None,
    from_ms: int = 0,
    to_ms: int = 1 << 62,
    tell: Callable[[tuple[str, ...]], None] | None = None,
    now_ms: int = 0,
) -> Iterator[list[Row]]:
    """Yield the bars of one file, oldest first, in chunks; nothing is stored.

    The file is judged before the first chunk, as an import judges it.

    Args:
        path: CSV (plain, gzip, Zstandard) or Parquet, of bars or a trade archive.
        frame: Frame of its bars; of trades: of the bars made of them.
        instrument: Checked against the file only where it has a column of symbols.
        kind: ``last`` or ``mark``.
        columns: Names of its columns in their order; empty: recognise them.
        times: What is known of its times.
        from_ms: First bar that may be yielded, Unix ms.
        to_ms: Bars that begin here or later are not yielded.
        tell: Hears how the file was read, in words, before the first chunk.
        now_ms: Time of day, Unix ms, so that the bar under way is found; 0 = not known.

    Raises:
        NotRecognised: columns or times can be read in more than one way, or in none.
        BadRows: rows make no sense.
        FileCut: it is not whole.
        DataError: it cannot be read, or DuckDB is missing.
    """
    series = series_of(instrument, kind, frame)
    if series.is_funding:
        raise DataError("funding has rates, not bars", str(path), "import it")
    with database() as (connection, directory):
        staged = stage(connection, directory, path, series, columns=columns, times=times)
        drop_or_refuse(connection, staged._replace(now_ms=now_ms))
        if tell is not None:
            tell(staged.notes)
        if staged.shape.content == "trades":
            make_bars(connection, staged)
        # Judged rows stand in order of time, and a table is read in the order it was written.
        rows = connection.execute(
            f"SELECT at_ms, {_BAR} FROM {STAGED} WHERE at_ms >= ? AND at_ms < ?", [from_ms, to_ms]
        )
        while chunk := rows.fetchmany(CHUNK):
            yield chunk


def _stored(
    store_dir: Path, series: Series, values: str, from_ms: int, to_ms: int
) -> Iterator[list[Any]]:
    store = Store(store_dir)
    if not store.files(series):
        raise NothingStored(
            f"nothing is stored of {series.name}",
            str(series.directory(store_dir)),
            f"plimsoll data fetch {series.instrument} --kind {series.kind}, or data import",
        )
    before = -1
    with database() as (connection, _):
        import duckdb

        for path, first, end in store.months(series, from_ms, to_ms):
            try:
                rows = connection.execute(
                    f"SELECT {series.time}, {values} FROM {parquet(path)} "
                    f"WHERE {series.time} >= ? AND {series.time} < ?",
                    [first, end],
                )
                while chunk := rows.fetchmany(CHUNK):
                    _check_order(path, chunk, before)
                    before = chunk[-1][0]
                    yield chunk
            except duckdb.Error as error:
                raise FileCut(
                    f"expected a whole Parquet file, found {str(error)[:160]}",
                    str(path),
                    "see `plimsoll data verify`",
                ) from error


def _check_order(path: Path, chunk: list[Any], before: int) -> None:
    """Refuse rows that are not newer than the one before: a file that nobody of us wrote.

    Raises:
        DataError: it is so.
    """
    times = [row[0] for row in chunk]
    if times[0] <= before or not all(map(operator.lt, times, times[1:])):
        raise DataError(
            "expected rows in order of time, found others", str(path), "see `plimsoll data verify`"
        )
