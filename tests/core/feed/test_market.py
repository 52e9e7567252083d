"""What a market may be trusted with: causes of doubt, older events, reference prices."""

import pytest
from tests.properties.driver import INSTRUMENTS, MS, PERP, SECOND, SPOT

from plimsoll.core.feed import Cause, Market, StreamName, StreamStatus
from plimsoll.core.feed.silence import LEAST
from plimsoll.core.feed.trust import CAUSE_WORDS, CONTENT_CAUSES
from plimsoll.core.records import (
    BarChanged,
    BookChanged,
    PublicTraded,
    StreamChanged,
    TickerChanged,
)

T = 1_000 * SECOND
GOOD = {"bids": ((99.0, 1.0),), "asks": ((101.0, 1.0),)}


class Feed:
    """A market and the messages that reach it; what is left out of a message is good."""

    def __init__(self, name=PERP):
        self.market = Market(INSTRUMENTS[name])
        self.name = name
        self.now = T
        self.number = 0
        self.seq = 0

    def book(self, *, snapshot=False, skip=0, age=0, depth=50, seq=0, **sides):
        if depth == 50:
            self.number += 1 + skip
            self.seq += 1
        rows = GOOD | sides
        self.market.on_book(
            BookChanged(
                1,
                self.now,
                1,
                0,
                self.name,
                depth,
                snapshot,
                self.number if depth == 50 else self.now,
                seq or self.seq,
                self.now // MS - age,
                [*rows["bids"]],
                [*rows["asks"]],
            ),
            0,
        )
        return self

    def snapshot(self, **named):
        return self.book(snapshot=True, **named)

    def ticker(self, mark=0.0, last=0.0, age=0):
        at_ms = self.now // MS - age
        self.market.on_ticker(
            TickerChanged(1, self.now, 1, 0, self.name, last, mark, 0.0, 0.0, 0, at_ms), 0
        )
        return self

    def prints(self, *rows, age=0):
        made = [(price, 1.0, True, ms) for price, ms in rows]
        self.market.on_public_trade(
            PublicTraded(1, self.now, 1, 0, self.name, made, self.now // MS - age), 0
        )
        return self

    def bar(self, age=0):
        at_ms = self.now // MS - age
        self.market.on_bar(
            BarChanged(1, self.now, 1, 0, self.name, 0, 1.0, 1.0, 1.0, 1.0, 1.0, False, at_ms), 0
        )
        return self

    def told(self, stream, status, *, void=False, reason="test"):
        self.market.on_stream(
            StreamChanged(1, self.now, 1, 0, self.name, stream, status, reason, void)
        )
        return self

    def while_moving(self, name, ns):
        """Let time pass while one stream moves each half second, at the end too."""
        until = self.now + ns
        while self.now < until:
            self.after(min(SECOND // 2, until - self.now))
            getattr(self, name)()
        return self

    def after(self, ns):
        self.now += ns
        return self

    def cause(self, *also):
        found = self.market.doubt(self.now, also)
        return found and found.cause

    @property
    def renews(self):
        return self.market.wants_renewal(self.now)


# ---- content ----


def test_nothing_is_live_before_a_snapshot():
    feed = Feed()
    assert (feed.market.status(T), feed.cause()) == (StreamStatus.SUSPECT, Cause.EARLY_DELTA)
    assert feed.market.why_not(T) == "order book: no snapshot yet"
    assert feed.book().cause() == Cause.EARLY_DELTA
    assert feed.snapshot().cause() is None
    assert feed.market.status(T) is StreamStatus.LIVE


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize(
    ("sides", "cause"),
    [
        ({"bids": ((101.0, 1.0),)}, Cause.CROSSED),
        ({"bids": ((102.0, 1.0),)}, Cause.CROSSED),
        ({"bids": ((-1.0, 1.0),)}, Cause.BAD_LEVEL),
        ({"asks": ((0.0, 1.0),)}, Cause.BAD_LEVEL),
        ({"bids": ((98.0, NAN),)}, Cause.BAD_LEVEL),
        ({"bids": ((98.0, -1.0),)}, Cause.BAD_LEVEL),
        ({"asks": ((INF, 1.0),)}, Cause.BAD_LEVEL),
    ],
)
def test_a_bad_message_leaves_a_book_that_holds_nothing(sides, cause, snapshot):
    feed = Feed().snapshot().book(snapshot=snapshot, **sides)
    assert (feed.cause(), feed.renews) == (cause, True)
    assert feed.market.book.rows() == ([], [])
    assert feed.book().cause() == cause
    assert feed.snapshot().cause() is None


@pytest.mark.parametrize("gone", ["bids", "asks"])
def test_a_side_without_a_level_is_suspect_until_it_has_one(gone):
    feed = Feed().snapshot()
    price = GOOD[gone][0][0]
    feed.book(**{gone: ((price, 0.0),)})
    assert (feed.cause(), feed.renews) == (Cause.EMPTY, True)
    assert feed.book().cause() is None


def test_a_gap_is_suspect_until_the_next_snapshot():
    feed = Feed().snapshot().book(skip=1)
    assert (feed.cause(), feed.renews) == (Cause.GAP, True)
    assert feed.book().cause() == Cause.GAP
    assert feed.snapshot().cause() is None


def test_a_service_that_restarts_is_live_with_its_snapshot():
    feed = Feed().snapshot().book()
    feed.after(SECOND).number, feed.seq = 0, 0
    assert feed.snapshot().cause() is None
    assert feed.market.book.update_id == 1
    assert feed.book().cause() is None


def test_a_restart_without_a_snapshot_is_a_gap():
    feed = Feed().snapshot().book()
    feed.number = 0
    assert feed.book().cause() == Cause.GAP


# ---- other depths ----


def test_another_depth_never_reaches_the_book():
    feed = Feed().snapshot()
    feed.snapshot(depth=1, seq=99, bids=((98.0, 5.0),))
    assert feed.market.book.best_bid == 99.0
    assert feed.cause() is None
    assert feed.book().cause() is None


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("bids", [((98.0, 1.0),), ((99.0, 2.0),), ()])
def test_two_depths_that_disagree_at_one_sequence_are_suspect(bids, is_first):
    feed = Feed().snapshot()
    if is_first:
        feed.snapshot(depth=1, seq=2, bids=bids).book()
    else:
        feed.book().snapshot(depth=1, seq=2, bids=bids)
    assert (feed.cause(), feed.renews) == (Cause.DISAGREEING, True)
    assert feed.book().cause() == Cause.DISAGREEING
    feed.snapshot(depth=1, seq=3)
    assert feed.cause() is None


def test_a_snapshot_ends_a_disagreement():
    feed = Feed().snapshot().snapshot(depth=1, seq=1, bids=((98.0, 1.0),))
    assert feed.cause() == Cause.DISAGREEING
    assert feed.snapshot().cause() is None


def test_a_deeper_book_is_compared_by_its_chain():
    feed = Feed().snapshot()
    feed.snapshot(depth=200, seq=1)
    assert feed.cause() is None
    feed.snapshot(depth=200, seq=1, asks=((100.5, 1.0), (101.0, 1.0)))
    assert feed.cause() == Cause.DISAGREEING


# ---- age ----


def test_an_old_event_is_suspect_by_the_venues_clock():
    feed = Feed().snapshot().book(age=2_000)
    assert feed.cause() is None
    assert (feed.book(age=2_001).cause(), feed.renews) == (Cause.LATE, False)
    assert feed.book().cause() is None


def test_a_frozen_engine_time_is_suspect_after_two_seconds_whatever_else_moves():
    feed, age = Feed().snapshot(), 0
    for _ in range(21):
        feed.after(SECOND // 10).ticker().book(age=(age := age + 100))
    assert feed.cause() == Cause.LATE
    assert feed.after(SECOND // 10).ticker().cause() == Cause.LATE


def test_a_snapshot_is_as_old_as_what_came_before_it_allows():
    """A quiet book's snapshot carries the time of its last change, however long ago."""
    feed = Feed().ticker()
    assert feed.snapshot(age=60_000).cause() is None
    feed = Feed()
    assert feed.snapshot(age=60_000).cause() == Cause.LATE
    assert feed.ticker(age=2_001).cause() == Cause.LATE
    assert feed.ticker().cause() is None


@pytest.mark.parametrize("stream", ["ticker", "trades", "bars"])
def test_every_stream_can_be_late(stream):
    def say(feed, age):
        return {
            "ticker": lambda: feed.ticker(age=age),
            "trades": lambda: feed.prints((100.0, 0), age=age),
            "bars": lambda: feed.bar(age=age),
        }[stream]()

    feed = say(Feed().snapshot(), 2_001)
    assert feed.cause(StreamName(stream)) == Cause.LATE
    assert say(feed, 0).cause(StreamName(stream)) is None


def test_a_late_print_is_no_doubt_for_hours():
    feed = Feed(SPOT).snapshot().prints((100.0, 0), age=2_001)
    feed.while_moving("book", 5 * SECOND)
    assert feed.cause(StreamName.TRADES) == Cause.LATE
    assert feed.after(1).book().cause(StreamName.TRADES) is None


# ---- silence ----


def test_a_silent_book_is_suspect_once_another_stream_has_moved_on():
    feed = Feed(SPOT).snapshot().while_moving("ticker", 3_500 * MS)
    assert feed.cause() is None
    feed.after(1).ticker()
    assert (feed.cause(), feed.renews) == (Cause.SILENT, True)
    assert feed.market.why_not(feed.now) == "order book: silent for 3.5 s"
    assert feed.book().cause() is None


def test_a_book_that_is_silent_with_everything_else_is_suspect_at_the_cap():
    feed = Feed(SPOT).snapshot().ticker()
    assert feed.after(15 * SECOND).cause() is None
    assert feed.after(1).cause() == Cause.SILENT


def test_a_late_pong_is_suspect_at_once():
    feed = Feed().snapshot().told("book", "suspect", reason="the pong is late")
    assert feed.cause() == Cause.CARRIED
    assert feed.market.why_not(T) == "order book suspect: the pong is late"
    assert not feed.renews, "the connection renews what it carries"
    assert feed.told("book", "live").cause() is None


def test_a_quiet_book_learns_its_silence_although_it_is_renewed_meanwhile():
    feed = Feed(SPOT).snapshot()
    renewals = []
    for _ in range(LEAST + 5):
        renewed = 0
        for _ in range(20):  # a change each ten seconds; the ticker moves all the time
            feed.after(SECOND // 2).ticker()
            if feed.renews:
                feed.snapshot()
                renewed += 1
        feed.book()
        renewals.append(renewed)
    assert renewals[0] > 0
    assert renewals[-3:] == [0, 0, 0]
    assert feed.after(10 * SECOND).ticker().cause() is None


@pytest.mark.parametrize("skip", [None, 1])
def test_what_a_frozen_stream_missed_does_not_teach_it_to_be_silent(skip):
    feed = Feed(SPOT).snapshot()
    for number in range(LEAST + 5):
        feed.while_moving("ticker", 4 * SECOND)
        if skip:
            feed.book(skip=skip)
        feed.snapshot(bids=((98.0 - number, 1.0),))
        feed.book(bids=((98.5 - number, 1.0),))
    feed.while_moving("ticker", 4 * SECOND)
    assert feed.cause() == Cause.SILENT


def test_the_ticker_of_a_perpetual_must_keep_up_with_its_book():
    feed = Feed().snapshot().ticker(mark=100.0)
    feed.while_moving("book", 3_500 * MS)
    assert feed.cause() is None
    feed.after(1).book()
    assert feed.cause() == Cause.SILENT
    assert not feed.renews
    assert feed.ticker(mark=100.0).cause() is None


def test_a_ticker_that_often_stands_still_while_its_book_moves_is_suspect_each_time():
    feed = Feed().snapshot().ticker(mark=100.0)
    for _ in range(50):
        assert feed.while_moving("book", 4 * SECOND).cause() == Cause.SILENT
        feed.ticker(mark=100.0)


def test_what_wakes_a_quiet_book_wakes_its_ticker_a_moment_later():
    feed = Feed().snapshot().ticker(mark=100.0)
    for _ in range(30):
        feed.after(9 * SECOND).book()
        assert feed.cause() is None, "the ticker is on its way"
        feed.after(SECOND).book().ticker(mark=100.0)
        assert feed.cause() is None


def test_prints_may_be_silent_for_hours():
    feed = Feed(SPOT).snapshot().prints((100.0, 0))
    feed.after(7_200 * SECOND).book().ticker()
    assert feed.cause(StreamName.TRADES) is None


def test_open_bars_come_at_least_each_minute():
    feed = Feed(SPOT).snapshot().bar()
    assert feed.while_moving("book", 65 * SECOND).cause(StreamName.BARS) is None
    assert feed.after(1).book().cause(StreamName.BARS) == Cause.SILENT
    assert feed.cause() is None, "who does not live on bars is not stopped by them"


# ---- divergence ----


@pytest.mark.parametrize("kind", ["mark", "print"])
def test_a_book_far_from_another_price_for_over_a_second_is_suspect(kind):
    feed = Feed().snapshot().ticker(mark=100.0)

    def refer(price):
        if kind == "mark":
            feed.ticker(mark=price)
        else:
            feed.prints((price, feed.now // MS)).ticker(mark=100.0)

    refer(100.6)
    feed.after(SECOND).book()
    refer(100.6)
    assert feed.cause() is None
    feed.after(1).book()
    assert (feed.cause(), feed.renews) == (Cause.DIVERGED, False)
    word = "mark price" if kind == "mark" else "last print"
    assert feed.market.why_not(feed.now) == f"order book: its middle is 0.60% from the {word}"
    refer(100.4)
    assert feed.cause() is None


def test_a_book_that_comes_back_by_itself_is_live_at_once():
    feed = Feed().snapshot().ticker(mark=100.6)
    feed.after(SECOND + 1).book()
    assert feed.cause() == Cause.DIVERGED
    assert feed.book(bids=((100.0, 1.0),)).cause() is None
    assert feed.after(2 * SECOND).book().cause() is None


def test_a_new_distance_after_a_pause_of_prints_must_last_again():
    feed = Feed(SPOT).snapshot().prints((110.0, T // MS)).book()
    feed.while_moving("book", 6 * SECOND).prints((110.0, feed.now // MS))
    assert feed.cause() is None
    assert feed.after(SECOND + 1).book().cause() == Cause.DIVERGED


def test_a_spike_of_one_message_is_no_divergence():
    feed = Feed().snapshot().ticker(mark=100.0)
    for _ in range(30):
        up = {"bids": ((119.0, 1.0),), "asks": ((101.0, 0.0), (121.0, 1.0))}
        back = {"bids": ((119.0, 0.0),), "asks": ((121.0, 0.0), (101.0, 1.0))}
        feed.after(SECOND // 2).book(**up)
        assert feed.cause() is None
        feed.after(SECOND // 2).book(**back).ticker(mark=100.0)
        assert feed.cause() is None


def test_a_print_of_long_ago_says_nothing_about_now():
    feed = Feed().snapshot().ticker(mark=100.0).prints((110.0, T // MS))
    for _ in range(3):
        feed.after(SECOND).book().ticker(mark=100.0)
    assert feed.cause() == Cause.DIVERGED
    for _ in range(3):
        feed.after(SECOND).ticker(mark=100.0)
    assert feed.cause() is None
    assert feed.book().cause() is None


# ---- older events (MKT-4) ----


def test_a_snapshot_older_than_the_book_is_left_out():
    feed = Feed().snapshot(seq=50).book(seq=51, bids=((99.5, 1.0),))
    feed.snapshot(seq=40, age=100)
    assert (feed.market.book.best_bid, feed.market.outdated) == (99.5, 1)
    feed.snapshot(seq=40)
    assert feed.market.book.best_bid == 99.0, "a newer time counts: the sequence began anew"


def test_an_older_snapshot_does_not_mend_a_gap():
    feed = Feed().snapshot(seq=50).book(seq=51).book(seq=60, skip=1).snapshot(seq=40, age=100)
    assert feed.cause() == Cause.GAP


def test_an_older_ticker_and_older_prints_are_left_out():
    feed = Feed().snapshot().ticker(mark=100.0, last=100.0).ticker(mark=90.0, last=90.0, age=1)
    assert (feed.market.mark, feed.market.last, feed.market.outdated) == (100.0, 100.0, 1)
    feed.prints((101.0, 10), (102.0, 20)).prints((50.0, 19), (103.0, 20), (60.0, 5))
    assert (feed.market.last, feed.market.outdated) == (103.0, 3)
    assert [row[0] for row in feed.market.fresh_rows] == [103.0]
    feed.prints((50.0, 1))
    assert (feed.market.last, feed.market.fresh_rows) == (103.0, [])


# ---- how it is carried ----


def test_a_dropped_link_is_suspect_and_empty_and_needs_its_ticker_again():
    feed = Feed().snapshot().ticker(mark=100.0)
    feed.market.drop("link down")
    assert (feed.market.why_not(T), feed.renews) == ("order book: link down", True)
    assert feed.market.book.best_bid == 0.0
    feed.after(60 * SECOND).snapshot()
    assert feed.cause() == Cause.UNHEARD
    assert feed.ticker().cause() is None


def test_a_void_book_waits_for_its_snapshot_even_when_it_is_carried_again():
    feed = Feed().snapshot().told("book", "suspect", void=True, reason="a gap")
    feed.told("book", "live")
    assert feed.cause() == Cause.VOID
    assert feed.book().cause() == Cause.EARLY_DELTA
    assert feed.snapshot().cause() is None


def test_a_void_ticker_must_come_again():
    feed = Feed().snapshot().ticker(mark=100.0)
    feed.told("ticker", "suspect", void=True).told("ticker", "live")
    assert feed.cause() == Cause.UNHEARD
    assert feed.ticker().cause() is None


def test_a_dead_stream_says_so():
    feed = Feed().snapshot().told("book", "dead", void=True, reason="three renewals")
    assert feed.market.status(T) is StreamStatus.DEAD
    assert feed.market.why_not(T) == "order book dead: three renewals"


@pytest.mark.parametrize("stream", ["trades", "bars"])
def test_a_stream_stops_only_those_who_live_on_it(stream):
    feed = Feed().snapshot().told(stream, "suspect")
    assert feed.cause() is None
    assert feed.cause(StreamName(stream)) == Cause.CARRIED


def test_what_is_unknown_is_no_stream():
    assert Feed().snapshot().told("liquidations", "dead", void=True).cause() is None


def test_a_new_session_knows_nothing_of_how_streams_were_carried():
    feed = Feed().snapshot().told("bars", "dead").told("book", "dead")
    feed.market.restart()
    assert feed.market.why_not(T) == "order book: not connected"
    assert feed.snapshot().cause(*StreamName) is None


def test_every_cause_has_words_and_the_books_faults_are_causes():
    assert set(CAUSE_WORDS) == set(Cause)
    assert set(Cause) > CONTENT_CAUSES


# ---- reference prices (RSK-2) ----


def test_reference_of_a_perpetual_is_the_mark():
    feed = Feed().snapshot()
    assert feed.market.reference_ticks(T) == 1_000
    feed.ticker(mark=120.0)
    assert feed.market.reference_ticks(T) == 1_200
    feed.market.drop("x")
    assert feed.market.reference_ticks(T) == 1_200


def test_reference_of_spot_is_the_middle_then_a_fresh_print_then_nothing():
    feed = Feed(SPOT).snapshot().prints((100.1, 0))
    assert feed.market.reference_ticks(T) == 10_000
    feed.market.drop("x")
    assert feed.market.reference_ticks(T + 5 * SECOND) == 10_010
    assert feed.market.reference_ticks(T + 5 * SECOND + 1) == 0
    assert feed.market.newest_ticks(T + 5 * SECOND + 1) == 10_010


def test_reference_of_spot_is_not_a_book_that_diverged():
    feed = Feed(SPOT).snapshot()
    for _ in range(3):
        feed.after(SECOND).book().prints((90.0, feed.now // MS))
    assert feed.cause() == Cause.DIVERGED
    assert feed.market.reference_ticks(feed.now) == 9_000


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_prices_that_are_none_are_not_taken_over(price):
    feed = Feed().snapshot().ticker(mark=100.0, last=100.0).prints((price, T // MS))
    feed.ticker(mark=price, last=price)
    assert (feed.market.mark, feed.market.last) == (100.0, 100.0)
    assert feed.cause() is None


@pytest.mark.parametrize("missing", ["last", "mark", "index"])
def test_a_ticker_changes_only_what_it_carries(missing):
    found = Market(INSTRUMENTS[PERP])
    found.on_ticker(TickerChanged(1, T, 1, 0, PERP, 1.0, 2.0, 3.0, 0.1, 5, 0), 0)
    values = {"last": 10.0, "mark": 20.0, "index": 30.0, missing: 0.0}
    found.on_ticker(
        TickerChanged(1, T, 1, 0, PERP, **values, funding_rate=None, next_funding_ms=0, venue_ms=0),
        0,
    )
    before = {"last": 1.0, "mark": 2.0, "index": 3.0}
    for name, value in values.items():
        assert getattr(found, name) == (value or before[name])
    assert (found.funding_rate, found.next_funding_ms) == (0.1, 5)


def test_a_funding_rate_and_its_time_change_apart_and_zero_is_a_rate():
    found = Market(INSTRUMENTS[PERP])
    for rate, at_ms in ((0.1, 5), (None, 9), (-0.2, 0), (0.0, 0)):
        found.on_ticker(TickerChanged(1, T, 1, 0, PERP, 0.0, 0.0, 0.0, rate, at_ms, 0), 0)
        if at_ms == 9:
            assert (found.funding_rate, found.next_funding_ms) == (0.1, 9)
    assert (found.funding_rate, found.next_funding_ms) == (0.0, 9)
