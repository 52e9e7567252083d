"""``data fetch``: from the venue into the store."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.cli.asking import ask_at
from plimsoll.cli.data.common import finding_lines, gap_lines, is_project, store_of, time_of, told
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import simulator_port
from plimsoll.config.project import load_project
from plimsoll.data import (
    Fetched,
    Filters,
    Progress,
    Series,
    Store,
    drops_of,
    fetch_filters,
    series_of,
)
from plimsoll.data import fetch as fetch_series
from plimsoll.data.frames import moment
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.errors import VenueError
from plimsoll.venues.bybit.rates import Holder
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.venues.bybit.settings import environment as hosts_of

PRICES_OF: Final = {"demo": "mainnet"}
"""Where the market data of an environment come from."""

Ask = Callable[[str], Callable[[Progress], None]]


def fetch(
    project: str,
    env: str,
    *,
    json: bool,
    instrument: str,
    bars: str,
    from_: str,
    to: str,
    kind: str,
    environment: str,
    drop_bad: str,
    store: str,
) -> Exit:
    """Fetch what is missing of each kind, print what was done.

    Returns:
        DONE; what the venue has none of is listed.

    Raises:
        ConfigError: the project cannot be used.
        Failure: the venue does not answer, or the data cannot be used.
    """
    if not from_:
        raise Failure(
            Exit.USAGE, "usage", "expected --from, found none", "such as --from 2024-01-01"
        )
    from_ms = time_of(from_, "--from")
    to_ms = time_of(to, "--to") if to else EngineClock().now_ns() // 1_000_000
    if to_ms <= from_ms:
        text = f"expected --to after --from, found {moment(from_ms)} to {moment(to_ms)}"
        raise Failure(Exit.USAGE, "usage", text, "both are UTC; --to is the end, not included")
    name, settings = _venue(project, env, environment)
    kept = store_of(project, store)
    kinds = dict.fromkeys(word.strip() for word in kind.split(",") if word.strip())
    with told():
        chosen = [series_of(instrument, word, bars) for word in kinds]
        drop = drops_of(drop_bad)

    async def work(client: BybitClient) -> tuple[Filters, list[Fetched]]:
        filters = await fetch_filters(client.rest, kept, name, instrument)
        with _progress(is_shown=not json and sys.stderr.isatty()) as shown:
            done = [
                await fetch_series(client.rest, kept, one, from_ms, to_ms, shown(one.name), drop)
                for one in chosen
            ]
        return filters, done

    with told():
        filters, done = ask_at(settings, work)
    if json:
        print_json(_document(kept, filters, done))
    else:
        print(_page(kept, chosen, done))
    return Exit.DONE


def _venue(project: str, env: str, environment: str) -> tuple[str, BybitSettings]:
    """Return the name and the address of the venue that is asked, without a key.

    Raises:
        ConfigError: the project cannot be used.
        Failure: there is neither a project nor an environment, or no such environment.
    """
    region, port, proxy = "global", 0, ""
    if not environment or environment == "simulator" or is_project(project):
        found = load_project(Path(project), env)
        environment = environment or found.settings.venue.environment
        region, proxy = found.settings.venue.region, found.settings.venue.proxy
        port = simulator_port(found) if environment == "simulator" else 0
    name = PRICES_OF.get(environment, environment)
    try:
        hosts = hosts_of(name, region, port)
    except VenueError as error:
        hint = "expected mainnet, testnet, demo or simulator"
        raise Failure(Exit.USAGE, "usage", f"--environment: {error}", hint) from error
    return name, BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        proxy=proxy,
        holder=Holder.TOOLS,  # an engine on this address keeps its own part
    )


@contextmanager
def _progress(*, is_shown: bool) -> Iterator[Ask]:
    """Yield what makes a bar for a series; nothing is drawn where nobody looks."""
    if not is_shown:
        yield lambda _: lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Drawn

    with Drawn(console=Console(stderr=True), transient=True) as drawn:

        def bar(name: str) -> Callable[[Progress], None]:
            task = drawn.add_task(name, total=None)
            return lambda now: drawn.update(task, completed=now.done, total=now.total)

        yield bar


def _document(store: Store, filters: Filters, done: list[Fetched]) -> dict[str, object]:
    return {
        "store": str(store.directory),
        "filters": msgspec.to_builtins(filters),
        "series": msgspec.to_builtins(done),
    }


def _page(store: Store, chosen: list[Series], done: list[Fetched]) -> str:
    lines = []
    for series, one in zip(chosen, done, strict=True):
        lines.append(
            f"{series.name}: {one.added:,} new, {one.stored:,} were stored, "
            f"{moment(one.from_ms)} to {moment(one.to_ms)}, {one.requests:,} requests"
        )
        if one.dropped:
            lines.append("  left out, as asked:")
            lines += [f"    {line}" for line in finding_lines(one.dropped, len(one.dropped))]
        lines += [f"  {line}" for line in gap_lines(one.gaps)]
    return "\n".join([*lines, f"in {store.directory}"])
