"""What people and the venue do to the account behind our back: booked, told once, never undone.

An execution from outside that took something from an instance pauses it on that instrument (ORD-12,
X23, X24); what else comes from outside is told. Yields decisions; it never places an order.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.execution.owners import forced_word, outsider
from plimsoll.core.model import FOREIGN, OUTSIDE, VENUE, Order, cash_text
from plimsoll.core.records import ExecutionReported, IncidentRaised, Paused, Record

REMEMBERED: Final = 1_000
"""Outside orders whose executions have been told of, the newest."""


class Outsiders:
    """Watches executions nobody here asked for."""

    def __init__(self, state: State) -> None:
        """Share the engine's state."""
        self.state = state
        self.told: dict[str, None] = {}

    def on_start(self) -> Iterator[Record]:
        """Pause what a session before this one had no time left to pause."""
        state = self.state
        for (owner, name), held in list(state.ledger.positions.items()):
            if held.outside_units > held.told_units and (owner, name) not in state.safety.pauses:
                yield from self._pause(owner, name, "closed by others before this session", "")

    def on_execution(self, record: ExecutionReported) -> Iterator[Record]:
        """Follow up an execution that has just been booked."""
        state = self.state
        taken, state.taken = state.taken, []
        order = next((order for order, news in state.news if news is record), None)
        if order is None:
            return
        if not taken:
            yield from self._told(order, record)
            return
        self._remember(order.id)
        for owner, execution, units in taken:
            if (owner, execution.instrument) in state.safety.pauses:
                continue  # told of already: more of the same, and nothing is bought back
            who, code = self._by(order, execution)
            found = "found with " if order.owner not in OUTSIDE else ""
            text = f"{found}{self._text(execution, who)}; {cash_text(units)} of {owner}'s are gone"
            yield from self._pause(owner, execution.instrument, text, who)
            yield IncidentRaised(*state.stamp(), code, execution.instrument, text)

    # ---- inside ----

    def _pause(self, owner: str, name: str, reason: str, actor: str) -> Iterator[Record]:
        yield Paused(*self.state.stamp(), owner, name, reason, actor or VENUE)

    def _told(self, order: Order, record: ExecutionReported) -> Iterator[Record]:
        """Tell of an order from outside that traded without touching an instance, once."""
        if order.owner not in OUTSIDE or order.is_paper or order.id in self.told:
            return
        who, code = self._by(order, record)
        if who != VENUE and not order.is_adopted:
            return  # a person's, placed here: known to everybody
        self._remember(order.id)
        if who != VENUE:
            code = "outside_fill"
        yield IncidentRaised(*self.state.stamp(), code, record.instrument, self._text(record, who))

    def _by(self, order: Order, record: ExecutionReported) -> tuple[str, str]:
        """Return who did it and the code it is told under."""
        forced = outsider(record.create_type, record.kind) == VENUE
        if forced:
            return VENUE, f"position_{forced_word(record.create_type, record.kind)}"
        # A late fill of ours may show whose position it was that an outsider closed before.
        return order.owner if order.owner in OUTSIDE else FOREIGN, "closed_outside"

    def _text(self, record: ExecutionReported, who: str) -> str:
        instrument = self.state.instruments[record.instrument]
        qty = instrument.qty_text(record.qty_lots)
        price = instrument.price_text(record.price_ticks)
        words = "" if record.kind == "Trade" else f", {record.kind}"
        return f"{who} {record.side} of {qty} at {price}{words}"

    def _remember(self, order_id: str) -> None:
        self.told[order_id] = None
        if len(self.told) > REMEMBERED:
            del self.told[next(iter(self.told))]
