"""One account of the exchange."""

from collections import deque
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.closed_pnl import ClosedPnl
from plimsoll.simulator.brain.key_rights import KeyRights
from plimsoll.simulator.brain.ledger import Ledger, Rates
from plimsoll.simulator.brain.numbers import decimal_of
from plimsoll.simulator.brain.orders import Orders
from plimsoll.simulator.brain.reserves import Reserves
from plimsoll.simulator.settings import AccountSettings

ROWS_KEPT: Final = 50_000
CROSS: Final = "REGULAR_MARGIN"
ISOLATED: Final = "ISOLATED_MARGIN"
PORTFOLIO: Final = "PORTFOLIO_MARGIN"


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
        self.uid = settings.uid
        self.rights = KeyRights(settings)
        self.margin_mode = settings.margin_mode
        self.is_unified = settings.account_type == "unified"
        self.is_hedge = settings.position_mode == "hedge"
        self.ledger = Ledger(settings.balances)
        self.ledger.fees = {
            category: Rates(decimal_of(taker), decimal_of(maker))
            for category, (taker, maker) in settings.fees.items()
        }
        self.orders = Orders()
        self.reserves = Reserves()
        self.executions: deque[Entry] = deque(maxlen=ROWS_KEPT)
        self.transactions: deque[Entry] = deque(maxlen=ROWS_KEPT)
        self.closed_pnl: dict[str, ClosedPnl] = {}
        """By the id of the closing order, oldest first."""
        self.updated_ms = 0
        """When a setting of the account last changed."""
        self.granted_ms: int | None = None
        """When demo money was last applied for."""
        self.adjusts_price = {"linear": True, "spot": False}
        """Whether a price beyond the limit is moved instead of refused, by category."""

    def keep_closed(self, key: str, closed: ClosedPnl) -> None:
        """Add a row of closed profit; the oldest beyond the bound is forgotten."""
        self.closed_pnl[key] = closed
        if len(self.closed_pnl) > ROWS_KEPT:
            del self.closed_pnl[next(iter(self.closed_pnl))]
