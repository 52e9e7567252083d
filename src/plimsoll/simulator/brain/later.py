"""Changes that were acknowledged and have not had their effect yet."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

import msgspec

from plimsoll.simulator.brain.orders import Exit, Order


class Terms(msgspec.Struct, frozen=True):
    """What an amendment makes of an order: all of its terms, changed or not."""

    price_ticks: int
    qty_lots: int
    trigger_ticks: int
    trigger_direction: int
    trigger_by: str
    tpsl_mode: str
    take_profit: Exit | None
    stop_loss: Exit | None


class Change(msgspec.Struct, frozen=True):
    """A create, amend or cancel on its way; the lots are those of when it was asked."""

    kind: str
    order: Order
    cum_lots: int
    qty_lots: int
    terms: Terms | None = None


class Later:
    """Changes in the order in which they fall due; those of one order keep theirs."""

    def __init__(self) -> None:
        """Start with nothing on its way."""
        self._heap: list[tuple[int, int, Change]] = []
        self._of: dict[str, list[tuple[int, Change]]] = {}
        self._count = 0

    def ask(self, change: Change, now_ns: int, delay_ms: float) -> bool:
        """Keep a change until it is due; return False where that is now."""
        before = self._of.get(change.order.order_id)
        due_ns = max(now_ns + int(delay_ms * 1_000_000), before[-1][0] if before else 0)
        if due_ns <= now_ns and not before:
            return False
        self._keep(due_ns, change)
        return True

    def pending(self) -> list[tuple[int, Change]]:
        """Return what is on its way with the time it falls due, the next first."""
        return [
            (due_ns, change) for due_ns, _, change in sorted(self._heap, key=lambda one: one[:2])
        ]

    def resume(self, pending: Iterable[tuple[int, Change]]) -> None:
        """Put on its way again what an earlier run left."""
        for due_ns, change in pending:
            self._keep(due_ns, change)

    def is_due(self, now_ns: int) -> bool:
        """Return whether anything is due."""
        return bool(self._heap) and self._heap[0][0] <= now_ns

    def until(self, now_ns: int) -> Iterator[Change]:
        """Yield what is due, each once."""
        while self.is_due(now_ns):
            change = heappop(self._heap)[2]
            waiting = self._of[change.order.order_id]
            waiting.pop(0)
            if not waiting:
                del self._of[change.order.order_id]
            yield change

    def of(self, order: Order) -> list[Change]:
        """Return what is on its way to an order, oldest first."""
        return [change for _, change in self._of.get(order.order_id, ())]

    def _keep(self, due_ns: int, change: Change) -> None:
        self._count += 1
        heappush(self._heap, (due_ns, self._count, change))
        self._of.setdefault(change.order.order_id, []).append((due_ns, change))
