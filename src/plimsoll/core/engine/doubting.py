"""Tells a person of market data that cannot be trusted, once, and once that it can be again.

Requirements MKT-3 and ALR-4. What is SUSPECT for a moment is nobody's business: the book is renewed
and goes on. What lasts is an incident; so is every death of a stream.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.feed import STREAM_DEAD, STREAM_LIVE, STREAM_SUSPECT, StreamName, StreamStatus
from plimsoll.core.records import IncidentRaised, Record, StreamChanged

_ALL: Final = (StreamName.TICKER, StreamName.TRADES, StreamName.BARS)
"""Besides the book: whoever lives on them should know."""


class Doubting:
    """Which markets are not LIVE, and which of them a person was told about."""

    def __init__(self, state: State, doubt_ns: int) -> None:
        """Share the engine's state; tell of a doubt that lasts for ``doubt_ns``."""
        self.state = state
        self.doubt_ns = doubt_ns
        self.since_ns: dict[str, int] = {}
        """Instruments that are not LIVE, since when."""
        self.dead: set[tuple[str, str]] = set()
        """Instrument and stream of the deaths told."""

    def on_stream(self, change: StreamChanged) -> Iterator[Record]:
        """Tell of a death; of the same one only once."""
        key = (change.instrument, change.stream)
        if change.status == StreamStatus.LIVE:
            self.dead.discard(key)
        elif change.status == StreamStatus.DEAD and key not in self.dead:
            self.dead.add(key)
            yield self._told(STREAM_DEAD, change.instrument, change.stream, change.reason)

    def doubts(self) -> bool:
        """Return whether a market is doubted, or was when it was looked at last."""
        state = self.state
        if self.since_ns or state.doubts:
            return True
        for market in state.markets.values():  # noqa: SIM110 - any() makes a generator
            if market.doubt(state.ts_ns, _ALL) is not None:
                return True
        return False

    def on_time(self) -> Iterator[Record]:
        """Look at every market."""
        state = self.state
        for name, market in state.markets.items():
            doubt = market.doubt(state.ts_ns, _ALL)
            if doubt is None:
                since_ns = self.since_ns.pop(name, state.ts_ns)
                if name in state.doubts:
                    text = f"live again after {(state.ts_ns - since_ns) / 1e9:.1f} s"
                    yield self._told(STREAM_LIVE, name, "", text)
                continue
            since_ns = self.since_ns.setdefault(name, state.ts_ns)
            if state.ts_ns - since_ns > self.doubt_ns and name not in state.doubts:
                yield self._told(STREAM_SUSPECT, name, doubt.stream, doubt.text)

    def _told(self, code: str, instrument: str, stream: str, text: str) -> IncidentRaised:
        subject = f"{instrument} {stream}".rstrip()
        return IncidentRaised(*self.state.stamp(), code, subject, text)
