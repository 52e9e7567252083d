"""How a session ends: nobody is called any more, entries are cancelled, what is left is said."""

from collections.abc import Iterator

from plimsoll.core.engine.flattening import STOP_ID
from plimsoll.core.engine.hashing import books_hash, state_hash
from plimsoll.core.engine.keeper import Keeper
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.model import ACCOUNT
from plimsoll.core.records import HashTaken, IncidentRaised, Record, SessionEnded, SessionStopping
from plimsoll.core.settings import CoreSettings


class Ending:
    """Ends a session."""

    def __init__(
        self, state: State, settings: CoreSettings, trader: Trader, keeper: Keeper
    ) -> None:
        """Begin before anybody asks for the end."""
        self.state = state
        self.settings = settings
        self.trader = trader
        self.keeper = keeper
        self.until_ns = 0
        """Until when the end waits for what is still open; 0 = it is not ending (hot)."""

    def on_stopping(self, record: SessionStopping) -> Iterator[Record]:
        """Begin to end: save instances and stop them, cancel, flatten where that is the policy."""
        settings, keeper = self.state.settings or self.settings, self.keeper
        self.until_ns = record.ts_ns + settings.timing.stop_ns
        yield from self.checkpoint()
        for desk in self.trader.desks.values():
            yield from self.trader.calling.stop(desk, "session ends")
        yield from keeper.halting.on_stopping(record)
        if settings.end_policy == "flatten":
            name, why = f"{STOP_ID}{record.seq}", record.reason
            yield from keeper.flattening.begin(name, ACCOUNT, "end_policy", why)

    def if_done(self) -> Iterator[Record]:
        """End once nothing is open, or the time for that is over."""
        state, keeper = self.state, self.keeper
        open_ends, is_unsure = keeper.halting.open_ends(), keeper.halting.sweeping.is_open
        is_open = bool(open_ends) or is_unsure or keeper.flattening.is_open
        if is_open and state.ts_ns < self.until_ns:
            return
        self.until_ns = 0
        yield from keeper.flattening.on_end()
        if is_unsure:
            text = "the venue's lists did not confirm, twice in a row, that everything is cancelled"
            yield IncidentRaised(*state.stamp(), "unconfirmed_at_stop", "", text)
        if open_ends:
            names = ", ".join(f"{order.id} {order.state}" for order in open_ends[:5])
            text = f"{len(open_ends)} orders: {names}"
            yield IncidentRaised(*state.stamp(), "open_at_stop", "", text)
        yield self._hashes()
        yield SessionEnded(*state.stamp(), "stopped")

    def checkpoint(self) -> Iterator[Record]:
        """Save every instance, and say what everything comes to."""
        for desk in self.trader.desks.values():
            yield from self.trader.calling.checkpoint(desk)
        yield self._hashes()

    def _hashes(self) -> HashTaken:
        state = self.state
        saved = self.trader.roster.saved()
        return HashTaken(*state.stamp(), books_hash(state), state_hash(state, saved))
