"""Executors ended by a person: what rests is cancelled, the strategy is told, a restart knows it.

An executor is named by its instance and its number there. Until nothing of it is in flight any
more it has not ended; ``Executing`` sees to the rest, as where its strategy cancels it.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.judging import ExecutorArgs
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.model import TimeInForce
from plimsoll.core.records import IncidentRaised, OperatorCommand, Record
from plimsoll.core.strategy.executors import Run

OPERATOR: Final = "operator"
"""Why such a run ends."""


class Withdrawing:
    """Carries out ``executors-cancel``."""

    def __init__(self, state: State, trader: Trader) -> None:
        """Share the parts."""
        self.state = state
        self.trader = trader

    def why_not(self, args: ExecutorArgs) -> str:
        """Return why there is nothing to cancel, empty where there is."""
        desk = self.trader.desks.get(args.strategy)
        if desk is None:
            known = ", ".join(self.trader.desks) or "none"
            return f"no instance is called {args.strategy!r}; running: {known}"
        name, runs = f"{args.strategy}#{args.number}", desk.executors.runs
        run = runs.get(args.number)
        if run is None:
            going = [f"{args.strategy}#{one.number}" for one in runs.values() if not one.ended]
            return f"there is no executor {name}; under way: {', '.join(going) or 'none'}"
        if run.ended:
            return f"{name} has ended: {run.ended}"
        if run.closes:
            return f"{name} is ending already: {run.closes}"
        if self.state.safety.is_stopping or desk.is_stopped:
            return f"{args.strategy} is stopped ({desk.stop_reason or 'the session ends'})"
        return ""

    def cancel(self, command: OperatorCommand, args: ExecutorArgs) -> Iterator[Record]:
        """End an executor: recorded first, then its orders are cancelled."""
        why = self.why_not(args)
        if why:
            text = f"{command.actor}: {why}"
            yield IncidentRaised(*self.state.stamp(), "command_refused", command.cmd, text)
            return
        executors = self.trader.desks[args.strategy].executors
        run = executors.runs[args.number]
        run.closes = OPERATOR
        executors.wake(run)
        everybody = self.trader.roster.everybody  # all: a restart begins where the newest are
        for desk in everybody:
            yield from self.trader.calling.checkpoint(desk)
        yield from self._cancelled(args.strategy, run, f"{command.actor}: {args.reason}")

    def _cancelled(self, owner: str, run: Run, why: str) -> Iterator[Record]:
        labels = {leg.label for leg in run.legs}
        for name in dict.fromkeys(leg.instrument for leg in run.legs):
            for order in list(self.state.orders.of_owner(owner, name)):
                if order.label in labels and order.tif is not TimeInForce.IOC:
                    yield from self.trader.placer.cancel(order, why)
