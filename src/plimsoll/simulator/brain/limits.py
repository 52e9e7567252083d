"""Request counting as the venue does it (Bybit v5 docs, rate-limit): rolling windows."""

from collections import deque
from typing import Final

import msgspec

SECOND_NS: Final = 1_000_000_000
ADDRESS_REQUESTS: Final = 600
ADDRESS_WINDOW_NS: Final = 5 * SECOND_NS

_BY_PATH: Final[dict[str, tuple[int, int]]] = {
    # path: requests a second for derivatives, for spot
    "/v5/order/create": (10, 20),
    "/v5/order/amend": (10, 10),
    "/v5/order/cancel": (10, 20),
    "/v5/order/cancel-all": (10, 20),
    "/v5/order/create-batch": (10, 20),
    "/v5/order/amend-batch": (10, 20),
    "/v5/order/cancel-batch": (10, 20),
    "/v5/position/set-leverage": (10, 10),
    "/v5/position/switch-mode": (10, 10),
    "/v5/position/add-margin": (10, 10),
    "/v5/position/set-auto-add-margin": (10, 10),
    "/v5/account/set-margin-mode": (5, 5),
    "/v5/account/smp-group": (5, 5),
    "/v5/account/instruments-info": (10, 10),
    "/v5/account/transaction-log": (25, 25),
    "/v5/account/fee-rate": (5, 5),
    "/v5/account/set-limit-px-action": (10, 10),
    "/v5/user/query-api": (10, 10),
}
_OTHERS: Final = 50


class Budget(msgspec.Struct, frozen=True):
    """What is left of one window, for the response headers."""

    limit: int
    remaining: int
    reset_ms: int

    def headers(self) -> dict[str, str]:
        """Return the three headers of every signed response."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.remaining),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class RateLimits:
    """Windows per (account, endpoint, category family) and per address."""

    def __init__(self, *, is_on: bool) -> None:
        """Count only where ``is_on``."""
        self.is_on = is_on
        self._windows: dict[tuple[int, str, bool], deque[int]] = {}
        self._addresses: dict[str, deque[int]] = {}

    def allow_address(self, address: str, now_ns: int) -> bool:
        """Count one request of an address and return whether it may pass."""
        if not self.is_on:
            return True
        window = self._addresses.setdefault(address, deque())
        return _take(window, now_ns, ADDRESS_WINDOW_NS, ADDRESS_REQUESTS)

    def take(self, uid: int, path: str, *, spot: bool, now_ns: int) -> tuple[bool, Budget]:
        """Count one request and return whether it may pass, and what is left."""
        limit = _BY_PATH.get(path, (_OTHERS, _OTHERS))[spot]
        now_ms = now_ns // 1_000_000
        if not self.is_on:
            return True, Budget(limit, limit - 1, now_ms)
        window = self._windows.setdefault((uid, path, spot), deque())
        allowed = _take(window, now_ns, SECOND_NS, limit)
        reset_ms = now_ms if allowed else (window[0] + SECOND_NS) // 1_000_000 + 1
        return allowed, Budget(limit, limit - len(window), reset_ms)


def _take(window: deque[int], now_ns: int, length_ns: int, limit: int) -> bool:
    while window and window[0] <= now_ns - length_ns:
        window.popleft()
    if len(window) >= limit:
        return False
    window.append(now_ns)
    return True
