"""One account of the exchange."""

from collections import deque
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.ledger import Ledger
from plimsoll.simulator.brain.orders import Orders
from plimsoll.simulator.settings import AccountSettings

ROWS_KEPT: Final = 50_000


class Entry(msgspec.Struct, frozen=True):
    """A row that can be asked for page by page; ``serial`` grows."""

    serial: int
    time_ms: int
    row: dict[str, Any]


class DcpWindow(msgspec.Struct):
    """Cancel a product's orders ``seconds`` after its last watching connection is gone."""

    seconds: int
    from_ns: int
    """When the setting takes effect."""
    is_armed: bool = False
    """Whether a connection watched it since it was set or last fired."""
    due_ns: int = 0
    """When it fires unless a connection comes back, 0 = one is there."""


class Account:
    """Key, money, orders and history of one uid."""

    def __init__(self, settings: AccountSettings) -> None:
        """Open the account with its starting balances."""
        self.key = settings.key
        self.secret = settings.secret
        self.public_key = settings.public_key
        self.uid = settings.uid
        self.is_read_only = settings.read_only
        self.is_expired = settings.expired
        self.ledger = Ledger(settings.balances)
        self.orders = Orders()
        self.executions: deque[Entry] = deque(maxlen=ROWS_KEPT)
        self.transactions: deque[Entry] = deque(maxlen=ROWS_KEPT)
        self.may_dcp = settings.dcp
        self.dcp_windows: dict[str, DcpWindow] = {}
        """Disconnection protection by product."""
        self.cancel_alls = 0
        """How often more orders were to be cancelled than the venue takes at once."""
        self.tpsl_modes: dict[str, str] = {}
        """How exits were last set, by instrument name: ``Full`` or ``Partial``."""
        self.adjusts_price = {"linear": True, "spot": False}
        """Whether a price beyond the limit is moved instead of refused, by category."""
