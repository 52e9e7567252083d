"""Faults in front of the sockets: what becomes of operations, and of their answers."""

from typing import Any, Final

from plimsoll.simulator.brain.connection import Connection, auth_answer, reply
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.messages import Send, SocketText
from plimsoll.simulator.brain.trade_socket import is_order_entry
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.named import ids_of, object_of
from plimsoll.simulator.faults.plan import Where
from plimsoll.simulator.faults.refusals import coded, refused_order, spent

_MS: Final = 1_000_000


class Operations:
    """Loses, delays, refuses and answers what clients say on sockets."""

    def __init__(self, ground: Ground, frames: Frames) -> None:
        """Stand before an exchange."""
        self._ground = ground
        self._frames = frames
        self._plan = ground.plan

    def text(self, request: SocketText, now_ns: int) -> None:
        """Meet a text frame that just arrived."""
        connection = self._ground.exchange.streams.connections.get(request.connection)
        message = object_of(request.text.encode(errors="replace"))
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
        told |= {"conn": connection.number, "uid": where.uid} | ids_of(message.get("args"))
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
        refusal = refused_order(self._ground, where.endpoint, params, told, now_ns)
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
            answers = [_response(connection, message, coded(code), now_ns)]
        if answers and (fault := self._plan.hit("slow_answers", where)):
            delay_ms, late = self._plan.drawn_ms(fault), answers
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
            self._respond(connection, message, coded(code), now_ns)
        else:
            return False
        return True

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

    def _respond(
        self, connection: Connection, message: dict[str, Any], refusal: VenueRefusal, now_ns: int
    ) -> None:
        self._ground.send(_response(connection, message, refusal, now_ns))


def _response(
    connection: Connection, message: dict[str, Any], refusal: VenueRefusal, now_ns: int
) -> Send:
    body: dict[str, Any] = {"reqId": str(message["reqId"])} if "reqId" in message else {}
    header = {"Timenow": str(now_ns // _MS)} | spent(refusal.code, now_ns)
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
