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
    AskRefused,
    CallbackCut,
    CancelIntended,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LinkChanged,
    MarketInput,
    OrderIntended,
    OrderSent,
    ProtectionIntended,
    QueryAnswered,
    QueryIntended,
    Record,
    RequestAnswered,
    RetirementIntended,
    SendRefused,
    SessionEnded,
    StrategyStopped,
    Telemetry,
    TimerFired,
    Woken,
    encode,
)
from plimsoll.engine.beating import PAUSED_NS
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.gateway import Gateway
from plimsoll.engine.metering import Meter
from plimsoll.engine.practice import Practice
from plimsoll.journal import Journal, JournalError
from plimsoll.observe import Log
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.ports import Sent
from plimsoll.venues.bybit.public import PublicParser

_NEVER: Final = 1 << 63

LINK_BYTES: Final = tuple(bytes([link]) for link in range(16))
"""The byte before a raw frame in the market log, by link index."""


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
        self.wake_ns = self._alarms = 0
        """When the core wants to be woken; the process arms a timer for it."""
        self.on_wake: Callable[[int], None] = lambda _due: None
        self.on_unreadable: Callable[[int], None] = lambda _link: None
        """Called with a link whose frame could not be understood: the book behind it has a hole."""
        self.on_woken: Callable[[], None] = lambda: None
        """Called after a pause was noticed, in the middle of an input: it only plans work."""
        self.place_of_cut: Callable[[], str] = lambda: ""
        """Returns where the callback was that was cut off last: file, line, function."""
        self.practice: Practice | None = None
        """Goes the way of an order between frames; ``None``: nobody does."""
        self.fresh_until_ns = _NEVER
        """Session time from which on the loop counts as paused, unless it beats before."""
        self._beaten_ns = self._woken_ns = 0
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
        self._pending: deque[Callable[[], Record]] = deque()
        self._query: Callable[[QueryIntended], None] = lambda _query: None
        self._senders: dict[type[Record], Callable[[Any], Sent | str]] = {}
        self._effects: dict[type[Record], Callable[[Any], None]] = {
            LinkChanged: log.link_changed,
            IncidentRaised: log.incident,
            Halted: log.halted,
            StrategyStopped: log.strategy_stopped,
            AskRefused: log.ask_refused,
            CallbackCut: lambda record: log.callback_cut(record, self.place_of_cut()),
            QueryAnswered: log.warmed_up,
            RequestAnswered: self.meter.answered,
            ExecutionReported: self.meter.executed,
        }

    def connect(
        self,
        gateway: Gateway,
        query: Callable[[QueryIntended], None],
        retire: Callable[[RetirementIntended], None] = lambda _retirement: None,
    ) -> None:
        """Give decisions a way out."""
        self._query = query
        self._senders = {
            OrderIntended: gateway.create,
            AmendIntended: gateway.amend,
            CancelIntended: gateway.cancel,
            ProtectionIntended: gateway.protect,
        }
        self._effects[QueryIntended] = query
        self._effects[RetirementIntended] = retire
        self._effects[SessionEnded] = self._ended

    # ---- Inbox ----

    def stamp(self) -> tuple[int, int, int, int]:
        """Return seq, time, epoch and cause of the next input."""
        now_ns = self._clock.now_ns()
        if now_ns > self.fresh_until_ns:
            self._woken(now_ns - self._beaten_ns, now_ns)
        return self.seq + 1, now_ns, self._epoch, 0

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
        if received_ns > self.fresh_until_ns:
            self._woken(received_ns - self._beaten_ns, received_ns)
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
                if self.practice is not None and self.seq == seq:
                    self.practice.heard(received_ns)
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
        try:
            self._market(seq, ts_ns, RECORD_KIND, encode(record))
        except JournalError as error:
            self._stop(error)
            return
        self.seq = seq
        self.core.apply(record)

    def _ended(self, _record: SessionEnded) -> None:
        self._is_over = True

    def close(self) -> None:
        """Take nothing any more: the session has ended."""
        self._is_over = self._is_closed = True

    # ---- pauses ----

    def beat(self, gap_ns: int) -> None:
        """Note that the loop lives. ``gap_ns``: how long it was paused before, 0 where it was not.

        A pause of the process is noticed by the first input after it; one in which this clock stood
        still too, the sleep of the machine, only here.
        """
        now_ns = self._clock.now_ns()
        if gap_ns and self._woken_ns <= self._beaten_ns:
            self._woken(gap_ns, now_ns)
        self._beaten_ns, self.fresh_until_ns = now_ns, now_ns + PAUSED_NS

    def _woken(self, gap_ns: int, now_ns: int) -> None:
        """Take the notice that the loop stood still, before whatever is next (P7).

        Called between two inputs, also while one is being stamped: nothing is drained here.
        """
        self._woken_ns, self.fresh_until_ns = now_ns, now_ns + PAUSED_NS
        if self._is_over:
            return
        try:
            self._take(Woken(self.seq + 1, now_ns, self._epoch, 0, gap_ns))
        except Exception as error:
            self._stop(error)
        self.on_woken()

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
            if sender is not None:  # it stands in the log: state may follow while it travels
                self._send(decision, sender, decided_ns)
            core.apply(decision)
            if sender is None and (effect := self._effects.get(kind)) is not None:
                effect(decision)
        # The second: a timer was set, or a book that strategies have not heard waits.
        if decided or core.state.alarms != self._alarms or type(record) is TimerFired:
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
        number = _subject(decision)
        record = OrderSent(*self.stamp(), number, _ACTIONS[type(decision)], *sent)
        order = self.core.orders.find(number)
        about = number if type(decision) is ProtectionIntended else ""
        self.meter.wrote(record, order.instrument if order else about, decided_ns, wrote_ns)
        return record

    def _refused(self, decision: Any, reason: str) -> SendRefused:  # noqa: ANN401
        return SendRefused(*self.stamp(), _subject(decision), _ACTIONS[type(decision)], reason)

    def _rearm(self) -> None:
        due, self._alarms = self.core.wake_ns, self.core.state.alarms
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


def _subject(decision: Any) -> str:  # noqa: ANN401
    """Return the order a request is about; a protection is about its instrument."""
    is_level = type(decision) is ProtectionIntended
    return decision.instrument if is_level else decision.client_order_id  # type: ignore[no-any-return]


_ACTIONS: Final[dict[type[Record], str]] = {
    OrderIntended: "create",
    AmendIntended: "amend",
    CancelIntended: "cancel",
    ProtectionIntended: "protect",
}
