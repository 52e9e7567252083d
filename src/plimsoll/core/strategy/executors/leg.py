"""One instrument of an executor: what it shall trade there, and what its orders came to.

An order belongs to the leg whose label it carries. A leg reads what an order came to from the order
itself, again and again, so that nothing is counted twice and a late execution is never missed.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plimsoll.core.model import Order, Regrid

KEPT: Final = 64
"""Orders remembered one by one; older ones are over, and kept as a sum."""


class Piece(msgspec.Struct, array_like=True):
    """What one order came to so far."""

    is_forward: bool
    """Whether it is of the leg's direction; else it takes back."""
    created_ns: int
    filled_lots: int = 0
    notional: int = 0
    """Sum of price_ticks x qty_lots over its executions."""
    leaves_lots: int = 0
    """What it may still add: all of it while nobody knows."""
    is_final: bool = False


class Leg(msgspec.Struct):
    """A direction and a quantity in one instrument, and the orders sent for it."""

    instrument: str
    label: str
    sign: int
    """+1 buys, -1 sells."""
    qty_lots: int
    pieces: dict[str, Piece] = {}
    folded: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    """Of orders not remembered any more: lots forward, their notional, lots taken back."""
    folded_ns: int = 0
    """When the newest of them was made."""
    newest_ns: int = 0
    """When the newest order was made."""

    def note(self, order: Order) -> None:
        """Take over what an order of this leg has come to."""
        piece = self.pieces.get(order.id)
        if piece is None:
            if order.created_ns <= self.folded_ns:
                return
            is_forward = order.side.sign == self.sign
            piece = self.pieces[order.id] = Piece(is_forward, order.created_ns)
            self.newest_ns = max(self.newest_ns, order.created_ns)
        piece.filled_lots, piece.notional = order.filled_lots, order.filled_notional
        piece.leaves_lots = order.leaves_lots
        piece.is_final = not order.is_working and not piece.leaves_lots
        if len(self.pieces) > KEPT:
            self._fold()

    def read(self, find: Callable[[str], Order | None]) -> None:
        """Look again at every order that is not known to be over."""
        for order_id, piece in list(self.pieces.items()):
            if piece.is_final:
                continue
            order = find(order_id)
            if order is not None:
                self.note(order)
            else:  # over for so long that the store has let go of it
                piece.leaves_lots, piece.is_final = 0, True

    def regrid(self, regrid: Regrid) -> None:
        """Count in the new steps of the instrument."""
        worth = regrid.tick * regrid.lot
        self.qty_lots *= regrid.lot
        self.folded = [
            self.folded[0] * regrid.lot,
            self.folded[1] * worth,
            self.folded[2] * regrid.lot,
        ]
        for piece in self.pieces.values():
            piece.filled_lots *= regrid.lot
            piece.leaves_lots *= regrid.lot
            piece.notional *= worth

    # ---- what it came to ----

    @property
    def forward_lots(self) -> int:
        """Return the lots traded in the leg's direction."""
        return self.folded[0] + sum(p.filled_lots for p in self.pieces.values() if p.is_forward)

    @property
    def filled_lots(self) -> int:
        """Return the lots traded in the leg's direction, less what was taken back."""
        back = sum(p.filled_lots for p in self.pieces.values() if not p.is_forward)
        return self.forward_lots - self.folded[2] - back

    @property
    def coming_lots(self) -> int:
        """Return what orders of the leg's direction may still add."""
        return sum(p.leaves_lots for p in self.pieces.values() if p.is_forward)

    @property
    def in_flight(self) -> bool:
        """Return whether any order may still match, or has matched what is not booked yet."""
        return any(not piece.is_final for piece in self.pieces.values())

    @property
    def left_lots(self) -> int:
        """Return what may still be sent: the quantity less all that is filled or may be."""
        return max(0, self.qty_lots - self.filled_lots - self.coming_lots)

    @property
    def average_ticks(self) -> float:
        """Return the average price in the leg's direction, in ticks; 0 before any."""
        notional = sum(p.notional for p in self.pieces.values() if p.is_forward)
        lots = self.forward_lots
        return (self.folded[1] + notional) / lots if lots else 0.0

    def _fold(self) -> None:
        for order_id, piece in list(self.pieces.items()):
            if piece.is_final:
                del self.pieces[order_id]
                if piece.is_forward:
                    self.folded[0] += piece.filled_lots
                    self.folded[1] += piece.notional
                else:
                    self.folded[2] += piece.filled_lots
                self.folded_ns = max(self.folded_ns, piece.created_ns)
                return
