"""What desks refused at once, as records: the first of each kind, and now and then how many."""

from collections.abc import Iterator

from plimsoll.core.engine.state import State
from plimsoll.core.records import AskRefused
from plimsoll.core.strategy import Desk
from plimsoll.core.strategy.refused import Refused


def refused(state: State, desk: Desk, kind: Refused) -> AskRefused:
    """Return what the log shall know of one kind."""
    kind.told = kind.times
    return AskRefused(
        *state.stamp(),
        desk.name,
        kind.ask,
        kind.instrument,
        kind.code,
        kind.text,
        kind.times,
        kind.since_ns,
    )


def untold(state: State, desk: Desk) -> Iterator[AskRefused]:
    """Yield what the log does not know of yet."""
    for kind in desk.refusals.untold():
        yield refused(state, desk, kind)
