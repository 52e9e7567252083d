"""Disconnection protection: orders are cancelled some time after the last connection is gone.

Bybit v5 docs, order/dcp: connections register with the topics ``dcp.future`` and ``dcp.spot``.
"""

from collections.abc import Iterable
from typing import Final

from plimsoll.simulator.brain.accounts import Account, DcpWindow
from plimsoll.simulator.brain.asking import Params, Result
from plimsoll.simulator.brain.connection import Connection
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.passing import Passing

_TOPICS: Final = {"DERIVATIVES": "dcp.future", "SPOT": "dcp.spot", "OPTIONS": "dcp.option"}
_SECONDS: Final = range(3, 301)
_SECOND_NS: Final = 1_000_000_000
APPLIES_NS: Final = 10 * _SECOND_NS
"""A setting takes about ten seconds to apply."""


def set_window(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/disconnected-cancel-all``.

    Raises:
        VenueRefusal: 10005 where the account may not; 10001 for a bad product or time.
    """
    if not account.may_dcp:
        raise VenueRefusal(10005)
    product = str(params.get("product") or "OPTIONS")
    text = str(params.get("timeWindow"))
    if product not in _TOPICS:
        raise VenueRefusal(10001, f"params error: product invalid {product!r}")
    if not (text.isascii() and text.isdigit() and int(text) in _SECONDS):
        raise VenueRefusal(10001, f"params error: timeWindow invalid {text!r}, 3 to 300")
    account.dcp_windows[product] = DcpWindow(int(text), now_ns + APPLIES_NS)
    fields: Result = {"event": "dcp", "product": product, "timeWindow": int(text)}
    floor.record(now_ns, "config", account.uid, fields)
    return {}


def query(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/query-dcp-info``: the products that are protected."""
    rows = [
        {"product": product, "dcpStatus": "ON", "timeWindow": str(window.seconds)}
        for product, window in account.dcp_in_force(now_ns).items()
    ]
    return {"dcpInfos": rows}


class Dcp:
    """Watches the connections of accounts that asked for it."""

    def __init__(self, floor: Floor) -> None:
        """Watch a floor's accounts."""
        self._floor = floor
        self._passing = Passing(floor)

    def look(self, connections: Iterable[Connection], now_ns: int) -> None:
        """Fire what is due; a connection that is there stops the time."""
        watched = [a for a in self._floor.by_uid.values() if a.dcp_windows]
        if not watched:
            return
        here = {
            (connection.account.uid, topic)
            for connection in connections
            if connection.account is not None
            for topic in connection.topics
        }
        for account in watched:
            for product, window in account.dcp_windows.items():
                if (account.uid, _TOPICS[product]) in here:
                    window.is_armed, window.due_ns = True, 0
                elif window.is_armed and now_ns >= window.from_ns:
                    self._count_down(account, product, window, now_ns)

    def _count_down(self, account: Account, product: str, window: DcpWindow, now_ns: int) -> None:
        if not window.due_ns:
            window.due_ns = now_ns + window.seconds * _SECOND_NS
        if now_ns < window.due_ns:
            return
        window.is_armed, window.due_ns = False, 0
        fields = {"event": "dcp", "product": product}
        self._floor.record(now_ns, "connection", account.uid, fields)
        spot = product == "SPOT"
        orders = [
            order
            for order in account.orders.live()
            if order.listing.is_spot == spot and product != "OPTIONS"
        ]
        self._passing.cancel(orders, "CancelByDCP", now_ns)
