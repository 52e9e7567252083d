"""One account of the exchange."""

from collections import deque
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.closed_pnl import ClosedPnl
from plimsoll.simulator.brain.key_rights import KeyRights
from plimsoll.simulator.brain.ledger import Ledger, Rates
from plimsoll.simulator.brain.numbers import decimal_of
from plimsoll.simulator.brain.orders import Order, Orders
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
        self.closed_pnl: deque[ClosedPnl] = deque(maxlen=ROWS_KEPT)
        """What orders that ended closed, in the order in which they ended."""
        self.closing: dict[str, ClosedPnl] = {}
        """What orders that still work have closed so far, by order id."""
        self.updated_ms = 0
        """When a setting of the account last changed."""
        self.granted_ms: int | None = None
        """When demo money was last applied for."""
        self.may_dcp = settings.dcp
        self.dcp_windows: dict[str, DcpWindow] = {}
        """Disconnection protection by product."""
        self.cancel_alls = 0
        """How often more orders were to be cancelled than the venue takes at once."""
        self.tpsl_modes: dict[str, str] = {}
        """How exits were last set, by instrument name: ``Full`` or ``Partial``."""
        self.adjusts_price = {"linear": True, "spot": False}
        """Whether a price beyond the limit is moved instead of refused, by category."""

    def dcp_in_force(self, now_ns: int) -> dict[str, DcpWindow]:
        """Return the products that are protected now."""
        return {name: one for name, one in self.dcp_windows.items() if now_ns >= one.from_ns}

    def finish(self, order: Order) -> None:
        """Move an order that ended to the closed ones, and what it closed with it."""
        self.orders.close(order)
        closed = self.closing.pop(order.order_id, None)
        if closed is not None:
            self.closed_pnl.append(closed)
