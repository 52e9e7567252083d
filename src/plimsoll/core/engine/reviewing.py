"""Stages in the engine: a person's decision put on record, and safety stops that end a promotion.

Statistics are a follower's; what the engine knows by itself needs none: the drawdown breaker of an
live book tripped, that was stopped for a fault, or it was halted by name. Looked at as states, not
as events: one that stands after a restart ends the promotion then. A stage moves no order: what
becomes of the live book follows from the switch to paper (``switching.on_fall``).
"""

from collections.abc import Iterator

from plimsoll.core.engine.judging import StageArgs
from plimsoll.core.engine.state import State
from plimsoll.core.execution.graduation import Stage
from plimsoll.core.execution.modes import RUNNING
from plimsoll.core.model import Scope
from plimsoll.core.records import IncidentRaised, Record, StageChanged

ENGINE = "engine"
"""Who decides where no person did."""


class Reviewing:
    """Puts promoted strategies under review whose safety stops say so."""

    def __init__(self, state: State) -> None:
        """Share the engine's state."""
        self.state = state

    def on_time(self) -> Iterator[Record]:
        """Look at every promoted strategy."""
        state = self.state
        for name, now in list(state.stages.items()):
            reason = self._why(name) if now.stage.is_promoted else ""
            if not reason:
                continue
            args = StageArgs(strategy=name, stage=Stage.UNDER_REVIEW)
            yield stage_changed(state, args, ENGINE, reason)
            text = f"was {now.stage}, is under review: {reason}"
            yield IncidentRaised(*state.stamp(), "under_review", name, text)

    def _why(self, name: str) -> str:
        """Return what the book says that counts: the live one, while none runs that on paper."""
        state, modes = self.state, self.state.modes
        standing = modes.standings.get(name)
        is_live = standing is not None and standing.stage in RUNNING
        owner = modes.live_book(name) if is_live else modes.paper_book(name)
        if owner in state.faulty:
            return f"stopped for a fault: {state.stopped.get(owner, state.faulty[owner])}"
        trip = state.trips.active.get(("drawdown", owner))
        if trip is not None:
            return f"drawdown breaker: {trip.text}"
        halts = state.safety.halts
        halt = halts.get(Scope(name, "")) or halts.get(Scope(owner, ""))
        return f"halted by {halt.actor}: {halt.reason}" if halt is not None else ""


def stage_changed(state: State, args: StageArgs, actor: str, reason: str) -> StageChanged:
    """Return the decision that a stage changes; what it is held to is kept along the ramp."""
    before = state.standing(args.strategy)
    expected = args.expected_ppb
    if args.stage is Stage.LIVE and args.step > 1:
        expected = before.expected_ppb
    return StageChanged(
        *state.stamp(),
        args.strategy,
        args.stage,
        args.step,
        before.stage,
        args.capital,
        expected,
        args.evidence,
        actor,
        reason,
    )
