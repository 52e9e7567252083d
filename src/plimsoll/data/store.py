"""The store: one Parquet file per instrument, kind, frame and month, each replaced as a whole."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.data.database import literal
from plimsoll.data.errors import DataError, FileCut, OtherVenue, StoreBusy
from plimsoll.data.findings import Gap
from plimsoll.data.frames import Series, instrument_dir, month_span
from plimsoll.data.judging import gaps_in
from plimsoll.data.monthly import PART, counted, overlaps, put, write
from plimsoll.data.staging import STAGED

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FILTERS: Final = "filters.json"


class Filters(msgspec.Struct, frozen=True):
    """What the venue said of an instrument when it was last asked."""

    environment: str
    asked_ms: int
    instrument: Instrument


class Merged(msgspec.Struct, frozen=True):
    """What became of rows that were stored."""

    added: int
    known: int
    """Rows that were stored already, the same."""

    replaced: int


class Listed(msgspec.Struct, frozen=True):
    """What is stored of one series."""

    instrument: str
    kind: str
    frame: str
    from_ms: int
    to_ms: int
    """When the last bar begins."""

    rows: int
    gaps: int
    missing: int
    size: int
    """Of its files, in bytes."""


class Store:
    """A directory of bars; readers need no lock, since files are only ever replaced as a whole."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def files(self, series: Series) -> list[Path]:
        """Return the files of a series, oldest month first."""
        return [path for path in sorted(series.directory(self.directory).glob("*.parquet"))]

    def months(self, series: Series, from_ms: int, to_ms: int) -> Iterator[tuple[Path, int, int]]:
        """Yield files that may hold rows of a span, with the part of the span they hold."""
        for path in self.files(series):
            try:
                first, following = month_span(path.stem)
            except ValueError:
                continue  # `verify` tells of it
            if first < to_ms and from_ms < following:
                yield path, max(first, from_ms), min(following, to_ms)

    # ---- filters ---------------------------------------------------------------------------

    def filters(self, instrument: str) -> Filters | None:
        """Return what is stored of an instrument's filters.

        Raises:
            DataError: the file cannot be read.
        """
        path = instrument_dir(self.directory, instrument) / FILTERS
        try:
            return msgspec.json.decode(path.read_bytes(), type=Filters)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise DataError(
                f"expected the filters of {instrument}, found {error}",
                str(path),
                "delete it; the next fetch writes it anew",
            ) from error

    def keep_filters(self, found: Filters) -> None:
        """Store filters.

        Raises:
            OtherVenue: the instrument is stored from another environment.
        """
        kept = self.filters(found.instrument.name)
        directory = instrument_dir(self.directory, found.instrument.name)
        if kept is not None and kept.environment != found.environment:
            raise OtherVenue(
                f"expected data of {kept.environment}, found {found.environment}: "
                "prices of two environments do not mix",
                str(directory),
                "keep it apart with another --store",
            )
        with self._locked(directory):
            part = directory / (FILTERS + PART)
            part.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
            put([(part, directory / FILTERS)])

    # ---- rows ------------------------------------------------------------------------------

    def merge(
        self, connection: DuckDBPyConnection, series: Series, *, is_replacing: bool = False
    ) -> Merged:
        """Store the rows of the table ``staged``: all of them, or none.

        Args:
            connection: The database that holds them, judged.
            series: What they are rows of.
            is_replacing: Stored rows that differ are replaced instead of refused.

        Raises:
            Overlaps: rows differ from stored ones.
            FileCut: a stored file cannot be read.
            StoreBusy: another process writes this instrument.
        """
        import duckdb

        directory = series.directory(self.directory)
        months = [
            row[0]
            for row in connection.execute(
                f"SELECT DISTINCT strftime(make_timestamp_ms(at_ms), '%Y-%m') FROM {STAGED} "
                "ORDER BY 1"
            ).fetchall()
        ]
        added = known = replaced = 0
        with self._locked(directory.parent):
            directory.mkdir(parents=True, exist_ok=True)
            moves: list[tuple[Path, Path]] = []
            try:
                for month in months:
                    path = directory / f"{month}.parquet"
                    new, same, other = counted(connection, series, path)
                    if other and not is_replacing:
                        raise overlaps(connection, series, path, other)
                    added, known, replaced = added + new, known + same, replaced + other
                    if new or other:
                        moves.append((path.with_suffix(PART), path))
                        write(connection, series, path, is_replacing=is_replacing)
                put(moves)
            except (duckdb.Error, OSError) as error:
                raise _unwritten(directory, error) from error
            finally:
                for part, _ in moves:
                    part.unlink(missing_ok=True)
        return Merged(added, known, replaced)

    def missing(
        self, connection: DuckDBPyConnection, series: Series, from_ms: int, to_ms: int
    ) -> list[tuple[int, int]]:
        """Return the spans from ``from_ms`` to ``to_ms`` that hold no rows, oldest first.

        Of funding rates a span is missing before the first, after the last, and where two lie
        more than eight hours apart.
        """
        spans, at = [], from_ms
        edge = 1 if series.is_funding else series.frame.span_ms
        ends = self._ends(connection, series, from_ms, to_ms)
        if ends is None:
            return [(from_ms, to_ms)] if from_ms < to_ms else []
        if at < ends[0]:
            spans.append((at, ends[0]))
        spans += [(gap.from_ms, gap.to_ms) for gap in self.gaps(connection, series, from_ms, to_ms)]
        if ends[1] + edge < to_ms:
            spans.append((ends[1] + edge, to_ms))
        return spans

    def gaps(
        self, connection: DuckDBPyConnection, series: Series, from_ms: int, to_ms: int
    ) -> list[Gap]:
        """Return the gaps between the first and the last stored row of a span."""
        source = self._source(series, from_ms, to_ms)
        if source is None:
            return []
        return gaps_in(connection, series, source, series.time)

    def count(
        self, connection: DuckDBPyConnection, series: Series, from_ms: int, to_ms: int
    ) -> int:
        """Return how many rows of a span are stored."""
        ends = self._ends(connection, series, from_ms, to_ms)
        return ends[2] if ends else 0

    def listed(self, connection: DuckDBPyConnection, series: Series) -> Listed | None:
        """Return what is stored of a series, None for nothing.

        Raises:
            FileCut: a file cannot be read.
        """
        ends = self._ends(connection, series, 0, 1 << 62)
        if ends is None:
            return None
        gaps = self.gaps(connection, series, 0, 1 << 62)
        size = sum(path.stat().st_size for path in self.files(series))
        missing = sum(gap.missing for gap in gaps)
        word = series.frame.word
        return Listed(series.instrument, series.kind, word, *ends, len(gaps), missing, size)

    def _ends(
        self, connection: DuckDBPyConnection, series: Series, from_ms: int, to_ms: int
    ) -> tuple[int, int, int] | None:
        """Return first time, last time and number of stored rows of a span."""
        import duckdb

        source = self._source(series, from_ms, to_ms)
        if source is None:
            return None
        time = series.time
        try:
            row = connection.execute(
                f"SELECT min({time}), max({time}), count(*) FROM {source}"
            ).fetchone()
        except duckdb.Error as error:
            raise _unreadable(series.directory(self.directory), error) from error
        return row if row and row[2] else None

    def _source(self, series: Series, from_ms: int, to_ms: int) -> str | None:
        paths = [path for path, _, _ in self.months(series, from_ms, to_ms)]
        if not paths:
            return None
        listed = ", ".join(literal(path) for path in paths)
        return (
            f"(FROM read_parquet([{listed}]) WHERE {series.time} >= {from_ms} "
            f"AND {series.time} < {to_ms})"
        )

    @contextmanager
    def _locked(self, directory: Path) -> Iterator[None]:
        """Hold the right to write an instrument's files."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            lock = (directory / ".lock").open("w")
        except OSError as error:
            raise DataError(
                f"the directory cannot be written: {error.strerror}",
                str(directory),
                "choose another --store, or mend its rights",
            ) from error
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreBusy(
                    "expected to write alone, found another process that writes",
                    str(directory),
                    "wait for the other `plimsoll data` to end",
                ) from error
            yield


def _unreadable(path: Path, error: Exception) -> FileCut:
    return FileCut(
        f"expected whole Parquet files, found one that cannot be read ({str(error)[:160]})",
        str(path),
        "`plimsoll data verify` names it",
    )


def _unwritten(path: Path, error: Exception) -> DataError:
    return DataError(
        f"rows could not be stored ({str(error)[:200]})",
        str(path),
        "see `plimsoll data verify` and the space on the disk; what was stored is as it was",
    )
