"""A practice run: the way of an order through every check, without the order.

Theory: between two orders a process does other things, and what the way of an order touches leaves
the processor's caches; the next one takes several times as long for it. Whoever goes that way now
and then finds it near. Decisions are yielded before anything follows from them: this one is taken
there and dropped. It is not logged, applied or sent, its number is the next order's still, its
strategy hears nothing, and the state is as before.
"""

from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.model import Instrument, Side, TimeInForce
from plimsoll.core.records import OrderIntended
from plimsoll.core.strategy import Desk


class Practising:
    """Asks the gate about orders nobody wants."""

    def __init__(self, state: State, trader: Trader) -> None:
        """Share the engine's state."""
        self.state = state
        self.trader = trader
        self._turn = 0

    def order(self) -> OrderIntended | None:
        """Return a decision that nobody may carry out; None where no live order would be one."""
        desks = [one for one in self.trader.roster.everybody if one.is_at_work and one.names]
        live = [one for one in desks if not self.state.is_paper(one.name)]
        if not live:
            return None
        self._turn += 1
        desk = live[self._turn % len(live)]
        name = desk.names[self._turn // len(live) % len(desk.names)]
        listed = self.state.instruments.get(name)
        return None if listed is None else self._asked(desk, listed)

    def _asked(self, desk: Desk, listed: Instrument) -> OrderIntended | None:
        """Return what would be decided about the smallest buy at the best bid."""
        market = self.state.markets.get(listed.name)
        if market is None or not market.bid_ticks or desk.requests:
            return None
        price = listed.on_price_step(market.bid_ticks, up=False)
        worth = listed.notional_units(price, 1)
        if not worth:
            return None
        least = max(listed.min_lots, -(-listed.min_notional_units // worth))
        qty = listed.on_qty_step(least, up=True) * float(listed.lot)
        at = price * float(listed.tick)
        desk.place(listed.name, Side.BUY, qty, at, TimeInForce.IOC, reduce_only=False, label="")
        decisions = self.trader.calling.carry_out(desk)  # as if its strategy had asked
        found = next(decisions, None)
        del decisions  # what would follow from it never happens
        return found if isinstance(found, OrderIntended) else None
