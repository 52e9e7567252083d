"""One open socket, and the answers to it in the form of its kind."""

from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.messages import Send

_SECOND_NS: Final = 1_000_000_000
_IDLE_NS: Final = 600 * _SECOND_NS
_ACTIVE_S: Final = range(30, 601)


class Connection(msgspec.Struct):
    """One open socket; ``kind`` is linear, spot, status, private or trade."""

    number: int
    kind: str
    conn_id: str
    account: Account | None = None
    topics: dict[str, None] = {}
    req_ids: dict[str, None] = {}
    address: str = ""
    heard_ns: int = 0
    """When it last said or, on a private socket, was told something."""
    idle_ns: int = _IDLE_NS
    characters: int = 0
    """Of the topics it subscribed to."""
    second: int = 0
    asked: int = 0
    """Order operations within ``second``."""


def active_ns(query: str) -> int:
    """Return how long a socket may be idle: ``max_active_time=30s`` to ``600s``, or ``1m``."""
    text = dict(parse_qsl(query)).get("max_active_time", "")
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and len(number) < 4 and unit in ("s", "m")):
        return _IDLE_NS
    seconds = int(number) * (60 if unit == "m" else 1)
    return seconds * _SECOND_NS if seconds in _ACTIVE_S else _IDLE_NS


def pong(connection: Connection, message: dict[str, Any], now_ms: int) -> Send:
    """Return the answer to a ping."""
    if connection.kind == "trade":
        answer: dict[str, Any] = {
            **echo(message, "reqId"),
            "retCode": 0,
            "retMsg": "OK",
            "op": "pong",
            "data": [str(now_ms)],
            "connId": connection.conn_id,
        }
    elif connection.kind == "private":
        answer = {"op": "pong", "args": [str(now_ms)], "conn_id": connection.conn_id}
        answer = echo(message, "req_id") | answer
    else:
        answer = {
            "success": True,
            "ret_msg": "pong",
            "conn_id": connection.conn_id,
            **echo(message, "req_id"),
            "op": "ping",
        }
    return reply(connection, answer)


def auth_answer(
    connection: Connection, message: dict[str, Any], refusal: VenueRefusal | None
) -> Send:
    """Return the answer to an authentication; no refusal is a success."""
    if connection.kind == "trade":
        code, text = (refusal.code, refusal.message) if refusal else (0, "OK")
        answer: dict[str, Any] = {"retCode": code, "retMsg": text, "op": "auth"}
        answer |= {"connId": connection.conn_id} | echo(message, "reqId")
    else:
        text = refusal.message if refusal else ""
        answer = {"success": refusal is None, "ret_msg": text, "op": "auth"}
        answer |= {"conn_id": connection.conn_id} | echo(message, "req_id")
    return reply(connection, answer)


def failure(connection: Connection, message: dict[str, Any], text: str) -> Send:
    """Return the refusal of an operation other than order entry."""
    op = str(message.get("op", ""))
    if connection.kind == "trade":
        answer = echo(message, "reqId") | {"retCode": 10404, "retMsg": text}
        return reply(connection, answer | {"op": op, "connId": connection.conn_id})
    answer = {"success": False, "ret_msg": text, "conn_id": connection.conn_id}
    return reply(connection, answer | echo(message, "req_id") | {"op": op})


def echo(message: dict[str, Any], name: str) -> dict[str, str]:
    """Return the request's id as text: the venue answers a number with a string."""
    return {name: str(message[name])} if name in message else {}


def reply(connection: Connection, answer: dict[str, Any]) -> Send:
    """Return a frame with an answer for one connection."""
    return Send((connection.number,), msgspec.json.encode(answer), is_push=False)
