"""The loop: stamp, log, apply, decide, log, send. The only place that touches all the ports.

Everything runs inside the event loop's callbacks, one input at a time, without a queue between a
frame and the order it leads to. What the gateway did becomes the next inputs.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from plimsoll.core.engine import Core
from plimsoll.core.records import (
    FRAME_KIND,
    RECORD_KIND,
    AmendIntended,
    CancelIntended,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LinkChanged,
    MarketInput,
    OrderIntended,
    OrderSent,
    QueryIntended,
    Record,
    RequestAnswered,
    SendRefused,
    SessionEnded,
    StrategyStopped,
    Telemetry,
    TimerFired,
    encode,
)
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.gateway import Gateway
from plimsoll.engine.metering import Meter
from plimsoll.journal import Journal, JournalError
from plimsoll.observe import Log
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.ports import Sent
from plimsoll.venues.bybit.public import PublicParser

LINK_BYTES: Final = tuple(bytes([link]) for link in range(16))
"""The byte before a raw frame in the market log, by link index."""

STANDSTILL_NS: Final = 2_000_000_000
"""There is an input at each quarter second. Where none was taken for so long the process stood
still, or its machine did, and all it holds for true is as old (reliability P7)."""


class Engine:
    """Drives one core. Implements the venue's ``Inbox``."""

    def __init__(
        self,
        core: Core,
        journal: Journal,
        clock: EngineClock,
        epoch: int,
        parsers: dict[int, PublicParser],
        log: Log,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Start behind the journal's last record; the gateway comes with ``connect``."""
        self.core = core
        self.meter = Meter()
        self.seq = journal.last_seq
        self.wake_ns = 0
        """When the core wants to be woken; the process arms a timer for it."""
        self.on_wake: Callable[[int], None] = lambda _due: None
        self.on_unreadable: Callable[[int], None] = lambda _link: None
        """Called with a link whose frame could not be understood: the book behind it has a hole."""
        self.on_standstill: Callable[[int], None] = lambda _missed_ns: None
        """Called before the first input after a standstill, with its length."""
        self._trading = journal.trading
        self._market = journal.market
        self._clock = clock
        self._epoch = epoch
        self._safety = core.safety
        self._parse = {link: parser.parse for link, parser in parsers.items()}
        self._log = log
        self._fail = on_failure
        self._is_over = False
        """Nothing may follow ``SessionEnded`` but telemetry."""
        self._is_closed = False
        self._received_ns = 0
        self._last_ns = clock.now_ns()
        """When the newest input from outside came."""
        self._pending: deque[Callable[[], Record]] = deque()
        self._query: Callable[[QueryIntended], None] = lambda _query: None
        self._senders: dict[type[Record], Callable[[Any], Sent | str]] = {}
        self._effects: dict[type[Record], Callable[[Any], None]] = {
            LinkChanged: log.link_changed,
            IncidentRaised: log.incident,
            Halted: log.halted,
            StrategyStopped: log.strategy_stopped,
            RequestAnswered: self.meter.answered,
            ExecutionReported: self.meter.executed,
        }

    def connect(self, gateway: Gateway, query: Callable[[QueryIntended], None]) -> None:
        """Give decisions a way out."""
        self._query = query
        self._senders = {
            OrderIntended: gateway.create,
            AmendIntended: gateway.amend,
            CancelIntended: gateway.cancel,
        }
        self._effects[QueryIntended] = query
        self._effects[SessionEnded] = self._ended

    # ---- Inbox ----

    def stamp(self) -> tuple[int, int, int, int]:
        """Return seq, time, epoch and cause of the next input."""
        now_ns = self._clock.now_ns()
        if now_ns - self._last_ns > STANDSTILL_NS:
            self._stood_still(now_ns)
        self._last_ns = now_ns
        return self._stamp(now_ns)

    def put(self, record: Record) -> None:
        """Take one input through the loop."""
        if self._is_over:
            return
        try:
            self._take(record)
            self._drain()
        except Exception as error:
            self._stop(error)

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        """Take a raw public frame through the loop (hot path)."""
        if self._is_over:
            return
        if received_ns - self._last_ns > STANDSTILL_NS:
            self._stood_still(received_ns)
            return  # its connection ends with this
        self._last_ns = received_ns
        try:
            seq = self.seq + 1
            self._market(seq, received_ns, FRAME_KIND, LINK_BYTES[link] + raw)
            self.seq = seq
            record: MarketInput | None
            try:
                record = self._parse[link](raw, seq, received_ns, self._epoch)
            except ParseError as error:
                self.trouble("parse-error", f"link {link}", str(error))
                self.on_unreadable(link)
                return
            if record is not None:
                self._received_ns = received_ns
                self.core.apply(record)
                decided_ns = self._clock.now_ns()
                self._decide(record)
                self._received_ns = 0
                if self._pending:
                    self._drain()
                # After the orders: counting may wait, they may not.
                self.meter.received(record, received_ns, decided_ns, self._safety.clock_offset_ns)
        except Exception as error:
            self._stop(error)

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Log something odd at the venue's door; what matters to trading is an input besides."""
        self.meter.troubles += 1
        self._log.trouble(code, subject, text)

    # ---- beside the venue ----

    def fire(self, due_ns: int) -> None:
        """Wake the core."""
        self.put(TimerFired(*self.stamp(), due_ns))

    def tell(self, counters: dict[str, int], gauges: dict[str, float]) -> None:
        """Write a second's telemetry to the market log; the core ignores it."""
        if self._is_closed:
            return
        seq, ts_ns, epoch, cause = self.stamp()
        counters |= self.meter.counters(self.core)
        numbers = {name: float(value) for name, value in gauges.items()}
        record = Telemetry(
            seq, ts_ns, epoch, cause, "engine", counters, numbers, self.meter.histograms()
        )
        self._market(seq, ts_ns, RECORD_KIND, encode(record))
        self.seq = seq
        self.core.apply(record)

    def _ended(self, _record: SessionEnded) -> None:
        self._is_over = True

    def close(self) -> None:
        """Take nothing any more: the session has ended."""
        self._is_over = self._is_closed = True

    def _stood_still(self, now_ns: int) -> None:
        missed_ns, self._last_ns = now_ns - self._last_ns, now_ns  # what follows are inputs too
        self.on_standstill(missed_ns)

    def _stamp(self, now_ns: int) -> tuple[int, int, int, int]:
        return self.seq + 1, now_ns, self._epoch, 0

    # ---- the loop ----

    def _take(self, record: Record) -> None:
        self._trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        self.seq = record.seq
        self.core.apply(record)
        effect = self._effects.get(type(record))
        if effect is not None:
            effect(record)
        self._decide(record)

    def _decide(self, record: Record) -> None:
        core, decided = self.core, False
        for decision in core.decide(record):
            decided = True
            kind = type(decision)
            sender = self._senders.get(kind)
            decided_ns = self._clock.now_ns() if sender is not None else 0
            self._trading(decision.seq, decision.ts_ns, RECORD_KIND, encode(decision))
            self.seq = decision.seq
            core.apply(decision)
            if sender is not None:
                self._send(decision, sender, decided_ns)
            elif (effect := self._effects.get(kind)) is not None:
                effect(decision)
        # The second: a book that strategies have not heard waits for less than a beat.
        if decided or core.state.behind_ns < self.wake_ns or type(record) is TimerFired:
            self._rearm()

    def _send(
        self,
        decision: Any,  # noqa: ANN401
        sender: Callable[[Any], Sent | str],
        decided_ns: int,
    ) -> None:
        sent = sender(decision)
        if isinstance(sent, str):
            self._pending.append(lambda: self._refused(decision, sent))
            return
        wrote_ns = self._clock.now_ns()
        if self._received_ns:
            self.meter.tick_to_order.add_ns(wrote_ns - self._received_ns)
        self._pending.append(lambda: self._was_sent(decision, sent, decided_ns, wrote_ns))

    def _drain(self) -> None:
        while self._pending:
            self._take(self._pending.popleft()())

    def _was_sent(
        self,
        decision: Any,  # noqa: ANN401
        sent: Sent,
        decided_ns: int,
        wrote_ns: int,
    ) -> OrderSent:
        number = decision.client_order_id
        record = OrderSent(
            *self._stamp(self._clock.now_ns()), number, _ACTIONS[type(decision)], *sent
        )
        order = self.core.orders.find(number)
        self.meter.wrote(record, order.instrument if order else "", decided_ns, wrote_ns)
        return record

    def _refused(self, decision: Any, reason: str) -> SendRefused:  # noqa: ANN401
        return SendRefused(
            *self._stamp(self._clock.now_ns()),
            decision.client_order_id,
            _ACTIONS[type(decision)],
            reason,
        )

    def _rearm(self) -> None:
        due = self.core.wake_ns
        if due != self.wake_ns:
            self.wake_ns = due
            self.on_wake(due)

    def _stop(self, error: BaseException) -> None:
        self._is_over = self._is_closed = True
        if isinstance(error, JournalError):
            self._log.trouble("journal", "engine stops", str(error))
        else:
            self._log.failed(error)
        self._fail(error)


_ACTIONS: Final[dict[type[Record], str]] = {
    OrderIntended: "create",
    AmendIntended: "amend",
    CancelIntended: "cancel",
}
