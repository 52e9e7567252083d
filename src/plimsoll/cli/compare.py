"""Holding our books against the exchange's own record: the judge of every demo and kill test.

Both sides are brought to the same plain shape first, `Side`; `compare` is a pure function of two.
Quantities are decimals of base coin, money decimals of a coin.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from plimsoll.core.model import is_own

OPEN: Final = "open"
FILLED: Final = "filled"
ENDED: Final = "ended"
"""Over without being filled whole: cancelled, rejected, expired, absent."""
UNANSWERED: Final = "unanswered"
"""Ours only: sent, and no evidence yet; the venue may have it or not, but not filled."""

NEVER: Final = "never"
"""Ours only: refused, denied or shown absent; the venue must not have it."""


_ZERO: Final = Decimal(0)


class OrderLine(NamedTuple):
    """One order as one side knows it."""

    state: str
    cum_qty: Decimal


class ExecutionLine(NamedTuple):
    """One execution as one side knows it; ``fee`` positive means paid."""

    order_id: str
    qty: Decimal
    price: Decimal
    fee: Decimal


class Difference(NamedTuple):
    """One thing on which the two sides do not agree."""

    subject: str
    key: str
    ours: str
    theirs: str


@dataclass
class Side:
    """What one side knows.

    Attributes:
        orders: By client order id.
        executions: By (instrument, execution id).
        positions: Signed quantity by instrument; flat ones may be left out.
        wallet: Balance by coin.
        booked: Ours only: number of executions in the ledger, by instrument.
        accepted: Theirs only: venue order ids by client order id.
    """

    orders: dict[str, OrderLine] = field(default_factory=dict)
    executions: dict[tuple[str, str], ExecutionLine] = field(default_factory=dict)
    positions: dict[str, Decimal] = field(default_factory=dict)
    wallet: dict[str, Decimal] = field(default_factory=dict)
    booked: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, list[str]] = field(default_factory=dict)


def compare(ours: Side, theirs: Side, tag: str) -> list[Difference]:
    """Return everything on which our books and the exchange's record disagree.

    Args:
        ours: From our log.
        theirs: From the exchange's record, of the same account.
        tag: Marks the orders that only our engine can have made.
    """
    return [
        *_orders(ours, theirs, tag),
        *_executions(ours, theirs),
        *_amounts("position", ours.positions, theirs.positions),
        *_amounts("wallet", _only(ours.wallet, theirs.wallet), theirs.wallet),
    ]


def _orders(ours: Side, theirs: Side, tag: str) -> Iterator[Difference]:
    for link_id, order_ids in theirs.accepted.items():
        if len(order_ids) > 1 and link_id:
            yield Difference("duplicate order", link_id, "1", f"accepted {len(order_ids)} times")
    for link_id, their in theirs.orders.items():
        our = ours.orders.get(link_id)
        if our is None:
            if is_own(link_id, tag):
                yield Difference("order without intent", link_id, "no record", _told(their))
        elif our != their:
            yield Difference("order", link_id, _told(our), _told(their))
    for link_id, our in ours.orders.items():
        if link_id not in theirs.orders and (our.state in (OPEN, FILLED) or our.cum_qty):
            yield Difference("order", link_id, _told(our), "not there")


def _told(order: OrderLine) -> str:
    return f"{order.state}, filled {order.cum_qty.normalize():f}"


def _executions(ours: Side, theirs: Side) -> Iterator[Difference]:
    for key, their in theirs.executions.items():
        our = ours.executions.get(key)
        name = f"{key[0]} {key[1]}"
        if our is None:
            yield Difference("execution", name, "not booked", _shown(their))
        elif our != their:
            yield Difference("execution", name, _shown(our), _shown(their))
    for key, our in ours.executions.items():
        if key not in theirs.executions:
            yield Difference("execution", f"{key[0]} {key[1]}", _shown(our), "not there")
    wanted = Counter(instrument for instrument, _ in theirs.executions)
    for instrument in sorted(wanted.keys() | ours.booked.keys()):
        if ours.booked[instrument] != wanted[instrument]:
            counts = str(ours.booked[instrument]), str(wanted[instrument])
            yield Difference("number of executions in the ledger", instrument, *counts)


def _shown(execution: ExecutionLine) -> str:
    order_id, qty, price, fee = execution
    return f"{qty.normalize():f} at {price.normalize():f}, fee {fee.normalize():f}, of {order_id}"


def _amounts(
    subject: str, ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]
) -> Iterator[Difference]:
    for name in sorted(ours.keys() | theirs.keys()):
        our, their = ours.get(name, _ZERO), theirs.get(name, _ZERO)
        if our != their:
            yield Difference(subject, name, f"{our.normalize():f}", f"{their.normalize():f}")


def _only(ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return our balances of the coins the record speaks of: it does so when they change."""
    return {coin: balance for coin, balance in ours.items() if coin in theirs}


def by_subject(differences: Iterable[Difference]) -> Counter[str]:
    """Return how many differences there are of each kind."""
    return Counter(difference.subject for difference in differences)
