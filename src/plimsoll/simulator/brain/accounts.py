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
        self.adjusts_price = {"linear": True, "spot": False}
        """Whether a price beyond the limit is moved instead of refused, by category."""
