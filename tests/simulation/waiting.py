"""A strategy of conditional orders: one that triggers, one cancelled, one amended and cancelled."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy


class Waiting(Strategy):
    """Ask for three orders, then change two of them once the exchange has them."""

    qty: float = 0.05

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.asked: list[OrderHandle] = []
        self.is_moved = False

    def on_book(self, market: Market) -> None:
        """Take the next step once nothing is on its way."""
        name = market.instrument.name
        mid = market.last or market.book.mid
        if not self.asked:
            for away in (1.005, 1.05, 1.06):
                limit = round(
                    mid * (away + 0.004), 2
                )  # inside what the venue takes when it triggers
                self.asked.append(self.buy(name, self.qty, limit, trigger=round(mid * away, 2)))
            return
        near, gone, moved = self.asked
        if any(one.order is None or one.order.is_busy for one in self.asked):
            return
        if gone.is_working and gone.order is not None and not gone.order.cancels:
            gone.cancel()
        elif not self.is_moved:
            self.is_moved = moved.amend(trigger=round(mid * 1.07, 2)) is None
        elif not near.is_working and moved.is_working:
            moved.cancel()
