import asyncio
import logging

import picows
from tests.websocket.lines import QUICK, Events, LineDialect, WallClock

from plimsoll.websocket import LinkPlace, SessionSettings, SoleLink


def sole(place, clock, events):
    link = SoleLink(place, ("a",), clock, events.frame, events)
    link.start()
    return link


def quiet(place, clock, events):
    """Return a link that was not started."""
    return SoleLink(place, ("a",), clock, events.frame, events)


def test_frames_reach_the_handler_and_are_counted(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.push("a", 1)
        await events.until("frame", 5, "a:1:10")
        venue.peers[0].send("answer to an order")
        await events.until("frame", 5, "answer to an order")
        topic = link.connections[1].session.topics["a"]
        assert (topic.messages, topic.bytes) == (1, len("a:1:10"))
        assert topic.last_ns > 0
        metrics = link.metrics()
        assert metrics["messages"] == 4
        assert metrics["last_message_ns"] > 0
        assert link.counters()[1, "a"]["messages"] == 1

    serve(sole, scenario)


def test_a_lost_connection_comes_back_subscribed(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.peers[0].cut()
        await events.until("down", 5, True)
        await events.until("up", 5, times=2)
        assert link.metrics()["connects"] == 2
        assert link.metrics()["drops"] == 1
        assert events.count("ended", 1) == 1

    serve(sole, scenario)


def test_a_half_open_peer_is_noticed_by_its_missing_pong_although_data_comes(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.peers[0].is_mute = True
        number = 0
        while not events.count("down", 5, True):
            number += 1
            venue.push("a", number)
            await events.see(lambda: events.count("down", 5) or events.frames("a")[-1:] > [""])
            await asyncio.sleep(0)
        assert events.frames("a")

    serve(sole, scenario, SessionSettings(ping_period_ns=20_000_000, pong_deadline_ns=20_000_000))


class Mute(asyncio.Protocol):
    """Takes a connection, reads, and never says a word."""

    def __init__(self, taken):
        self.taken = taken

    def connection_made(self, transport):
        self.taken.append(transport)


def test_a_peer_that_takes_the_connection_and_never_speaks_is_given_up():
    async def main():
        loop = asyncio.get_running_loop()
        taken: list[asyncio.BaseTransport] = []
        server = await loop.create_server(lambda: Mute(taken), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        events = Events()
        settings = SessionSettings(step_deadline_ns=30_000_000)
        place = LinkPlace(5, f"ws://127.0.0.1:{port}/", LineDialect(), settings)
        link = sole(place, WallClock(), events)
        try:
            await events.until("down", 5, False, times=2)
        finally:
            await link.close()
            server.close()
            for transport in taken:
                transport.close()
            await server.wait_closed()
            await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn
        assert len(taken) >= 2

    asyncio.run(main())


def test_a_dead_path_is_noticed_within_ten_seconds_by_the_settings_that_ship():
    own = SessionSettings()
    assert own.ping_period_ns + own.pong_deadline_ns < 10_000_000_000
    assert own.step_deadline_ns < 10_000_000_000


def test_pings_measure_the_round_trip(serve):
    async def scenario(link, venue, events):
        await events.until("got", "ping", times=2)
        assert link.is_up
        assert link.metrics()["ping_ns"] > 0

    serve(sole, scenario, QUICK)


def test_a_process_that_stood_still_reads_before_it_judges(serve):
    class Jumping:
        def __init__(self, clock):
            self.clock, self.ahead = clock, 0

        def now_ns(self):
            return self.clock.now_ns() + self.ahead

    clocks = []

    def jumping(place, clock, events):
        clocks.append(Jumping(clock))
        return sole(place, clocks[0], events)

    async def scenario(link, venue, events):
        await events.until("got", "ping")
        clocks[0].ahead += 60_000_000_000  # the pong lies in the socket already
        await events.until("got", "ping", times=4)
        assert events.count("down", 5) == 0

    serve(jumping, scenario, SessionSettings(ping_period_ns=30_000_000))


def test_fragments_are_joined(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        transport = venue.peers[0].transport
        transport.send(picows.WSMsgType.TEXT, b"a:be", fin=False)
        transport.send(picows.WSMsgType.CONTINUATION, b"gin", fin=False)
        transport.send(picows.WSMsgType.CONTINUATION, b"-end")
        await events.until("frame", 5, "a:begin-end")

    serve(sole, scenario)


def test_an_oversized_message_drops_the_connection(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        transport = venue.peers[0].transport
        for _ in range(5):
            transport.send(picows.WSMsgType.TEXT, bytes(1_000_000), fin=False)
        await events.until("down", 5, True)

    logging.getLogger("picows").addHandler(logging.NullHandler())
    serve(sole, scenario)


def test_nothing_is_written_unless_the_link_is_up(serve):
    async def scenario(link, venue, events):
        assert not link.send(b"early")
        link.start()
        assert not link.send(b"early")
        await events.until("up", 5)
        assert link.send(b"now") == 1
        await events.until("got", "now")

    serve(quiet, scenario)


def test_a_refused_connection_is_told_and_tried_again(serve):
    async def scenario(link, venue, events):
        link.connections[1].url = "ws://127.0.0.1:9/"
        link.restart("elsewhere")
        await events.until("down", 5, False, times=2)
        assert not link.is_up

    serve(sole, scenario)


def test_a_failing_handler_is_surfaced_and_costs_no_connection(serve):
    failures = []

    def failing(place, clock, events):
        def fail(index, payload, received_ns):
            raise RuntimeError("broken engine")

        link = SoleLink(place, ("a",), clock, fail, events)
        link.start()
        return link

    async def scenario(link, venue, events):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, found: failures.append(found))
        await events.until("up", 5)
        venue.push("a", 1)
        await events.see(lambda: failures)
        assert link.is_up

    serve(failing, scenario)
    assert isinstance(failures[0]["exception"], RuntimeError)


def test_a_restart_told_by_the_owner_drops_and_returns(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        link.restart("unreadable")
        assert not link.send(b"x")
        await events.until("up", 5, times=2)

    serve(sole, scenario)
