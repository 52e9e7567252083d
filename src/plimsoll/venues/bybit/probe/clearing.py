"""Before and after a run: is the account flat, and what is left of ours."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.account import Weight, check_account, check_key
from plimsoll.venues.bybit.api import BybitClient, CallFailed, CancelRequest, OrderRequest
from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    VenueError,
)
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.probe.errors import Unknown

_ROUNDS: Final = 5
_CLEAN: Final = 2
"""Rounds in a row that must find nothing."""

_CLOCK_MS: Final = 2_000
_NEEDED: Final = ("key-refused", "key-cannot-trade")


async def require_flat(client: BybitClient, instruments: Sequence[Instrument]) -> None:
    """Refuse an account that is not ours alone to use.

    Raises:
        CredentialsRefused: the key is not accepted or may not trade.
        AccountUnsupported: the mode is not supported, an order is open or a position held.
        CallFailed: a question was refused.
    """
    for finding in await check_key(client.rest):
        if finding.code in _NEEDED:
            raise CredentialsRefused(f"{finding.text}; {finding.fix}")
    for finding in await check_account(client.rest, instruments):
        if finding.weight is not Weight.WARNING:
            raise AccountUnsupported(f"{finding.text}; {finding.fix}")
    found = []
    for item in instruments:
        orders = await client.orders.open(item.category, item.symbol)
        found += [f"order {order.venue_order_id} of {item.name}" for order in orders]
        for position in [] if item.is_spot else await client.positions.open(item.symbol):
            if position.size:
                found.append(f"a position of {position.signed_size} {item.name}")
    if found:
        raise AccountUnsupported(
            f"expected an account without orders and positions on these instruments, found "
            f"{', '.join(found[:3])}; end them, or probe with an account of its own"
        )


async def clear(desks: Sequence[Desk]) -> list[str]:
    """Cancel every order of ours and close what it brought; return what is still there, in words.

    It believes only what the venue lists, and asks again until nothing is left twice in a row, at
    most five times.
    """
    left: list[str] = []
    clean = 0
    for _ in range(_ROUNDS):
        left = [one for desk in desks for one in await _round(desk)]
        clean = 0 if left else clean + 1
        if clean == _CLEAN or not desks:
            break
        await desks[0].quiet()  # a request that was under way may still arrive
    return left


async def _round(desk: Desk) -> list[str]:
    try:
        return await _orders(desk) + await _holding(desk)
    except (CallFailed, VenueError, ParseError, Unknown) as error:
        return [f"{desk.name}: not known, {error}"]


async def _orders(desk: Desk) -> list[str]:
    found = await desk.client.orders.open(desk.category, desk.symbol)
    ours = [order for order in found if _is_ours(desk, order)]
    left = []
    for order in ours:
        answer = await desk.client.orders.cancel(_cancel(desk, order))
        left.append(
            f"{desk.name}: order {order.client_order_id or order.venue_order_id}, "
            f"its cancel was {answer.outcome} {answer.code} {answer.text}".rstrip()
        )
    return left


def _is_ours(desk: Desk, order: Order) -> bool:
    """Return whether an order is of this run: by its ids, or made in it without an id of anybody's.

    The account had none when we began, and nobody else uses it; exits made by the venue and orders
    whose answer never came have no id of ours.
    """
    link = order.client_order_id
    ids = {link, order.venue_order_id, order.parent_client_order_id}
    if ids & desk.common.ids or link.startswith(f"{desk.common.tag}-"):
        return True
    is_nobodys = not link or link.isdigit()
    return is_nobodys and order.created_ms >= desk.common.started_ms - _CLOCK_MS


def _cancel(desk: Desk, order: Order) -> CancelRequest:
    word: Literal["", "tpslOrder", "StopOrder"] = ""
    if desk.is_spot and order.status == "Untriggered":
        word = "tpslOrder" if order.stop_kind in ("tpslOrder", "OcoOrder") else "StopOrder"
    return CancelRequest(
        category=desk.category,
        symbol=desk.symbol,
        venue_order_id=order.venue_order_id,
        order_filter=word,
    )


async def _holding(desk: Desk) -> list[str]:
    """Close what is held; the account was flat, so a contract's position is ours."""
    held = await _spot_bought(desk) if desk.is_spot else await _position(desk)
    lot = desk.instrument.lot
    qty = (abs(held) / lot).to_integral_value(ROUND_FLOOR) * lot
    if not qty or (desk.is_spot and held < 0):
        return []
    bid, _ = await desk.best()
    if desk.is_spot and qty * bid < decimal_in(desk.instrument.min_notional):
        return []  # dust, which nobody can sell: the report names it
    order = OrderRequest(
        category=desk.category,
        symbol=desk.symbol,
        side="Sell" if held > 0 else "Buy",
        kind="Market",
        qty=qty,
        client_order_id=desk.new_id(),
        reduce_only=not desk.is_spot,
    )
    desk.common.ids.add(order.client_order_id)
    answer = await desk.client.orders.create(order)
    return [f"{desk.name}: {held} held, closing it was {answer.outcome} {answer.code}"]


async def _position(desk: Desk) -> Decimal:
    rows = await desk.client.positions.open(desk.symbol)
    return sum((row.signed_size for row in rows), Decimal(0))


async def _spot_bought(desk: Desk) -> Decimal:
    """Return the base coin our executions brought, its fees taken off."""
    since_ms = desk.common.started_ms
    total = Decimal(0)
    for row in await desk.client.orders.executions("spot", desk.symbol, since_ms):
        if not {row.client_order_id, row.venue_order_id} & desk.common.ids:
            continue
        is_base = row.fee_currency in ("", desk.instrument.base) and row.side == "Buy"
        total += (row.qty if row.side == "Buy" else -row.qty) - (
            (row.fee or Decimal(0)) if is_base else Decimal(0)
        )
    return total


def dust_of(desks: Sequence[Desk]) -> list[str]:
    """Return what a spot instrument is left with that is too little to sell."""
    found = []
    for desk in desks:
        held = desk.purse.held(desk.name)
        if desk.is_spot and held > 0:
            found.append(f"{held.normalize():f} {desk.instrument.base}")
    return found
