"""What one order is measured against, and what of it is counted so far."""

from typing import Final, Literal

import msgspec

from plimsoll.core.execution.quality.cell import Cell, Key
from plimsoll.core.model import Instrument, Order, OrderState

_ASKED: Final = 1
REJECTED: Final = 2
UNKNOWN: Final = 4
"""How a request can fail."""

_ENDED: Final = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED})
_NOTHING: Final = (0, 0, 0, 0)

Request = Literal["create", "amend"]


class Life(msgspec.Struct):
    """One order; middles and prices in half ticks, 0 = not known."""

    key: Key
    sign: int
    price_ticks: int
    """Its first own price: its quantities are weighed by it."""
    decision: int
    asked_ns: int
    start_ns: int
    """From when on a fill may be waited for; 0 = its trigger was not reached."""
    sent_ns: int = 0
    arrival: int = 0
    requests: dict[str, int] = {}
    """What became of the create and of the newest amend: flags."""
    is_acked: bool = False
    has_arrived: bool = False
    is_filled: bool = False
    filled_ns: int = 0
    """Newest fill."""
    is_whole: bool = False
    counted: tuple[int, int, int, int] = _NOTHING
    """What of it stands in the cell: ended, cancelled, asked and filled worth."""

    def ask(self, cell: Cell, request: Request) -> None:
        """Count a request that left."""
        self.requests[request] = _ASKED
        cell.requests += 1

    def fail(self, cell: Cell, request: Request, how: int) -> None:
        """Count a request as rejected or UNKNOWN, each once; both are one that failed."""
        flags = self.requests.get(request, 0)
        if not flags & _ASKED:
            cell.requests += 1  # no record says that it left, and it may have
        if not flags & how:
            cell.rejected += how == REJECTED
            cell.unknown += how == UNKNOWN
            cell.failed += not flags & (REJECTED | UNKNOWN)
        self.requests[request] = flags | _ASKED | how

    def recount(self, cell: Cell, order: Order, instrument: Instrument) -> None:
        """Bring what is counted of an order's end to what it is now."""
        counted, before = _NOTHING, self.counted
        if order.state in _ENDED:
            asked = instrument.notional_units(self.price_ticks, order.qty_lots)
            filled = instrument.notional_units(self.price_ticks, order.filled_lots)
            is_cut = order.state is not OrderState.FILLED and filled < asked
            counted = (1, int(is_cut), asked, filled)
            self._complete(cell, order)
        if counted != before:
            cell.ended += counted[0] - before[0]
            cell.canceled += counted[1] - before[1]
            cell.asked_units += counted[2] - before[2]
            cell.filled_units += counted[3] - before[3]
            self.counted = counted

    def _complete(self, cell: Cell, order: Order) -> None:
        """Measure, once, how long the whole of it took; its fills may come after its end."""
        is_whole = order.state is OrderState.FILLED and order.filled_lots >= order.qty_lots
        if is_whole and not self.is_whole:
            self.is_whole = True
            if self.start_ns:
                cell.full_fill.add_ns(self.filled_ns - self.start_ns)

    def forget(self) -> None:
        """Take it that nothing of it is counted anywhere."""
        self.counted = _NOTHING

    def regrid(self, tick: int) -> None:
        """Count in smaller ticks."""
        self.price_ticks *= tick
        self.decision *= tick
        self.arrival *= tick
