"""How instances begin: when they may, with which bars, and anew after a switch or a fault."""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.records import IncidentRaised, QueryAnswered, QueryIntended, Record
from plimsoll.core.strategy import Desk

_WARM_UP_SLACK: Final = 3
"""Minutes fetched beyond what the bar windows need: the newest may still be open."""


class Starting:
    """Starts the instances of a session."""

    def __init__(self, state: State, trader: Trader) -> None:
        """Let all of them wait but those that a person has to free."""
        self.state = state
        self.trader = trader
        self.waits = frozenset(trader.desks) - state.faulty.keys()
        """Instances not started yet (hot)."""

    def ready(self) -> Iterator[Record]:
        """Start those whose markets are LIVE."""
        for desk in self.trader.roster.startable():
            self.waits -= {desk.name}
            yield from self.start(desk)

    def start(self, desk: Desk) -> Iterator[Record]:
        """Start an instance."""
        yield from self._warm_up(desk)  # first: until it is done no risk may be added
        yield from self.trader.calling.start(desk)
        yield from self.trader.calling.checkpoint(desk)  # from here on nothing is forgotten

    def follow_modes(self) -> Iterator[Record]:
        """End the instances that no mode wants any more; new ones start when they may."""
        trader = self.trader
        yield from trader.follow_modes()
        self.waits = (self.waits & trader.desks.keys()) | trader.roster.not_started()

    def free(self, name: str) -> None:
        """Let a stopped instance start again, as soon as its markets are LIVE."""
        trader = self.trader
        if name not in trader.desks:  # it could not be made, or no mode wants it
            trader.modes_seen = -1
            return
        trader.roster.renew(name)
        trader.desks[name].executors.end_all("stopped")  # it was stopped for a fault
        self.waits |= {name}

    # ---- warm-up ----

    def _warm_up(self, desk: Desk) -> Iterator[Record]:
        """Ask for the minutes an instance's bar windows need."""
        state = self.state
        if self.trader.by_bars is not None:
            return  # a backtest begins before what it is about: there is nobody to ask
        for name in desk.names:
            spans = [
                maker.span * (maker.window.maxlen or 0)
                for key, maker in desk.makers.items()
                if key[0] == name and not maker.is_own and key not in desk.has_bars
            ]
            if not spans:
                continue
            stamp = state.stamp()
            since = state.ts_ns + state.safety.clock_offset_ns - max(spans)
            minutes_ms = 60_000 * _WARM_UP_SLACK
            desk.waits_for_bars.add(stamp[0])
            category = state.instruments[name].category
            yield QueryIntended(
                *stamp, stamp[0], "bars", category, "", name, "", since // 1_000_000 - minutes_ms
            )

    def warmed_up(self, record: QueryAnswered) -> Iterator[Record] | None:
        """Take the end of an answer with bars, None where nobody waits for it."""
        for desk in self.trader.desks.values():
            if record.query_id in desk.waits_for_bars:
                return self._has_bars(desk, record)
        return None

    def _has_bars(self, desk: Desk, record: QueryAnswered) -> Iterator[Record]:
        desk.waits_for_bars.discard(record.query_id)
        if not record.is_ok:
            text = f"{record.reason}; bars begin empty"
            yield IncidentRaised(*self.state.stamp(), "warm_up_failed", desk.name, text)
        elif record.reason:  # all is there, and what is stored on this machine is not what it says
            yield IncidentRaised(*self.state.stamp(), "store_differs", desk.name, record.reason)
        if not desk.waits_for_bars:
            yield from self.trader.on_warmed_up(desk)
