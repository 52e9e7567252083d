"""Faults in front of the exchange: what becomes of REST requests, and of their answers."""

from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.entry import OPERATIONS
from plimsoll.simulator.brain.messages import Answer, Output, Rest
from plimsoll.simulator.brain.rest import envelope
from plimsoll.simulator.faults.answers import ANSWERED, Answers
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.named import ids_of, object_of
from plimsoll.simulator.faults.plan import Active, Where, path_of
from plimsoll.simulator.faults.refusals import coded, refused_order, spent

_MS: Final = 1_000_000
_MARKUP: Final = b"<html><head><title>%d</title></head><body><h1>%d</h1><hr>gateway</body></html>"


class Requests:
    """Loses, delays, refuses and answers REST requests."""

    def __init__(self, ground: Ground, frames: Frames) -> None:
        """Stand before an exchange."""
        self._ground = ground
        self._frames = frames
        self._plan = ground.plan
        self._answers = Answers(ground)

    def rest(self, request: Rest, now_ns: int) -> None:
        """Meet a request that just arrived."""
        where = self._where(request)
        told = _told(request, where)
        if self._ground.closed:
            status = 503 if self._ground.closed == "maintenance" else 0
            self._send(_markup(status) if status else Answer(b"", lost=True))
            return
        early = self._early_answer(where, told, now_ns)
        if early is not None:
            self._send(early)
            return
        if self._is_order(where) and (fault := self._plan.hit("late_request", where)):
            due_ns = now_ns + int(fault.ask.size * _MS)
            self._ground.note(fault, now_ns, arrives_ns=due_ns, **told)
            self._ground.answer(Output(hold_ns=due_ns))
            return
        self.arrive(request, now_ns)

    def arrive(self, request: Rest, now_ns: int) -> None:
        """Let a request through to the exchange, and meet its answer on the way back."""
        where = self._where(request)
        told = _told(request, where)
        endpoint, params = path_of(request.path), object_of(request.body)
        refusal = refused_order(self._ground, endpoint, params, told, now_ns)
        if refusal is not None:
            self._send(envelope(self._seen(now_ns), refusal))
            return
        partial = None
        if endpoint == "order.cancel-all":
            partial = self._plan.hit("cancel_all_partial", where)
        if partial is not None:
            output = self._cancel_some(partial, where.uid, request, told, now_ns)
        else:
            output = self._ground.exchange.handle(now_ns, request)
        if output.answer is not None:
            output.answer = self._met(output.answer, where, told, now_ns)
        self._frames.merge(output, now_ns)

    def _cancel_some(
        self, fault: Active, uid: int, request: Rest, told: dict[str, Any], now_ns: int
    ) -> Output:
        found = self._ground.hands.accounts(uid)
        if not uid or not found:
            return self._ground.exchange.handle(now_ns, request)
        account = found[0]
        count = round(len(account.orders.open) * min(1.0, max(0.0, fault.ask.size)))
        output, ids = self._ground.hands.handle_sparing(account, count, request, now_ns)
        self._ground.note(fault, now_ns, orders=ids, **told)
        return output

    def _early_answer(self, where: Where, told: dict[str, Any], now_ns: int) -> Answer | None:
        """Return the answer of a request that never reaches the exchange."""
        plan = self._plan
        if fault := plan.holding("ban", Where(where.uid, "rest")):
            self._ground.note(fault, now_ns, **told)
            return Answer(b"access too frequent", 403)
        if self._is_order(where) and (fault := plan.hit("lose_request", where)):
            self._ground.note(fault, now_ns, **told)
            return Answer(b"", lost=True, delay_ms=fault.ask.size)
        if fault := plan.hit("http_error", where):
            self._ground.note(fault, now_ns, status=fault.ask.answer_code, **told)
            return _markup(fault.ask.answer_code)
        if fault := plan.hit("refuse", where):
            self._ground.note(fault, now_ns, retCode=fault.ask.answer_code, **told)
            return self._coded(fault.ask.answer_code, now_ns)
        return None

    def _met(self, answer: Answer, where: Where, told: dict[str, Any], now_ns: int) -> Answer:
        """Return the answer as the faults behind the exchange leave it."""
        plan = self._plan
        if self._is_order(where) and (fault := plan.hit("lose_ack", where)):
            self._ground.note(fault, now_ns, **told)
            return Answer(answer.body, lost=True, delay_ms=fault.ask.size)
        if fault := plan.hit("http_error_after", where):
            self._ground.note(fault, now_ns, status=fault.ask.answer_code, **told)
            return _markup(fault.ask.answer_code)
        if fault := plan.hit("refuse_after", where):
            self._ground.note(fault, now_ns, retCode=fault.ask.answer_code, **told)
            return self._coded(fault.ask.answer_code, now_ns)
        if any(plan.is_active(name) for name in ANSWERED):
            body = self._answers.changed(answer.body, where, told, now_ns)
            answer = msgspec.structs.replace(answer, body=body)
        if fault := plan.hit("slow_answers", where):
            delay_ms = self._plan.drawn_ms(fault)
            self._ground.note(fault, now_ns, ms=round(delay_ms, 1), **told)
            answer = msgspec.structs.replace(answer, delay_ms=delay_ms)
        return answer

    def _where(self, request: Rest) -> Where:
        account = self._ground.floor.accounts.get(request.headers.get("x-bapi-api-key", ""))
        return Where(account.uid if account else 0, "rest", endpoint=request.path)

    def _is_order(self, where: Where) -> bool:
        """Return whether a request changes orders: only these are lost and late."""
        return path_of(where.endpoint) in OPERATIONS

    def _seen(self, now_ns: int) -> int:
        return now_ns + self._ground.floor.skew_ms * _MS

    def _send(self, answer: Answer) -> None:
        self._ground.answer(Output(answer=answer))

    def _coded(self, code: int, now_ns: int) -> Answer:
        answer = envelope(self._seen(now_ns), coded(code))
        return msgspec.structs.replace(answer, headers=spent(code, now_ns))


def _markup(status: int) -> Answer:
    return Answer(_MARKUP % (status, status), status)


def _told(request: Rest, where: Where) -> dict[str, Any]:
    """Return what the record says about a request."""
    told: dict[str, Any] = {"path": request.path, "uid": where.uid}
    return told | (ids_of([object_of(request.body)]) if request.body else {})
