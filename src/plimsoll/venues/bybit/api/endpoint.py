"""What an endpoint is: how it is asked, what it answers, how its pages follow each other."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, Literal, NamedTuple

import msgspec

from plimsoll.venues.bybit.api.reading import RowT


class Paging(StrEnum):
    """How one gets all of a list."""

    NONE = "one answer"
    CURSOR = "cursor"
    WEEKS = "weeks, a cursor in each"
    """A span of time is asked for in windows of seven days, the longest the venue takes."""

    BACKWARDS = "backwards in time"
    """Newest first; asked again for what is older than the oldest row."""


class PerSecond(NamedTuple):
    """Requests (of batches: orders) in any second; 0 where only the address limit holds."""

    linear: int
    spot: int


GROUPS: Final[Mapping[str, PerSecond]] = MappingProxyType(
    {
        "market": PerSecond(0, 0),
        "create": PerSecond(10, 20),
        "amend": PerSecond(10, 10),
        "cancel": PerSecond(10, 20),
        "cancel-all": PerSecond(10, 20),
        "create-batch": PerSecond(10, 20),
        "amend-batch": PerSecond(10, 20),
        "cancel-batch": PerSecond(10, 20),
        "pre-check": PerSecond(10, 20),
        "dcp": PerSecond(5, 5),
        "order-query": PerSecond(50, 50),
        "position-query": PerSecond(50, 0),
        "position-setting": PerSecond(10, 0),
        "account-query": PerSecond(50, 50),
        "transactions": PerSecond(25, 25),
        "account-rare": PerSecond(5, 5),
        "account-instruments": PerSecond(10, 10),
        "price-action": PerSecond(10, 10),
        "key": PerSecond(10, 10),
        "unlisted": PerSecond(0, 0),
    }
)
"""Limits of an account without VIP level, by group (Bybit v5 docs, rate-limit); an endpoint counts
for itself even where its group has others, and a batch counts each of its orders."""


class Done(msgspec.Struct, frozen=True):
    """The row of an endpoint that answers with nothing but "done"."""


class Endpoint(msgspec.Struct, Generic[RowT], frozen=True, kw_only=True):
    """One endpoint, as the venue documents it."""

    name: str
    """``group.method`` of the client that asks it."""

    method: Literal["GET", "POST"] = "GET"
    path: str
    row: type[RowT]
    """One row of its list, or its whole result where it has no list."""

    page: str
    """The venue's page about it, below ``docs/v5``."""

    group: str = "market"
    """Key of ``GROUPS``."""

    signed: bool = False
    is_list: bool = False
    paging: Paging = Paging.NONE
    limit: int = 0
    """Rows asked for a page: the most it gives. 0 where it takes no limit."""

    time: str = ""
    """Field that puts rows in order, oldest first; empty where the venue's order stays."""

    key: tuple[str, ...] = ()
    """Fields that tell rows apart when pages overlap; empty: all of them together."""

    bounds: tuple[str, str] = ("startTime", "endTime")
    """Names of its parameters for the first and the last millisecond."""
