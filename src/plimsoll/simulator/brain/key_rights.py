"""What an API key may do: checked before every signed answer, changeable while it runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.settings import AccountSettings

ANY_ADDRESS: Final = "*"
GROUPS: Final = (
    "ContractTrade",
    "Spot",
    "Wallet",
    "Options",
    "Derivatives",
    "CopyTrading",
    "BlockTrade",
    "Exchange",
    "NFT",
    "Affiliate",
    "Earn",
)
"""Every group ``query-api`` lists, empty ones too."""

_DAY_MS: Final = 86_400_000

Right = tuple[str, str]
_ORDER: Final[dict[str, Right]] = {
    "linear": ("ContractTrade", "Order"),
    "spot": ("Spot", "SpotTrade"),
}
_POSITION: Final[Right] = ("ContractTrade", "Position")
_FREE: Final = "/v5/user/query-api"


class KeyRights:
    """The state of one key."""

    def __init__(self, settings: AccountSettings) -> None:
        """Begin as the settings say."""
        self.permissions = {group: tuple(held) for group, held in settings.permissions.items()}
        self.ips = settings.ips
        self.is_read_only = settings.read_only
        self.is_expired = settings.expired
        self.is_revoked = settings.revoked
        self.expires_ms = settings.expires_ms
        self.deadline_day = settings.deadline_day

    def check(self, now_ms: int, address: str = "") -> None:
        """Refuse a key that is not usable; "" is an address that was looked at before.

        Raises:
            VenueRefusal: 10003 revoked, 33004 expired, 10010 from another address.
        """
        if self.is_revoked:
            raise VenueRefusal(10003)
        if self.is_expired or 0 < self.expires_ms <= now_ms:
            raise VenueRefusal(33004)
        if address and ANY_ADDRESS not in self.ips and address not in self.ips:
            raise VenueRefusal(10010)

    def may(self, path: str, params: Mapping[str, Any], *, changes: bool) -> bool:
        """Return whether the key has the right a path needs; ``changes`` = not only reading."""
        if changes and self.is_read_only:
            return False
        if path == _FREE:
            return True
        category = str(params.get("category") or "")
        if path.startswith("/v5/position/"):
            return self._has(_POSITION) if changes else self._has_any("ContractTrade")
        if path.startswith(("/v5/order/", "/v5/execution/")) and category in _ORDER:
            right = _ORDER[category]
            return self._has(right) if changes else self._has_any(right[0])
        return self._has_any("ContractTrade", "Spot", "Wallet")

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set some of: permissions, ips, read_only, expired, revoked, expires_ms, deadline_day.

        Raises:
            ValueError: for another name.
        """
        for name, value in changes.items():
            own = f"is_{name}" if name in ("read_only", "expired", "revoked") else name
            if own not in self.__dict__:
                raise ValueError(f"a key has no {name!r}; known: {', '.join(self.__dict__)}")
            setattr(self, own, value)

    def shown(self) -> dict[str, list[str]]:
        """Return the permissions as ``query-api`` writes them."""
        groups = dict.fromkeys((*GROUPS, *self.permissions))
        return {group: list(self.permissions.get(group, ())) for group in groups}

    def days_left(self, now_ms: int) -> int:
        """Return ``deadlineDay``: days until the key expires, 0 where its addresses are bound."""
        if self.expires_ms:
            return max(0, (self.expires_ms - now_ms) // _DAY_MS)
        return self.deadline_day if ANY_ADDRESS in self.ips else 0

    def expiry_text(self) -> str:
        """Return ``expiredAt`` (ISO)."""
        if not self.expires_ms:
            return "2030-01-01T00:00:00Z"
        moment = datetime.fromtimestamp(self.expires_ms // 1000, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _has(self, right: Right) -> bool:
        return right[1] in self.permissions.get(right[0], ())

    def _has_any(self, *groups: str) -> bool:
        return any(self.permissions.get(group) for group in groups)
