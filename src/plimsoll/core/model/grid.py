"""What a venue's change of steps does to counts (reliability X22).

Theory: prices and quantities are counted in the finest steps that anything still open may stand on.
When the venue changes a step, counting goes on in the largest step that both the old and the new
one are multiples of: every count of before stays exact, also the price of somebody's old order that
we execute against tomorrow. What the venue takes of new orders are multiples, ``price_step`` and
``qty_step``.
"""

from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import NamedTuple

import msgspec

from plimsoll.core.model.instrument import Instrument
from plimsoll.core.model.working import Order


def common(old: Instrument, new: Instrument) -> Instrument:
    """Return the new filters, counted in steps that fit the old ones as well.

    Raises:
        ValueError: such steps would be finer than a cash unit.
    """
    tick, lot = _common(old.tick, new.tick), _common(old.lot, new.lot)
    return msgspec.structs.replace(
        new,
        tick_size=new.tick_size if tick == new.tick else format(tick, "f"),
        lot_size=new.lot_size if lot == new.lot else format(lot, "f"),
        price_step=int(new.tick / tick),
        qty_step=int(new.lot / lot),
    )


def _common(old: Decimal, new: Decimal) -> Decimal:
    first, second = Fraction(old), Fraction(new)
    found = Fraction(
        gcd(first.numerator * second.denominator, second.numerator * first.denominator),
        first.denominator * second.denominator,
    )
    return Decimal(found.numerator) / Decimal(found.denominator)


class Regrid(NamedTuple):
    """How many new steps an old one is: whole numbers."""

    tick: int
    lot: int

    @staticmethod
    def between(old: Instrument, new: Instrument) -> "Regrid":
        """Return the change between two countings of which the second is as fine or finer."""
        return Regrid(int(old.tick / new.tick), int(old.lot / new.lot))

    @property
    def is_needed(self) -> bool:
        """Return whether counts change."""
        return self.tick != 1 or self.lot != 1

    def move(self, order: Order) -> None:
        """Bring an order's counts to the new steps."""
        order.filled_notional *= self.tick * self.lot
        order.price_ticks *= self.tick
        order.amend_price_ticks *= self.tick
        order.trigger_ticks *= self.tick
        order.amend_trigger_ticks *= self.tick
        order.qty_lots *= self.lot
        order.amend_qty_lots *= self.lot
        order.filled_lots *= self.lot
        order.venue_cum_lots *= self.lot
