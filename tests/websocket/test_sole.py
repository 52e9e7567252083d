from functools import partial

from plimsoll.websocket import SessionSettings, SoleLink

SHORT = {"drain_ns": 60_000_000, "settle_ns": 1_000_000}


def sole(place, clock, events, topics=("a",), is_drained=lambda number: False, **times):
    link = SoleLink(
        place, topics, clock, events.frame, events, is_drained=is_drained, **(SHORT | times)
    )
    link.start()
    return link


async def succeeded(link, events):
    await events.until("up", 5)
    link.succeed("a test says so")
    await events.see(lambda: link.sender == 2)


def test_a_successor_takes_over_without_a_moment_down(serve):
    async def scenario(link, venue, events):
        await succeeded(link, events)
        venue.push("a", 1)
        await events.see(lambda: events.count("frame", 5, "a:1:10") == 2)  # both deliver
        await events.until("ended", 1)
        assert events.count("down", 5) == 0
        assert events.count("up", 5) == 1
        assert link.send(b"now") == 2
        venue.push("a", 2)
        await events.until("frame", 5, "a:2:20")
        assert events.count("frame", 5, "a:2:20") == 1

    serve(sole, scenario)


def test_requests_go_to_the_successor_and_the_old_one_goes_when_it_is_drained(serve):
    pending = {1: 1}

    async def scenario(link, venue, events):
        await succeeded(link, events)
        assert link.send(b"order") == 2
        old = venue.peers[0]
        await events.see(lambda: "order" in venue.peers[1].got)
        await events.see(lambda: link._succession._is_proven)
        assert old.transport is not None
        pending.clear()
        old.send("answer to the last")
        await events.until("ended", 1)
        assert events.count("frame", 5, "answer to the last") == 1
        assert events.count("down", 5) == 0

    def drained(number):
        return number not in pending

    serve(partial(sole, topics=(), is_drained=drained, drain_ns=20_000_000_000), scenario)


def test_no_second_successor_comes_while_one_is_on_its_way(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        link.succeed("once")
        link.succeed("twice")
        await events.until("ended", 1)
        assert len(venue.peers) == 2

    serve(sole, scenario)


def test_an_old_one_cut_before_its_successor_is_there_leaves_the_link_down_until_then(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.admits = False
        link.succeed("planned")
        await events.until("auth-refused")
        assert link.send(b"still") == 1
        venue.peers[0].cut()
        await events.until("down", 5, True)
        assert link.send(b"nobody") == 0
        assert list(link.connections) == [2]
        venue.admits = True
        await events.until("up", 5, times=2)
        assert link.send(b"again") == 2

    serve(sole, scenario, SessionSettings(refused_delay_ns=50_000_000))


def test_an_old_one_that_gives_no_sign_of_life_has_left_a_gap(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.peers[0].is_mute = True
        link.succeed("planned")
        await events.until("down", 5, True)
        await events.until("up", 5, times=2)
        assert link.is_up
        assert link.sender == 2

    serve(sole, scenario)


def test_an_old_one_that_is_cut_after_it_was_shown_to_be_alive_left_none(serve):
    async def scenario(link, venue, events):
        await succeeded(link, events)
        await events.see(lambda: link._succession._is_proven)
        venue.peers[0].cut()
        await events.until("ended", 1)
        assert events.count("down", 5) == 0

    serve(partial(sole, drain_ns=20_000_000_000), scenario)


def test_a_link_that_only_answers_tells_of_no_gap(serve):
    async def scenario(link, venue, events):
        await events.until("up", 5)
        venue.peers[0].is_mute = True
        link.succeed("planned")
        await events.until("ended", 1)
        assert events.count("down", 5) == 0

    serve(partial(sole, topics=()), scenario)


def test_a_venue_that_cuts_at_a_known_age_never_cuts_what_is_used(serve):
    async def scenario(link, venue, events):
        venue.life_s = 2.0
        await events.until("up", 5)
        for number in range(1, 5):
            await events.see(lambda number=number: link.sender > number)
            venue.push("a", number)
            await events.until("frame", 5, f"a:{number}:{number * 10}")
        assert events.count("down", 5) == 0
        assert events.count("up", 5) == 1

    serve(sole, scenario, SessionSettings(max_age_ns=100_000_000))


def test_one_that_grows_old_while_its_predecessor_stays_has_its_successor_after_that(serve):
    async def scenario(link, venue, events):
        await events.see(lambda: link.sender > 2)
        assert events.count("down", 5) == 0

    serve(partial(sole, drain_ns=80_000_000), scenario, SessionSettings(max_age_ns=10_000_000))


def test_the_end_of_a_link_that_succeeds_is_told_once(serve):
    async def scenario(link, venue, events):
        await succeeded(link, events)
        await link.close()
        assert events.count("down", 5, True) == 1

    serve(partial(sole, drain_ns=20_000_000_000), scenario)
