"""What a path that faults have broken does to who connects, the same for REST and sockets."""

import asyncio
from typing import Final

from aiohttp import web

from plimsoll.simulator.faults.plan import Where
from plimsoll.simulator.faults.venue import FaultyVenue

_STEP_S: Final = 0.005


async def refused(
    venue: FaultyVenue, where: Where, request: web.Request
) -> web.StreamResponse | None:
    """Return what a dead or refusing path answers, None where it works."""
    if fault := venue.plan.hit("refuse_connects", where):
        venue.note_now(fault, path=request.path)
        return reset(request)
    if fault := venue.plan.hit("bad_gateway", where):
        venue.note_now(fault, path=request.path, status=502)
        return web.Response(status=502, text="<h1>502 Bad Gateway</h1>")
    if fault := venue.plan.hit("path_dead", where):
        venue.note_now(fault, path=request.path)
        while fault.id in venue.plan.active:  # noqa: ASYNC110 - the plan is pure: it wakes nobody
            await asyncio.sleep(_STEP_S)
        return reset(request)
    return None


def reset(request: web.Request) -> web.Response:
    """Reset the connection of a request; what is returned never reaches anybody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
