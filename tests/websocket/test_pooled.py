from functools import partial

import pytest
from tests.websocket.lines import QUICK, in_order

from plimsoll.websocket import PooledLink, PoolLimits


def pooled(place, clock, events, limits=None):
    return PooledLink(place, clock, events.frame, events, limits=limits)


def numbers(events, topic="BOOK"):
    return in_order(events.frames(topic))


# ---- topics come and go ----


def test_a_topic_lives_from_request_to_data(serve):
    async def scenario(link, venue, events):
        link.want(["BOOK", "a"])
        await events.until("up", 5)
        await events.until("topic", "BOOK", "live")
        await events.until("topic", "a", "confirmed")
        assert events.topics("BOOK")[-1] == ("live", False)
        assert link.standing("a").phase == "confirmed"
        assert len(venue.peers) == 1

    serve(pooled, scenario)


def test_topics_are_sharded_by_count_and_requests_hold_no_more_than_the_batch(serve):
    async def scenario(link, venue, events):
        link.want(["a", "b", "c", "d", "e"])
        await events.see(lambda: sum(len(peer.topics) for peer in venue.alive) == 5)
        assert sorted(len(peer.topics) for peer in venue.alive) == [2, 3]
        asked = [text for peer in venue.peers for text in peer.got if text.startswith("sub")]
        assert all(len(text.split(" ")[2].split(",")) <= 2 for text in asked)
        link.release(["d", "e"])
        await events.until("peer gone")
        assert link.is_up
        link.want(["f"])
        await events.see(lambda: any("f" in peer.topics for peer in venue.alive))
        assert link.metrics()["connects"] == 3

    serve(partial(pooled, limits=PoolLimits(topics=3)), scenario)


def test_a_released_topic_is_ended_and_told_of(serve):
    async def scenario(link, venue, events):
        link.want(["BOOK", "a"])
        link.want(["a"])
        await events.until("topic", "a")
        link.release(["a"])
        assert events.topics("a")[-1] != ("suspect", True), "somebody still wants it"
        link.release(["a"])
        assert events.topics("a")[-1] == ("suspect", True)
        await events.see(lambda: venue.peers[0].topics == ["BOOK"])
        venue.peers[0].topics.append("a")
        venue.push("a", 1)
        venue.grow()
        await events.see(lambda: len(events.frames("BOOK")) == 2)
        with pytest.raises(KeyError):
            link.release(["a"])

    serve(pooled, scenario)


def test_the_last_release_closes_the_link(serve):
    async def scenario(link, venue, events):
        link.want(["a"])
        await events.until("up", 5)
        link.release(["a"])
        assert events.count("down", 5, True) == 1
        await events.until("peer gone")
        link.want(["a"])
        await events.until("up", 5, times=2)

    serve(pooled, scenario)


def test_a_refused_topic_is_told_of_and_the_others_are_carried(serve):
    async def scenario(link, venue, events):
        venue.refused.add("b")
        link.want(["a", "b"])
        await events.until("topic", "a", "confirmed")
        assert events.topics("b") == [("refused", True)]
        assert events.count("topic-refused", "b") == 1

    serve(pooled, scenario)


# ---- one connection ----


def test_the_loss_of_the_only_carrier_makes_a_topic_suspect_and_void_until_it_is_back(serve):
    async def scenario(link, venue, events):
        link.want(["BOOK"])
        await events.until("topic", "BOOK", "live")
        venue.peers[0].cut()
        await events.until("topic", "BOOK", "live", times=2)
        found = events.topics("BOOK")
        assert found[-3:] == [("suspect", True), ("confirmed", True), ("live", False)]
        assert events.count("down", 5, True) == 1

    serve(pooled, scenario)


def test_a_topic_carried_once_never_touches_an_arbiter(serve):
    async def scenario(link, venue, events):
        link.want(["BOOK"])
        await events.until("topic", "BOOK", "live")
        assert not link._arbiters
        assert all(topic.gate is None for topic in link.connections[1].session.topics.values())

    serve(pooled, scenario)


def test_a_late_pong_makes_topics_suspect_but_not_void(serve):
    async def scenario(link, venue, events):
        link.want(["BOOK"])
        await events.until("topic", "BOOK", "live")
        venue.peers[0].is_mute = True
        await events.until("topic", "BOOK", "suspect", False)
        venue.peers[0].is_mute = False
        venue.peers[0].send("pong")
        await events.until("topic", "BOOK", "live", times=2)
        assert events.count("down", 5) == 0

    late = {"late_pong_ns": 20_000_000, "pong_deadline_ns": 5_000_000_000}
    settings = type(QUICK)(ping_period_ns=20_000_000, **late)
    serve(pooled, scenario, settings)


# ---- two connections ----


