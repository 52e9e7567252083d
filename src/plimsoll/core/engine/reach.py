"""What a stop of some scope touches: orders it cancels, positions it closes, what is left naked.

Pure functions of a state. What a preview lists and what is then done come from here alike.
"""

from collections.abc import Iterator
from typing import NamedTuple

from plimsoll.core.engine.state import State
from plimsoll.core.execution.flatten import FLATTEN_LABEL, estimate_units, is_dust
from plimsoll.core.model import FOREIGN, Order, Scope, Side

_OUTSIDE = (FOREIGN, "venue")
"""Owners that are none of ours."""


class Holding(NamedTuple):
    """A position a flatten closes."""

    owner: str
    instrument: str
    lots: int
    """Signed."""


class EngineStop(NamedTuple):
    """A stop that only the running engine watches: it ends with the engine."""

    owner: str
    instrument: str
    stop_ticks: int


class Preview(NamedTuple):
    """What a stop would do, and to what."""

    cancels: list[Order]
    stays: list[Order]
    """Orders of the scope that are left: protection, unless it was asked for."""
    closes: list[Holding]
    naked: list[Holding]
    """Positions that stay open and lose an order that protects them."""
    engine_stops: list[EngineStop]


def is_cancelled(
    order: Order, scope: Scope, *, with_protections: bool = False, is_dedicated: bool = False
) -> bool:
    """Return whether a halt of this scope wants a working order gone (RSK-10)."""
    return (
        scope.covers(order.owner, order.instrument)
        and (is_dedicated or order.owner not in _OUTSIDE)
        and (with_protections or not order.is_protective)
        and not order.label.startswith(FLATTEN_LABEL)
    )


def holdings(state: State, scope: Scope, *, is_dedicated: bool = False) -> list[Holding]:
    """Return the positions inside a scope, dust included."""
    return [
        Holding(owner, name, lots)
        for owner, name in state.ledger.positions
        if scope.covers(owner, name) and (is_dedicated or owner not in _OUTSIDE)
        for lots in (state.ledger.qty_lots(owner, name),)
        if lots and name in state.instruments
    ]


def is_closed(state: State, held: Holding) -> bool:
    """Return whether what is left of a position is too small for any order."""
    market = state.markets.get(held.instrument)
    reference = market.newest_ticks(state.ts_ns) if market else 0
    return is_dust(state.instruments[held.instrument], held.lots, reference)


def preview(
    state: State,
    scope: Scope,
    *,
    keeps_orders: bool = False,
    with_protections: bool = False,
    is_dedicated: bool = False,
    flattens: bool = False,
) -> Preview:
    """Return what a halt, a flatten or a stop of a scope would do now."""
    held = holdings(state, scope, is_dedicated=is_dedicated)
    inside = [
        order
        for order in state.orders.working.values()
        if is_cancelled(order, scope, with_protections=True, is_dedicated=is_dedicated)
    ]
    closes = [one for one in held if flattens and not is_closed(state, one)]
    gone = {(one.owner, one.instrument) for one in closes}  # and with them what protects them
    cancels = [
        order
        for order in inside
        if (not keeps_orders and (with_protections or not order.is_protective))
        or (order.owner, order.instrument) in gone
    ]
    naked = [
        one for one in held if one not in closes and any(_protects(order, one) for order in cancels)
    ]
    stays = [order for order in inside if order not in cancels]
    return Preview(cancels, stays, closes, naked, list(engine_stops(state, scope)))


def engine_stops(state: State, scope: Scope) -> Iterator[EngineStop]:
    """Yield the stops of open positions that live in the engine alone."""
    for (owner, name), wish in state.protections.wishes.items():
        stop_ticks = wish.level.stop_ticks
        if not stop_ticks or name not in state.instruments or not scope.covers(owner, name):
            continue
        at_venue = state.protections.at_venue.get(name)
        is_shown = at_venue is not None and bool(at_venue.shown.stop_ticks)
        if is_shown and state.keeps_at_venue(owner, name):
            continue
        if state.ledger.qty_lots(owner, name) * wish.side.sign > 0:
            yield EngineStop(owner, name, stop_ticks)


def estimate(state: State, held: Holding) -> tuple[int, int, int]:
    """Return reference price in ticks, cost against it and fee of closing a position.

    Costs in quote cash units; all zero where no price is known.
    """
    market = state.markets.get(held.instrument)
    reference = market.newest_ticks(state.ts_ns) if market else 0
    if market is None or not reference:
        return 0, 0, 0
    rows = None
    if market.book_doubt(state.ts_ns) is None:
        bids, asks = market.book.depth(len(market.book.bid_keys) + len(market.book.ask_keys))
        rows = bids if held.lots > 0 else asks
    cost, fee = estimate_units(state.instruments[held.instrument], held.lots, reference, rows)
    return reference, cost, fee


def _protects(order: Order, held: Holding) -> bool:
    closes = Side.SELL if held.lots > 0 else Side.BUY
    is_of_it = (order.owner, order.instrument) == (held.owner, held.instrument)
    return order.is_protective and is_of_it and order.side is closes
