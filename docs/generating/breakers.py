"""The page of the circuit breakers."""

from collections.abc import Mapping
from typing import Final

from generating.page import made_from, page, words_of
from plimsoll.core.risk.breakers import BREAKERS, Effect, Rearm


def breakers_page() -> str:
    """Return every circuit breaker."""
    lines = [
        "# Circuit breakers",
        "",
        *made_from("src/plimsoll/core/risk/breakers/table.py"),
        "A breaker looks at one thing and stops new risk in one scope. Orders that protect or",
        "reduce pass every breaker and are never cancelled by one. A trip and its end are records",
        "(`Tripped`, `Reset`), a trip an incident too: a restart finds them as they were. The",
        "account means what is live; an instrument's breakers hold for paper as well, its market",
        "is the same. `plimsoll breakers` shows what has tripped and what each would touch,",
        "`plimsoll breakers reset NAME SCOPE` arms one again. All are on; `breakers.off` names",
        "those that never trip.",
        "",
        "| breaker | measured on | scope | effect | armed again by | settings |",
        "|---|---|---|---|---|---|",
    ]
    for one in BREAKERS.values():
        keys = (key if "." in key else f"breakers.{key}" for key in one.keys)
        cells = (
            f"`{one.name}`",
            one.measures,
            "; ".join(one.scopes),
            words_of(_EFFECTS, one.effect, "effect"),
            words_of(_REARMS, one.rearm, "rule"),
            ", ".join(f"`{key}`" for key in keys) or "none",
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "What is measured over a window (`reject_rate`, `slippage`, the usual moves and spreads,",
        "errors of a minute) begins empty with each session; losses, streaks, trips and how often",
        "one tripped today do not. After a restart a calm or clean time is counted anew. A person",
        "who arms a drawdown accepts it: it is counted from there on.",
    ]
    return page(lines)


_EFFECTS: Final[Mapping[str, str]] = {
    Effect.NO_ENTRIES: "no entries",
    Effect.CANCEL_ENTRIES: "no entries, entries cancelled, each second until they are gone",
    Effect.REDUCE: "as cancelled entries, and an incident: a person must reduce, nothing does so "
    "by itself",
}

_REARMS: Final[Mapping[str, str]] = {
    Rearm.PERSON: "a person",
    Rearm.NEXT_DAY: "a person, not before 00:00 UTC",
    Rearm.COOL_DOWN: "itself after `breakers.cool_down`, `breakers.cool_downs` times a UTC day, "
    "then a person",
    Rearm.CALM: "itself after `breakers.calm` without it; time in which nothing is known of what "
    "is measured does not count",
    Rearm.CLEAN: "itself after `breakers.clean` without it",
}
