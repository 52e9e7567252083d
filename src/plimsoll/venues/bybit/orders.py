"""Writes order requests to the trade socket, or by REST where there is none, and matches answers.

Nothing is queued, repeated or timed here: the core paces and decides what an answer that never
came means. Of a request that may have left, the worst that is ever said is ``unknown``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    OrderIntended,
    ProtectionAnswered,
    ProtectionIntended,
    RateMeasured,
    RequestAnswered,
)
from plimsoll.venues.bybit.background import Background
from plimsoll.venues.bybit.codes import (
    CLOCK_CODES,
    FILTER_CODES,
    Action,
    Channel,
    Outcome,
    outcome_of,
    protected_of,
)
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.ports import Clock, Inbox, Sent
from plimsoll.venues.bybit.rates import RateNews
from plimsoll.venues.bybit.rest import Answer, End, RestClient
from plimsoll.venues.bybit.trade import (
    PATHS,
    PROTECT_PATH,
    OrderWriter,
    TradeAnswer,
    read_answer,
)
from plimsoll.websocket import SoleLink

_PENDING_CAP: Final = 10_000
"""Most unanswered requests remembered; the oldest is forgotten, its order ends by proof."""

_HOLD_NS: Final = 30_000_000_000
_RESTARTING: Final = 10019
"""This connection takes no more requests; a new one does (reliability X14)."""


class _Pending(msgspec.Struct, frozen=True):
    action: Action
    client_order_id: str
    cause: int
    group: str
    number: int = 0
    """The connection it was written to."""


class _Created(msgspec.Struct):
    orderId: str = ""


_created: Final = msgspec.json.Decoder(_Created).decode


class OrderSender:
    """The way out for the orders of one account."""

    def __init__(
        self, rest: RestClient, inbox: Inbox, clock: Clock, background: Background
    ) -> None:
        self.link: SoleLink | None = None
        """The trade socket once it exists; without one everything goes by REST."""

        self.sent = 0
        self._rest = rest
        self._inbox = inbox
        self._clock = clock
        self._background = background
        self._writers: dict[str, OrderWriter] = {}
        self._pending: dict[str, _Pending] = {}
        self.has_misfit = False
        """Whether a request was refused for a tick, step or minimum (reliability X22)."""
        self._given_up: set[str] = set()
        """Orders whose request nobody waits for any more; an answer is still taken."""
        self._counter = 0
        self._rates = RateNews()
        self._rest_until_ns = 0
        self._refusing = 0
        """The connection that takes no more requests; its successor is on the way."""
        self._window_ms = rest.settings.recv_window_ms

    @property
    def rate_refusals(self) -> int:
        """Return how many requests the venue refused for their rate."""
        return self._rates.refused

    @property
    def pending(self) -> int:
        """Return how many requests await their answer."""
        return len(self._pending)

    def list_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Prepare the writers of the instruments that may be traded."""
        self._writers = {name: OrderWriter(item) for name, item in instruments.items()}

    def create(self, order: OrderIntended) -> Sent | str:
        """Write a create; return why not where not a byte was written."""
        writer = self._writers.get(order.instrument)
        if writer is None:
            return f"instrument {order.instrument} is not listed"
        body = writer.create_body(order)
        return self._send("create", order.client_order_id, body, order, writer)

    def practise(self, order: OrderIntended) -> None:
        """Write a create into memory as ``create`` would: it has no number and goes nowhere."""
        writer = self._writers.get(order.instrument)
        if writer is None or self.link is None or not self.link.sender or self._prefers_rest():
            return
        body, signed_ms = writer.create_body(order), self._rest.signed_ms()
        OrderWriter.frame("create", body, f"{order.epoch}-0", signed_ms, self._window_ms)

    def amend(self, order: AmendIntended, instrument: str) -> Sent | str:
        """Write an amend; return why not where not a byte was written."""
        writer = self._writers.get(instrument)
        if writer is None:
            return f"instrument {instrument} is not listed"
        body = writer.amend_body(order)
        return self._send("amend", order.client_order_id, body, order, writer)

    def cancel(self, order: CancelIntended, instrument: str) -> Sent | str:
        """Write a cancel; return why not where not a byte was written."""
        writer = self._writers.get(instrument)
        if writer is None:
            return f"instrument {instrument} is not listed"
        body = writer.cancel_body(order)
        return self._send("cancel", order.client_order_id, body, order, writer)

    def protect(self, level: ProtectionIntended) -> Sent | str:
        """Set the exits of a position, by REST: the trade socket has no such request."""
        writer = self._writers.get(level.instrument)
        if writer is None or writer.instrument.is_spot:
            return f"{level.instrument} is no listed perpetual"
        if self._rest.is_banned:
            return "this address is banned from REST"
        self._counter += 1
        request_id, signed_ms = f"{level.epoch}-{self._counter}", self._rest.signed_ms()
        work = self._protect_by_rest(level, request_id, writer.protect_body(level), signed_ms)
        self._background.start(work, f"protect {request_id}")
        return Sent(request_id, signed_ms, "rest")

    def retire(self, number: int, client_order_id: str) -> None:
        """Let a connection end that never answered a request; its other requests are waited for."""
        self._given_up.add(client_order_id)
        if self.link is None:
            return
        if number == self.link.sender:
            self.link.succeed(f"no answer about {client_order_id} came on it")
        else:
            self.link.look()

    def take_answer(self, raw: bytes) -> None:
        """Match a frame of the trade socket to its request and put the answer."""
        try:
            answer = read_answer(raw)
        except ParseError as error:
            self._inbox.trouble("unreadable-answer", "trade", str(error))
            return
        pending = self._pending.pop(answer.request_id, None)
        if pending is None:
            text = f"an answer to no open request: {answer.code} {answer.text}"
            self._inbox.trouble("stray-answer", answer.request_id or "trade", text)
            return
        self._given_up.discard(pending.client_order_id)
        self._put(pending, outcome_of(pending.action, answer.code, "trade"), answer)
        if answer.code == _RESTARTING and self.link is not None:
            self._refusing = pending.number
            if pending.number == self.link.sender:
                self.link.succeed("the venue restarts its order entry (10019)")

    def is_drained(self, number: int) -> bool:
        """Return whether everything that was asked on a connection is answered."""
        return not any(
            pending.number == number and pending.client_order_id not in self._given_up
            for pending in self._pending.values()
        )

    def connection_ended(self, number: int) -> None:
        """Forget the open requests of a connection, whose answers can never come."""
        for key in [key for key, pending in self._pending.items() if pending.number == number]:
            self._given_up.discard(self._pending.pop(key).client_order_id)
        if number == self._refusing:
            self._refusing = 0  # if it comes back it is a new one

    def link_lost(self) -> None:
        """Go by REST a while.

        A path once left is not taken again for 30 s, so that a failing link is no coin toss (N11).
        """
        self._rest_until_ns = self._clock.monotonic_ns() + _HOLD_NS

    # ---- sending ---------------------------------------------------------------------------

    def _send(
        self,
        action: Action,
        client_order_id: str,
        body: bytes,
        intent: OrderIntended | AmendIntended | CancelIntended,
        writer: OrderWriter,
    ) -> Sent | str:
        self._counter += 1
        request_id = f"{intent.epoch}-{self._counter}"
        signed_ms = self._rest.signed_ms()
        link = self.link
        if link is not None and link.sender != self._refusing and not self._prefers_rest():
            frame = OrderWriter.frame(action, body, request_id, signed_ms, self._window_ms)
            number = link.send(frame)
            if number:
                self._remember(
                    request_id,
                    _Pending(action, client_order_id, intent.seq, writer.groups[action], number),
                )
                return Sent(request_id, signed_ms, "trade", number)
        pending = _Pending(action, client_order_id, intent.seq, writer.groups[action])
        if self._rest.is_banned:
            return "the trade link is down and this address is banned from REST"
        self.sent += 1
        work = self._send_by_rest(pending, request_id, body, signed_ms)
        self._background.start(work, f"{action} {request_id}")
        return Sent(request_id, signed_ms, "rest")

    def _prefers_rest(self) -> bool:
        if not self._rest_until_ns:
            return False
        if self._clock.monotonic_ns() >= self._rest_until_ns or self._rest.is_banned:
            self._rest_until_ns = 0
        return bool(self._rest_until_ns)

    def _remember(self, request_id: str, pending: _Pending) -> None:
        self.sent += 1
        if len(self._pending) >= _PENDING_CAP:
            del self._pending[next(iter(self._pending))]
        self._pending[request_id] = pending

    async def _send_by_rest(
        self, pending: _Pending, request_id: str, body: bytes, signed_ms: int
    ) -> None:
        answer = await self._rest.post(PATHS[pending.action], body, signed_ms)
        found = TradeAnswer(request_id, answer.code, answer.text, _order_id(answer), answer.grant)
        self._put(pending, _rest_outcome(pending.action, answer), found)

    async def _protect_by_rest(
        self, level: ProtectionIntended, request_id: str, body: bytes, signed_ms: int
    ) -> None:
        answer = await self._rest.post(PROTECT_PATH, body, signed_ms)
        is_clear = answer.end not in (End.BROKEN, End.BANNED, End.NOT_SENT)
        outcome = protected_of(answer.code) if is_clear else "unknown"
        seq, ts_ns, epoch, _ = self._inbox.stamp()
        stamp = (seq, ts_ns, epoch, level.seq)
        self._inbox.put(
            ProtectionAnswered(
                *stamp, level.instrument, request_id, outcome, answer.code, answer.text
            )
        )

    def _put(self, pending: _Pending, outcome: Outcome, answer: TradeAnswer) -> None:
        if outcome == "refused" and answer.code in FILTER_CODES:
            self.has_misfit = True
        if outcome == "refused" and answer.code in CLOCK_CODES:
            self._rest.on_clock_refused()
        # What it says of the rate first: the core must know it when it hears of a refusal.
        venue_ms = self._rest.signed_ms()
        news = self._rates.of(pending.group, answer.grant, answer.code, venue_ms)
        if news is not None:
            self._inbox.put(RateMeasured(*self._inbox.stamp(), pending.group, *news))
        seq, ts_ns, epoch, _ = self._inbox.stamp()
        self._inbox.put(
            RequestAnswered(
                seq,
                ts_ns,
                epoch,
                pending.cause,
                client_order_id=pending.client_order_id,
                action=pending.action,
                request_id=answer.request_id,
                outcome=outcome,
                code=answer.code,
                text=answer.text,
                venue_order_id=answer.venue_order_id,
            )
        )


def _rest_outcome(action: Action, answer: Answer) -> Outcome:
    channel: Channel = "rest"
    if answer.end in (End.BROKEN, End.BANNED, End.NOT_SENT):
        return "unknown"
    return outcome_of(action, answer.code, channel)


def _order_id(answer: Answer) -> str:
    if not answer.is_ok:
        return ""
    try:
        return _created(answer.result).orderId
    except msgspec.MsgspecError:
        return ""  # the id will come with the order stream
