"""Stages in the engine: a person's decision put on record, and safety stops that end a promotion.

Statistics are a follower's; what the engine knows by itself needs none: the drawdown breaker of an
instance tripped, it was stopped for a fault, or it was halted by name. Looked at as states, not as
events: one that stands after a restart ends the promotion then. What becomes of its position is for
the breaker, the halt or a person; a stage moves no order.
"""

from collections.abc import Iterator

from plimsoll.core.engine.judging import StageArgs
from plimsoll.core.engine.state import State
from plimsoll.core.execution.graduation import Stage
from plimsoll.core.model import Scope
from plimsoll.core.records import IncidentRaised, Record, StageChanged

ENGINE = "engine"
"""Who decides where no person did."""


class Reviewing:
    """Puts promoted instances under review whose safety stops say so."""

    def __init__(self, state: State) -> None:
        """Share the engine's state."""
        self.state = state

    def on_time(self) -> Iterator[Record]:
        """Look at every promoted instance."""
        state = self.state
        for owner, now in list(state.stages.items()):
            reason = self._why(owner) if now.stage.is_promoted else ""
            if not reason:
                continue
            args = StageArgs(strategy=owner, stage=Stage.UNDER_REVIEW)
            yield stage_changed(state, args, ENGINE, reason)
            text = f"was {now.stage}, is under review: {reason}"
            yield IncidentRaised(*state.stamp(), "under_review", owner, text)

    def _why(self, owner: str) -> str:
        state = self.state
        if owner in state.faulty:
            return f"stopped for a fault: {state.stopped.get(owner, state.faulty[owner])}"
        trip = state.trips.active.get(("drawdown", owner))
        if trip is not None:
            return f"drawdown breaker: {trip.text}"
        halt = state.safety.halts.get(Scope(owner, ""))
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
