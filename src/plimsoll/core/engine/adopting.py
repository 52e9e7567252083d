"""What a person decides about a foreign holding: whose it is, or that it stays foreign."""

import json
from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.execution.reconcile import is_foreign
from plimsoll.core.model import FOREIGN, MANUAL, NOT_OURS, Instrument
from plimsoll.core.records import (
    IncidentRaised,
    ObservingEnded,
    OperatorCommand,
    OrderMoved,
    PositionMoved,
    Record,
)
from plimsoll.core.settings import CoreSettings

_SOURCES: Final = tuple(sorted(NOT_OURS))


class Adopting:
    """Carries out ``adopt``: moves in the books, nothing at the venue."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings

    def on_command(self, command: OperatorCommand) -> Iterator[Record]:
        """Move a foreign holding and foreign orders, or let them be foreign."""
        state = self.state
        args = json.loads(command.args or "{}")
        name, to_owner = str(args.get("instrument", "")), str(args.get("to", ""))
        reason = str(args.get("reason", "")) or command.cmd
        instrument = state.instruments.get(name)
        refusal = self._refusal(instrument, to_owner, args)
        if instrument is None or refusal:
            yield IncidentRaised(*state.stamp(), "adopt_refused", name, refusal)
            return
        if to_owner:
            yield from self._move(instrument, to_owner, args, command.actor)
        is_decided = bool(args.get("leave")) or not is_foreign(state.orders, state.ledger, name)
        if is_decided and name in state.safety.observed:
            yield ObservingEnded(*state.stamp(), name, command.actor, reason)

    # ---- inside ----

    def _refusal(
        self, instrument: Instrument | None, to_owner: str, args: dict[str, object]
    ) -> str:
        """Return why nothing can be moved so, empty where it can."""
        if instrument is None:
            return "the instrument is not listed"
        if not to_owner:
            return "" if args.get("leave") else "neither --to nor --leave"
        takers = {
            one.name
            for one in (self.state.settings or self.settings).strategies
            if not self.state.is_paper(one.name) and instrument.name in one.instruments
        }
        if to_owner != MANUAL and to_owner not in takers:
            return f"{to_owner} is no live instance on {instrument.name}"
        try:
            lots = instrument.lots_of(str(args.get("qty") or "0"))
        except ValueError as error:
            return str(error)
        if args.get("qty") and lots <= 0:
            return f"a quantity above zero, found {args['qty']}"
        there = sum(self.held_lots(instrument, owner) for owner in _SOURCES)
        if lots > abs(there):
            return f"{instrument.qty_text(there)} is foreign, {args.get('qty')} was asked for"
        return ""

    def _move(
        self, instrument: Instrument, to_owner: str, args: dict[str, object], actor: str
    ) -> Iterator[Record]:
        state, name = self.state, instrument.name
        wanted = instrument.lots_of(str(args.get("qty") or "0")) or 1 << 62
        for owner in _SOURCES:
            there = self.held_lots(instrument, owner)
            lots = min(wanted, abs(there)) * (1 if there > 0 else -1)
            if not lots:
                continue
            wanted -= abs(lots)
            cost = self._cost(instrument, owner, lots)
            yield PositionMoved(*state.stamp(), owner, to_owner, name, lots, cost, actor)
        if args.get("orders"):
            for order in list(state.orders.on_instrument.get(name, {}).values()):
                if order.owner in NOT_OURS:
                    yield OrderMoved(*state.stamp(), order.id, to_owner, actor)

    def held_lots(self, instrument: Instrument, owner: str) -> int:
        """Return what an outsider holds here; of spot the foreign share of the wallet's coins."""
        ledger = self.state.ledger
        if not instrument.is_spot:
            return ledger.qty_lots(owner, instrument.name)
        if owner != FOREIGN:
            return 0
        return max(0, ledger.spare_units(instrument)) // instrument.base_units_per_lot

    def _cost(self, instrument: Instrument, owner: str, lots: int) -> int:
        """Return the entry cost that goes with a part; of spot coins their worth now."""
        state = self.state
        held = state.ledger.position(owner, instrument.name)
        if instrument.is_spot:
            market = state.markets.get(instrument.name)
            ticks = market.newest_ticks(state.ts_ns) if market else 0
            return instrument.notional_units(ticks, lots)
        return held.cost_units * lots * instrument.base_units_per_lot // held.qty_units
