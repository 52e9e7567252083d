"""Disconnect protection: what follows when the venue cancelled for us (RSK-12, X27)."""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.state import State
from plimsoll.core.model import ACCOUNT, FOREIGN
from plimsoll.core.records import (
    DisconnectReported,
    IncidentRaised,
    OrderReported,
    Record,
)

CANCEL: Final = "CancelByDCP"
"""The venue's word for why (Bybit v5 docs, enum page, cancelType)."""

_ACTOR: Final = "venue"
_REASON: Final = "the venue's disconnect protection cancelled our orders"


class Disconnecting:
    """Asks a person after the venue acted in our absence."""

    def __init__(self, state: State, comparing: Comparing, halting: Halting) -> None:
        """Share the engine's state and the parts that compare and cancel."""
        self.state = state
        self.comparing = comparing
        self.halting = halting

    def on_report(self, record: OrderReported) -> Iterator[Record]:
        """Look at what protects first, then halt; once, however many orders it hit."""
        state = self.state
        order = state.orders.of_venue(record.client_order_id, record.venue_order_id)
        if order is None or order.owner == FOREIGN or state.safety.halt_actor == _ACTOR:
            return
        yield IncidentRaised(*state.stamp(), "dcp_cancel", order.id, _REASON)
        if self.comparing.under_way is None and state.safety.links.get("private"):
            yield from self.comparing.start("disconnect protection")
        yield from self.halting.halt(ACCOUNT, _ACTOR, _REASON)

    def on_state(self, record: DisconnectReported) -> Iterator[Record]:
        """Tell where the protection that was asked for is not in force."""
        if record.status == "failed":
            text = f"disconnect protection is not in force: {record.reason}"
            yield IncidentRaised(*self.state.stamp(), "dcp_failed", record.product, text)
