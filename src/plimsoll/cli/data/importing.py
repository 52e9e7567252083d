"""``data import``: files into the store."""

from pathlib import Path
from typing import Any

import msgspec

from plimsoll.cli.books import wall_ns
from plimsoll.cli.data.common import failure_of, finding_lines, gap_lines, store_of, told
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure, tell
from plimsoll.cli.output import print_json
from plimsoll.data import (
    BadRows,
    DataError,
    Imported,
    TimeWords,
    drops_of,
    import_file,
    series_of,
)
from plimsoll.data.frames import moment


def import_files(
    project: str,
    env: str,
    *,
    json: bool,
    files: list[str],
    instrument: str,
    bars: str,
    kind: str,
    columns: str,
    zone: str,
    day: str,
    time_format: str,
    sort: bool,
    drop_bad: str,
    replace: bool,
    store: str,
) -> Exit:
    """Import files one after another; one that is refused leaves no trace and stops none.

    Returns:
        DONE, CONFIGURATION where a file was refused, REFUSED where one differs from the store.

    Raises:
        Failure: the options cannot be used.
    """
    del env  # the store does not depend on it
    if not instrument:
        raise Failure(
            Exit.USAGE,
            "usage",
            "expected --instrument, found none: a file does not say what it is of",
            "such as --instrument linear:BTCUSDT",
        )
    kept = store_of(project, store)
    with told():
        series, drop = series_of(instrument, kind, bars), drops_of(drop_bad)
    times = TimeWords(day=day, zone=zone, format=time_format)
    rows: list[dict[str, Any]] = []
    code = Exit.DONE
    for file in files:
        try:
            done = import_file(
                kept,
                Path(file).expanduser(),
                series,
                columns=columns,
                times=times,
                drop=drop,
                is_sorting=sort,
                is_replacing=replace,
                now_ms=wall_ns() // 1_000_000,
            )
        except DataError as error:
            failure = failure_of(error)
            code = max(code, failure.exit_code)
            rows.append(_refused(file, error, failure))
            if not json:
                tell(failure, as_json=False)
            continue
        rows.append(msgspec.to_builtins(done))
        if not json:
            print(_page(done), flush=True)
    if json:
        print_json({"store": str(kept.directory), "series": series.name, "files": rows})
    return code


def _refused(file: str, error: DataError, failure: Failure) -> dict[str, Any]:
    refused: dict[str, Any] = {
        "code": failure.code,
        "what": error.what,
        "where": error.where,
        "how": error.how,
    }
    if isinstance(error, BadRows):
        refused |= {"counts": error.counts, "findings": msgspec.to_builtins(error.findings)}
    return {"file": file, "refused": refused}


def _page(done: Imported) -> str:
    merged = done.merged
    span = f", {moment(done.from_ms)} to {moment(done.to_ms)}" if done.rows else ""
    lines = [
        f"{done.file}: {done.rows:,} rows{span}: {merged.added:,} new, {merged.known:,} were "
        f"stored, {merged.replaced:,} replaced"
    ]
    lines += [f"  {note}" for note in done.notes]
    if done.off_tick:
        lines.append(f"  {done.off_tick:,} rows have a price off the tick size of today")
    if done.dropped:
        lines.append("  left out, as asked:")
        lines += [f"    {line}" for line in finding_lines(done.dropped, len(done.dropped))]
    return "\n".join([*lines, *(f"  {line}" for line in gap_lines(done.gaps))])
