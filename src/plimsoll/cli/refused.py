"""What strategies were refused at once, as ``status`` and ``why-not`` show it."""

from typing import Any, Final

from plimsoll.cli import text
from plimsoll.core.engine import State
from plimsoll.core.records import AskRefused

_TITLES: Final = ("strategy", "call", "code", ">times", "first", "the first of them")


def refused_to(state: State, owner: str = "") -> list[AskRefused]:
    """Return what an instance, or each, was refused at once, the most frequent first."""
    found = [one for one in state.refused.values() if owner in ("", one.owner)]
    return sorted(found, key=lambda one: -one.times)


def refused_lines(state: State, owner: str = "") -> list[str]:
    """Return a table of it, nothing where nothing was."""
    rows = [
        (
            one.owner,
            f"{one.ask} {one.instrument}",
            one.code,
            f"{one.times:,}",
            text.clock(one.since_ns),
            one.text,
        )
        for one in refused_to(state, owner)
    ]
    title = "refused at once in this session, before any check (counted once a minute)"
    return [title, text.table(_TITLES, rows, "  ")] if rows else []


def refused_document(state: State, owner: str = "") -> list[dict[str, Any]]:
    """Return it for programs."""
    return [
        {
            "strategy": one.owner,
            "ask": one.ask,
            "instrument": one.instrument,
            "code": one.code,
            "text": one.text,
            "times": one.times,
            "since_ns": one.since_ns,
            "ts_ns": one.ts_ns,
        }
        for one in refused_to(state, owner)
    ]
