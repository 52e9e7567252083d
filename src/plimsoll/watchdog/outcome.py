"""What came of a clearing or of a flatten, for logs, tables and exit codes."""

import msgspec

from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.venues.bybit.api.position_rows import Position


class Outcome(msgspec.Struct):
    """What is known of every order after the last whole look at the venue."""

    cancelled: tuple[Order, ...] = ()
    """Asked for and not on the list any more."""

    protection: tuple[Order, ...] = ()
    foreign: tuple[Order, ...] = ()
    unconfirmed: tuple[Order, ...] = ()
    """Can add risk, is in reach, and was on the last list."""

    is_clear: bool = False
    """The list was empty twice in a row."""

    looks: int = 0
    failed_looks: int = 0
    failed_requests: int = 0
    trouble: str = ""
    """Why the last request or question that failed did."""


class Flattened(msgspec.Struct):
    """What a flatten did; ``left`` are the positions of the last whole look."""

    sent: int = 0
    left: tuple[Position, ...] = ()
    is_flat: bool = False
    trouble: str = ""
