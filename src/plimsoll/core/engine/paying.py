"""Funding on paper: every position pays or receives at its instrument's own funding times.

While tickers come, a moment is paid by what they told last before it. Time that nobody listened to
(the engine was down, the ticker silent) is put on record as owed, with the position of that time,
and the venue is asked for what happened in it. ``Position.funded_ms`` says how far a position is
settled; it never goes back, and a position changes only once it is settled: so that each moment is
paid once, whatever is killed when.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.facts import FundingOwed
from plimsoll.core.engine.state import State
from plimsoll.core.feed import Market
from plimsoll.core.model import Position
from plimsoll.core.portfolio import funding_units, mark_e8_of, rate_e12_of
from plimsoll.core.records import (
    FundingReported,
    IncidentRaised,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
    QueryAnswered,
    QueryIntended,
    Record,
)
from plimsoll.core.settings import Timing

GAP_NS: Final = 10_000_000_000
"""A ticker silent for longer may have missed a funding time."""

LOOK_NS: Final = 1_000_000_000
"""What is owed is looked at so often."""

TOLD_NS: Final = 600_000_000_000
"""What is owed for longer is an incident."""

_MS: Final = 1_000_000


class _Clock:
    """What the ticker of an instrument told last."""

    __slots__ = (
        "blind_ns",
        "heard_ns",
        "is_known",
        "mark",
        "next_ms",
        "paid_ms",
        "rate",
        "since_ns",
    )

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        """Heard without a gap since then: what was told before may have changed unheard."""
        self.blind_ns = since_ns
        """Since when no funding time is known, while none is."""
        self.is_known = False
        """Whether mark price and rate were told since the gap."""
        self.heard_ns = 0
        self.mark = 0.0
        self.rate = 0.0
        self.next_ms = 0
        """The next funding time, 0 = not told."""
        self.paid_ms = 0
        """The newest one that is handled."""

    def hear(self, market: Market, now_ns: int) -> None:
        """Take over what a ticker told (hot)."""
        self.mark, self.rate, self.heard_ns = market.mark, market.funding_rate, now_ns
        self.is_known = market.rate_ns >= self.since_ns and market.mark_ns >= self.since_ns


class Paying:
    """Pays for all paper instances."""

    def __init__(self, state: State, timing: Timing) -> None:
        """Share the engine's state."""
        self.state = state
        self.lag_ns = timing.funding_lag_ns
        self.clocks: dict[str, _Clock] = {}
        self.looked_ns = 0
        self.asked: dict[int, int] = {}
        """When what is owed was asked for last, by its seq."""
        self.queries: dict[int, int] = {}
        """Open queries, and the seq of what they ask for."""
        self.found: dict[int, list[FundingReported]] = {}
        self.told: set[int] = set()

    # ---- what the market says ----

    def on_ticker(self, market: Market) -> Iterator[Record] | None:
        """Take over what a ticker told; a funding time that lies behind it comes first (hot)."""
        name, now_ns = market.instrument.name, self.state.ts_ns
        clock = self.clocks.get(name)
        if clock is not None and market.next_funding_ms == clock.next_ms:
            if now_ns - clock.heard_ns <= GAP_NS and not self._is_due(clock):
                clock.hear(market, now_ns)
                return None
        elif not market.next_funding_ms or market.instrument.is_spot:
            return None
        return self._caught_up(name)

    def on_time(self) -> Iterator[Record]:
        """Pay where a funding time has come, ask for what is owed."""
        for name, clock in self.clocks.items():
            if self._is_due(clock):
                yield from self._at_moment(name, clock)
        owed_now, now_ns = self.state.funding_owed, self.state.ts_ns
        if not owed_now or now_ns - self.looked_ns < LOOK_NS:
            return
        self.looked_ns = now_ns
        for seq, owed in list(owed_now.items()):
            yield from self._ask(seq, owed)

    def next_due_ns(self) -> int:
        """Return when the next funding time comes, 0 = none is known."""
        if not self.clocks:
            return 0
        offset = self.state.safety.clock_offset_ns
        dues = [one.next_ms * _MS - offset for one in self.clocks.values() if one.next_ms]
        return min(dues, default=0)

    def before_fill(self, name: str) -> Iterator[Record]:
        """Settle an instrument up to now: what is held is about to change."""
        clock, now_ns = self.clocks.get(name), self.state.ts_ns
        is_blind = clock is not None and not clock.next_ms and now_ns - clock.blind_ns > GAP_NS
        if clock is None or is_blind or now_ns - clock.heard_ns > GAP_NS:
            yield from self._owe(name)
        elif self._is_due(clock):
            yield from self._at_moment(name, clock)

    # ---- what the venue says of the past ----

    def owns(self, query_id: int) -> bool:
        """Return whether a query is about what is owed."""
        return query_id in self.queries

    def on_funding(self, record: FundingReported) -> Iterator[Record]:
        """Keep a row of an answer; in a backtest pay it at once."""
        if record.query_id in self.queries:
            self.found.setdefault(record.query_id, []).append(record)
        elif not record.query_id:
            for owner, held in self._holders(record.instrument):
                terms = (record.funding_ms, held.qty_units, record.mark_e8, record.rate_e12)
                yield self._paid(owner, record.instrument, *terms)

    def answered(self, answer: QueryAnswered) -> Iterator[Record]:
        """Pay what the venue says lay in a span, each moment once."""
        seq = self.queries.pop(answer.query_id)
        rows = self.found.pop(answer.query_id, [])
        owed = self.state.funding_owed.get(seq)
        if owed is None or not answer.is_ok:
            return  # asked again in a while
        self.asked.pop(seq, None)
        self.told.discard(seq)
        for row in sorted(rows, key=lambda one: one.funding_ms):
            if row.instrument == owed.instrument and row.funding_ms > owed.since_ms:
                if row.funding_ms > owed.until_ms:
                    break
                terms = (row.funding_ms, owed.qty_units, row.mark_e8, row.rate_e12)
                yield self._paid(owed.owner, owed.instrument, *terms, seq)
        yield PaperFundingSettled(*self.state.stamp(), seq)

    # ---- inside ----

    def _is_due(self, clock: _Clock) -> bool:
        return bool(clock.next_ms) and self.state.venue_ms >= clock.next_ms

    def _holders(self, name: str) -> list[tuple[str, Position]]:
        state = self.state
        return [
            (owner, held)
            for (owner, other), held in state.ledger.positions.items()
            if other == name and held.qty_units and owner in state.paper_owners
        ]

    def _caught_up(self, name: str) -> Iterator[Record]:
        state, market = self.state, self.state.markets[name]
        clock, now_ns = self.clocks.get(name), state.ts_ns
        if clock is None or now_ns - clock.heard_ns > GAP_NS:
            yield from self._owe(name)  # nobody knows what was between
            clock = self.clocks[name] = _Clock(now_ns)
            clock.paid_ms = state.venue_ms
        elif self._is_due(clock):
            yield from self._at_moment(name, clock)
        is_ahead = market.next_funding_ms > clock.paid_ms
        if is_ahead and not clock.next_ms and now_ns - clock.blind_ns > GAP_NS:
            yield from self._owe(name)  # a time may have come that was never told
        clock.next_ms = market.next_funding_ms if is_ahead else 0
        clock.hear(market, now_ns)

    def _at_moment(self, name: str, clock: _Clock) -> Iterator[Record]:
        """Pay a funding time that has just come by what was told last; owe it if that is old."""
        at_ms, clock.next_ms = clock.next_ms, 0
        clock.paid_ms, clock.blind_ns = at_ms, self.state.ts_ns
        if self.state.ts_ns - clock.heard_ns > GAP_NS or not clock.is_known:
            yield from self._owe(name)
            return
        terms = mark_e8_of(clock.mark), rate_e12_of(clock.rate)
        for owner, held in self._holders(name):
            if held.funded_ms < at_ms:
                yield self._paid(owner, name, at_ms, held.qty_units, *terms)

    def _paid(
        self,
        owner: str,
        name: str,
        at_ms: int,
        qty_units: int,
        mark_e8: int,
        rate_e12: int,
        owed: int = 0,
    ) -> PaperFunded:
        paid = funding_units(qty_units, mark_e8, rate_e12)
        coin = self.state.instruments[name].settle
        stamp = self.state.stamp()
        return PaperFunded(
            *stamp, owner, name, at_ms, qty_units, mark_e8, rate_e12, paid, coin, owed
        )

    def _owe(self, name: str) -> Iterator[Record]:
        """Put on record that nobody knows what was paid since a position was settled last.

        Where nobody can be asked either (``funding_lag_ns`` 0: a recording) nothing is owed.
        One of a journal that knew no funding begins here: what was before nobody charged.
        """
        now_ms = self.state.venue_ms
        for owner, held in self._holders(name) if self.lag_ns else ():
            if held.funded_ms < now_ms:
                since_ms = held.funded_ms or now_ms
                terms = (since_ms, now_ms, held.qty_units)
                yield PaperFundingOwed(*self.state.stamp(), owner, name, *terms)

    def _ask(self, seq: int, owed: FundingOwed) -> Iterator[Record]:
        state = self.state
        if owed.since_ms == owed.until_ms:
            yield PaperFundingSettled(*state.stamp(), seq)
            return
        age_ns = (state.venue_ms - owed.until_ms) * _MS
        if age_ns > TOLD_NS and seq not in self.told:
            self.told.add(seq)
            text = f"{owed.owner}: fundings since {owed.since_ms} ms are owed and not known yet"
            yield IncidentRaised(*state.stamp(), "paper_funding_owed", owed.instrument, text)
        if age_ns < self.lag_ns:
            return  # the newest one may not be listed yet
        if state.ts_ns - self.asked.get(seq, 0) < self.lag_ns:
            return
        for query_id in [one for one, about in self.queries.items() if about == seq]:
            del self.queries[query_id]  # never answered
            self.found.pop(query_id, None)
        instrument = state.instruments.get(owed.instrument)
        if instrument is None:
            return
        stamp = state.stamp()
        self.asked[seq], self.queries[stamp[0]] = state.ts_ns, seq
        yield QueryIntended(
            *stamp,
            stamp[0],
            "funding",
            instrument.category,
            instrument.settle,
            instrument.name,
            "",
            owed.since_ms,
        )
