"""Inputs about our own requests: what the gateway did, what the venue replied."""

from typing import Final

from plimsoll.core.records.base import Record


class OrderSent(Record, frozen=True, tag="sent"):
    """The gateway wrote a create, amend, cancel or protect to a socket (``via``: trade or rest).

    A ``protect`` belongs to no order: its instrument stands in ``client_order_id``.
    """

    client_order_id: str
    action: str
    request_id: str
    signed_ms: int
    via: str
    connection: int = 0
    """Number of the trade connection that carries it; 0 by REST."""


class SendRefused(Record, frozen=True, tag="refused"):
    """The gateway refused before writing a byte: the request certainly did not leave."""

    client_order_id: str
    action: str
    reason: str


class RequestAnswered(Record, frozen=True, tag="answered"):
    """The venue's reply to a create, amend or cancel, classified.

    ``outcome``: ``accepted`` (for processing, V-1), ``refused`` (definitely not done), ``gone``
    (the order is finished or not visible), ``unknown`` (timeout, broken link, server error,
    duplicate id, anything unlisted: ORD-8).
    """

    client_order_id: str
    action: str
    request_id: str
    outcome: str
    code: int
    text: str
    venue_order_id: str


class ProtectionAnswered(Record, frozen=True, tag="protected"):
    """The venue's reply to a ``ProtectionIntended``; ``outcome``: accepted, refused or unknown.

    "Not modified" is accepted: what was asked for stands.
    """

    instrument: str
    request_id: str
    outcome: str
    code: int
    text: str


class ConnectionEnded(Record, frozen=True, tag="link-ended"):
    """A numbered connection of a link is closed: no answer comes on it, nothing in it is read.

    The link itself may be up, carried by a successor (ORD-10 b).
    """

    link: str
    connection: int


class RateMeasured(Record, frozen=True, tag="rate"):
    """What the venue's answers say about our rate in one group of requests, when it is news.

    ``group`` is ``create.linear``, ``cancel.spot`` and so on; ``limit`` is requests a second.
    Until ``closed_until_ms`` (venue time) the group takes nothing more; 0 = it is open.
    """

    group: str
    limit: int
    closed_until_ms: int


INPUTS: Final[tuple[type[Record], ...]] = (
    OrderSent,
    SendRefused,
    RequestAnswered,
    RateMeasured,
    ProtectionAnswered,
    ConnectionEnded,
)
