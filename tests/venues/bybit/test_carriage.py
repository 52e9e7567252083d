"""How public streams are carried: what is recorded of them, and over real sockets."""

import asyncio

import aiohttp
import pytest
from tests.venues.bybit.test_venue import BELOW, NAMES, OVER, Desk, settings_for

from plimsoll.core.book import OrderBook
from plimsoll.core.model import OrderState
from plimsoll.core.records import (
    BookChanged,
    ExecutionReported,
    LinkChanged,
    OrderReported,
    RequestAnswered,
    StreamChanged,
)
from plimsoll.venues.bybit import BybitSettings, UnknownInstrument, parsers_for
from plimsoll.venues.bybit.carriage import (
    HOST_CONNECTS,
    PUBLIC_CONNECTS,
    PublicCarriage,
    link_settings,
    private_url,
)
from plimsoll.venues.bybit.links import PRIVATE, TRADE
from plimsoll.venues.bybit.venue import BybitVenue
from plimsoll.websocket import TopicPhase

simulator = pytest.importorskip("plimsoll.simulator")

LINEAR = 2
BOOK, TRADES = "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"


# ---- what is recorded ----


@pytest.fixture
def carriage(inbox, clock, linear):
    settings = BybitSettings(rest_url="", public_url="ws://h/p", private_url="", trade_url="")
    made = PublicCarriage(settings, inbox, clock, events=None)  # type: ignore[arg-type]
    made._link = lambda category: FakePool()  # type: ignore[method-assign,assignment,return-value]
    made.follow([linear])
    return made


class FakePool:
    def want(self, topics, copies):
        pass


def told(inbox):
    return [(r.stream, r.status, r.is_void) for r in inbox.of(StreamChanged)]


def test_only_changes_are_recorded(carriage, inbox):
    for phase, is_void in [
        (TopicPhase.REQUESTED, True),
        (TopicPhase.CONFIRMED, True),
        (TopicPhase.LIVE, False),
        (TopicPhase.LIVE, False),
        (TopicPhase.SUSPECT, False),
        (TopicPhase.SUSPECT, True),
        (TopicPhase.REQUESTED, True),
        (TopicPhase.DEAD, True),
    ]:
        carriage.topic_changed(LINEAR, BOOK, phase, "why", is_void)
    assert told(inbox) == [
        ("book", "live", False),
        ("book", "suspect", False),
        ("book", "suspect", True),
        ("book", "dead", True),
    ]
    assert inbox.of(StreamChanged)[0].instrument == "linear:BTCUSDT"


def test_a_stream_without_a_snapshot_is_live_when_it_is_confirmed(carriage, inbox):
    carriage.topic_changed(LINEAR, TRADES, TopicPhase.CONFIRMED, "confirmed", False)
    carriage.topic_changed(LINEAR, TRADES, TopicPhase.LIVE, "data", False)
    carriage.topic_changed(LINEAR, TRADES, TopicPhase.REFUSED, "no", True)
    assert told(inbox) == [("trades", "live", False), ("trades", "dead", True)]


def test_topics_nobody_follows_are_not_recorded(carriage, inbox):
    carriage.topic_changed(PRIVATE, "order", TopicPhase.LIVE, "data", False)
    carriage.topic_changed(LINEAR, "tickers.OTHER", TopicPhase.LIVE, "data", False)
    assert told(inbox) == []


def test_links_of_one_host_share_a_budget_that_public_ones_cannot_use_up(carriage):
    host = carriage.budget_of("wss://a/private")
    assert carriage.budget_of("wss://a/trade") is host
    assert carriage.budget_of("wss://b/trade") is not host
    public = carriage._budget("wss://a/public/linear")
    assert carriage._budget("wss://a/public/spot") is public
    for _ in range(PUBLIC_CONNECTS):
        public.spend(1)
    assert public.ready_ns(2) > 2
    assert host.ready_ns(2) == 2
    assert HOST_CONNECTS - PUBLIC_CONNECTS >= 2 * 30


def test_a_connection_that_will_be_cut_has_a_successor_before():
    own = BybitSettings(rest_url="", public_url="", private_url="", trade_url="")
    assert link_settings(own).max_age_ns == 0
    assert link_settings(own, 600).max_age_ns == 540_000_000_000
    assert link_settings(own, 30).max_age_ns == 20_000_000_000
    assert private_url("wss://x/v5/private", 600) == "wss://x/v5/private?max_active_time=600s"
    assert private_url("wss://x/v5/private", 0) == "wss://x/v5/private"


# ---- over real sockets ----


