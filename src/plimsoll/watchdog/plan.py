"""What must go and what stays, from the venue's own lists: pure (RSK-10).

Used by the watchdog and by the direct halt; neither knows the journal, so the venue's words decide.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model.ids import is_own
from plimsoll.venues.bybit.api.order_rows import Order

_PLAIN: Final = ("", "UNKNOWN")
"""Words for "not a conditional order" in ``stopOrderType`` (Bybit v5 docs, order/open-order)."""

_POSITION_EXITS: Final = frozenset(
    {
        *("TakeProfit", "StopLoss", "TrailingStop"),
        *("PartialTakeProfit", "PartialStopLoss", "MmRateClose"),
    }
)
"""Conditional orders that belong to a position and can only make it smaller."""

SYMBOLS_MOST: Final = 5
"""Up to so many symbols are cleared one by one; more together, by settle coin."""

SWEPT_MOST: Final = 500
"""A cancel-all of contracts takes so many orders, any of more (Bybit v5 docs, cancel-all)."""

SETTLE_COINS: Final = ("USDT", "USDC")
BATCH: Final = 10
"""Orders of one batch: as many as a second grants on contracts, and as spot takes."""

BY_ID_MOST: Final = 40
"""Orders of a symbol cancelled by id in two seconds, to spare a reduction that rests there."""

_BY_ID_BESIDE: Final = 2 * BATCH
"""Orders of a scope that are also cancelled one by one where a cancel-all was refused before."""


class Reach(StrEnum):
    """Whose orders may be cancelled."""

    OWN = "own"
    """Those whose id carries our tag."""

    ACCOUNT = "account"
    """All: the account is declared ``dedicated``."""


class Plan(NamedTuple):
    """Every open order of an account, judged."""

    cancel: tuple[Order, ...]
    """Can add risk and is in reach, oldest first."""

    protection: tuple[Order, ...]
    """Can only make a position smaller: stays."""

    foreign: tuple[Order, ...]
    """Can add risk and is out of reach."""


class Step(msgspec.Struct, frozen=True):
    """One request: ``all`` of a symbol or settle coin, ``batch`` or ``one`` by id."""

    kind: str
    category: str
    orders: tuple[Order, ...] = ()
    symbol: str = ""
    settle: str = ""

    @property
    def bucket(self) -> tuple[str, str]:
        """Return what the venue counts it in."""
        return self.kind, self.category


def plan_of(orders: Iterable[Order], reach: Reach, tag: str) -> Plan:
    """Judge every open order."""
    cancel, protection, foreign = [], [], []
    for order in orders:
        if protects(order):
            protection.append(order)
        elif reach is Reach.ACCOUNT or is_own(order.client_order_id, tag):
            cancel.append(order)
        else:
            foreign.append(order)
    return Plan(tuple(cancel), tuple(protection), tuple(foreign))


def protects(order: Order) -> bool:
    """Return whether an order can only make a position or holding smaller.

    On contracts: reduce-only, close-on-trigger, or an exit of a position. On spot: a conditional
    sale without borrowing, which sells what is held; a plain sale is an entry of a quoting strategy
    as likely as an exit, and goes.
    """
    if order.category == "spot":
        return order.side == "Sell" and not is_plain(order) and order.is_leverage != "1"
    return order.reduce_only or order.close_on_trigger or order.stop_kind in _POSITION_EXITS


def in_the_way(orders: Iterable[Order], symbols: Iterable[str]) -> list[Step]:
    """Return the cancels of what keeps positions from being closed at once.

    Reduce-only orders that rest take up the position: the venue cuts a further one down to what is
    left beside them. Those that wait for a trigger take up nothing and protect until the end.
    """
    wanted = set(symbols)
    mine = [
        one
        for one in orders
        if one.category == "linear" and one.symbol in wanted and protects(one) and is_plain(one)
    ]
    return _by_id("linear", mine)


def is_plain(order: Order) -> bool:
    """Return whether it waits in the book and not for a trigger."""
    return order.stop_kind in _PLAIN


def steps_of(plan: Plan, reach: Reach, *, by_id_too: bool = False) -> list[Step]:
    """Return the requests of one pass over a plan, each order that goes in at least one of them.

    A cancel-all only on a whole account, and only of plain orders: what waits for a trigger is
    never hit by one. Where a reduction rests among them, up to ``BY_ID_MOST`` are cancelled by id
    to spare it; of more, the reduction goes too (it stands in the step): it takes profit and guards
    against no loss, and by id they would take too long. ``by_id_too``: some of a cancel-all's
    orders by id besides, since one failed before.
    """
    steps: list[Step] = []
    for category in ("linear", "spot"):
        mine = [order for order in plan.cancel if order.category == category]
        swept: list[Order] = []
        if reach is Reach.ACCOUNT:
            stays = [one for one in plan.protection if one.category == category and is_plain(one)]
            plain = [order for order in mine if is_plain(order)]
            sweeps, swept = _sweeps(category, plain, stays)
            steps += sweeps
        skipped = {id(order) for order in (swept[_BY_ID_BESIDE:] if by_id_too else swept)}
        steps += _by_id(category, [order for order in mine if id(order) not in skipped])
    return steps


def _sweeps(
    category: str, orders: Sequence[Order], stays: Sequence[Order]
) -> tuple[list[Step], list[Order]]:
    """Return cancel-alls of plain orders, and which of the orders that go they mean."""
    if not orders:
        return [], []
    if category == "spot":  # nothing plain protects there
        return [Step("all", category, tuple(orders))], list(orders)
    by_symbol: dict[str, list[Order]] = {}
    for order in orders:
        by_symbol.setdefault(order.symbol, []).append(order)
    resting: dict[str, list[Order]] = {}
    for order in stays:
        resting.setdefault(order.symbol, []).append(order)
    kept = {name for name in resting if len(by_symbol.get(name, ())) <= BY_ID_MOST}
    by_symbol = {name: one for name, one in by_symbol.items() if name not in kept}
    if not resting and len(by_symbol) > SYMBOLS_MOST:
        times = -(-len(orders) // SWEPT_MOST)
        settles = [coin for coin in SETTLE_COINS for _ in range(times)]
        return [Step("all", category, tuple(orders), settle=coin) for coin in settles], list(orders)
    steps = [
        Step("all", category, (*one, *resting.get(symbol, ())), symbol=symbol)
        for symbol, one in sorted(by_symbol.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]
    return steps, [order for one in by_symbol.values() for order in one]


def _by_id(category: str, orders: Sequence[Order]) -> list[Step]:
    """Return cancels by id, half of the plain ones in batches: the venue counts them apart."""
    batched = [order for order in orders if is_plain(order)]
    steps = [Step("one", category, (order,)) for order in orders if not is_plain(order)]
    for start in range(0, len(batched), 2 * BATCH):
        steps.append(Step("batch", category, tuple(batched[start : start + BATCH])))
        rest = batched[start + BATCH : start + 2 * BATCH]
        steps += [Step("one", category, (order,)) for order in rest]
    return steps
