"""The middle of each book: now, as the engine saw it, and at a moment of the venue's time.

Theory: a strategy decides on what it sees, so decision and arrival are held against the newest
middle known when their record was written. A fill happens at the venue, which may be told late or
out of order with the book: it is held against the last middle that the venue's own times put before
it. So far back as ``KEPT`` changes of the middle go, that is known.

A middle is best bid plus best ask: twice the price, in ticks, hence in halves of a tick. 0 stands
for none: the book could not be trusted, or was not heard.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from plimsoll.core.feed import Market
from plimsoll.core.model import Instrument, Regrid, common
from plimsoll.core.records import (
    BookChanged,
    ClockMeasured,
    Configured,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    StreamChanged,
    Woken,
)
from plimsoll.core.settings import Timing, from_text

KEPT: Final = 8_192
"""Changes of one middle that are remembered: more than a minute of a book that never rests."""

_MS: Final = 1_000_000


class Middles:
    """The middles of one instrument by the venue's time, Unix ms."""

    def __init__(self, instrument: Instrument) -> None:
        """Start unknown."""
        self.market = Market(instrument)
        self.now_halves = 0
        self.book_seq = 0
        """Seq of the newest book message."""
        self.reached_ms = 0
        """Newest time anything is known of."""
        self._times: list[int] = []
        self._halves: list[int] = []

    def note(self, ms: int, halves: int) -> None:
        """Take the middle as it stands from a time on; times never go back."""
        self.now_halves = halves
        self.reached_ms = ms = max(ms, self.reached_ms)
        times, values = self._times, self._halves
        if values and values[-1] == halves:
            return
        if times and times[-1] == ms:
            values[-1] = halves
            return
        times.append(ms)
        values.append(halves)
        if len(times) >= 2 * KEPT:
            del times[:KEPT], values[:KEPT]

    def at(self, ms: int) -> int:
        """Return the middle after everything known of up to a time, 0 where it is not known."""
        place = bisect_right(self._times, ms)
        return self._halves[place - 1] if place else 0

    def regrid(self, tick: int) -> None:
        """Count in smaller ticks."""
        self.now_halves *= tick
        self._halves = [halves * tick for halves in self._halves]


class Places:
    """All instruments: their filters and middles, kept as the engine keeps its own."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.instruments: dict[str, Instrument] = {}
        self.of: dict[str, Middles] = {}
        self.offset_ns = 0
        """The venue's clock minus ours."""
        self._timing = Timing()

    def now_ms(self, ts_ns: int) -> int:
        """Return a time of ours in the venue's."""
        return (ts_ns + self.offset_ns) // _MS

    def now(self, name: str) -> int:
        """Return the middle the engine knows now."""
        found = self.of.get(name)
        return found.now_halves if found is not None else 0

    def on_listed(self, record: InstrumentListed) -> Regrid:
        """Take filters over; return what became of counts in the steps of before."""
        stated = record.instrument
        old, regrid = self.instruments.get(stated.name), Regrid(1, 1)
        new = stated
        if old is not None:
            try:
                new = common(old, stated)
            except ValueError:  # finer than money: the engine blocks it and goes on with the old
                return regrid
            regrid = Regrid.between(old, new)
        self.instruments[new.name] = new
        middles = self.of.get(new.name)
        if middles is None:
            middles = self.of[new.name] = Middles(new)
        middles.market.relist(new)
        middles.market.adopt(self._timing)
        if regrid.is_needed:
            middles.regrid(regrid.tick)
        return regrid

    def on_configured(self, record: Configured) -> None:
        """Take over how old a book may be."""
        self._timing = from_text(record.settings).timing
        for middles in self.of.values():
            middles.market.adopt(self._timing)

    def on_clock(self, record: ClockMeasured) -> None:
        """Take over what the venue's clock shows."""
        self.offset_ns = record.offset_ns

    def on_lease(self, _record: LeaseTaken, ended_ns: int) -> None:
        """Begin a session; since the last record of the one before nothing is known."""
        for middles in self.of.values():
            middles.market.restart()
            middles.note(self.now_ms(ended_ns) + 1, 0)

    def on_link(self, record: LinkChanged) -> None:
        """Take the loss of a link."""
        kind, _, category = record.link.partition(".")
        if kind == "public" and not record.is_up:
            names = [name for name in self.of if name.startswith(f"{category}:")]
            self._drop(names, record.ts_ns, "link down")

    def on_woken(self, record: Woken) -> None:
        """Take a pause of the process."""
        self._drop(self.of, record.ts_ns, "the process was paused")

    def on_stream(self, record: StreamChanged) -> None:
        """Take over how a stream is carried."""
        middles = self.of.get(record.instrument)
        if middles is not None:
            middles.market.on_stream(record)
            if record.is_void and record.stream == "book":
                middles.note(self.now_ms(record.ts_ns), 0)

    def book_ms(self, record: BookChanged) -> int:
        """Return when a book message was made at the venue."""
        return record.venue_ms or self.now_ms(record.ts_ns)

    def on_book(self, record: BookChanged, middles: Middles) -> None:
        """Apply a book message."""
        market = middles.market
        market.on_book(record, self.offset_ns)
        bid, ask = market.bid_ticks, market.ask_ticks
        is_known = market.fault is None and bid and ask
        middles.note(self.book_ms(record), bid + ask if is_known else 0)
        middles.book_seq = record.seq

    def _drop(self, names: Iterable[str], ts_ns: int, reason: str) -> None:
        for name in names:
            self.of[name].market.drop(reason)
            self.of[name].note(self.now_ms(ts_ns), 0)
