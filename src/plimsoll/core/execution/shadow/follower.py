"""The follower: feed it every record of both logs in their order; it fills live orders on paper.

Theory: what is told of our own orders is taken at once; market and requests go through a delay line
of ``HOLD_NS`` and reach the paper runs after it, the market without us. So the runs are always that
much behind what is known of the live orders, and a pair that is judged has no news to come.
Explained in docs/explanation/shadow.md.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from plimsoll.core.execution.quality.middles import Places
from plimsoll.core.execution.shadow.cell import SHARES_PPM, Cells, Key, Kind, Void
from plimsoll.core.execution.shadow.feed import Feed
from plimsoll.core.execution.shadow.live import Live, LiveOrders
from plimsoll.core.execution.shadow.run import NO_TERMS, Run, Terms
from plimsoll.core.feed import DEPTH
from plimsoll.core.matching.paper import MarketRows
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BookChanged,
    ClockMeasured,
    Configured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderReported,
    OrderSent,
    PublicTraded,
    Record,
    StreamChanged,
    TickerChanged,
    Woken,
)
from plimsoll.core.settings import CoreSettings, Timing, from_text

HOLD_NS: Final = 2_000_000_000
"""How long market and requests wait for what is told of our own orders."""

PATIENCE_NS: Final = 10_000_000_000
"""How long a shadow order goes on when the live one is over and it is not."""

MOST: Final = 10_000
"""Orders compared at one time; what is beyond is not."""

MEASURED: Final = -1
"""Each order's own latency, as it was measured, in the place of a number."""

_LOOK_NS: Final = 50_000_000
_TRADED: Final = "Trade"
_CARRIED: Final = frozenset({"book", "trades"})


class Model(NamedTuple):
    """How orders are filled on paper; None = as the settings of the session say."""

    latency_ns: int | None = None
    queue_ppm: int | None = None


class _Request(NamedTuple):
    """What was sent about an order, as it stood then."""

    ts_ns: int
    action: str
    live: Live
    new: Terms