@pytest.fixture
def follow(inbox, clock):
    """Run a scenario with a venue that follows ``names``."""

    def run(scenario, names=NAMES[:1], links=1, **settings):
        async def main():
            async with simulator.running(simulator.SimSettings()) as running:
                settings.setdefault("key", "")
                venue = BybitVenue(settings_for(running, **settings), inbox, clock)
                try:
                    await venue.open(names)
                    await venue.connect()
                    await inbox.until(lambda: len(inbox.of(LinkChanged, is_up=True)) == links)
                    await scenario(Desk(venue, inbox, running))
                finally:
                    await venue.close()

        asyncio.run(main())

    return run


def books(inbox, link=LINEAR):
    parse = parsers_for()[link].parse
    found = (parse(raw, 1, 2, 3) for at, raw, _ in inbox.frames if at == link)
    return [record for record in found if isinstance(record, BookChanged)]


def book_of(changes):
    """Return the book built of all changes; none may leave it with a fault."""
    book = OrderBook()
    for change in changes:
        assert book.apply(change) is None, change.update_id
    return book


def cut(venue, number, link=LINEAR):
    venue.links[link].connections[number]._transport.disconnect(graceful=False)


async def proven(inbox, venue):
    """Wait until both copies of the book have shown that they are the same."""
    arbiter = venue.links[LINEAR]._arbiters[BOOK]
    await inbox.until(lambda: all(arbiter.copy_of(n).trust == "proven" for n in (1, 2)))
    await inbox.until(lambda: inbox.of(StreamChanged, stream="book", status="live"))


@pytest.mark.parametrize("dies", [1, 2])
def test_the_death_of_one_of_two_connections_is_invisible(follow, inbox, dies):
    async def scenario(desk):
        await proven(inbox, desk.venue)
        before = inbox.of(StreamChanged, stream="book")
        links = len(inbox.of(LinkChanged))
        cut(desk.venue, dies)
        seen = len(books(inbox))
        await inbox.until(lambda: len(books(inbox)) >= seen + 10)
        await proven(inbox, desk.venue)
        changes = books(inbox)
        assert [change.is_snapshot for change in changes].count(True) == 1
        book_of(changes)
        assert inbox.of(StreamChanged, stream="book") == before
        assert len(inbox.of(LinkChanged)) == links
        await the_same_as_the_simulators(desk)

    follow(scenario, redundant=("orderbook",))


async def the_same_as_the_simulators(desk):
    """Compare our book with one that a single connection of its own brings, at one update id."""
    url = f"{desk.running.ws_url}/v5/public/linear"
    parse = parsers_for()[LINEAR].parse
    async with aiohttp.ClientSession() as client, client.ws_connect(url) as socket:
        await socket.send_json({"op": "subscribe", "args": [BOOK]})
        found: list[BookChanged] = []
        while len(found) < 10:
            record = parse((await socket.receive_str(timeout=60)).encode(), 1, 2, 3)
            if isinstance(record, BookChanged):
                found.append(record)
    newest = found[-1].update_id
    await desk.inbox.until(lambda: books(desk.inbox)[-1].update_id >= newest)
    ours = book_of(change for change in books(desk.inbox) if change.update_id <= newest)
    theirs = book_of(found)
    assert ours.update_id == theirs.update_id
    assert ours.bids == theirs.bids
    assert ours.asks == theirs.asks


def test_the_death_of_both_is_suspect_and_void_and_recovers(follow, inbox):
    async def scenario(desk):
        await proven(inbox, desk.venue)
        for number in (1, 2):
            cut(desk.venue, number)
        await inbox.until(lambda: len(inbox.of(StreamChanged, stream="book", status="live")) == 2)
        found = [(r.status, r.is_void) for r in inbox.of(StreamChanged, stream="book")]
        assert found == [("live", False), ("suspect", True), ("live", False)]
        assert inbox.of(LinkChanged, link="public.linear", is_up=False)
        snapshots = [change.is_snapshot for change in books(inbox)]
        assert snapshots.count(True) == 2

    follow(scenario, redundant=("orderbook",))


def test_the_loss_of_the_only_connection_is_recorded_of_every_stream(follow, inbox):
    async def scenario(desk):
        await inbox.until(lambda: inbox.of(StreamChanged, stream="book", status="live"))
        cut(desk.venue, 1)
        await inbox.until(lambda: len(inbox.of(StreamChanged, stream="book", status="live")) == 2)
        lost = {r.stream for r in inbox.of(StreamChanged, status="suspect", is_void=True)}
        assert lost >= {"book", "ticker", "trades", "bars"}

    follow(scenario)


def test_streams_are_spread_over_connections_by_small_limits(follow, inbox):
    async def scenario(desk):
        streams = ("book", "trades", "ticker", "bars")
        await inbox.until(
            lambda: {r.stream for r in inbox.of(StreamChanged, status="live")} == set(streams)
        )
        carried = desk.venue.links[LINEAR].pool.plan
        assert sorted(len(topics) for topics in carried.values()) == [1, 3]

    follow(scenario, topics_per_connection=3)


