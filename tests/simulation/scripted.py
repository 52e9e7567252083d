"""A strategy that follows a fixed script of orders: the same questions in every run."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy, state

STEPS = (
    *("take buy", "rest buy", "rest sell", "cancel", "take sell", "move", "take sell"),
    *("rest buy", "rest buy", "cancel", "cancel", "take buy", "rest sell", "cancel", "flat"),
)

PAUSE_NS = 20_000_000
"""After a refused step: the rate has room again by then, or soon."""


class Scripted(Strategy):
    """One step a book change while nothing of its own is in flight; a refused step is repeated."""

    qty: float = 0.05
    rounds: int = 1
    """How often the script is gone through."""
    marker: float = 0.0
    """Quantity of an order that rests from the end of the script on, 0 = none."""
    step = state(0)

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.asked: OrderHandle | None = None
        self.pause_until = 0

    def on_book(self, market: Market) -> None:
        """Take the next step of the script."""
        name = market.instrument.name
        if self.now < self.pause_until or any(order.is_busy for order in self.orders(name)):
            return
        if self.asked is not None and self.asked.refusal is not None:
            self.step -= 1
            self.pause_until = self.now + PAUSE_NS
            self.asked = None
            for handle in self._resting(name)[:1]:  # it may be what the step would have crossed
                handle.cancel()
            return
        self.asked = None
        if self.step < self.rounds * len(STEPS):
            self._do(STEPS[self.step % len(STEPS)], name, market.book.mid)
            self.step += 1
        elif self.marker:
            self._end(name, market.book.mid)

    def _end(self, name: str, middle: float) -> None:
        """Leave the marker alone: a death may have taken the last cancel of the script with it."""
        resting = self._resting(name)
        if not resting:
            self.asked = self.buy(name, self.marker, round(middle * 0.99, 1))
        for handle in resting:
            if handle.order is not None and handle.order.qty_lots != round(self.marker * 100):
                handle.cancel()

    def _do(self, what: str, name: str, middle: float) -> None:
        resting = self._resting(name)
        if what == "cancel" and resting:
            resting[0].cancel()
        elif what == "move" and resting:
            resting[0].amend(price=round(middle * 0.997, 1))
        elif what == "flat":
            for handle in resting:
                handle.cancel()
        elif what.startswith(("take", "rest")):
            self.asked = self._ask(what, name, middle)

    def _resting(self, name: str) -> list[OrderHandle]:
        """Return what works now, oldest first; also what a session before this one asked for."""
        return [self.handle_of(order) for order in self.orders(name)]

    def _ask(self, what: str, name: str, middle: float) -> OrderHandle:
        order = self.buy if what.endswith("buy") else self.sell
        if what.startswith("take"):
            return order(name, self.qty)
        away = 0.998 if what.endswith("buy") else 1.002
        return order(name, self.qty, round(middle * away, 1), post_only=True)
