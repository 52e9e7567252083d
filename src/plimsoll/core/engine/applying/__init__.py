"""How a record changes the facts, a file for each thing it may be about."""

from plimsoll.core.engine.applying.guards import Guards
from plimsoll.core.engine.applying.markets import Markets
from plimsoll.core.engine.applying.money import Money
from plimsoll.core.engine.applying.orders import Orders
from plimsoll.core.engine.applying.sessions import Sessions

__all__ = ["Guards", "Markets", "Money", "Orders", "Sessions"]
