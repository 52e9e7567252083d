"""Order entry over the trade socket (Bybit v5 docs, websocket/trade/guideline)."""

from typing import Any, Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import checked
from plimsoll.simulator.brain.auth import check_window
from plimsoll.simulator.brain.connection import Connection, reply
from plimsoll.simulator.brain.entry import OPERATIONS, Done, OrderEntry
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.limits import RateLimits
from plimsoll.simulator.brain.messages import Send
from plimsoll.simulator.brain.numbers import drawn_uuid

_REQ_ID_LENGTH: Final = 36
_REQ_IDS_KEPT: Final = 100_000
SESSION_REQUESTS: Final = 1000
"""Requests of one session a second before 20003; the venue documents the code without a number."""


class TradeSocket:
    """Answers order operations of authenticated trade sockets."""

    def __init__(self, floor: Floor, entry: OrderEntry, limits: RateLimits) -> None:
        """Send orders through ``entry``, within the limits of addresses and sessions."""
        self._floor = floor
        self._entry = entry
        self._limits = limits

    def handle(self, connection: Connection, message: dict[str, Any], now_ns: int) -> list[Send]:
        """Return the response."""
        account = connection.account
        asked = 0
        if account is not None:
            fields = {"method": "WS", "path": message["op"], "body": message.get("args")}
            fields |= {"reqId": message.get("reqId", ""), "conn": connection.number}
            asked = self._floor.record(now_ns, "request", account.uid, fields)
        try:
            done = self._run(connection, account, message, now_ns)
        except VenueRefusal as refusal:
            done = Done(refusal=refusal)
        code = done.refusal.code if done.refusal else 0
        answer = {"path": message["op"], "request": asked, "retCode": code}
        if done.refusal:
            answer["retMsg"] = done.refusal.message
        self._floor.record(now_ns, "answer", account.uid if account else 0, answer)
        return [self._response(connection, message, done, asked, now_ns)]

    def _run(
        self, connection: Connection, account: Account | None, message: dict[str, Any], now_ns: int
    ) -> Done:
        if account is None:
            raise VenueRefusal(10005, "Request not authorized")
        self._check_pace(connection, now_ns)
        self._check_req_id(connection, message)
        header, args = message.get("header"), message.get("args")
        if not isinstance(header, dict) or not isinstance(args, list) or len(args) != 1:
            raise VenueRefusal(10001, "Params Error")
        if not isinstance(args[0], dict):
            raise VenueRefusal(10001, "Params Error")
        stamp = str(header.get("X-BAPI-TIMESTAMP", ""))
        seen_ms = now_ns // 1_000_000 + self._floor.skew_ms
        check_window(stamp, str(header.get("X-BAPI-RECV-WINDOW", "5000")), seen_ms)
        return self._entry.run(account, message["op"], checked(args[0]), now_ns)

    def _check_pace(self, connection: Connection, now_ns: int) -> None:
        """Refuse what is too much for one session, or for one address (Bybit v5 docs, error)."""
        if not self._limits.is_on:
            return
        second = now_ns // 1_000_000_000
        if second != connection.second:
            connection.second, connection.asked = second, 0
        connection.asked += 1
        if connection.asked > SESSION_REQUESTS:
            raise VenueRefusal(20003)
        if not self._limits.allow_trade(connection.address, now_ns):
            raise VenueRefusal(10403)

    def _check_req_id(self, connection: Connection, message: dict[str, Any]) -> None:
        req_id = message.get("reqId")
        if req_id is None:
            return
        if len(str(req_id)) > _REQ_ID_LENGTH:
            raise VenueRefusal(10001, "params error: reqId is longer than 36")
        if str(req_id) in connection.req_ids:
            raise VenueRefusal(20006)
        connection.req_ids[str(req_id)] = None
        if len(connection.req_ids) > _REQ_IDS_KEPT:
            del connection.req_ids[next(iter(connection.req_ids))]

    def _response(
        self, connection: Connection, message: dict[str, Any], done: Done, asked: int, now_ns: int
    ) -> Send:
        refusal = done.refusal
        body = {"reqId": message["reqId"]} if "reqId" in message else {}
        body |= {
            "retCode": refusal.code if refusal else 0,
            "retMsg": refusal.message if refusal else "OK",
            "op": message["op"],
            "data": done.result,
            "retExtInfo": done.ext,
            "header": {
                **done.headers,
                "Traceid": drawn_uuid(self._floor.settings.seed, "trace", asked).replace("-", ""),
                "Timenow": str(now_ns // 1_000_000 + self._floor.skew_ms),
            },
            "connId": connection.conn_id,
        }
        return reply(connection, body)


def is_order_entry(connection: Connection, message: dict[str, Any]) -> bool:
    """Return whether a frame asks for an order operation the trade socket offers."""
    op = message.get("op")
    return connection.kind == "trade" and op in OPERATIONS and op != "order.cancel-all"
