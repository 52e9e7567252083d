"""``data list``: what is stored."""

import msgspec

from plimsoll.cli import text
from plimsoll.cli.data.common import store_of, told
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.data import Listed, series_in
from plimsoll.data.database import database
from plimsoll.data.frames import moment

_TITLES = ("instrument", "kind", "frame", "from", "to", ">rows", ">gaps", ">missing", ">size")


def list_stored(project: str, env: str, *, json: bool, store: str) -> Exit:
    """Print a row for each series.

    Returns:
        DONE.

    Raises:
        Failure: a file cannot be read.
    """
    del env  # the store does not depend on it
    kept = store_of(project, store)
    with told(), database() as (connection, _):
        rows = [kept.listed(connection, series) for series in series_in(kept.directory)]
    found = [row for row in rows if row is not None]
    if json:
        print_json({"store": str(kept.directory), "series": msgspec.to_builtins(found)})
    elif found:
        print(text.table(_TITLES, [_cells(row) for row in found]))
    else:
        print(f"nothing is stored in {kept.directory}")
    return Exit.DONE


def _cells(row: Listed) -> tuple[str, ...]:
    return (
        row.instrument,
        row.kind,
        row.frame or "-",
        moment(row.from_ms),
        moment(row.to_ms),
        f"{row.rows:,}",
        f"{row.gaps:,}",
        f"{row.missing:,}",
        text.size(row.size),
    )
