"""A strategy that follows a fixed script of orders: the same questions in every run."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy, state

STEPS = (
    *("take buy", "rest buy", "rest sell", "cancel", "take sell", "move", "take sell"),
    *("rest buy", "rest buy", "cancel", "cancel", "take buy", "rest sell", "cancel", "flat"),
)


class Scripted(Strategy):
    """One step a book change while nothing of its own is in flight; a refused step is repeated."""

    qty: float = 0.05
    step = state(0)

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.asked: OrderHandle | None = None
        self.resting: list[OrderHandle] = []

    def on_book(self, market: Market) -> None:
        """Take the next step of the script."""
        name = market.instrument.name
        if any(order.is_busy for order in self.orders(name)):
            return
        if self.asked is not None and self.asked.refusal is not None:
            self.step -= 1
        self.asked = None
        if self.step < len(STEPS):
            self._do(STEPS[self.step], name, market.book.mid)
            self.step += 1

    def _do(self, what: str, name: str, middle: float) -> None:
        self.resting = [h for h in self.resting if h.order is not None and h.order.is_working]
        if what == "cancel" and self.resting:
            self.resting[0].cancel()
        elif what == "move" and self.resting:
            self.resting[0].amend(price=round(middle * 0.997, 1))
        elif what == "flat":
            for handle in self.resting:
                handle.cancel()
        elif what.startswith(("take", "rest")):
            self.asked = self._ask(what, name, middle)
            if what.startswith("rest"):
                self.resting.append(self.asked)

    def _ask(self, what: str, name: str, middle: float) -> OrderHandle:
        order = self.buy if what.endswith("buy") else self.sell
        if what.startswith("take"):
            return order(name, self.qty)
        away = 0.998 if what.endswith("buy") else 1.002
        return order(name, self.qty, round(middle * away, 1), post_only=True)
