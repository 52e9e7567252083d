"""Bars made of a trade archive: first and last print, extremes, what was traded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plimsoll.data.errors import NotRecognised
from plimsoll.data.frames import FRAMES, moment
from plimsoll.data.staging import STAGED, Staged, values_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def make_bars(connection: DuckDBPyConnection, staged: Staged) -> tuple[str, ...]:
    """Replace sound staged trades by their bars; return what there is to say about them.

    A bar without a trade is not made: it shows as a gap. Files may be oldest or newest first; of
    trades of one moment the file's own order counts.

    Raises:
        NotRecognised: bars are longer than the day an archive has.
    """
    series = staged.series
    span, offset = series.frame.span_ms, series.frame.offset_ms
    if span > FRAMES["1d"].span_ms:
        raise NotRecognised(
            f"bars of {series.frame.word} cannot be made of the trades of single days",
            str(staged.path),
            "import with --bars 1d, or fetch",
        )
    _, size = values_of(series, staged.shape)
    ends = connection.execute(
        f"SELECT arg_min(at_ms, line), arg_max(at_ms, line), min(at_ms), max(at_ms) FROM {STAGED}"
    ).fetchone()
    assert ends is not None, "an aggregate has a row"
    is_oldest_first = ends[0] is None or ends[0] <= ends[1]
    place = "line" if is_oldest_first else "-line"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT min(line) AS line, "
        f"at_ms - (at_ms - {offset}) % {span} AS at_ms, "
        f"arg_min(price, (at_ms, {place})) AS open, max(price) AS high, min(price) AS low, "
        f"arg_max(price, (at_ms, {place})) AS close, "
        f"sum({size}) AS volume, sum({size} * price) AS turnover "
        f"FROM {STAGED} GROUP BY 2 ORDER BY 2"
    )
    if ends[2] is None:
        return ()
    return (
        f"bars of {series.frame.word} made of trades from {moment(ends[2])} to {moment(ends[3])}: "
        "the first and the last are whole only where the archive is",
    )
