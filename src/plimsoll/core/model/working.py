"""An order and a position as the core keeps them: mutable, owned by one object each."""

from typing import Final

import msgspec

from plimsoll.core.model.order import TERMINAL, OrderState, OrderType, Side, TimeInForce

FOREIGN: Final = "foreign"
"""Owner of orders, fills and positions that no strategy of ours asked for."""

MANUAL: Final = "manual"
"""Owner of orders a person placed through the engine: our ids, our journal, our gate."""

VENUE: Final = "venue"
"""Owner of orders and fills the venue forced: liquidation, deleveraging, settlement."""

OUTSIDE: Final = frozenset({FOREIGN, MANUAL, VENUE})
"""Owners that are no instance: what they do to an instance's position pauses it (ORD-12)."""

NOT_OURS: Final = frozenset({FOREIGN, VENUE})
"""Owners of orders nobody placed through this engine."""
PROTECTION_LABEL: Final = "protection"
"""Label of the orders the venue makes to carry the protection of a position out."""

_SELL: Final = Side.SELL  # hot: read through their classes they cost 15 times a global
_IN_BOOK: Final = frozenset({OrderState.OPEN, OrderState.PARTIAL})
_UNSURE: Final = frozenset({OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN})


class Order(msgspec.Struct):
    """One order of its life; only ``core/execution`` changes it, everyone else reads.

    ``filled_lots`` counts booked executions, ``venue_cum_lots`` what the venue says is matched;
    the second may run ahead of the first until the executions arrive (ACC-2).
    """

    id: str
    owner: str
    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    label: str
    is_paper: bool
    state: OrderState
    created_ns: int
    touched_ns: int = 0
    """When its terms were last set by us: at the intent, at an amend."""
    venue_id: str = ""
    filled_lots: int = 0
    filled_notional: int = 0
    """Sum of price_ticks x qty_lots over booked executions."""
    venue_cum_lots: int = 0
    updated_ms: int = 0
    signed_ms: int = 0
    """Venue-time stamp of the last request sent for it; proof of absence counts from here."""
    asked_ns: int = 0
    """When the oldest unanswered request left; 0 = nothing unanswered."""
    amend_price_ticks: int = 0
    amend_qty_lots: int = 0
    """Wanted by the pending amend; 0 = none pending."""
    cancel_pending: bool = False
    is_untriggered: bool = False
    via: str = ""
    reason: str = ""
    is_adopted: bool = False
    """First heard of from the venue: what matched before that is in no books of ours."""
    order_filter: str = ""
    """As in ``OrderReported``."""
    trigger_ticks: int = 0
    """Of a conditional order, 0 = a plain one."""
    trigger_rises: bool = False
    trigger_by: str = ""
    amend_trigger_ticks: int = 0
    create_on: int = 0
    """Connection on which an answer to the create may still come; -1 = a REST request, 0 = none."""
    amend_on: int = 0
    """The same of the newest amend."""
    cancels: int = 0
    """Cancels asked for so far: an order once unwanted stays unwanted."""
    unwanted_ns: int = 0
    """When the first cancel was asked for."""

    @property
    def is_working(self) -> bool:
        """Return whether the order may still match."""
        return self.state not in TERMINAL

    @property
    def leaves_lots(self) -> int:
        """Return what may still be added to our position by this order, amends in flight counted.

        A terminal order still counts what the venue matched and we have not booked.
        """
        if self.state in TERMINAL:
            return max(0, self.venue_cum_lots - self.filled_lots)
        booked = self.filled_lots
        if self.is_adopted:  # what matched before we saw it is in the venue's position
            booked = max(booked, self.venue_cum_lots)
        most = max(self.amend_qty_lots, self.qty_lots)
        return most - booked if most > booked else 0

    @property
    def worst_price_ticks(self) -> int:
        """Return the higher of the resting price and the price of an amend in flight."""
        return max(self.price_ticks, self.amend_price_ticks)

    @property
    def is_protective(self) -> bool:
        """Return whether it can only make a position smaller, so that a halt leaves it (RSK-10).

        Spot knows no reduce-only: there it is a conditional sell that waits for its trigger.
        """
        is_stop = self.is_untriggered and self.side is _SELL
        return self.reduce_only or (is_stop and self.instrument.startswith("spot:"))

    @property
    def is_waiting(self) -> bool:
        """Return whether it may still wait for its trigger: nothing of it is in the book then."""
        return bool(self.trigger_ticks) and (self.is_untriggered or self.state not in _IN_BOOK)

    @property
    def is_busy(self) -> bool:
        """Return whether a request about it is unanswered; a second one would race the first."""
        return self.cancel_pending or bool(self.amend_qty_lots) or self.state in _UNSURE


class Position(msgspec.Struct):
    """Holding of one owner in one instrument.

    ``qty_units`` is signed base quantity in cash units of the base coin (spot fees make it finer
    than a lot); ``cost_units`` is its exact entry cost in quote cash units, signed like the
    quantity. ``realised_units`` excludes fees and funding, which stand apart.
    """

    qty_units: int = 0
    cost_units: int = 0
    realised_units: int = 0
    fee_units: int = 0
    funding_units: int = 0
    turnover_units: int = 0
    fills: int = 0
    outside_units: int = 0
    """Base quantity taken off this instance by executions it did not ask for, ever growing."""
    told_units: int = 0
    """How much of that a pause has told of."""
    funded_ms: int = 0
    """Of paper: fundings up to here (venue time) are paid or on record as owed."""
