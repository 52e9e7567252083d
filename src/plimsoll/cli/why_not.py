"""``why-not``: what prevents an instance's orders right now."""

import difflib
from pathlib import Path
from typing import Any

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, holder_of, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.prices import add_prices
from plimsoll.cli.refused import refused_document, refused_lines
from plimsoll.config.books import load_books
from plimsoll.core.engine import State
from plimsoll.core.model import strategy_of
from plimsoll.engine.replica import Replica
from plimsoll.why import Hindrance, Seen, hindrances, recent


def why_not(strategy: str, project: str, env: str, *, json: bool) -> Exit:
    """Print what stands against orders of an instance; return 4 where anything does.

    Raises:
        Failure: no instance is called so, or the log is damaged.
    """
    books = load_books(Path(project), env)
    folder = journal_of(books)
    with damage_told(books):
        replica = Replica(folder)
        try:
            replica.poll()
            telemetry = add_prices(replica.core, folder)
        finally:
            replica.close()
    state = replica.core.state
    strategy = _instance(state, strategy)
    seen = Seen(holder_of(books) is not None, telemetry.gauges if telemetry else {})
    try:
        found = list(hindrances(state, strategy, seen))
    except KeyError:
        raise _unknown(state, strategy) from None
    if json:
        print_json(_document(state, strategy, found))
    else:
        print("\n".join(_lines(state, strategy, found)))
    return Exit.UNHEALTHY if found else Exit.DONE


def _instance(state: State, name: str) -> str:
    """Return the instance meant by a strategy's name: the live one, where one runs."""
    running = [one.name for one in state.settings.strategies] if state.settings else []
    live = state.modes.live_book(name)
    if live in running:
        return live
    paper = state.modes.paper_book(name)
    return paper if name not in running and paper in running else name


def _unknown(state: State, name: str) -> Failure:
    names = [one.name for one in state.settings.strategies] if state.settings else []
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"instances: {', '.join(names) or 'none'}"
    return Failure(Exit.USAGE, "no-strategy", f"no instance is called {name!r}", hint)


def _lines(state: State, name: str, found: list[Hindrance]) -> list[str]:
    mode = "paper" if state.is_paper(name) else "live"
    standing = state.modes.standings.get(strategy_of(name))
    mode += f"; the strategy is {standing.words}" if standing is not None and standing.seq else ""
    lines = [f"{name} ({mode}), as of {text.moment(state.ts_ns)} UTC"]
    if found:
        rows = [(one.where or "everything", one.code, one.text) for one in found]
        lines.append(text.table(("where", "code", "what stands against an order"), rows, "  "))
    else:
        lines.append("  nothing stands against its smallest order")
    denied = recent(state, name)
    if denied:
        lines.append("refused in the last ten minutes, the newest of each kind")
        told = [
            (text.clock(one.ts_ns), f"{count}", one.instrument, one.code, one.text)
            for one, count in denied
        ]
        lines.append(text.table(("time", ">times", "instrument", "code", "why"), told, "  "))
    return lines + refused_lines(state, name)


def _document(state: State, name: str, found: list[Hindrance]) -> dict[str, Any]:
    return {
        "strategy": name,
        "mode": "paper" if state.is_paper(name) else "live",
        "ts_ns": state.ts_ns,
        "hindrances": [one._asdict() for one in found],
        "refused": [
            {"code": one.code, "text": one.text, "instrument": one.instrument, "times": count}
            for one, count in recent(state, name)
        ],
        "refused_at_once": refused_document(state, name),
    }
