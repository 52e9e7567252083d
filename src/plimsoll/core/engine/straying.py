"""Orders and fills that should not be: told, blocked, and cancelled where they can add risk.

Requirements ORD-6, ORD-7 and LSE-9.
"""

from collections.abc import Iterator

from plimsoll.core.engine.inquiring import Inquiring, block
from plimsoll.core.engine.state import State
from plimsoll.core.execution.orders import Contradiction
from plimsoll.core.records import IncidentRaised, Record
from plimsoll.core.settings import CoreSettings


class Straying:
    """What follows from evidence against what was certain."""

    def __init__(self, state: State, settings: CoreSettings, inquiring: Inquiring) -> None:
        """Share the engine's state."""
        self.state = state
        self.policy = settings.strays
        self.inquiring = inquiring

    def on_contradiction(self, found: Contradiction) -> Iterator[Record]:
        """Tell a person, forbid new risk, and end what lives and should not."""
        state, order = self.state, found.order
        text = f"order {order.id}: {found.text}"
        if found.is_late:
            yield IncidentRaised(*state.stamp(), "late_fill", order.id, found.text)
            yield self.inquiring.query(order)
            return
        code = "intruder" if found.is_intruder else "contradiction"
        yield IncidentRaised(*state.stamp(), code, order.id, found.text)
        if order.instrument not in state.safety.blocks:
            yield from block(state, order.instrument, text)
        if found.is_stray and self.policy == "cancel" and not order.reduce_only:
            yield from self.inquiring.placer.cancel(order, "it should not be there")
