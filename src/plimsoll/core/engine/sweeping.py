"""Reads the venue's own lists until nothing a stop wants gone is in them, twice in a row (RSK-10).

Our books say what we know; the lists say what there is. An order of an earlier session, one whose
create was thought lost, a conditional one: each turns up there, is adopted, and is cancelled. The
looks are a beat apart, because lists lag behind.
"""

from collections.abc import Callable, Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.execution.rounds import questions
from plimsoll.core.model import Order
from plimsoll.core.records import OrderReported, QueryAnswered, QueryIntended, Record, Swept

CLEAN_NEEDED: Final = 2
"""Looks in a row that must find nothing."""


class Sweeping:
    """At most one look at a time, for all scopes that wait for their confirmation."""

    def __init__(self, state: State, is_wanted_gone: Callable[[Order], bool]) -> None:
        """Nothing to confirm yet. ``is_wanted_gone``: whether some stop cancels an order."""
        self.state = state
        self.is_wanted_gone = is_wanted_gone
        self.scopes: dict[str, None] = {}
        self.looks = 0
        self.clean = 0
        self.is_dirty = False
        self._pending: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Return whether a scope still waits for its confirmation."""
        return bool(self.scopes)

    def begin(self, scope: str) -> None:
        """Confirm the cancels of a scope; a look under way came too early for it."""
        self.scopes[scope] = None
        self.looks = self.clean = 0
        self.is_dirty = True

    def end(self, scope: str) -> None:
        """Forget a scope that a person resumed."""
        self.scopes.pop(scope, None)

    def on_link(self) -> None:
        """Forget the look under way: its answers may not come, and are not of one moment."""
        self._pending.clear()
        self.clean = 0

    def on_time(self) -> Iterator[Record]:
        """Look, where there is somebody to answer."""
        state = self.state
        if not self.scopes or self._pending or not state.safety.links.get("private"):
            return
        self.looks += 1
        self.is_dirty = False
        for question in questions(state.instruments, with_cash=False):
            if question.kind != "orders":
                continue
            stamp = state.stamp()
            self._pending.add(stamp[0])
            yield QueryIntended(
                *stamp, stamp[0], "orders", question.category, question.settle, "", "", 0
            )
        if not self._pending:  # no instrument, so no order
            yield from self._looked()

    def owns(self, query_id: int) -> bool:
        """Return whether a query belongs to the look under way."""
        return query_id in self._pending

    def on_report(self, record: OrderReported) -> None:
        """Note what a list shows."""
        if record.query_id in self._pending:
            order = self.state.orders.of_venue(record.client_order_id, record.venue_order_id)
            if order is not None and order.is_working and self.is_wanted_gone(order):
                self.is_dirty = True

    def answered(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of one list; a list that could not be had shows nothing."""
        self._pending.discard(answer.query_id)
        self.is_dirty = self.is_dirty or not answer.is_ok
        if not self._pending:
            yield from self._looked()

    def _looked(self) -> Iterator[Record]:
        state = self.state
        ours = (one for one in state.orders.working.values() if not one.is_paper)
        if self.is_dirty or any(self.is_wanted_gone(order) for order in ours):
            self.clean = 0
            return
        self.clean += 1
        if self.clean >= CLEAN_NEEDED:
            for scope in self.scopes:
                yield Swept(*state.stamp(), scope, self.looks)
            self.scopes.clear()
