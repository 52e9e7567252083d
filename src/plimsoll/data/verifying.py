"""Looks at everything that is stored and says what is wrong; nothing is ever repaired here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from plimsoll.data.database import database, parquet
from plimsoll.data.errors import DataError
from plimsoll.data.findings import AGAIN, EXAMPLES_MOST, REMARKS, ROW_FAULTS, Fault, Finding
from plimsoll.data.frames import Series, instrument_dir, moment, month_span, series_in
from plimsoll.data.importing import off_tick_test
from plimsoll.data.judging import examples, gaps_in, judge
from plimsoll.data.shape import Shape
from plimsoll.data.staging import STAGED, Staged
from plimsoll.data.store import FILTERS, Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TIMES: Final = "times"


class Verified(msgspec.Struct, frozen=True):
    """What was looked at and what was found; ``counts`` are whole, findings are examples."""

    files: int
    rows: int
    findings: list[Finding]
    counts: dict[str, int]

    @property
    def is_sound(self) -> bool:
        """Return whether nothing was found but remarks."""
        return all(Fault(word) in REMARKS for word in self.counts)


class _Tally:
    """Findings as they come: all counted, the first of each fault in each file kept."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.counts: dict[str, int] = {}
        self.files = self.rows = 0

    def add(self, count: int, found: list[Finding]) -> None:
        self.findings += found
        if count:
            word = str(found[0].fault)
            self.counts[word] = self.counts.get(word, 0) + count


def verify(store: Store, instrument: str = "") -> Verified:
    """Check what is stored, of one instrument or of all.

    Raises:
        DataError: nothing is stored of it, or DuckDB is missing.
    """
    chosen = [one for one in series_in(store.directory) if instrument in ("", one.instrument)]
    if not chosen:
        raise DataError(
            f"nothing is stored{f' of {instrument}' if instrument else ''}",
            str(store.directory),
            "see `plimsoll data fetch` and `plimsoll data import`",
        )
    tally = _Tally()
    for series in chosen:
        with database() as (connection, _):
            connection.execute(f"CREATE TEMP TABLE {_TIMES} (at_ms BIGINT)")
            for path in store.files(series):
                tally.files += 1
                _verify_file(connection, store, series, path, tally)
            _add_gaps(connection, store, series, tally)
    return Verified(tally.files, tally.rows, tally.findings, tally.counts)


def _verify_file(
    connection: DuckDBPyConnection, store: Store, series: Series, path: Path, tally: _Tally
) -> None:
    import duckdb

    try:
        first, following = month_span(path.stem)
        _load(connection, series, path)
    except (ValueError, duckdb.Error) as error:
        tally.add(1, [_whole(Fault.FILE, path, str(error).split("\n")[0][:200])])
        return
    staged = _as_staged(connection, series, path)
    counts = judge(connection, staged, frozenset(ROW_FAULTS))
    for fault, count in counts.items():
        tally.add(count, examples(connection, staged, (fault,)))
    _add_rows(connection, staged, Fault.MONTH, f"at_ms < {first} OR at_ms >= {following}", tally)
    if not series.is_funding:
        _add_prices(connection, store, staged, tally)
    connection.execute(f"INSERT INTO {_TIMES} SELECT at_ms FROM {STAGED} WHERE at_ms IS NOT NULL")
    row = connection.execute(f"SELECT count(*) FROM {STAGED}").fetchone()
    tally.rows += row[0] if row else 0


def _load(connection: DuckDBPyConnection, series: Series, path: Path) -> None:
    """Read a stored file into the table of rows to be judged, under its own names."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT file_row_number + 1 AS line, "
        f"1 AS cells, {series.time} AS at_ms, {', '.join(series.values)} "
        f"FROM {parquet(path, with_row=True)}"
    )


def _as_staged(connection: DuckDBPyConnection, series: Series, path: Path) -> Staged:

    def rows_of(numbers: set[int]) -> dict[int, str]:
        wanted = ", ".join(map(str, sorted(numbers))) or "0"
        rows = connection.execute(
            f"SELECT line, at_ms, {', '.join(series.values)} FROM {STAGED} WHERE line IN ({wanted})"
        ).fetchall()
        return {line: _row(series, at, values) for line, at, *values in rows}

    content = "funding" if series.is_funding else "bars"
    # Turnover and the volume of mark prices may be unknown; a price may not.
    optional = ("turnover",) if series.kind == "last" else ("volume", "turnover")
    needed = tuple(name for name in series.values if name not in optional)
    shape = Shape(content, {}, 1, "", has_header=True, notes=())
    return Staged(path, series, shape, (), rows_of, needed, AGAIN)


def _add_prices(
    connection: DuckDBPyConnection, store: Store, staged: Staged, tally: _Tally
) -> None:
    try:
        kept = store.filters(staged.series.instrument)
    except DataError as error:
        path = instrument_dir(store.directory, staged.series.instrument) / FILTERS
        if not any(one.file == str(path) for one in tally.findings):
            tally.add(1, [_whole(Fault.FILE, path, error.what[:200])])
        kept = None
    if kept is not None and staged.series.kind == "last":
        test = off_tick_test(kept.instrument.tick_size)
        _add_rows(connection, staged, Fault.OFF_TICK, test, tally)
    if staged.series.kind == "last":
        _add_rows(connection, staged, Fault.ZERO_VOLUME, "volume = 0", tally)


def _add_rows(
    connection: DuckDBPyConnection, staged: Staged, fault: Fault, test: str, tally: _Tally
) -> None:
    """Add the rows that a test holds for."""
    row = connection.execute(f"SELECT count(*) FROM {STAGED} WHERE {test}").fetchone()
    count = row[0] if row else 0
    if not count:
        return
    lines = connection.execute(
        f"SELECT line FROM {STAGED} WHERE {test} ORDER BY line LIMIT {EXAMPLES_MOST}"
    ).fetchall()
    shown = staged.rows_of({line for (line,) in lines})
    found = [Finding.of(fault, staged.path, line, shown[line]) for (line,) in lines]
    tally.add(count, found)


def _add_gaps(connection: DuckDBPyConnection, store: Store, series: Series, tally: _Tally) -> None:
    """Add the gaps between all rows of a series, across its files."""
    gaps = gaps_in(connection, series, f"(SELECT DISTINCT at_ms FROM {_TIMES})", "at_ms")
    found = [
        Finding.of(
            Fault.GAP,
            series.directory(store.directory),
            0,
            f"{gap.missing:,} from {moment(gap.from_ms)} to {moment(gap.to_ms)}",
            count=gap.missing,
        )
        for gap in gaps
    ]
    tally.add(len(gaps), found)


def _whole(fault: Fault, path: Path, value: str) -> Finding:
    return Finding.of(fault, path, 0, value)


def _row(series: Series, at_ms: int | None, values: Sequence[float | None]) -> str:
    cells = (f"{name} {value}" for name, value in zip(series.values, values, strict=True))
    return ", ".join(["no time" if at_ms is None else moment(at_ms), *cells])
