"""``breakers`` and ``breakers reset``: what has tripped, what each would touch, arming one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plimsoll.cli import text
from plimsoll.cli.books import replica_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import new_command, no_engine, send
from plimsoll.cli.output import print_json
from plimsoll.config.books import load_books
from plimsoll.control import ControlUnreachable
from plimsoll.core.engine import Core
from plimsoll.core.model import Mode, Order
from plimsoll.core.risk.breakers import BREAKERS, Breaker, Effect, Rearm, Trip
from plimsoll.core.risk.breakers.conduct import pair
from plimsoll.core.risk.breakers.table import Scope
from plimsoll.core.risk.breakers.trips import covers, touched
from plimsoll.core.risk.limits import ACCOUNT

_WHO = {
    Rearm.PERSON: "a person",
    Rearm.NEXT_DAY: "a person, not before 00:00 UTC",
    Rearm.COOL_DOWN: "itself after a cool-down, twice a day; then a person",
    Rearm.CALM: "itself after a calm",
    Rearm.CLEAN: "itself after a clean minute",
}


def breakers(project: str, env: str, *, json: bool) -> Exit:
    """Print what has tripped, and of every breaker what it would touch now; see the exit code.

    Returns 4 where one is in force.
    """
    with replica_of(load_books(Path(project), env)) as replica:
        core = replica.core
        off = core.settings.breakers.off if core.settings else ()
        trips = list(core.state.trips.active.values())
        rows = [
            (one, scope, list(_stopped(core, scope)), list(_cancelled(core, one, scope)))
            for one in BREAKERS.values()
            for scope in _scopes(core, one)
        ]
    if json:
        tripped, listed = [_trip(one) for one in trips], [_row(*row) for row in rows]
        print_json({"tripped": tripped, "off": list(off), "breakers": listed})
    else:
        print(_page(trips, rows, off))
    return Exit.UNHEALTHY if trips else Exit.DONE


def reset(breaker: str, scope: str, project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Arm a breaker again.

    Raises:
        Failure: it has not tripped, its rule forbids it, no engine runs, or the engine refused.
    """
    books = load_books(Path(project), env)
    with replica_of(books) as replica:
        trips = replica.core.state.trips
    if (breaker, scope) not in trips.active:
        refusal = trips.why_not_reset(breaker, scope, 0)
        raise Failure(Exit.USAGE, "not-tripped", refusal, "plimsoll breakers lists them")
    command = new_command("reset", reason, breaker=breaker, scope=scope)
    try:
        answer = send(books.layout, command)
    except ControlUnreachable as error:
        why = "a breaker is only armed where it can be seen"
        raise no_engine(books.layout, why, "breakers reset") from error
    if json:
        fields = {"breaker": breaker, "scope": scope}
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **fields})
    else:
        print(f"{breaker} of {scope} is armed again at seq {answer.seq}")
    return Exit.DONE


def _scopes(core: Core, breaker: Breaker) -> list[str]:
    """Return every scope a breaker has in this project."""
    strategies = core.settings.strategies if core.settings else ()
    found: dict[str, None] = {}
    for scope in breaker.scopes:
        if scope is Scope.ACCOUNT:
            found[ACCOUNT] = None
        elif scope is Scope.INSTANCE:
            found |= dict.fromkeys(one.name for one in strategies)
        elif scope is Scope.INSTRUMENT:
            found |= dict.fromkeys(core.state.instruments)
        else:
            found |= dict.fromkeys(
                pair(one.name, name) for one in strategies for name in one.instruments
            )
    return list(found)


def _stopped(core: Core, scope: str) -> Iterable[str]:
    """Yield the instances whose new risk a scope holds."""
    for one in core.settings.strategies if core.settings else ():
        is_paper = one.mode is Mode.PAPER
        if any(covers(scope, one.name, name, is_paper=is_paper) for name in one.instruments):
            yield one.name


def _cancelled(core: Core, breaker: Breaker, scope: str) -> Iterable[str]:
    orders: Iterable[Order] = core.orders.working.values()
    return (order.id for order in touched(breaker.effect, scope, orders))


def _page(
    trips: list[Trip], rows: list[tuple[Breaker, str, list[str], list[str]]], off: tuple[str, ...]
) -> str:
    lines = []
    for trip in trips:
        until = f", not before {text.moment(trip.until_ns)} UTC" if trip.until_ns else ""
        who = _WHO[BREAKERS[trip.breaker].rearm] if trip.until_ns else _WHO[Rearm.PERSON]
        lines.append(
            f"TRIPPED    {trip.breaker} of {trip.scope} at {text.moment(trip.since_ns)} UTC: "
            f"{trip.text}; armed by {who}{until}"
        )
    titles = ("breaker", "scope", "stops new risk of", "cancels", "armed by")
    shown = [
        (
            one.name,
            scope,
            "off" if one.name in off else ", ".join(stopped) or "nobody",
            ", ".join(cancelled) or ("nothing" if one.effect is Effect.NO_ENTRIES else "no order"),
            _WHO[one.rearm],
        )
        for one, scope, stopped, cancelled in rows
    ]
    lines = lines or ["no breaker has tripped"]
    return "\n".join([*lines, "", "what each would touch now", text.table(titles, shown, "  ")])


def _trip(trip: Trip) -> dict[str, Any]:
    return {name: getattr(trip, name) for name in trip.__struct_fields__}


def _row(breaker: Breaker, scope: str, stopped: list[str], cancelled: list[str]) -> dict[str, Any]:
    return {
        "breaker": breaker.name,
        "scope": scope,
        "effect": str(breaker.effect),
        "rearm": str(breaker.rearm),
        "stops": stopped,
        "cancels": cancelled,
    }
