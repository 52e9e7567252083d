"""The HTTP side of the shell: the venue's REST, and the exchange's own pages below ``/sim``."""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from plimsoll.simulator.brain.messages import Held, Rest, Tick
from plimsoll.simulator.brain.streams import PATHS
from plimsoll.simulator.connects import refused, reset
from plimsoll.simulator.faults.ask import FaultError, ask_of
from plimsoll.simulator.faults.catalogue import CATALOGUE
from plimsoll.simulator.faults.plan import Where
from plimsoll.simulator.host import Host
from plimsoll.simulator.sockets import Sockets

BODY_MOST: Final = 1 << 20
LOGGER: Final = logging.getLogger("plimsoll.simulator.http")
"""Of the HTTP server: tells of our own errors, not of clients that send no HTTP."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


LOGGER.addFilter(_is_ours)


class Http:
    """Routes of one server."""

    def __init__(self, host: Host, sockets: Sockets) -> None:
        """Answer for a host; its sockets answer for themselves."""
        self._host = host
        self._sockets = sockets

    def application(self) -> web.Application:
        """Return the application with every route."""
        app = web.Application(client_max_size=BODY_MOST)
        for method, path, handler in (
            ("GET", "/sim/state", self._state),
            ("GET", "/sim/record", self._record),
            ("GET", "/sim/faults", self._list_faults),
            ("POST", "/sim/faults", self._start_fault),
            ("DELETE", "/sim/faults/{id}", self._stop_fault),
        ):
            app.router.add_route(method, path, _for_this_machine(handler))
        for path in PATHS:
            app.router.add_get(path, self._sockets.serve)
        app.router.add_route("*", "/{path:.*}", self._rest)
        return app

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        if refusal := await refused(self._host.venue, Where(kind="rest"), request):
            return refusal
        rest = Rest(
            request.method,
            request.path,
            request.rel_url.raw_query_string,
            await request.read(),
            {name.lower(): value for name, value in request.headers.items()},
            request.remote or "",
        )
        output = self._host.handle(rest)
        while output.hold_ns:
            await asyncio.sleep(max(0, output.hold_ns - self._host.now()) / 1e9)
            output = self._host.handle(Held(rest))
        answer = output.answer
        if answer is None:
            raise web.HTTPInternalServerError
        delay_ms = self._host.settings.ack_delay_ms + answer.delay_ms
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        if answer.lost:
            return reset(request)
        return web.Response(
            body=answer.body,
            status=answer.status,
            headers=answer.headers,
            content_type=_kind_of(answer.body),
        )

    async def _state(self, request: web.Request) -> web.Response:
        return _json(self._host.state())

    async def _record(self, request: web.Request) -> web.Response:
        asked = request.query.get("from", "1")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 16):
            return web.Response(status=400, text=f"from must be a line number, found {asked!r}")
        lines = list(self._host.record.since(int(asked)))
        body = b"\n".join(lines) + (b"\n" if lines else b"")
        return web.Response(body=body, content_type="application/x-ndjson")

    async def _list_faults(self, request: web.Request) -> web.Response:
        state = self._host.venue.state(self._host.now())
        return _json(state | {"catalogue": list(CATALOGUE.values())})

    async def _start_fault(self, request: web.Request) -> web.Response:
        try:
            found = msgspec.json.decode(await request.read())
            if not isinstance(found, dict):
                raise FaultError("", "the body must be a JSON object")
            fault = self._host.ask(ask_of(found), "live")
        except (msgspec.DecodeError, RecursionError) as error:
            return _json({"error": {"key": "", "message": f"not JSON: {error}"}}, 400)
        except FaultError as error:
            return _json({"error": {"key": error.key, "message": error.text}}, 400)
        return _json({"id": fault.id}, 201)

    async def _stop_fault(self, request: web.Request) -> web.Response:
        fault_id = request.match_info["id"]
        if not self._host.venue.plan.stop(fault_id, self._host.now()):
            text = f"no fault {fault_id!r} is active or planned; GET /sim/faults lists them"
            return _json({"error": {"key": "id", "message": text}}, 404)
        self._host.handle(Tick())
        return _json({"id": fault_id})


def _for_this_machine(handler: Handler) -> Handler:
    """Refuse what comes from another machine, wherever the exchange listens."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            is_here = ipaddress.ip_address(request.remote or "").is_loopback
        except ValueError:
            is_here = False
        if not is_here:
            return web.Response(status=403, text="only from this machine")
        return await handler(request)

    return handle


def _json(found: Any, status: int = 200) -> web.Response:  # noqa: ANN401 - whatever is told
    body = msgspec.json.encode(found)
    return web.Response(body=body, status=status, content_type="application/json")


def _kind_of(body: bytes) -> str:
    if body[:1] == b"{":
        return "application/json"
    return "text/html" if body[:1] == b"<" else "text/plain"
