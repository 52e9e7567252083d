"""Auto-deleveraging: winners are closed at a bankruptcy price because nobody else can pay."""

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.adl_rank import adl_queue
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.numbers import ZERO, text_of
from plimsoll.simulator.brain.passing import Passing
from plimsoll.simulator.brain.public import PublicMarket


class Deleveraging:
    """Closes positions from the head of the queue."""

    def __init__(self, floor: Floor) -> None:
        """Act on a floor."""
        self._floor = floor
        self._passing = Passing(floor)

    def close(
        self,
        market: PublicMarket,
        side: Side,
        lots: int,
        price_ticks: int,
        now_ns: int,
        *,
        spared: int = 0,
    ) -> int:
        """Close up to ``lots`` of this side and return how many there were.

        Args:
            market: The instrument.
            side: Side of the positions that are closed.
            lots: How many the bankrupt side leaves.
            price_ticks: Its bankruptcy price.
            now_ns: Time.
            spared: An account that is left alone: the bankrupt one.
        """
        accounts = [one for one in self._floor.by_uid.values() if one.uid != spared]
        queue = adl_queue(accounts, market.listing, side, self._floor.quotes())
        closed = 0
        for account in queue:
            held = abs(account.ledger.position(market.listing).lots)
            taken = min(held, lots - closed)
            if taken:
                self.close_one(account, market, taken, price_ticks, now_ns)
            closed += taken
        return closed

    def close_one(
        self, account: Account, market: PublicMarket, lots: int, price_ticks: int, now_ns: int
    ) -> None:
        """Close lots of one account's position; it pays no fee for it.

        Raises:
            ValueError: the position is smaller.
        """
        position = account.ledger.position(market.listing)
        side = position.side
        if side is None or not 0 < lots <= abs(position.lots):
            held = abs(position.lots)
            raise ValueError(f"{market.listing.name}: {lots} lots to close, {held} are held")
        orders = account.orders.open_on(market.listing)
        self._passing.cancel(orders, "CancelAllBeforeAdl", now_ns)
        position.status = "Adl"
        price = market.listing.prices.text(price_ticks)
        fields = {"event": "adl", "symbol": market.listing.name, "price": price}
        qty = text_of(market.listing.qty(lots))
        self._floor.record(now_ns, "margin", account.uid, fields | {"qty": qty})
        order = self._passing.order(
            account,
            market.listing,
            side.opposite,
            lots,
            price_ticks,
            "CreateByAdl_PassThrough",
            now_ns,
        )
        self._passing.fill(order, "AdlTrade", now_ns, rate=ZERO)
        position.status = "Normal"
