"""A file of bars, trades or rates into the store: all of it or nothing."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from plimsoll.data.database import database
from plimsoll.data.errors import DataError
from plimsoll.data.findings import ROW_FAULTS, Fault, Finding, Gap
from plimsoll.data.frames import Series
from plimsoll.data.judging import drop_or_refuse, gaps_in
from plimsoll.data.staging import STAGED, stage
from plimsoll.data.store import Merged, Store
from plimsoll.data.times import TimeWords
from plimsoll.data.trades import make_bars


class Imported(msgspec.Struct, frozen=True):
    """What became of one file."""

    file: str
    notes: tuple[str, ...]
    """How it was read, in words."""

    rows: int
    """Bars or rates it had, after rows were dropped."""

    from_ms: int
    to_ms: int
    """Times of its first and last row."""

    merged: Merged
    gaps: list[Gap]
    dropped: list[Finding]
    """Rows left out as asked, up to 100 of each fault."""

    off_tick: int
    """Rows with a price off the tick size that is stored; told, not refused: ticks change."""


def drops_of(words: str) -> frozenset[Fault]:
    """Return the faults that ``--drop-bad`` names, separated by commas.

    Raises:
        DataError: a word is none of a row's faults.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    known = {str(fault): fault for fault in ROW_FAULTS}
    for name in names:
        if name not in known:
            raise DataError(
                f"expected {', '.join(known)}, found {name!r}", "--drop-bad", "name one"
            )
    return frozenset(known[name] for name in names)


def import_file(
    store: Store,
    path: Path,
    series: Series,
    *,
    columns: str = "",
    times: TimeWords | None = None,
    drop: Collection[Fault] = (),
    is_sorting: bool = False,
    is_replacing: bool = False,
    now_ms: int = 0,
) -> Imported:
    """Import one file.

    Args:
        store: Where to.
        path: CSV (plain, gzip, Zstandard) or Parquet: bars, a trade archive, funding rates.
        series: What its rows are rows of.
        columns: Names of its columns in their order; empty: recognise them.
        times: What is known of its times.
        drop: Faults whose rows are left out.
        is_sorting: Rows may come in any order.
        is_replacing: Stored rows that differ are replaced.
        now_ms: Time of day, Unix ms, so that the bar under way is found; 0 = not known.

    Raises:
        DataError: it cannot be used; the store is as it was. Subclasses say why.
    """
    with database() as (connection, directory):
        staged = stage(connection, directory, path, series, columns=columns, times=times)
        staged = staged._replace(now_ms=now_ms)
        dropped = drop_or_refuse(connection, staged, drop, is_sorting=is_sorting)
        notes = staged.notes
        if staged.shape.content == "trades":
            notes += make_bars(connection, staged)
        row = connection.execute(
            f"SELECT count(*), coalesce(min(at_ms), 0), coalesce(max(at_ms), 0) FROM {STAGED}"
        ).fetchone()
        assert row is not None, "an aggregate has a row"
        gaps = gaps_in(connection, series, STAGED, "at_ms")
        off_tick = 0
        if (kept := store.filters(series.instrument)) is not None and not series.is_funding:
            test = off_tick_test(kept.instrument.tick_size)
            counted = connection.execute(f"SELECT count(*) FROM {STAGED} WHERE {test}").fetchone()
            off_tick = counted[0] if counted else 0
        merged = store.merge(connection, series, is_replacing=is_replacing)
    rows, first, last = row
    return Imported(str(path), notes, rows, first, last, merged, gaps, dropped, off_tick)


def off_tick_test(tick_size: str) -> str:
    """Return the test of a row that has a price off the tick, within a float's own error."""
    return " OR ".join(
        f"abs({name} / {tick_size} - round({name} / {tick_size})) > 1e-6 * greatest(1, "
        f"{name} / {tick_size} * 1e-6)"
        for name in ("open", "high", "low", "close")
    )