def test_all_kinds_may_be_carried_twice(follow, inbox):
    async def scenario(desk):
        await proven(inbox, desk.venue)
        cut(desk.venue, 1)
        await inbox.until(lambda: ("connection-lost", "public.linear #1") in lost())
        seen = len(inbox.frames)
        await inbox.until(lambda: len(inbox.frames) > seen + 20)
        frames = [raw for _, raw, _ in inbox.frames]
        prints = [raw for raw in frames if b'"topic":"publicTrade' in raw]
        assert len(set(prints)) == len(prints), "no print comes twice"
        book_of(books(inbox))

    def lost():
        return {(code, subject) for code, subject, _ in inbox.troubles}

    follow(scenario, redundant=("orderbook", "publicTrade", "tickers", "kline"))


def test_instruments_come_and_go_while_it_runs(follow, inbox):
    async def scenario(desk):
        venue = desk.venue
        (spot,) = await venue.follow([NAMES[1]])
        assert spot.name == NAMES[1]
        await inbox.until(
            lambda: inbox.of(StreamChanged, instrument=NAMES[1], stream="book", status="live")
        )
        await venue.follow([NAMES[1]])
        venue.unfollow([NAMES[1]])
        assert not inbox.of(StreamChanged, instrument=NAMES[1], status="suspect")
        venue.unfollow([NAMES[1]])
        gone = inbox.of(StreamChanged, instrument=NAMES[1], status="suspect", is_void=True)
        assert {record.stream for record in gone} >= {"book", "ticker"}
        assert inbox.of(LinkChanged, link="public.spot", is_up=False)
        assert NAMES[1] in venue.instruments, "its orders may still be reported"
        venue.resubscribe(NAMES[1])
        with pytest.raises(UnknownInstrument, match=NAMES[1]):
            venue.unfollow([NAMES[1]])
        await venue.follow([NAMES[1]])
        await inbox.until(
            lambda: (
                len(inbox.of(StreamChanged, instrument=NAMES[1], stream="book", status="live")) == 2
            )
        )

    follow(scenario)


@pytest.mark.parametrize("name", ["linear:NOPEUSDT", "BTCUSDT"])
def test_what_does_not_exist_is_not_followed(follow, inbox, name):
    async def scenario(desk):
        with pytest.raises(UnknownInstrument, match=name):
            await desk.venue.follow([name])

    follow(scenario)


def test_a_successor_on_private_and_trade_leaves_no_gap(follow, inbox):
    async def scenario(desk):
        venue = desk.venue
        price = await desk.best_bid_ticks()
        for index in (PRIVATE, TRADE):
            venue.links[index].succeed("planned")
        await inbox.until(lambda: all(venue.links[i].sender == 2 for i in (PRIVATE, TRADE)))
        order = desk.order(price - BELOW)
        assert venue.create(order).via == "trade"
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="accepted"))
        await inbox.until(lambda: inbox.of(OrderReported, status=OrderState.OPEN))
        venue.create(desk.order(price + OVER, qty_lots=1))
        await inbox.until(lambda: len(inbox.of(ExecutionReported)) >= 2)
        ids = {record.execution_id for record in inbox.of(ExecutionReported)}
        assert len(ids) < len(inbox.of(ExecutionReported)), "both connections deliver"
        assert not inbox.of(LinkChanged, is_up=False)

    follow(scenario, links=3, key="sim-key")


def test_a_cut_of_the_old_private_connection_before_its_successor_is_told(follow, inbox):
    async def scenario(desk):
        cut(desk.venue, 1, PRIVATE)
        await inbox.until(lambda: len(inbox.of(LinkChanged, link="private", is_up=True)) == 2)
        assert len(inbox.of(LinkChanged, link="private", is_up=False)) == 1

    follow(scenario, links=3, key="sim-key")


def test_a_trade_service_that_restarts_is_followed_to_its_new_connection(follow, inbox):
    async def scenario(desk):
        venue = desk.venue
        price = await desk.best_bid_ticks() - BELOW
        sent = venue.create(desk.order(price))
        answer = '{"reqId":"%s","retCode":10019,"retMsg":"restart"}' % sent.request_id  # noqa: UP031
        venue._orders.take_answer(answer.encode())
        await inbox.until(lambda: venue.links[TRADE].sender == 2)
        assert venue.create(desk.order(price)).via == "trade"
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="accepted"))
        assert not inbox.of(LinkChanged, is_up=False)

    follow(scenario, links=3, key="sim-key")
