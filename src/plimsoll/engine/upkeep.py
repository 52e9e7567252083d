"""What is done beside the trading loop: each second, and each minute.

Telemetry, books that a snapshot would mend, space on the disk, garbage; filters and fee rates.
"""

from pathlib import Path
from typing import Final

from plimsoll.core.feed import StreamName
from plimsoll.core.records import InstrumentListed, SpaceChanged
from plimsoll.engine.commands import Commands
from plimsoll.engine.engine import Engine
from plimsoll.engine.outside import Outside
from plimsoll.journal import Journal
from plimsoll.venues.bybit.errors import VenueError
from plimsoll.venues.bybit.venue import BybitVenue

SECOND_NS: Final = 1_000_000_000
FILTERS_NS: Final = 60_000_000_000
FILTERS_SOON_NS: Final = 5_000_000_000
FEES_NS: Final = 3_600_000_000_000
"""How often filters are read again; sooner after a refusal that they explain; and fee rates."""

TOPICS_EACH_S: Final = 10
"""How often telemetry also has the numbers of each connection and topic: they are many."""


class Upkeep:
    """Looks after one session while it runs."""

    def __init__(
        self,
        engine: Engine,
        venue: BybitVenue,
        journal: Journal,
        journal_dir: Path,
        commands: Commands,
        outside: Outside,
    ) -> None:
        """Do nothing yet."""
        self._engine = engine
        self._core = engine.core
        self._venue = venue
        self._journal = journal
        self._journal_dir = journal_dir
        self._commands = commands
        self._clock = outside.clock
        self._sleep = outside.shell.sleep
        self._tidy = outside.tidy
        self._is_warned = False

    async def each_second(self) -> None:
        """Telemetry, renewal of books a snapshot would mend, young garbage."""
        now = self._clock.monotonic_ns
        due_ns, seconds = now() + SECOND_NS, 0
        while True:
            await self._sleep(max(0, due_ns - now()) / 1e9)
            lag_ns = now() - due_ns
            due_ns = max(due_ns + SECOND_NS, now())
            self._engine.meter.loop_lag.add_ns(max(0, lag_ns))
            counters, gauges = self._venue.metrics(with_topics=seconds % TOPICS_EACH_S == 0)
            self._watch_space()
            self._commands.obey_standing_request()
            gauges["journal_behind"] = self._engine.seq - self._journal.forced_seq
            gauges |= self._live_markets()
            self._engine.tell(counters, gauges)
            now_ns = self._clock.now_ns()
            for name, market in self._core.markets.items():
                if market.wants_renewal(now_ns) and name in self._venue.instruments:
                    self._venue.resubscribe(name)
            seconds += 1
            self._tidy(seconds)

    async def keep_filters(self) -> None:
        """Read filters each minute and where an order was refused for them, fees each hour."""
        now = self._clock.monotonic_ns
        read_at = fees_at = now()
        while True:
            await self._sleep(1.0)
            waited = now() - read_at
            if waited < (FILTERS_SOON_NS if self._venue.has_misfit else FILTERS_NS):
                continue
            read_at = now()
            with_fees = read_at - fees_at >= FEES_NS
            fees_at = read_at if with_fees else fees_at
            await self._read_filters(with_fees=with_fees)

    def tell_of_space(self) -> None:
        """Tell once of a disk that is nearly full, or that no longer takes market data."""
        lost = self._journal.market_failure
        if (self._journal.warn_space or lost) and not self._is_warned:
            self._is_warned = True
            text = f"market log: {lost}" if lost else "space is getting short"
            self._engine.trouble("disk", str(self._journal_dir), text)

    def _live_markets(self) -> dict[str, float]:
        """Return for each instrument whether all of its streams are LIVE."""
        now_ns = self._clock.now_ns()
        return {
            f"live.{name}": float(market.doubt(now_ns, tuple(StreamName)) is None)
            for name, market in self._core.markets.items()
        }

    def _watch_space(self) -> None:
        """Tell once that space is getting short; forbid new risk while there is none (JRN-4)."""
        if self._journal.low_space != self._core.safety.is_space_low:
            self._engine.put(SpaceChanged(*self._engine.stamp(), self._journal.low_space))
        self.tell_of_space()

    async def _read_filters(self, *, with_fees: bool) -> None:
        try:
            changed = await self._venue.refresh(with_fees=with_fees)
        except VenueError as error:
            self._engine.trouble("filters", "refresh", str(error))
            return
        for instrument in changed:
            self._engine.put(InstrumentListed(*self._engine.stamp(), instrument))
        if changed:
            # The core may keep the old steps until what is open fits the new ones.
            self._venue.adopt(list(self._core.state.instruments.values()))
