"""A venue that speaks the line dialect, for the length of a scenario."""

import asyncio

import picows
import pytest
from tests.websocket.lines import Events, LineDialect, Peer, Venue, WallClock

from plimsoll.websocket import LinkPlace, SessionSettings


@pytest.fixture
def serve():
    """Run a scenario with a venue, a link made by ``make(place, clock, events)``, and events."""

    def run(make, scenario, settings=None, dialect=None):
        async def main():
            events = Events()
            venue = Venue(events)
            server = await picows.ws_create_server(lambda request: Peer(venue), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            url = f"ws://127.0.0.1:{port}/"
            place = LinkPlace(5, url, dialect or LineDialect(), settings or SessionSettings())
            link = make(place, WallClock(), events)
            try:
                await scenario(link, venue, events)
            finally:
                await link.close()
                server.close()
                for peer in venue.peers:
                    peer.cut()
                await server.wait_closed()

        asyncio.run(main())

    return run
