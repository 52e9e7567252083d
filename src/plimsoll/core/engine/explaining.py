"""Money that moved without a trade: told, valued, and doubted where nothing explains it (ACC-7)."""

from collections.abc import Iterator, Mapping

from plimsoll.core.engine.state import State
from plimsoll.core.engine.valuing import worth_of
from plimsoll.core.model import cash_text
from plimsoll.core.portfolio import PAR, is_flow, is_known
from plimsoll.core.records import CashMoved, FlowMeasured, IncidentRaised, Record, WalletDoubted
from plimsoll.core.settings import CoreSettings

_PPM = 1_000_000


class Explaining:
    """Watches rows of the transaction log, and what of the wallet they leave unexplained."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.unvalued: list[CashMoved] = []
        """Flows of coins that have had no price yet."""
        self.large_ns = 0
        """Since when more than the limit is unexplained, 0 = it is not."""
        self.large_text = ""
        self.is_unread = False

    def on_cash(self) -> Iterator[Record]:
        """Follow up the rows that have just been booked."""
        state = self.state
        moved, state.moved = state.moved, []
        for row, cause in moved:
            booked = (causes.get(cause) for causes in state.ledger.causes.values())
            is_first = sum(one.entries for one in booked if one is not None) == 1
            if is_first and not is_known(row.kind):
                change = f"{cash_text(row.change_units)} {row.coin}"
                text = f"{change} moved by {row.kind or 'no type'}: booked under that name"
                yield IncidentRaised(*state.stamp(), "unknown_cash", row.coin, text)
            if is_flow(row) and row.coin not in PAR:
                self.unvalued.append(row)
        self.is_unread = False
        yield from self._value()

    def on_unread(self, reason: str) -> Iterator[Record]:
        """Tell, once, that the transaction log could not be read."""
        if not self.is_unread:
            self.is_unread = True
            yield IncidentRaised(*self.state.stamp(), "cash_unread", "", reason)

    def on_compared(self, unexplained: Mapping[str, int]) -> Iterator[Record]:
        """Take what a comparison left unexplained, by coin: theirs less ours."""
        state = self.state
        worths = {coin: worth_of(state, coin, units) for coin, units in unexplained.items()}
        amount = sum(abs(worth or 0) for worth in worths.values())
        limit = max(0, state.losses.equity) * self.settings.wallet_difference_ppm // _PPM
        if amount <= limit:
            self.large_ns = 0
            if state.safety.wallet_doubt:
                yield WalletDoubted(*state.stamp(), "")
            return
        self.large_ns = self.large_ns or state.ts_ns
        coins = ", ".join(f"{cash_text(units)} {coin}" for coin, units in unexplained.items())
        self.large_text = f"the wallet differs by {coins} and no cause is known"

    def on_time(self) -> Iterator[Record]:
        """Value what waits for a price; lose patience with a large difference."""
        state = self.state
        yield from self._value()
        if not self.large_ns or state.safety.wallet_doubt:
            return
        if state.ts_ns - self.large_ns >= self.settings.wallet_patience_ns:
            yield WalletDoubted(*state.stamp(), self.large_text)
            yield IncidentRaised(*state.stamp(), "unexplained_cash", "", self.large_text)

    def _value(self) -> Iterator[Record]:
        rows, self.unvalued = self.unvalued, []
        for row in rows:
            worth = worth_of(self.state, row.coin, row.change_units)
            if worth is None:
                self.unvalued.append(row)
            elif worth:
                stamp = self.state.stamp()
                yield FlowMeasured(*stamp, row.coin, row.change_units, worth)
