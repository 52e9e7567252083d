"""The safety half of ``decide``: who looks at which record, and in which order at each beat.

Unknown outcomes (``inquiring``), reconciliation (``comparing``), market data (``doubting``), halts
(``halting``), flattens (``flattening``), circuit breakers (``breaking``), habits (``noticing``),
equity and margin (``measuring``). Only a flatten ever places an order, and only where a person or
the end policy asked for it: the others ask, cancel, block, halt and tell.
"""

from collections.abc import Iterator

from plimsoll.core.engine.adopting import Adopting
from plimsoll.core.engine.breaking import Breaking
from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.engine.disconnecting import CANCEL, Disconnecting
from plimsoll.core.engine.doubting import Doubting
from plimsoll.core.engine.explaining import Explaining
from plimsoll.core.engine.flattening import Flattening
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.inquiring import Inquiring, block
from plimsoll.core.engine.measuring import Measuring
from plimsoll.core.engine.noticing import Noticing
from plimsoll.core.engine.outsiders import Outsiders
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.protecting import Protecting
from plimsoll.core.engine.reviewing import Reviewing
from plimsoll.core.engine.state import State
from plimsoll.core.engine.straying import Straying
from plimsoll.core.engine.switching import Switching
from plimsoll.core.execution.rounds import is_new_order
from plimsoll.core.portfolio import KNOWN_KINDS
from plimsoll.core.records import (
    CashMoved,
    ExecutionReported,
    IncidentRaised,
    LinkChanged,
    OrderReported,
    OutcomeLost,
    PositionReported,
    QueryAnswered,
    RateMeasured,
    Record,
    RequestAnswered,
    WalletReported,
    Woken,
)
from plimsoll.core.settings import CoreSettings


