"""The safety half of ``decide``: who looks at which record, and in which order at each beat.

Unknown outcomes (``inquiring``), reconciliation (``comparing``), market data (``doubting``), halts
and commands (``halting``). None of them ever places an order on its own: they ask, cancel, block,
halt and tell.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.engine.doubting import Doubting
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.inquiring import Inquiring, block
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.execution import UNKNOWN_OWN
from plimsoll.core.portfolio import KNOWN_KINDS
from plimsoll.core.records import (
    EquityMeasured,
    ExecutionReported,
    IncidentRaised,
    LinkChanged,
    OrderReported,
    PositionReported,
    QueryAnswered,
    Record,
    WalletReported,
)
from plimsoll.core.settings import CoreSettings

MEASURE_NS: Final = 1_000_000_000
"""Equity is measured once a second (trading.md 4)."""


class Keeper:
    """Watches every order until its fate is known and the books until they agree."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.inquiring = Inquiring(state, settings, placer)
        self.comparing = Comparing(state, settings, self.inquiring.inquiries)
        self.doubting = Doubting(state, settings.timing.doubt_ns)
        self.halting = Halting(state, settings, placer)
        self.measured_ns = 0

    # ---- what the venue says ----

    def on_link(self, link: LinkChanged) -> Iterator[Record]:
        """Losing the trade link loses the answers on it; a new private link starts a comparison."""
        if link.link == "trade" and not link.is_up:
            yield from self.inquiring.on_trade_down()
        if link.link == "private":
            self.inquiring.inquiries.reset()
            self.comparing.abandon()
            if link.is_up:
                yield from self.comparing.start("private link up")

    def on_report(self, record: OrderReported) -> None:
        """Take what the venue says of an order: it may be what a round or an inquiry waits for."""
        self.comparing.collect(record, is_new=False)
        self.inquiring.on_report(record)

    def on_execution(self, record: ExecutionReported) -> Iterator[Record]:
        """Block the instrument of an execution the ledger cannot book (ACC-3)."""
        is_new = any(news is record for _, news in self.state.news)
        self.comparing.collect(record, is_new=is_new)
        if record.kind not in KNOWN_KINDS and record.instrument not in self.state.safety.blocks:
            kind = f"unknown execution type {record.kind!r}"
            yield from block(self.state, record.instrument, kind)

    def on_statement(self, record: PositionReported | WalletReported) -> None:
        """Take what the venue says of a position or balance."""
        self.comparing.collect(record, is_new=False)
        if isinstance(record, PositionReported) and record.source == "stream":
            self.comparing.on_position(record)

    def on_query(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of a query: a comparison's, or an inquiry's."""
        if not self.comparing.owns(answer.query_id):
            yield from self.inquiring.on_query(answer)
            return
        yield from self.comparing.answered(answer)
        if self.state.safety.is_reconciled and not self.state.losses.is_known:
            yield from self._measure()  # before any strategy may ask for an order

    def on_contradictions(self) -> Iterator[Record]:
        """Block and tell where evidence contradicted what was certain (ORD-6, ORD-7)."""
        state = self.state
        found, state.orders.contradictions = state.orders.contradictions, []
        for order, text in found:
            if order.is_paper:
                continue
            yield IncidentRaised(*state.stamp(), "contradiction", order.id, text)
            if order.instrument not in state.safety.blocks:
                yield from block(state, order.instrument, f"order {order.id}: {text}")
            if text == UNKNOWN_OWN:
                yield from self.halting.on_unknown_own(order)

    # ---- time ----

    def on_time(self) -> Iterator[Record]:
        """Look at everything that follows from time passing."""
        state = self.state
        yield from self.inquiring.on_time()
        if state.ts_ns - self.measured_ns >= MEASURE_NS:
            yield from self._measure()
        yield from self.halting.on_time()
        yield from self.comparing.on_time()
        if not state.safety.is_stopping:
            yield from self.doubting.on_time()

    # ---- inside ----

    def _measure(self) -> Iterator[Record]:
        state = self.state
        if not state.safety.is_reconciled and not state.ledger.cash:
            return
        equity = state.account_equity()
        if equity is not None:
            self.measured_ns = state.ts_ns
            yield EquityMeasured(*state.stamp(), equity)
