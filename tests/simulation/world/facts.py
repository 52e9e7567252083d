"""What the judge knows of an order: from our log, and from the exchange's record."""

from decimal import Decimal
from typing import Final

import msgspec

_LIVE: Final = frozenset({"Created", "New", "PartiallyFilled", "Untriggered", "Triggered"})


class Violation(Exception):
    """Something that must never be has happened; the text says what."""


class Intent(msgspec.Struct):
    """An order as our log says it was meant."""

    epoch: int
    reduces: bool
    """Reduce-only, or a sale on spot, where only what is held may be sold (RSK-3)."""
    reduce_only: bool
    is_halted: bool


class Stop(msgspec.Struct, frozen=True):
    """A halt in force, as our log says what it does."""

    keeps_orders: bool = False
    with_protections: bool = False


class VenueOrder(msgspec.Struct):
    """An order as the exchange's record has it."""

    link: str
    name: str
    is_buy: bool
    reduce_only: bool
    status: str = ""
    leaves: Decimal = Decimal(0)
    filled: Decimal = Decimal(0)

    @property
    def is_live(self) -> bool:
        """Whether it may still match."""
        return self.status in _LIVE

    @property
    def is_protective(self) -> bool:
        """Whether it only makes a position smaller; on spot that is a sale that waits (RSK-10)."""
        waits = self.status == "Untriggered" and not self.is_buy
        return self.reduce_only or (waits and self.name.startswith("spot:"))