async def both(link, venue, events, topics=("BOOK",)):
    """Want topics twice and wait until both copies have shown that they count alike."""
    link.want(topics, copies=2)
    await events.see(lambda: len(venue.alive) == 2 and all(peer.topics for peer in venue.alive))
    await events.until("topic", topics[0], "live")
    venue.grow()
    arbiter = link._arbiters["BOOK"]
    await events.see(lambda: all(arbiter.copy_of(number).trust == "proven" for number in (1, 2)))
    await events.see(lambda: numbers(events)[-1] == venue.book)


def test_copies_are_on_different_connections_and_each_message_passes_once(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        for _ in range(50):
            venue.grow()
        last = venue.book
        await events.see(lambda: numbers(events)[-1] == last)
        counts = link.counters()
        await events.see(
            lambda: sum(link.counters()[n, "BOOK"]["duplicates"] for n in (1, 2)) >= 50
        )
        assert counts[1, "BOOK"]["gaps"] == counts[2, "BOOK"]["gaps"] == 0

    serve(pooled, scenario)


@pytest.mark.parametrize("dies", [0, 1])
def test_the_death_of_one_of_two_is_not_seen_in_the_stream(serve, dies):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        told = list(events.topics("BOOK"))
        venue.alive[dies].cut()
        await events.until("connection-lost")
        venue.grow()
        await events.see(lambda: len(venue.alive) == 2 and all(p.topics for p in venue.alive))
        for _ in range(20):
            venue.grow()
        await events.see(lambda: numbers(events)[-1] == venue.book)
        assert events.topics("BOOK") == told
        assert events.count("down", 5) == 0

    serve(pooled, scenario)


def test_both_dead_is_void_and_comes_back(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        before = len(events.frames("BOOK"))
        for peer in venue.alive:
            peer.cut()
        await events.until("topic", "BOOK", "suspect", True)
        await events.until("down", 5, True)
        await events.until("up", 5, times=2)
        await events.see(lambda: len(events.frames("BOOK")) > before)
        assert events.frames("BOOK")[before].endswith("!"), "it begins with a snapshot"
        assert events.topics("BOOK")[-1] == ("live", False)

    serve(pooled, scenario)


def test_a_renewal_asks_both_and_begins_with_a_snapshot(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        before = len(events.frames("BOOK"))
        link.renew(["BOOK"])
        await events.see(lambda: len(events.frames("BOOK")) > before)
        assert events.frames("BOOK")[before].endswith("!")
        assert events.count("got", "unsub") == 2

    serve(pooled, scenario, type(QUICK)(resubscribe_ns=50_000_000))


def test_a_hole_on_both_shows_after_the_hold(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        await events.see(lambda: numbers(events)[-1] == venue.book)
        first, second = venue.alive
        venue.book += 2
        venue.push("BOOK", venue.book, only=first)
        await events.see(lambda: events.frames("BOOK")[-1].startswith(f"{venue.book}:"))
        assert link.counters()[1, "BOOK"]["gaps"] + link.counters()[2, "BOOK"]["gaps"] == 1
        assert second.topics

    serve(pooled, scenario)


def test_a_reserve_is_renewed_when_the_other_dies(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events)
        first, second = venue.alive
        venue.book += 1
        venue.push("BOOK", venue.book, only=first)
        await events.see(lambda: numbers(events)[-1] == venue.book)
        venue.push("BOOK", venue.book, content=1, only=second)
        arbiter = link._arbiters["BOOK"]
        await events.see(
            lambda: any(arbiter.copy_of(number).trust == "reserve" for number in (1, 2))
        )
        venue.peers.remove(first)
        first.cut()
        await events.until("topic", "BOOK", "suspect", True)
        await events.until("topic", "BOOK", "live", times=2)
        assert second.got.count("ping") == 0
        assert any(text.startswith("unsub") for text in second.got)

    serve(pooled, scenario, type(QUICK)(first_delay_ns=9_000_000_000, resubscribe_ns=50_000_000))


def test_prints_of_two_connections_are_one_stream(serve):
    async def scenario(link, venue, events):
        await both(link, venue, events, topics=("BOOK", "a"))
        for number in range(1, 40):
            venue.push("a", number)
        await events.see(lambda: events.frames("a")[-1:] == ["39:390"])
        assert in_order(events.frames("a")) == list(range(1, 40))
        await events.see(lambda: link.counters()[2, "a"]["duplicates"] > 0)
        told = list(events.topics("a"))
        venue.alive[0].cut()
        await events.until("connection-lost")
        venue.push("a", 40)
        await events.see(lambda: events.frames("a")[-1] == "40:400")
        assert [status for status, _ in events.topics("a")[len(told) :]] in ([], ["confirmed"])

    serve(pooled, scenario)
