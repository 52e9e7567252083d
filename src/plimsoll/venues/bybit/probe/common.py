"""What the desks of a run share: the ways to the venue, the budget, the ids, how long to wait."""

from collections import deque

import msgspec

from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.dialect import PrivateDialect
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.probe.purse import Purse
from plimsoll.venues.bybit.probe.sockets import Socket
from plimsoll.venues.bybit.probe.tape import Tape


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long the probe waits, in seconds."""

    patience_s: float = 5.0
    """For something that should come."""

    quiet_s: float = 1.0
    """Until "nothing came" is believed."""

    market_s: float = 20.0
    """For something the market must do."""

    idle_public_s: float = 90.0
    idle_private_s: float = 660.0
    bar_s: float = 65.0
    memory_s: float = 300.0
    """How long after its end an order's id is asked for again."""


class Common(msgspec.Struct, kw_only=True):
    """What the desks of a run share."""

    client: BybitClient
    clock: Clock
    dialect: PrivateDialect
    tape: Tape
    purse: Purse
    pace: Pace
    tag: str
    """First part of every client order id of the run."""

    private: Socket
    trade: Socket | None
    """None where the environment has no trade socket."""

    started_ms: int
    """The venue's time when the run began."""

    ids: set[str] = set()
    """Client and venue ids of every order of the run."""

    count: int = 0
    sent: dict[str, deque[float]] = {}