class Shadow:
    """Measures the gap of everything it is fed. ``cells`` is the result, at any time."""

    def __init__(self, model: Model | None = None) -> None:
        """Start before the first record."""
        self.model = model or Model()
        self.settings = CoreSettings(account="", tag="")
        self.cells = Cells()
        self.places = Places()
        self.beyond = 0
        """Orders that were sent while ``MOST`` were being compared."""
        self.ts_ns = 0
        self._heard_ns = self._looked_ns = 0
        self._live = LiveOrders()
        self._feeds: dict[str, Feed] = {}
        self._open: dict[str, Live] = {}
        """Orders that the runs were asked for and that are not judged."""
        self._line: deque[Record | _Request] = deque()
        self._latency_ns: dict[str, int] = {}
        """Newest measured latency of each instrument."""
        self._main = self._run(0)
        self._others = [self._run(share) for share in SHARES_PPM]
        self._runs = [self._main, *self._others]
        self._configure()
        self._handlers = self._table()
        self._delayed: dict[type, Callable[[Any], None]] = {
            BookChanged: self._book,
            PublicTraded: self._prints,
            TickerChanged: self._ticker,
            LinkChanged: self._link,
            StreamChanged: self._stream,
            Woken: self._woken,
            ClockMeasured: self.places.on_clock,
            _Request: self._request,
        }

    def apply(self, record: Record) -> None:
        """Take one record. Total: those that say nothing about execution are passed over."""
        self._heard_ns = record.ts_ns
        self._until(record.ts_ns - HOLD_NS)
        handler = self._handlers.get(type(record))
        if handler is not None:
            handler(record)
        self.ts_ns = record.ts_ns

    def settle(self) -> None:
        """Compare up to the newest record: nothing more is told for now."""
        self._until(self.ts_ns)
        self._judge(self.ts_ns)

    def forget(self) -> None:
        """Begin to count anew; orders that work are left out."""
        self.settle()
        self.cells = Cells()
        self.beyond = 0
        for live in self._open.values():
            live.void = live.void or Void.CUT

    @property
    def unjudged(self) -> dict[Key, int]:
        """Return how many orders still work, live or on paper, or may have news."""
        found: dict[Key, int] = {}
        for live in self._open.values():
            if live.void is None:
                key = _key(live)
                found[key] = found.get(key, 0) + 1
        return found

    @property
    def missing_prints(self) -> int:
        """Return how many executions of ours were on no tape."""
        return sum(feed.prints.missing for feed in self._feeds.values())

    # ---- taken at once ----

    def _sent(self, record: OrderSent) -> None:
        self._live.apply(record)
        live = self._live.of.get(record.client_order_id)
        if live is None or live.terms.instrument not in self.places.instruments:
            return
        if record.action == "amend" and live.amend is not None:
            new = Terms(live.amend.price_ticks, live.amend.qty_lots, live.amend.trigger_ticks)
        else:
            new = NO_TERMS
        self._line.append(_Request(record.ts_ns, record.action, live, new))

    def _reported(self, record: OrderReported) -> None:
        feed = self._feed(record.instrument)
        if feed is not None and record.venue_order_id:
            feed.own.on_reported(record)
        self._live.apply(record)

    def _executed(self, record: ExecutionReported) -> None:
        if record.kind != _TRADED or not self._live.executed(record):
            return
        feed = self._feed(record.instrument)
        if feed is not None:
            feed.on_executed(record)

    def _listed(self, record: InstrumentListed) -> None:
        self.settle()
        regrid = self.places.on_listed(record)
        if regrid.is_needed:
            name = record.instrument.name
            self._live.regrid(name, regrid)
            self._feeds.pop(name, None)
            for run in self._runs:
                run.drop(name)

    def _configured(self, record: Configured) -> None:
        self.settle()
        self.places.on_configured(record)
        self.settings = from_text(record.settings)
        self._configure()

    def _lease(self, record: LeaseTaken) -> None:
        self.settle()
        self._live.tag(record.tag)
        self.places.on_lease(record, self.ts_ns)
        self._blind(list(self.places.of))

    def _clock(self, record: ClockMeasured) -> None:
        self._live.offset_ns = record.offset_ns
        self._line.append(record)

    # ---- after the delay line ----

    def _until(self, ts_ns: int) -> None:
        line = self._line
        while line and line[0].ts_ns <= ts_ns:
            event = line.popleft()
            if self._open:
                if event.ts_ns - self._looked_ns >= _LOOK_NS:
                    self._judge(event.ts_ns)
                for run in self._runs:
                    run.until(event.ts_ns)
            self._delayed[type(event)](event)

    def _request(self, asked: _Request) -> None:
        live, ts_ns = asked.live, asked.ts_ns
        terms, order_id = live.terms, live.terms.client_order_id
        if asked.action == "create":
            if len(self._open) >= MOST:
                self.beyond += 1
                self._live.of.pop(order_id, None)
                return
            self.cells[_key(live)].orders += 1
            self._open[order_id] = live
            feed = self._feed(terms.instrument)
            if feed is None or not feed.is_whole:
                live.void = live.void or Void.BLIND
        if order_id not in self._open or live.void is not None:
            return
        self._ask(live, asked.action, ts_ns, asked.new)

    def _ask(self, live: Live, action: str, ts_ns: int, new: Terms) -> None:
        """Ask every run for the same."""
        order_id = live.terms.client_order_id
        for run in self._runs:
            latency_ns = self._delay(live) if run.latency_ns == MEASURED else run.latency_ns
            if action == "create":
                run.place(live.terms, ts_ns, latency_ns)
            elif action == "amend":
                run.amend(order_id, new, ts_ns, latency_ns)
            elif action == "cancel":
                run.cancel(order_id, ts_ns, latency_ns)

    def _delay(self, live: Live) -> int:
        """Return how long a request took, where it was told; else what the newest one took."""
        name = live.terms.instrument
        if live.listed_ns:
            self._latency_ns[name] = live.listed_ns - live.sent_ns
        return self._latency_ns.get(name, self.settings.timing.paper_latency_ns)

    def _book(self, record: BookChanged) -> None:
        feed = self._feed(record.instrument)
        if feed is None:
            return
        self.places.on_book(record, feed.middles)
        if record.depth != DEPTH:
            return
        if not feed.is_whole:
            self._blind([record.instrument])
            return
        change = feed.on_book(record)
        for run in self._runs:
            run.on_book(change)

    def _prints(self, record: PublicTraded) -> None:
        feed = self._feed(record.instrument)
        if feed is None:
            return
        feed.market.on_public_trade(record, self.places.offset_ns)
        strict, flow = feed.on_public_trade(record)
        ticks = int(feed.market.last * feed.market.scale + 0.5)
        for run in self._runs:
            rows = strict if run is self._main else flow
            run.on_public_trade(record.instrument, rows, record.ts_ns)
            run.on_price(record.instrument, "last", ticks, record.ts_ns)

    def _ticker(self, record: TickerChanged) -> None:
        feed = self._feed(record.instrument)
        if feed is None:
            return
        market = feed.market
        market.on_ticker(record, self.places.offset_ns)
        for by, price in (("mark", market.mark), ("last", market.last)):
            ticks = int(price * market.scale + 0.5)
            for run in self._runs:
                run.on_price(record.instrument, by, ticks, record.ts_ns)

    def _link(self, record: LinkChanged) -> None:
        self.places.on_link(record)
        kind, _, category = record.link.partition(".")
        if kind == "public" and not record.is_up:
            self._blind([name for name in self.places.of if name.startswith(f"{category}:")])

    def _stream(self, record: StreamChanged) -> None:
        self.places.on_stream(record)
        if record.is_void and record.stream in _CARRIED:
            self._blind([record.instrument])

    def _woken(self, record: Woken) -> None:
        self.places.on_woken(record)
        self._blind(list(self.places.of))

    # ---- inside ----

    def _judge(self, now_ns: int) -> None:
        """Compare what is over on both sides; end what has no reason to go on."""
        self._looked_ns = now_ns
        for run in self._runs:
            run.until(now_ns)
        for order_id, live in list(self._open.items()):
            if live.void is None:
                if not live.end_ns or live.end_ns > min(now_ns, self._heard_ns - HOLD_NS):
                    continue  # it works, or may have news
                is_late = now_ns - live.end_ns >= PATIENCE_NS
                if live.kind is Kind.RESTS and not (live.is_whole or live.is_cancelled):
                    live.is_cancelled = True  # the venue ended it by itself, and so do we
                    self._ask(live, "cancel", live.end_ns, NO_TERMS)
                    for run in self._runs:
                        run.until(now_ns)
                if not is_late and not all(run.is_over(order_id) for run in self._runs):
                    continue
            self._conclude(order_id, live)

    def _conclude(self, order_id: str, live: Live) -> None:
        cell, terms = self.cells[_key(live)], live.terms
        if live.void is Void.CUT:
            pass
        elif live.void is not None:
            cell.void(live.void)
        else:
            worth = self.places.instruments[terms.instrument].cash_per_tick_lot
            paper = self._main.filled[order_id]
            cell.add(terms.side.sign, live.qty_lots, live.filled, paper, worth)
            if live.listed_ns:
                cell.latency.add(live.listed_ns - live.sent_ns)
            for pairs, run in zip(cell.by_share, self._others, strict=True):
                pairs.add(live=live.filled.lots > 0, paper=run.filled[order_id].lots > 0)
        del self._open[order_id]
        self._live.of.pop(order_id, None)
        for run in self._runs:
            run.forget(order_id)

    def _blind(self, names: list[str]) -> None:
        """Take it that what happened there was not seen."""
        blind = frozenset(names)
        for live in self._open.values():
            if live.terms.instrument in blind:
                live.void = live.void or Void.BLIND
        for name in names:
            for run in self._runs:
                run.drop(name)

    def _feed(self, name: str) -> Feed | None:
        found = self._feeds.get(name)
        if found is None and name in self.places.of:
            found = self._feeds[name] = Feed(self.places.of[name])
        return found

    def _run(self, queue_ppm: int) -> Run:
        return Run(MEASURED, queue_ppm, self._rows, self._instrument)

    def _rows(self, name: str) -> tuple[MarketRows, MarketRows]:
        feed = self._feed(name)
        return feed.rows() if feed is not None else ([], [])

    def _instrument(self, name: str) -> Instrument:
        return self.places.instruments[name]

    def _configure(self) -> None:
        timing: Timing = self.settings.timing
        latency_ns, queue_ppm = self.model
        self._main.latency_ns = timing.paper_latency_ns if latency_ns is None else latency_ns
        self._main.set_queue(timing.paper_queue_ppm if queue_ppm is None else queue_ppm)

    def _table(self) -> dict[type[Record], Callable[[Any], None]]:
        waits = (BookChanged, PublicTraded, TickerChanged, LinkChanged, StreamChanged, Woken)
        table: dict[type[Record], Callable[[Any], None]] = dict.fromkeys(
            self._live.handled, self._live.apply
        )
        table |= dict.fromkeys(waits, self._line.append)
        return table | {
            OrderSent: self._sent,
            OrderReported: self._reported,
            ExecutionReported: self._executed,
            InstrumentListed: self._listed,
            Configured: self._configured,
            LeaseTaken: self._lease,
            ClockMeasured: self._clock,
        }


def _key(live: Live) -> Key:
    return Key(live.terms.owner, live.terms.instrument, live.kind)
