"""What stands between an instance and its next order, right now.

The engine's own gate is asked about the smallest order the venue takes, on either side of each
instrument, from the books as the log has them; every stage of it answers for itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from plimsoll.core.engine import State
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.surveying import Hand
from plimsoll.core.feed import Cause, Doubt, StreamName, StreamStatus
from plimsoll.core.model import Denied, Instrument, Side
from plimsoll.core.records import OrderDenied
from plimsoll.core.risk import Candidate, Surroundings

RECENT_NS: Final = 600_000_000_000
"""Refusals older than this say nothing about now."""

LIVE: Final = "live."
"""Gauges of the engine's telemetry that say whether an instrument's market is trusted."""


class Hindrance(NamedTuple):
    """One thing that stands against orders; ``where`` empty = everywhere."""

    where: str
    code: str
    text: str


class Seen(NamedTuple):
    """What is known beside the books."""

    is_running: bool
    gauges: Mapping[str, float]
    """Of the newest telemetry."""


class _Market:
    """Stands in for a market whose book is not in the log's end: the engine said if it is LIVE."""

    def __init__(self, name: str, seen: Seen) -> None:
        self._is_live = seen.gauges.get(f"{LIVE}{name}", 1.0) > 0

    def doubt(self, _now_ns: int, _streams: tuple[StreamName, ...]) -> Doubt | None:
        """Return what the engine thought of it a second ago."""
        if self._is_live:
            return None
        text = "is not LIVE, says the engine's newest telemetry"
        return Doubt(StreamName.BOOK, StreamStatus.SUSPECT, Cause.CARRIED, text)


def hindrances(state: State, owner: str, seen: Seen) -> Iterator[Hindrance]:
    """Yield what prevents orders of an instance, the whole before its parts.

    Raises:
        KeyError: no instance is called so.
    """
    settings = state.settings
    one = next((s for s in settings.strategies if s.name == owner), None) if settings else None
    if settings is None or one is None:
        raise KeyError(owner)
    if not seen.is_running:
        yield Hindrance("", "not_running", "no engine runs: `plimsoll run` starts one")
    stopped = state.stopped.get(owner, "")
    if stopped and (seen.is_running or owner in state.faulty):
        hint = f"; `plimsoll strategy resume {owner}`" if owner in state.faulty else ""
        yield Hindrance("", "strategy_stopped", f"{stopped}{hint}")
    placer = Placer(state, settings, cast(Any, None))
    found: dict[Hindrance, None] = {}
    for name in one.instruments or tuple(state.instruments):
        instrument = state.instruments.get(name)
        if instrument is None:
            found[Hindrance(name, "unknown_instrument", "the venue has not listed it yet")] = None
            continue
        for side in Side:
            for denied in _refusals(placer, owner, one.instruments, instrument, side, seen):
                found[Hindrance(f"{name} {side}", denied.code, denied.text)] = None
    yield from _joined(found)


def recent(state: State, owner: str) -> list[tuple[OrderDenied, int]]:
    """Return the newest refusal of each code within ten minutes, and how many there were."""
    fresh = [
        one for one in state.denials if one.owner == owner and state.ts_ns - one.ts_ns < RECENT_NS
    ]
    counted = Counter(one.code for one in fresh)
    newest = {one.code: one for one in fresh}
    return [(one, counted[code]) for code, one in newest.items()]


def _refusals(
    placer: Placer,
    owner: str,
    names: tuple[str, ...],
    instrument: Instrument,
    side: Side,
    seen: Seen,
) -> list[Denied]:
    state = placer.state
    scope = owner if state.is_paper(owner) else ""
    market = state.markets[instrument.name]
    ticks = market.newest_ticks(state.ts_ns)
    order = Candidate(
        scope, instrument, side, ticks, _smallest(instrument, ticks), False, owner=owner
    )
    around: Surroundings = msgspec.structs.replace(
        placer.surveying.around(Hand(owner, names), order),
        market=cast(Any, _Market(instrument.name, seen)),
        reference_ticks=ticks,
    )
    if not seen.is_running:  # links, clock and readiness are those of a process
        found = placer.gate.reasons(order, around)
        return [one for one in found if one.code not in _OF_A_PROCESS]
    return placer.gate.reasons(order, around)


_OF_A_PROCESS: Final = frozenset({"link_down", "not_reconciled", "clock", "stopping"})


def _smallest(instrument: Instrument, ticks: int) -> int:
    """Return the smallest order the venue takes at a price, in lots."""
    worth = instrument.notional_units(max(1, ticks), 1)
    by_value = -(-instrument.min_notional_units // worth) if ticks else 1
    return max(instrument.min_lots, by_value)


def _joined(found: dict[Hindrance, None]) -> Iterator[Hindrance]:
    """Join what holds on both sides."""
    for one in found:
        name, _, side = one.where.partition(" ")
        other = Side.SELL if side == Side.BUY else Side.BUY
        twin = one._replace(where=f"{name} {other}")
        if side and twin in found:
            if side == Side.BUY:
                yield one._replace(where=name)
        else:
            yield one
