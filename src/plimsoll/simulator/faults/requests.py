"""Faults in front of the exchange: what becomes of requests, and of their answers."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.connection import Connection, auth_answer, reply
from plimsoll.simulator.brain.entry import OPERATIONS
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.messages import Answer, Output, Rest, Send, SocketText
from plimsoll.simulator.brain.rest import envelope
from plimsoll.simulator.brain.trade_socket import is_order_entry
from plimsoll.simulator.faults.answers import ANSWERED, Answers
from plimsoll.simulator.faults.ask import number_of
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.plan import Active, Where, path_of

_MS: Final = 1_000_000
_MARKUP: Final = b"<html><head><title>%d</title></head><body><h1>%d</h1><hr>gateway</body></html>"
_INNER: Final = {429: "Too many requests", 10000: "Server Timeout", 10429: "System level frequency"}


class Requests:
    """Loses, delays, refuses and answers requests."""

    def __init__(self, ground: Ground, frames: Frames) -> None:
        """Stand before an exchange."""
        self._ground = ground
        self._frames = frames
        self._plan = ground.plan
        self._answers = Answers(ground)

    # ---- REST ----

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
        refusal = self._refused_order(path_of(request.path), _object(request.body), told, now_ns)
        if refusal is not None:
            self._send(envelope(self._seen(now_ns), refusal))
            return
        partial = None
        if path_of(request.path) == "order.cancel-all":
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
            delay_ms = self._drawn_ms(fault)
            self._ground.note(fault, now_ns, ms=round(delay_ms, 1), **told)
            answer = msgspec.structs.replace(answer, delay_ms=delay_ms)
        return answer

    # ---- sockets ----

    def text(self, request: SocketText, now_ns: int) -> None:
        """Meet a text frame that just arrived."""
        connection = self._ground.exchange.streams.connections.get(request.connection)
        message = _object(request.text.encode(errors="replace"))
        if connection is None or self._ground.closed:
            return
        if connection.kind in ("private", "trade") and message.get("op") == "auth":
            refusal = self._auth_refusal(connection, message, now_ns)
            if refusal is not None:
                self._ground.send(auth_answer(connection, message, refusal))
                return
        if not (connection.account is not None and is_order_entry(connection, message)):
            self._frames.merge(self._ground.exchange.handle(now_ns, request), now_ns)
            return
        where = Where(
            connection.account.uid, "trade", connection.number, endpoint=str(message["op"])
        )
        told: dict[str, Any] = {"path": message["op"], "reqId": str(message.get("reqId", ""))[:40]}
        told |= {"conn": connection.number, "uid": where.uid} | _ids_of(message.get("args"))
        if self._early_response(connection, message, where, told, now_ns):
            return
        if fault := self._plan.hit("late_request", where):
            due_ns = now_ns + int(fault.ask.size * _MS)
            self._ground.note(fault, now_ns, arrives_ns=due_ns, **told)
            self._ground.later(
                due_ns, lambda at: self._arrive_text(connection, request, message, where, told, at)
            )
            return
        self._arrive_text(connection, request, message, where, told, now_ns)

    def _arrive_text(
        self,
        connection: Connection,
        request: SocketText,
        message: dict[str, Any],
        where: Where,
        told: dict[str, Any],
        now_ns: int,
    ) -> None:
        args = message.get("args")
        params = args[0] if isinstance(args, list) and args and isinstance(args[0], dict) else {}
        refusal = self._refused_order(where.endpoint, params, told, now_ns)
        if refusal is not None:
            self._respond(connection, message, refusal, now_ns)
            return
        output = self._ground.exchange.handle(now_ns, request)
        answers = [send for send in output.sends if not send.is_push]
        output.sends = [send for send in output.sends if send.is_push]
        if fault := self._plan.hit("lose_ack", where):
            self._ground.note(fault, now_ns, **told)
            answers = []
        elif fault := self._plan.hit("refuse_after", where):
            code = fault.ask.answer_code
            self._ground.note(fault, now_ns, retCode=code, **told)
            answers = [_response(connection, message, VenueRefusal(code, _text(code)), now_ns)]
        if answers and (fault := self._plan.hit("slow_answers", where)):
            delay_ms, late = self._drawn_ms(fault), answers
            self._ground.note(fault, now_ns, ms=round(delay_ms, 1), **told)
            due_ns = now_ns + int(delay_ms * _MS)
            self._ground.later(due_ns, lambda _: self._ground.send(*late))
            answers = []
        output.sends = answers + output.sends
        self._frames.merge(output, now_ns)

    def _early_response(
        self,
        connection: Connection,
        message: dict[str, Any],
        where: Where,
        told: dict[str, Any],
        now_ns: int,
    ) -> bool:
        """Answer or lose an operation that never reaches the exchange; return whether it did."""
        plan = self._plan
        if (fault := self._ground.restarting.get(connection.number)) is not None:
            self._ground.note(fault, now_ns, retCode=10019, **told)
            self._respond(connection, message, VenueRefusal(10019), now_ns)
        elif fault := plan.hit("lose_request", where):
            self._ground.note(fault, now_ns, **told)
        elif fault := plan.hit("error_without_id", where):
            self._ground.note(fault, now_ns, **told)
            answer = {"success": False, "ret_msg": "Params Error", "op": message["op"]}
            answer |= {"conn_id": connection.conn_id}
            self._ground.send(reply(connection, answer))
        elif fault := plan.hit("refuse", where):
            code = fault.ask.answer_code
            self._ground.note(fault, now_ns, retCode=code, **told)
            self._respond(connection, message, VenueRefusal(code, _text(code)), now_ns)
        else:
            return False
        return True

    # ---- what both have in common ----

    def _auth_refusal(
        self, connection: Connection, message: dict[str, Any], now_ns: int
    ) -> VenueRefusal | None:
        args = message.get("args")
        key = str(args[0]) if isinstance(args, list) and args else ""
        account = self._ground.floor.accounts.get(key)
        if account is None:
            return None
        told: dict[str, Any] = {"path": "auth", "conn": connection.number, "uid": account.uid}
        limit = self._plan.holding("session_limit", Where(account.uid))
        if connection.kind == "trade" and limit is not None:
            self._ground.note(limit, now_ns, retCode=10003, **told)
            return VenueRefusal(10003, "Too many sessions under the same UID")
        return None

    def _refused_order(
        self, endpoint: str, params: dict[str, Any], told: dict[str, Any], now_ns: int
    ) -> VenueRefusal | None:
        """Return why an instrument that halts, ends or has other filters refuses an order."""
        if endpoint not in ("order.create", "order.amend"):
            return None
        plan = self._plan
        where = Where(symbol=str(params.get("symbol", "")))
        spot = params.get("category") == "spot"
        is_create = endpoint == "order.create"
        if is_create and (fault := plan.holding("halt_instrument", where)):
            refusal = VenueRefusal(170151 if spot else 110074)
        elif (
            is_create
            and str(params.get("reduceOnly", "")).lower() != "true"
            and (fault := plan.holding("delist", where))
        ):
            refusal = VenueRefusal(30228)
        elif (fault := plan.holding("filters_changed", where)) and (
            text := _off_filters(fault.ask.values, params)
        ):
            refusal = VenueRefusal(10001, text)
        else:
            return None
        self._ground.note(fault, now_ns, retCode=refusal.code, **told)
        return refusal

    def _where(self, request: Rest) -> Where:
        account = self._ground.floor.accounts.get(request.headers.get("x-bapi-api-key", ""))
        return Where(account.uid if account else 0, "rest", endpoint=request.path)

    def _is_order(self, where: Where) -> bool:
        """Return whether a request changes orders: only these are lost and late."""
        return path_of(where.endpoint) in OPERATIONS

    def _drawn_ms(self, fault: Active) -> float:
        return self._plan.choose(f"{fault.id}:ms", 1000) / 999 * fault.ask.size

    def _seen(self, now_ns: int) -> int:
        return now_ns + self._ground.floor.skew_ms * _MS

    def _send(self, answer: Answer) -> None:
        self._ground.answer(Output(answer=answer))

    def _coded(self, code: int, now_ns: int) -> Answer:
        answer = envelope(self._seen(now_ns), VenueRefusal(code, _text(code)))
        return msgspec.structs.replace(answer, headers=_spent(code, now_ns))

    def _respond(
        self, connection: Connection, message: dict[str, Any], refusal: VenueRefusal, now_ns: int
    ) -> None:
        self._ground.send(_response(connection, message, refusal, now_ns))


def _text(code: int) -> str:
    return _INNER.get(code, "")


def _spent(code: int, now_ns: int) -> dict[str, str]:
    """Return the headers of a budget that is used up, where the code says so."""
    if code not in (10006, 10429):
        return {}
    return {
        "X-Bapi-Limit": "10",
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(now_ns // _MS + 1000),
    }


def _markup(status: int) -> Answer:
    return Answer(_MARKUP % (status, status), status)


def _response(
    connection: Connection, message: dict[str, Any], refusal: VenueRefusal, now_ns: int
) -> Send:
    body: dict[str, Any] = {"reqId": str(message["reqId"])} if "reqId" in message else {}
    header = {"Timenow": str(now_ns // _MS)} | _spent(refusal.code, now_ns)
    body |= {
        "retCode": refusal.code,
        "retMsg": refusal.message,
        "op": message["op"],
        "data": {},
        "retExtInfo": {},
        "header": header,
        "connId": connection.conn_id,
    }
    return reply(connection, body)


def _off_filters(values: dict[str, str], params: dict[str, Any]) -> str:
    """Return which of the changed filters an order's numbers break, "" for none."""
    for key, field in (("tickSize", "price"), ("qtyStep", "qty")):
        if (
            key in values
            and (number := number_of(params.get(field)))
            and number % Decimal(values[key])
        ):
            return f"params error: {field} {params[field]} is not a multiple of {values[key]}"
    least = values.get("minOrderQty")
    number = number_of(params.get("qty"))
    if least and number and number < Decimal(least):
        return f"params error: qty {params['qty']} is below the minimum {least}"
    return ""


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(request: Rest, where: Where) -> dict[str, Any]:
    """Return what the record says about a request."""
    told: dict[str, Any] = {"path": request.path, "uid": where.uid}
    return told | _named(request.body)


def _named(body: bytes) -> dict[str, str]:
    """Return the order ids a request names, for the record."""
    return _ids_of([_object(body)]) if body else {}


def _ids_of(args: object) -> dict[str, str]:
    first = args[0] if isinstance(args, list) and args else {}
    if not isinstance(first, dict):
        return {}
    return {key: str(first[key])[:64] for key in ("orderId", "orderLinkId") if first.get(key)}
