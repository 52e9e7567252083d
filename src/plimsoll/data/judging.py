"""Judges rows: of a staged file before it is imported, and of what is stored.

First one quick look at everything; only where something is wrong are the rows found and shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from plimsoll.data.errors import BadRows, NotRecognised
from plimsoll.data.findings import EXAMPLES_MOST, ROW_FAULTS, Fault, Finding, Gap
from plimsoll.data.frames import FRAMES, FUNDING_MOST_MS, Series
from plimsoll.data.staging import STAGED, Staged, values_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PRICES: Final = ("open", "high", "low", "close")
_FAULTS: Final = "faults"
_SURE: Final = 10
"""Rows from which on a frame that none of them contradicts is no accident."""


def drop_or_refuse(
    connection: DuckDBPyConnection,
    staged: Staged,
    drop: Collection[Fault] = (),
    *,
    is_sorting: bool = False,
) -> list[Finding]:
    """Judge the staged rows; return examples of those that were dropped as asked.

    Args:
        connection: The database that holds them.
        staged: What was staged.
        drop: Faults whose rows are left out.
        is_sorting: The order of the rows does not matter.

    Raises:
        BadRows: rows have faults that are not in ``drop``.
        NotRecognised: they are bars of a longer frame.
    """
    dropped: list[Finding] = []
    left = {fault for fault in ROW_FAULTS if fault is not Fault.ORDER or not is_sorting}
    while True:
        counts = judge(connection, staged, left)
        if not counts:
            _check_frame(connection, staged)
            return dropped
        bad = {fault: count for fault, count in counts.items() if fault not in drop}
        if bad:
            findings = examples(connection, staged, tuple(bad))
            sort = "with --sort, or " if Fault.ORDER in bad else ""
            words = ",".join(bad)
            how = f"nothing of it was used; mend it, or import it {sort}with --drop-bad {words}"
            raise BadRows(str(staged.path), findings, {str(f): n for f, n in bad.items()}, how)
        dropped += examples(connection, staged, tuple(counts))
        connection.execute(f"DELETE FROM {STAGED} WHERE line IN (SELECT line FROM {_FAULTS})")


def _check_frame(connection: DuckDBPyConnection, staged: Staged) -> None:
    """Refuse bars of a longer frame than was said: they would pass for minutes with holes.

    Raises:
        NotRecognised: no two of many are nearer than a longer frame, on whose beginnings all lie.
    """
    if staged.shape.content != "bars":
        return
    said = staged.series.frame
    row = connection.execute(
        f"SELECT count(*), min(step) FROM "
        f"(SELECT at_ms - lag(at_ms) OVER (ORDER BY at_ms) AS step FROM {STAGED})"
    ).fetchone()
    count, step = row or (0, None)
    real = next((frame for frame in FRAMES.values() if frame.span_ms == step), None)
    if count < _SURE or real is None or real.span_ms <= said.span_ms:
        return
    off = f"SELECT count(*) FROM {STAGED} WHERE (at_ms - {real.offset_ms}) % {real.span_ms} <> 0"
    if not _scalar(connection, off):
        raise NotRecognised(
            f"expected bars of {said.word}, found bars of {real.word}: no two begin sooner after "
            "each other",
            str(staged.path),
            f"say so: --bars {real.word}",
        )


def judge(
    connection: DuckDBPyConnection, staged: Staged, faults: Collection[Fault]
) -> dict[Fault, int]:
    """Return how many staged rows have each fault, each counted under its first."""
    single = _single(staged)
    counted = connection.execute(
        f"SELECT fault, count(*) FROM (SELECT {single} AS fault FROM {STAGED}) "
        "WHERE fault IS NOT NULL GROUP BY fault"
    ).fetchall()
    is_trades = staged.shape.content == "trades"
    unordered = _scalar(
        connection,
        f"SELECT count(*) FILTER (at_ms <= before) FROM "
        f"(SELECT at_ms, lag(at_ms) OVER () AS before FROM {STAGED})",
    )
    if not counted and (is_trades or not unordered):
        return {}
    _collect(connection, single, is_trades=is_trades, has_order=Fault.ORDER in faults)
    rows = connection.execute(f"SELECT fault, count(*) FROM {_FAULTS} GROUP BY fault").fetchall()
    found = {Fault(word): count for word, count in rows}
    return {fault: found[fault] for fault in ROW_FAULTS if fault in found}


def _collect(
    connection: DuckDBPyConnection, single: str, *, is_trades: bool, has_order: bool
) -> None:
    """Make the table of faulty rows; a row that cannot be read has no place in the order."""
    order = f"WHEN at_ms < newest THEN '{Fault.ORDER}' " if has_order else ""
    placed = f"CASE WHEN place > 1 THEN '{Fault.DUPLICATE}' {order}END"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_FAULTS} AS "
        f"WITH judged AS (SELECT line, at_ms, {single} AS fault FROM {STAGED}), "
        "sound AS (SELECT line, at_ms, "
        "max(at_ms) OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) "
        "AS newest, row_number() OVER (PARTITION BY at_ms ORDER BY line) AS place "
        "FROM judged WHERE fault IS NULL) "
        "SELECT line, fault FROM judged WHERE fault IS NOT NULL "
        + (
            ""
            if is_trades  # several of one time are normal, and both orders are used
            else f"UNION ALL SELECT line, fault FROM (SELECT line, {placed} AS fault FROM sound) "
            "WHERE fault IS NOT NULL"
        )
    )


def examples(
    connection: DuckDBPyConnection, staged: Staged, faults: Sequence[Fault]
) -> list[Finding]:
    """Return examples of the faults ``judge`` found, in order of the file."""
    words = ", ".join(f"'{fault}'" for fault in faults)
    rows = connection.execute(
        "SELECT line, fault FROM (SELECT line, fault, row_number() OVER "
        f"(PARTITION BY fault ORDER BY line) AS place FROM {_FAULTS} WHERE fault IN ({words})) "
        f"WHERE place <= {EXAMPLES_MOST} ORDER BY line"
    ).fetchall()
    shown = staged.rows_of({line for line, _ in rows})
    return [
        Finding.of(Fault(word), staged.path, line, shown.get(line, "")[:200], how=staged.how)
        for line, word in rows
    ]


def _single(staged: Staged) -> str:
    """Return the expression of a row's first fault that needs no other row."""
    names = values_of(staged.series, staged.shape)
    prices = [name for name in names if name in (*_PRICES, "price")]
    counts = [name for name in names if name in ("volume", "turnover", "size")]
    cases = [
        (f"cells IS DISTINCT FROM {staged.shape.width}", Fault.CUT),
        ("at_ms IS NULL", Fault.TIME),
        (
            " OR ".join(f"{name} IS NULL OR NOT isfinite({name})" for name in staged.needed),
            Fault.NUMBER,
        ),
    ]
    if prices:
        cases += [(f"least({', '.join(prices)}) <= 0", Fault.PRICE)]
    if len(prices) > 1:
        cases += [("low > least(open, close) OR high < greatest(open, close)", Fault.RANGE)]
    if counts:
        cases += [(" OR ".join(f"{name} < 0" for name in counts), Fault.VOLUME)]
    frame = staged.series.frame
    if staged.shape.content == "bars":
        cases += [(f"(at_ms - {frame.offset_ms}) % {frame.span_ms} <> 0", Fault.FRAME)]
        if staged.now_ms:
            cases += [(f"at_ms + {frame.span_ms} > {staged.now_ms}", Fault.UNDER_WAY)]
    words = " ".join(f"WHEN {test} THEN '{fault}'" for test, fault in cases)
    return f"CASE {words} END"


def gaps_in(connection: DuckDBPyConnection, series: Series, source: str, time: str) -> list[Gap]:
    """Return the gaps between rows of a table or query, oldest first.

    Of funding rates those longer than any perpetual's interval, eight hours: shorter intervals
    change and are not known here.
    """
    span = FUNDING_MOST_MS if series.is_funding else series.frame.span_ms
    edge = 1 if series.is_funding else span
    rows = connection.execute(
        f"SELECT before + {edge}, here, (here - before - 1) // {span} FROM (SELECT {time} AS here, "
        f"lag({time}) OVER (ORDER BY {time}) AS before FROM {source}) "
        f"WHERE here - before > {span} ORDER BY here"
    ).fetchall()
    return [Gap(*row) for row in rows]


def _scalar(connection: DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None, "an aggregate has a row"
    return int(row[0])
