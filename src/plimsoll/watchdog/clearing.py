"""Cancels until nothing that can add risk is listed, twice in a row (RSK-10, X30).

Nothing ends it but success, its deadline or its owner: refusals, lost answers and lists that cannot
be had are asked for again. A cancel may be repeated: it is the one request that cannot do harm.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.watchdog.hands import LookFailed
from plimsoll.watchdog.outcome import Outcome
from plimsoll.watchdog.plan import Plan, Reach, Step, plan_of, steps_of

EMPTY_NEEDED: Final = 2
SETTLE_S: Final = 0.3
"""Between the cancels of a pass and the next look: the venue works on them after its answer."""

LOOK_AGAIN_S: Final = 1.0
"""Between the two empty lists: what was sent late is there by then, or is refused as too old."""

RETRY_S: Final = 0.5
PASS_S: Final = 2.0
"""Longest pass before the venue is looked at again."""

_TRIES: Final = 5
"""Of a cancel-all within a pass: it stands for hundreds of orders, and another look costs time."""

_TRY_AGAIN_S: Final = 0.1

PER_SECOND: Final = {"linear": 10, "spot": 20}
"""Cancels a second the venue grants, in each bucket (Bybit v5 docs, rate-limit)."""

Tell = Callable[[str, dict[str, object]], None]
"""Takes an event and its fields; called before the effect it tells of."""


class Venue(Protocol):
    """What a clearing needs of ``Hands``."""

    async def orders(self) -> list[Order]:
        """Return every open order, or raise ``LookFailed``."""

    async def cancel(self, step: Step) -> str:
        """Carry out one step; return why not all of it was accepted."""

    async def measure(self) -> str:
        """Measure the venue's clock."""


class Clearing:
    """One clearing of an account."""

    def __init__(self, venue: Venue, reach: Reach, tag: str, tell: Tell) -> None:
        """Clear what is in reach."""
        self.outcome = Outcome()
        self._venue = venue
        self._reach = reach
        self._tag = tag
        self._tell = tell
        self._asked: dict[str, Order] = {}
        self._due: dict[tuple[str, str], float] = {}
        """When the next request of a bucket may leave, monotonic s."""

        self._has_failed = False

    async def run(self, deadline_s: float | None = None) -> Outcome:
        """Clear until the list was empty twice, or for ``deadline_s``."""
        end = None if deadline_s is None else time.monotonic() + deadline_s
        empties = 0
        while end is None or time.monotonic() < end:
            plan = await self.look()
            if plan is None:
                empties = 0
                await self._venue.measure()  # a clock that stepped makes every signature wrong
                await asyncio.sleep(RETRY_S)
            elif plan.cancel:
                empties = 0
                await self._pass(plan, end)
                await asyncio.sleep(SETTLE_S)
            else:
                empties += 1
                if empties == EMPTY_NEEDED:
                    self.outcome.is_clear = True
                    break
                await asyncio.sleep(LOOK_AGAIN_S)
        return self.outcome

    async def look(self) -> Plan | None:
        """Ask for the lists and judge them; None where they could not be had whole."""
        outcome = self.outcome
        outcome.is_clear = False
        try:
            orders = await self._venue.orders()
        except LookFailed as failed:
            outcome.failed_looks += 1
            outcome.trouble = str(failed)
            self._tell("look failed", {"why": str(failed)})
            return None
        plan = plan_of(orders, self._reach, self._tag)
        outcome.looks += 1
        outcome.protection, outcome.foreign = plan.protection, plan.foreign
        outcome.unconfirmed = plan.cancel
        listed = {order.venue_order_id for order in orders}
        outcome.cancelled = tuple(
            order for number, order in self._asked.items() if number not in listed
        )
        counts = {"cancel": len(plan.cancel), "protection": len(plan.protection)}
        self._tell("looked", {**counts, "foreign": len(plan.foreign)})
        return plan

    async def _pass(self, plan: Plan, end: float | None) -> None:
        steps = steps_of(plan, self._reach, by_id_too=self._has_failed)
        self._has_failed = False
        meant = {order.venue_order_id: order for step in steps for order in step.orders}
        self._asked |= meant
        self._tell("cancels", {"orders": [_name(order) for order in meant.values()]})
        limit = time.monotonic() + PASS_S
        buckets: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            buckets.setdefault(step.bucket, []).append(step)
        limit = limit if end is None else min(limit, end)
        await asyncio.gather(*(self._bucket(one, limit) for one in buckets.values()))

    async def _bucket(self, steps: Iterable[Step], limit: float) -> None:
        """Send the steps of one bucket at its rate; answers are waited for at the end."""
        under_way = []
        for step in steps:
            now = time.monotonic()
            due = max(now, self._due.get(step.bucket, 0.0))
            if due > limit:
                break
            self._due[step.bucket] = due + _weight(step) / PER_SECOND[step.category]
            await asyncio.sleep(due - now)
            under_way.append(asyncio.create_task(self._do(step)))
        await asyncio.gather(*under_way)

    async def _do(self, step: Step) -> None:
        for _ in range(_TRIES if step.kind == "all" else 1):
            if await self._is_done(step):
                return
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _is_done(self, step: Step) -> bool:
        trouble = await self._venue.cancel(step)
        if not trouble:
            return True
        self._has_failed = True
        self.outcome.failed_requests += 1
        self.outcome.trouble = trouble
        what = step.symbol or step.settle or (step.orders[0].symbol if step.orders else "")
        fields = {"kind": step.kind, "category": step.category, "what": what}
        self._tell("cancel failed", {**fields, "why": trouble})
        return False


def _weight(step: Step) -> int:
    return len(step.orders) if step.kind == "batch" else 1


def _name(order: Order) -> str:
    return order.client_order_id or order.venue_order_id
