"""What the venue grants an account and an address, and which part of it is ours: pure.

Reads wait here for their turn; orders never do: the core paces them by what ``RateNews`` tells it
(``core/risk/pacing.py``). Source of the limits: Bybit v5 docs, rate-limit.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from plimsoll.venues.bybit.codes import LIMIT_CODES

_SECOND_NS: Final = 1_000_000_000
_ADDRESS_REQUESTS: Final = 600
_ADDRESS_WINDOW_NS: Final = 5 * _SECOND_NS

_READS: Final = {
    "/v5/account/transaction-log": 25,
    "/v5/account/fee-rate": 5,
    "/v5/account/query-dcp-info": 5,
    "/v5/account/smp-group": 5,
    "/v5/account/instruments-info": 10,
    "/v5/user/query-api": 10,
}
_OTHER_READS: Final = 50


class Holder(StrEnum):
    """Who asks: each has a fixed part, so that none can starve another."""

    ENGINE = "engine"
    STANDBY = "standby"
    TOOLS = "tools"
    WATCHDOG = "watchdog"


_PARTS: Final = {Holder.ENGINE: 70, Holder.STANDBY: 20, Holder.TOOLS: 10, Holder.WATCHDOG: 70}
"""Parts of what an endpoint grants, in percent. The watchdog asks where the engine does not."""

_ADDRESS_PARTS: Final = _PARTS | {Holder.STANDBY: 5, Holder.WATCHDOG: 15}
"""Parts of what the address may ask, in percent: beyond it is a ban for everybody."""


class Grant(msgspec.Struct, frozen=True):
    """What an answer's headers say of its group: requests a second, those left, when it is anew."""

    limit: int
    left: int
    reset_ms: int


def read_grant(headers: Mapping[str, str]) -> Grant | None:
    """Return what the headers of an answer say, ``None`` where they are missing or no numbers."""
    names = ("X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp")
    found = [headers.get(name, "") for name in names]
    if not all(text.isascii() and text.isdigit() and len(text) < 16 for text in found):
        return None
    limit, left, reset_ms = map(int, found)
    return Grant(limit, left, reset_ms) if limit else None


class ReadBudget:
    """Turns for reads: each endpoint's own rate, and the address's for everything."""

    def __init__(self, holder: Holder = Holder.ENGINE) -> None:
        """Begin with the documented limits."""
        self._part = _PARTS[holder]
        self._address_part = _ADDRESS_PARTS[holder]
        self._limits: dict[str, int] = {}
        self._times: dict[str, deque[int]] = {}
        self._closed_ns: dict[str, int] = {}
        self._address: deque[int] = deque()

    def turn_ns(self, path: str, now_ns: int, *, signed: bool) -> int:
        """Take the next free turn and return when it is; not after ``now_ns`` means at once.

        Turns are given in the order they are asked for, so that nobody waits for ever.
        """
        at_ns = max(now_ns, self._closed_ns.get(path, 0))
        own: deque[int] = deque()
        if signed:
            own = self._times.setdefault(path, deque())
            at_ns = _next(own, self._quota(path), _SECOND_NS, at_ns)
        quota = _ADDRESS_REQUESTS * self._address_part // 100
        at_ns = _next(self._address, quota, _ADDRESS_WINDOW_NS, at_ns)
        own.append(at_ns)
        self._address.append(at_ns)
        return at_ns

    def note(self, now_ns: int) -> None:
        """Count a request that took no turn, an order by REST: it is the address's all the same."""
        self._address.append(now_ns)

    def learn(self, path: str, grant: Grant) -> None:
        """Take an answer's word for the limit of its endpoint."""
        self._limits[path] = grant.limit

    def close(self, path: str, until_ns: int) -> None:
        """Give no turn on this endpoint before ``until_ns``: the venue said "too many"."""
        self._closed_ns[path] = max(until_ns, self._closed_ns.get(path, 0))

    def _quota(self, path: str) -> int:
        granted = self._limits.get(path) or _READS.get(path, _OTHER_READS)
        return max(1, granted * self._part // 100)


def _next(times: deque[int], quota: int, window_ns: int, at_ns: int) -> int:
    """Return the first time from ``at_ns`` on with room in a rolling window."""
    while len(times) > quota:
        times.popleft()
    return max(at_ns, times[-quota] + window_ns) if len(times) >= quota else at_ns


class RateNews:
    """Tells what of the answers to orders the core does not know yet."""

    def __init__(self) -> None:
        """Know nothing."""
        self._told: dict[str, int] = {}
        self.refused = 0
        """Orders, amends and cancels the venue refused for their rate."""

    def of(
        self, group: str, grant: Grant | None, code: int, venue_ms: int
    ) -> tuple[int, int] | None:
        """Return (limit, closed until, venue ms) of a group where it is news, else ``None``.

        Args:
            group: ``create.linear`` and so on.
            grant: What the answer's headers said.
            code: The answer's code; one of the limit codes closes the group.
            venue_ms: The venue's time now; a refusal without a reset time closes for a second.
        """
        if code in LIMIT_CODES:
            self.refused += 1
            limit = grant.limit if grant is not None else self._told.get(group, 0) or 1
            reset_ms = grant.reset_ms if grant is not None else 0
            self._told[group] = limit
            return limit, max(venue_ms, min(reset_ms, venue_ms + 5_000)) if reset_ms else (
                venue_ms + 1_000
            )
        if grant is None or self._told.get(group) == grant.limit:
            return None
        self._told[group] = grant.limit
        return grant.limit, 0