class Keeper:
    """Watches every order until its fate is known and the books until they agree."""

    def __init__(
        self, state: State, settings: CoreSettings, placer: Placer, protecting: Protecting
    ) -> None:
        """Share the engine's state."""
        self.state = state
        self.inquiring = Inquiring(state, settings, placer)
        self.explaining = Explaining(state, settings)
        self.comparing = Comparing(state, settings, self.inquiring.inquiries, self.explaining)
        self.doubting = Doubting(state, settings.timing.doubt_ns)
        self.halting = Halting(state, settings, placer)
        self.outsiders = Outsiders(state)
        self.adopting = Adopting(state, settings)
        self.flattening = Flattening(state, placer)
        self.switching = Switching(state, self.halting, self.flattening, protecting)
        self.straying = Straying(state, settings, self.inquiring)
        self.breaking = Breaking(state, settings, placer)
        self.noticing = Noticing(state, settings)
        self.measuring = Measuring(state, settings)
        self.reviewing = Reviewing(state)
        self.disconnecting = Disconnecting(state, self.comparing, self.halting)

    def take_over(self) -> Iterator[Record]:
        """Begin a session: what earlier ones left open is lost, or told now."""
        yield from self.inquiring.take_over()
        yield from self.outsiders.on_start()
        yield from self.flattening.on_begin()
        yield from self.switching.on_begin()

    # ---- what the venue says ----

    def on_link(self, link: LinkChanged) -> Iterator[Record]:
        """Losing the trade link loses the answers on it; a new private link starts a comparison."""
        if link.link == "trade" and not link.is_up:
            yield from self._counted(self.inquiring.on_trade_down())
        if link.link == "private":
            self.halting.sweeping.on_link()
            self.inquiring.inquiries.reset()
            self.comparing.abandon()
            if link.is_up:
                yield from self.comparing.start("private link up")

    def on_woken(self, woken: Woken) -> Iterator[Record]:
        """Begin anew after a pause: whatever was under way belongs to another time (P7)."""
        state = self.state
        text = f"the loop stood still for {woken.gap_ns / 1e9:.1f} s; no new risk until compared"
        yield IncidentRaised(*state.stamp(), "paused", "", text)
        self.inquiring.inquiries.reset()
        self.comparing.abandon()
        if state.safety.links.get("private"):
            yield from self.comparing.start("woken")

    def on_answer(self, answer: RequestAnswered) -> Iterator[Record]:
        """Take the venue's answer to one of our requests."""
        yield from self.inquiring.on_answer(answer)
        yield from self.breaking.on_answer(answer)
        yield from self.switching.on_order()

    def on_rate(self, measured: RateMeasured) -> None:
        """Take what an answer said of our rate."""
        self.breaking.on_rate(measured)

    def on_report(self, record: OrderReported) -> Iterator[Record]:
        """Take what the venue says of an order: it may be what a round or an inquiry waits for."""
        order = self.state.orders.of_venue(record.client_order_id, record.venue_order_id)
        self.comparing.collect(record, is_new=is_new_order(order, record))
        self.halting.sweeping.on_report(record)
        yield from self.inquiring.on_report(record)
        yield from self.breaking.on_report(record)
        if CANCEL in record.reason:
            yield from self.disconnecting.on_report(record)
        yield from self.switching.on_order()

    def on_execution(self, record: ExecutionReported) -> Iterator[Record]:
        """Block the instrument of an execution the ledger cannot book (ACC-3)."""
        is_new = any(news is record for _, news in self.state.news)
        self.comparing.collect(record, is_new=is_new)
        yield from self.outsiders.on_execution(record)
        if record.kind not in KNOWN_KINDS and record.instrument not in self.state.safety.blocks:
            kind = f"unknown execution type {record.kind!r}"
            yield from block(self.state, record.instrument, kind)
        yield from self.breaking.on_execution(record, is_new=is_new)
        yield from self.switching.on_order()

    def on_statement(self, record: PositionReported | WalletReported) -> None:
        """Take what the venue says of a position or balance."""
        self.comparing.collect(record, is_new=False)
        if isinstance(record, PositionReported) and record.source == "stream":
            self.comparing.on_position(record)
            self.breaking.on_position(record)

    def on_cash(self, record: CashMoved) -> Iterator[Record]:
        """Follow up a row of the venue's transaction log."""
        self.comparing.collect(record, is_new=any(row is record for row, _ in self.state.moved))
        yield from self.explaining.on_cash()

    def on_query(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of a query: a comparison's, a sweep's, a measurement's or an inquiry's."""
        self.breaking.on_query(answer)
        if self.measuring.owns(answer.query_id):
            self.measuring.answered(answer)
            return
        if self.halting.sweeping.owns(answer.query_id):
            yield from self.halting.sweeping.answered(answer)
            return
        if not self.comparing.owns(answer.query_id):
            yield from self.inquiring.on_query(answer)
            return
        yield from self.comparing.answered(answer)
        if self.state.safety.is_reconciled and not self.state.losses.is_known:
            yield from self.measuring.measure()  # before any strategy may ask for an order
        if self.state.safety.is_reconciled:
            self.halting.on_reconciled()

    def on_contradictions(self) -> Iterator[Record]:
        """Block and tell where evidence contradicted what was certain (ORD-6, ORD-7)."""
        state = self.state
        found, state.orders.contradictions = state.orders.contradictions, []
        for one in found:
            if one.order.is_paper:
                continue
            yield from self.straying.on_contradiction(one)
            if one.is_intruder:
                yield from self.halting.on_unknown_own(one.order)

    # ---- time ----

    def on_time(self) -> Iterator[Record]:
        """Look at everything that follows from time passing."""
        state = self.state
        yield from self._counted(self.inquiring.on_time())
        yield from self.measuring.on_time()
        yield from self.breaking.on_time()
        yield from self.noticing.on_time()
        yield from self.reviewing.on_time()
        yield from self.halting.on_time()
        yield from self.explaining.on_time()
        yield from self.flattening.on_time()
        yield from self.switching.on_time()
        yield from self.comparing.on_time()
        if not state.safety.is_stopping:
            yield from self.doubting.on_time()

    @property
    def is_idle(self) -> bool:
        """Return whether time matters to nobody but those who look at profits and markets.

        No order works and nothing is asked, swept, flattened or explained. So it is in a backtest
        while nothing is on its way.
        """
        state, inquiring = self.state, self.inquiring
        return not (
            state.orders.working
            or state.trips.active
            or state.flattens
            or state.modes.live_owners
            or state.stages
            or state.ledger.cash
            or state.safety.links.get("private")
            or state.safety.is_reconciled
            or state.safety.is_stopping
            or inquiring.placer.waiting
            or inquiring.inquiries.open
            or inquiring.leads
            or inquiring.stuck
            or self.halting.sweeping.is_open
            or self.explaining.unvalued
            or self.explaining.large_ns
        )

    def on_idle(self) -> Iterator[Record] | None:
        """Do what is left of ``on_time`` where ``is_idle``.

        Returns:
            What is decided, ``None`` where nothing is.
        """
        news = self.measuring.news()
        if news:
            return self._told(news)
        return self.on_told()

    def on_told(self) -> Iterator[Record] | None:
        """Do what is left of ``on_idle`` once profits are recorded."""
        self.halting.on_idle()
        if self.breaking.is_curious or self.noticing.is_curious or self.doubting.doubts():
            return self._looked()
        self.breaking.on_idle()
        return None

    # ---- inside ----

    def _told(self, news: list[tuple[str, int]]) -> Iterator[Record]:
        yield from self.measuring.tell(news)
        yield from self.on_told() or ()

    def _looked(self) -> Iterator[Record]:
        if self.breaking.is_curious:
            yield from self.breaking.on_time()
        else:
            self.breaking.on_idle()
        if self.noticing.is_curious:
            yield from self.noticing.on_time()
        if self.doubting.doubts():
            yield from self.doubting.on_time()

    def _counted(self, decisions: Iterator[Record]) -> Iterator[Record]:
        """Pass decisions on; what was lost counts as an error of its group of requests."""
        for decision in decisions:
            yield decision
            if isinstance(decision, OutcomeLost):
                self.breaking.on_lost(decision)
