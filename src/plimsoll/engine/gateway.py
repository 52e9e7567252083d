"""The gateway: the one place that may add risk at the venue (RSK-5, LSE-5).

The intent stands in the log when a decision arrives here. Last checks, in this order: lease,
journal, halt, whether the loop beats; then the socket. What is refused here was certainly not sent.
"""

from plimsoll.core.engine import State
from plimsoll.core.model import Side
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    OrderIntended,
    ProtectionIntended,
)
from plimsoll.engine.beating import Pulse
from plimsoll.journal import Journal, JournalError
from plimsoll.lease import Lease
from plimsoll.venues.bybit.ports import Sent
from plimsoll.venues.bybit.venue import BybitVenue


class Gateway:
    """Sends decisions. It never queues, waits or tries again."""

    def __init__(
        self, state: State, journal: Journal, lease: Lease, venue: BybitVenue, pulse: Pulse
    ) -> None:
        """Hold what the last checks look at."""
        self._state = state
        self._journal = journal
        self._lease = lease
        self._venue = venue
        self._pulse = pulse

    def create(self, order: OrderIntended) -> Sent | str:
        """Send a new order, or say why not."""
        # The gate lets spot sell what is held and no more: such an order cannot add risk.
        is_sale = order.side is Side.SELL and order.instrument.startswith("spot:")
        adds_risk = not (order.reduce_only or is_sale)
        return self._refusal(order.owner, order.instrument, adds_risk=adds_risk) or (
            self._venue.create(order)
        )

    def practise(self, order: OrderIntended) -> None:
        """Look at everything a create looks at, and write its request into memory alone."""
        self._standing(order.owner, order.instrument, adds_risk=True)
        self._venue.practise(order)

    def amend(self, amend: AmendIntended) -> Sent | str:
        """Send new terms, or say why not."""
        order = self._state.orders.working.get(amend.client_order_id)
        if order is None:
            return "the order is not working"
        return self._refusal(
            order.owner, order.instrument, adds_risk=not order.reduce_only
        ) or self._venue.amend(amend, order.instrument)

    def cancel(self, cancel: CancelIntended) -> Sent | str:
        """Send a cancel, or say why not."""
        order = self._state.orders.find(cancel.client_order_id)
        if order is None:
            return "the order is not known"
        return self._refusal(order.owner, order.instrument, adds_risk=False) or (
            self._venue.cancel(cancel, order.instrument)
        )

    def protect(self, level: ProtectionIntended) -> Sent | str:
        """Send the exits of a position, or say why not; a halt never stands in the way."""
        refusal = self._refusal(level.owner, level.instrument, adds_risk=False)
        return refusal or self._venue.protect(level)

    def _refusal(self, owner: str, instrument: str, *, adds_risk: bool) -> str:
        """Return why nothing may be sent now, empty when it may."""
        try:
            self._journal.before_send()
        except JournalError as error:
            return f"journal: {error}"
        return self._standing(owner, instrument, adds_risk=adds_risk)

    def _standing(self, owner: str, instrument: str, *, adds_risk: bool) -> str:
        """Return why nothing may be sent, whatever the disk says."""
        if not self._lease.held:
            return "the lease is not held"
        if adds_risk:
            stand = self._state.safety.stand(owner, instrument)
            if stand is not None:
                return str(stand.code)
            if self._journal.low_space:
                return "the disk is nearly full"
            if not self._pulse.is_fresh:  # last: it is the one that may have been paused since
                return "the process was paused"
        return ""
