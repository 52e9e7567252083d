"""Orders and their life: evidence, unknown outcomes, reconciliation with the venue.

In: decisions about orders, answers, reports. Out: the state of each order, what to ask the venue.
``core.engine`` may import it; it knows no strategy and no risk rule.
"""

from plimsoll.core.execution.lifecycle import LIFECYCLE, Evidence, Step, next_state
from plimsoll.core.execution.orders import UNKNOWN_OWN, OrderStore

__all__ = ["LIFECYCLE", "UNKNOWN_OWN", "Evidence", "OrderStore", "Step", "next_state"]
