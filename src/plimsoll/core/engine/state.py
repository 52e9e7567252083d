"""``apply``, the first door: a total, strategy-free function of the records over the facts.

How a record changes what is known stands in ``applying``, by what it is about; records about one
thing alone go straight to it.
"""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.applying import Guards, Markets, Money, Orders, Sessions
from plimsoll.core.engine.facts import Facts
from plimsoll.core.records import (
    Blocked,
    BookChanged,
    ClockMeasured,
    DifferenceFound,
    HealthMeasured,
    LimitsChanged,
    Observed,
    ObservingEnded,
    OrderMoved,
    OrderSent,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
    RateMeasured,
    Rearmed,
    Record,
    Released,
    SignalReceived,
    SpaceChanged,
    WalletDoubted,
)
from plimsoll.core.settings import CoreSettings


class State(Facts):
    """The facts, and how they change."""

    def __init__(self) -> None:
        """Start before the first record."""
        super().__init__()
        self._sessions = Sessions(self)
        self._handlers = self._table()

    def apply(self, record: Record) -> None:
        """Change state by one record. Total: no record of this build is refused."""
        self.seq = record.seq
        self.ts_ns = record.ts_ns
        kind = type(record)
        self.tally[kind] = self.tally.get(kind, 0) + 1
        if kind is BookChanged:  # hot: most records are
            market = self.markets.get(record.instrument)  # type: ignore[attr-defined]
            if market is not None:
                market.on_book(record, self.safety.clock_offset_ns)  # type: ignore[arg-type]
            return
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(record)

    def count(self, kind: type[Record], times: int) -> None:
        """Count inputs whose effect was brought about in one go (``QuietBars``)."""
        if times:
            self.tally[kind] = self.tally.get(kind, 0) + times

    def resume(self, configured: CoreSettings, codes: dict[str, str]) -> None:
        """Go on inside a session: its configuration, and the code that was replaced since."""
        self._sessions.resume(configured, codes)

    def _table(self) -> dict[type[Record], Callable[[Any], None]]:
        orders, safety = self.orders, self.safety
        return {
            ClockMeasured: safety.on_clock,
            SpaceChanged: safety.on_space,
            HealthMeasured: self.health.on_measured,
            LimitsChanged: self.limits.on_changed,
            ProtectionWished: self.protections.wished,
            ProtectionIntended: self.protections.intended,
            ProtectionAnswered: self.protections.answered,
            OrderSent: orders.sent,
            RateMeasured: self.rates.on_measured,
            DifferenceFound: self.differences.append,
            OrderMoved: orders.move,
            Blocked: safety.on_blocked,
            Released: safety.on_released,
            Observed: safety.on_observed,
            ObservingEnded: safety.on_observing_ended,
            WalletDoubted: safety.on_wallet_doubted,
            Rearmed: safety.on_rearmed,
            SignalReceived: self.changes.on_signal,
            **self._sessions.table(),
            **Markets(self).table(),
            **Orders(self).table(),
            **Money(self).table(),
            **Guards(self).table(),
        }
