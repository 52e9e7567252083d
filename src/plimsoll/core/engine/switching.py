"""Switches carried out: what follows from a strategy's new mode, until its live book is settled.

The record comes first; what it wants of orders is seen to by the halts' own repetition
(``halting``), closing by the flattens' (``flattening``). What is left to do follows from the
standing and the books, so that a restart goes on with it.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.flattening import Flattening
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.judging import ModeArgs
from plimsoll.core.engine.promoting import is_up, unfinished
from plimsoll.core.engine.protecting import Protecting
from plimsoll.core.engine.reach import Holding, engine_stops, holdings, is_closed
from plimsoll.core.engine.state import State
from plimsoll.core.execution.modes import POLICIES, RUNNING, Standing
from plimsoll.core.execution.protection import NO_LEVEL
from plimsoll.core.model import MANUAL, LiveStage, Mode, Scope
from plimsoll.core.records import (
    IncidentRaised,
    LiveEnded,
    ModeSet,
    OperatorCommand,
    OrderMoved,
    PositionMoved,
    Record,
)

ENGINE: Final = "engine"
"""Who sets a mode where no person does."""


class Switching:
    """All strategies' live books on their way from one mode to another."""

    def __init__(
        self, state: State, halting: Halting, flattening: Flattening, protecting: Protecting
    ) -> None:
        """Share the engine's state."""
        self.state = state
        self.halting = halting
        self.flattening = flattening
        self.protecting = protecting

    def on_begin(self) -> Iterator[Record]:
        """Tell where a switch stands above what the configuration says."""
        for found in self.state.modes.standings.values():
            if found.seq and found.mode is not found.configured:
                text = (
                    f"the configuration says {found.configured}, {found.actor} said {found.mode}: "
                    f"that holds; `plimsoll mode set {found.strategy} {found.configured}` ends it"
                )
                yield IncidentRaised(*self.state.stamp(), "mode_differs", found.strategy, text)

    def on_command(self, command: OperatorCommand, args: ModeArgs) -> Iterator[Record]:
        """Switch as a person says."""
        found = self.state.modes.standings[args.strategy]
        if args.mode is Mode.PAPER:
            policy = args.policy or "run_off"
            yield from self._set(found, Mode.PAPER, policy, command.actor, args.reason)
            return
        capital = self.state.standing(args.strategy).capital_units
        proof = (args.capital, "") if args.override else (capital, args.evidence)
        if not (is_up(found) or args.override or args.evidence):
            proof = (found.cap_units, found.evidence)  # on paper as well, or not any more
        yield ModeSet(
            *self.state.stamp(),
            found.strategy,
            args.mode,
            LiveStage.LIVE,
            "",
            *proof,
            command.actor,
            args.reason,
        )

    def on_fall(self) -> Iterator[Record]:
        """Take whoever lost its stage to paper, by the policy its configuration names."""
        for found in list(self.state.modes.standings.values()):
            if found.must_fall:
                configured = self.state.modes.configured(found.strategy)
                policy = configured.demotion if configured is not None else "run_off"
                now = self.state.standing(found.strategy)
                why = f"{now.actor}: it is {now.stage}: {now.reason}"
                yield from self._set(found, Mode.PAPER, policy, ENGINE, why)

    def on_time(self) -> Iterator[Record]:
        """Go on with what every switch has left."""
        yield from self.on_fall()
        for found in list(self.state.modes.standings.values()):
            yield from self._go_on(found)

    def on_order(self) -> Iterator[Record]:
        """Let nothing be held by a live book that no instance looks after, whatever was heard."""
        for found in self.state.modes.standings.values():
            if found.stage not in RUNNING:
                yield from self._hand_over(found)

    # ---- inside ----

    def _set(
        self, found: Standing, mode: Mode, policy: str, actor: str, reason: str
    ) -> Iterator[Record]:
        stage, before = POLICIES[policy], f"m{found.seq}"
        name = found.strategy
        yield ModeSet(*self.state.stamp(), name, mode, stage, policy, 0, "", actor, reason)
        if stage is not LiveStage.FLATTEN:
            why = f"{actor} chose {policy}"
            own = "" if stage is LiveStage.HANDED_OVER else before  # nothing is left to close then
            yield from self.flattening.give_up(self._scope(found), why, name=own)
        yield from self.halting.cancel_wanted()
        yield from self._go_on(found)

    def _go_on(self, found: Standing) -> Iterator[Record]:
        if found.stage not in RUNNING:
            yield from self._hand_over(found)
        elif found.stage is not LiveStage.LIVE:
            if found.stage is LiveStage.FLATTEN:
                yield from self._flatten(found)
            yield from self._end_if_done(found)

    def _flatten(self, found: Standing) -> Iterator[Record]:
        """Begin the flatten of a switch, or take its end."""
        state, scope, name = self.state, self._scope(found), f"m{found.seq}"
        if any(one.scope == scope.text for one in state.flattens.values()):
            return
        ended = next((one for one in reversed(state.flattened) if one.id == name), None)
        if ended is None:
            yield from self.flattening.begin(name, scope, found.actor, f"mode: {found.reason}")
        elif any(not is_closed(state, held) for held in holdings(state, scope)):
            why = f"the flatten ended: {ended.outcome} {ended.text}".rstrip()
            yield from self._set(found, found.mode, "run_off", ENGINE, why)

    def _end_if_done(self, found: Standing) -> Iterator[Record]:
        """End the live instance where nothing is left of its book."""
        state, book = self.state, state_book(self.state, found)
        if found.stage in (LiveStage.LIVE, LiveStage.NONE) or not state.safety.is_reconciled:
            return
        if any(not is_closed(state, held) for held in holdings(state, Scope(book))):
            return
        for order in list(state.orders.working.values()):
            if order.owner == book and not order.is_paper:
                yield from self.halting.placer.cancel(order, "its position is gone")
        is_closing = any(one.scope == Scope(book).text for one in state.flattens.values())
        if not is_closing and not any(unfinished(state, book)):
            yield LiveEnded(*state.stamp(), found.strategy, book)

    def _hand_over(self, found: Standing) -> Iterator[Record]:
        """Give what a live book without an instance holds, and what protects it, to a person."""
        state, book = self.state, state_book(self.state, found)
        if book not in state.modes.live_owners:
            return
        for order in list(state.orders.working.values()):
            if order.owner == book and order.is_protective and not order.is_paper:
                yield OrderMoved(*state.stamp(), order.id, MANUAL, found.actor)
        for held in holdings(state, Scope(book)):
            lots = self._free(held)
            if lots and not is_closed(state, held):
                yield from self._give(found, held._replace(lots=lots))

    def _free(self, held: Holding) -> int:
        """Return the lots that can be given away now.

        On spot, what a sale under way may still take is not there to be sold again: it follows when
        that order's fate is known.
        """
        if not self.state.instruments[held.instrument].is_spot:
            return held.lots
        return max(
            0, min(held.lots, self.halting.placer.surveying.free_lots(held.owner, held.instrument))
        )

    def _give(self, found: Standing, held: Holding) -> Iterator[Record]:
        state, (book, name, lots) = self.state, held
        instrument, position = state.instruments[name], state.ledger.position(book, name)
        stops = list(engine_stops(state, Scope(book, name)))
        cost = position.cost_units * lots * instrument.base_units_per_lot // position.qty_units
        wish = state.protections.wishes.get((book, name))
        if wish is not None and wish.level != NO_LEVEL:  # first: a death in between loses no stop
            yield from self.protecting.wish(MANUAL, name, wish.side, wish.level)
        yield PositionMoved(*state.stamp(), book, MANUAL, name, lots, cost, found.actor)
        text = f"{instrument.qty_text(lots)} {name} of {book} is manual now: it is yours to close"
        if stops:
            text += f"; its stop at {instrument.price_text(stops[0].stop_ticks)} ended with it"
        yield IncidentRaised(*state.stamp(), "handed_over", found.strategy, text)

    def _scope(self, found: Standing) -> Scope:
        return Scope(state_book(self.state, found))


def state_book(state: State, found: Standing) -> str:
    """Return the live book of a strategy."""
    return state.modes.live_book(found.strategy)
