"""What a person or a stop asks for: halts with their cancels, releases, the end (RSK-9, RSK-10)."""

import json
from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.model import FOREIGN, Order, OrderState
from plimsoll.core.model.ids import epoch_of
from plimsoll.core.records import (
    Halted,
    OperatorCommand,
    Rearmed,
    Record,
    Released,
    SessionStopping,
)
from plimsoll.core.settings import CoreSettings

CANCEL_NS: Final = 1_000_000_000
"""Period of cancelling again what a halt or a stop wants gone and is still there (RSK-10)."""


class Halting:
    """Carries out commands, and sees to it that what should be gone goes."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.cancelled_ns = 0

    def on_command(self, command: OperatorCommand) -> Iterator[Record]:
        """Carry out a person's command."""
        state = self.state
        args = json.loads(command.args or "{}")
        reason = str(args.get("reason", "")) or command.cmd
        if command.cmd == "halt":
            yield Halted(*state.stamp(), reason, command.actor)
            yield from self.cancel_risk(f"halt: {reason}")
        elif command.cmd == "resume":
            yield Rearmed(*state.stamp(), command.actor, reason)
        elif command.cmd == "cancel":
            order = state.orders.find(str(args.get("order", "")))
            if order is not None:
                yield from self.placer.cancel(order, f"{command.actor}: {reason}")
        elif command.cmd == "release":
            instrument = str(args.get("instrument", ""))
            if instrument in state.safety.blocks:
                yield Released(*state.stamp(), instrument)

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
        yield Halted(*state.stamp(), reason, "journal")
        yield from self.cancel_risk("halt: the journal is not the newest")

    def on_stopping(self, stopping: SessionStopping) -> Iterator[Record]:
        """Apply the end policy."""
        if self.settings.end_policy == "cancel":
            yield from self.cancel_risk(f"stop: {stopping.reason}")

    def on_time(self) -> Iterator[Record]:
        """Cancel again what is still there, each second."""
        if self.state.ts_ns - self.cancelled_ns >= CANCEL_NS:
            yield from self._cancel_again()

    def cancel_risk(self, reason: str) -> Iterator[Record]:
        """Cancel every order of ours that can add risk (RSK-10).

        Reduce-only orders protect and stay; foreign orders are not ours to end.
        """
        for order in list(self.state.orders.working.values()):
            if not order.reduce_only and order.owner != FOREIGN:
                yield from self.placer.cancel(order, reason)

    def open_ends(self) -> list[Order]:
        """Return what a stop still waits for.

        Live orders that are unanswered, unknown or being cancelled, and those whose executions
        have not all come: the session must not end with books the venue has moved past.
        """
        orders = self.state.orders
        wanted = self.settings.end_policy == "cancel"
        return [
            order
            for order in orders.working.values()
            if not order.is_paper
            and order.owner != FOREIGN
            and (order.is_busy or order.state is OrderState.ACKED or wanted)
            and not (order.reduce_only and not order.is_busy)
        ] + [order for order in orders.behind.values() if not order.is_working]

    # ---- inside ----

    def _cancel_again(self) -> Iterator[Record]:
        """Cancel what a halt or a stop left: refused, unanswered, or turned up since."""
        safety = self.state.safety
        self.cancelled_ns = self.state.ts_ns
        if safety.is_halted:
            yield from self.cancel_risk(f"halt: {safety.halt_reason}")
        elif safety.is_stopping and self.settings.end_policy == "cancel":
            yield from self.cancel_risk("stop: still there")
