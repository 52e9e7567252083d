"""Halts and stops carried out: what they want gone goes, and the venue confirms it (RSK-9, RSK-10).

The order is always the same: the record, the gate (which reads the state the record made), the
first cancels, the answer. What was refused, lost or turned up since is cancelled again each second.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.reach import is_cancelled
from plimsoll.core.engine.state import State
from plimsoll.core.engine.sweeping import Sweeping
from plimsoll.core.execution.modes import RUNNING
from plimsoll.core.model import (
    ACCOUNT,
    NOT_OURS,
    Order,
    OrderState,
    Scope,
    Side,
    epoch_of,
    strategy_of,
)
from plimsoll.core.records import Halted, Record, SessionStopping
from plimsoll.core.settings import CoreSettings

CANCEL_NS: Final = 1_000_000_000
"""Period of cancelling again what a halt or a stop wants gone and is still there (RSK-10)."""

STOP_SCOPE: Final = "stop"
"""Names the session's own end where its cancels are confirmed."""


class Halting:
    """Sees to it that what should be gone goes."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.sweeping = Sweeping(state, lambda order: self.why_gone(order) != "")
        self.cancelled_ns = 0

    def halt(
        self,
        scope: Scope,
        actor: str,
        reason: str,
        *,
        keeps_orders: bool = False,
        with_protections: bool = False,
        is_dedicated: bool = False,
    ) -> Iterator[Record]:
        """Halt a scope: no new risk from this record on, then the cancels."""
        yield Halted(
            *self.state.stamp(),
            reason,
            actor,
            scope.text,
            keeps_orders,
            with_protections,
            is_dedicated,
        )
        if not keeps_orders:
            self.sweeping.begin(scope.text)
            yield from self.cancel_wanted()

    def on_reconciled(self) -> None:
        """Confirm the halts of earlier sessions: their cancels may have been cut off."""
        for scope, halt in self.state.safety.halts.items():
            is_known = scope.text in self.state.swept or scope.text in self.sweeping.scopes
            if not halt.keeps_orders and not is_known:
                self.sweeping.begin(scope.text)

    def on_unknown_own(self, order: Order) -> Iterator[Record]:
        """Halt where the venue knows an id of ours that is above what our log knows (JRN-2).

        The log is an old copy, or another engine trades with our tag: our books are not whole, and
        ids might repeat. Older ids were forgotten, since only the newest closed orders are kept.
        """
        state = self.state
        if epoch_of(order.id) < state.known_epoch or state.safety.is_halted:
            return
        reason = (
            f"the venue knows our order {order.id}, our log ends with epoch {state.known_epoch} "
            f"and does not: an old copy of the journal was put back, or another engine uses this "
            f"account. Stop, put the newest journal back or `plimsoll journal rebuild`, start, "
            f"look at the books, then `plimsoll resume`"
        )
        yield from self.halt(ACCOUNT, "journal", reason)

    def on_stopping(self, stopping: SessionStopping) -> Iterator[Record]:
        """Apply the end policy."""
        if self.settings.end_policy != "keep":
            if "private" in self.state.safety.links:
                self.sweeping.begin(STOP_SCOPE)
            yield from self.cancel_wanted(f"stop: {stopping.reason}")

    def on_time(self) -> Iterator[Record]:
        """Cancel again what is still there, each second; look at the venue's lists."""
        if self.state.ts_ns - self.cancelled_ns >= CANCEL_NS:
            yield from self.cancel_wanted()
        yield from self.sweeping.on_time()

    def on_idle(self) -> None:
        """Note that it was looked, where no order is working and nothing is swept."""
        if self.state.ts_ns - self.cancelled_ns >= CANCEL_NS:
            self.cancelled_ns = self.state.ts_ns

    def cancel_wanted(self, words: str = "") -> Iterator[Record]:
        """Cancel every order that a halt or the stop wants gone, those on paper too."""
        self.cancelled_ns = self.state.ts_ns
        for order in list(self.state.orders.working.values()):
            why = self.why_gone(order)
            if why:
                yield from self.placer.cancel(order, words or why)

    def cancel_scope(self, scope: Scope, reason: str) -> Iterator[Record]:
        """Cancel what can add risk in a scope, once: a person's cancel, and nothing lasting."""
        for order in list(self.state.orders.working.values()):
            if is_cancelled(order, scope):
                yield from self.placer.cancel(order, reason)

    def why_gone(self, order: Order) -> str:
        """Return why an order should not be there any more, empty where it may."""
        safety = self.state.safety
        for scope, halt in safety.halts.items():
            if not halt.keeps_orders and is_cancelled(
                order,
                scope,
                with_protections=halt.with_protections,
                is_dedicated=halt.is_dedicated,
            ):
                return f"halt: {halt.reason}"
        if order.owner in safety.restrained and self._is_left(order):
            return f"mode: {safety.restrained[order.owner]}"
        is_ending = safety.is_stopping and self.settings.end_policy != "keep"
        return "stop: still there" if is_ending and is_cancelled(order, ACCOUNT) else ""

    def _is_left(self, order: Order) -> bool:
        """Return whether an order of a strategy that went to paper is to go.

        While its live instance runs, exits stay; after it, what protects alone.
        """
        found = self.state.modes.standings.get(strategy_of(order.owner))
        if found is not None and found.stage in RUNNING:
            is_sale = order.instrument.startswith("spot:") and order.side is Side.SELL
            return not (order.reduce_only or is_sale)
        return not order.is_protective

    def open_ends(self) -> list[Order]:
        """Return what a stop still waits for.

        Live orders that are unanswered, unknown or being cancelled, and those whose executions
        have not all come: the session must not end with books the venue has moved past.
        """
        orders = self.state.orders
        wanted = self.settings.end_policy != "keep"
        return [
            order
            for order in orders.working.values()
            if not order.is_paper
            and order.owner not in NOT_OURS
            and (order.is_busy or order.state is OrderState.ACKED or wanted)
            and not (order.is_protective and not order.is_busy)
        ] + [order for order in orders.behind.values() if not order.is_working]
