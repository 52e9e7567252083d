"""Funding on paper: at its time, once, whatever was down or killed."""

from fractions import Fraction
from math import ceil

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    INSTRUMENTS,
    MS,
    PERP,
    PRICE,
    SECOND,
    SPOT,
    Driver,
    Message,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import Core, restore, snapshot
from plimsoll.core.model import Mode
from plimsoll.core.records import (
    FundingReported,
    IncidentRaised,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
    QueryIntended,
    TickerChanged,
)
from plimsoll.core.settings import Timing

HOUR = 3_600 * SECOND
LATENCY = Timing().paper_latency_ns
LAG = Timing().funding_lag_ns
TIMING = Timing(beat_ns=20 * SECOND)  # an hour is long
SETTINGS = settings_of(one_strategy(Mode.PAPER, (PERP, SPOT, ETH)), timing=TIMING)
RATE = 0.0001


class Feed:
    """A paper session whose ticker tells of funding; time passes with the ticker or without."""

    def __init__(self, driver=None, *, settings=SETTINGS):
        self.driver = driver or Driver(settings)
        self.driver.begin(PERP, SPOT, ETH)
        self.next_ms = (self.now_ms // 3_600_000 + 1) * 3_600_000
        for name in (PERP, SPOT, ETH):
            self.driver.book(name)
            self.driver.mark(name, PRICE[name])

    @property
    def now_ms(self):
        return self.driver.now_ns // MS

    def tell(self, mark=50_000.0, rate: float | None = RATE, name=PERP, next_ms=None):
        at_ms = self.next_ms if next_ms is None else next_ms
        return self.driver.put(
            TickerChanged, name, mark, mark, mark, rate, at_ms, self.driver.now_ns // MS
        )

    def hold(self, qty="0.010", side="buy", name=PERP):
        self.driver.do(lambda s: getattr(s, side)(name, qty), on=name)
        self.driver.advance(LATENCY)

    def until(self, at_ms):
        """Let time pass without a ticker."""
        self.driver.advance(at_ms * MS - self.driver.now_ns)

    def through(self, mark=50_000.0, rate=RATE):
        """Come to the funding time with the ticker alive, and a little past it."""
        self.until(self.next_ms - 1_000)
        self.tell(mark, rate)
        self.until(self.next_ms + 100)
        self.next_ms += 3_600_000
        self.tell(mark, rate)

    def paid(self):
        return self.driver.of(PaperFunded)

    def held(self, name=PERP):
        return self.driver.core.ledger.position("s", name)

    def answer(self, *rows, ok=True):
        """Answer all open queries with (funding_ms, rate, mark)."""
        while self.driver.queries:
            self._answer(*rows, ok=ok)

    def _answer(self, *rows, ok):
        query = self.driver.queries.pop(0)
        assert query.kind == "funding"

        def row_of(at_ms: int, rate: float, mark: float) -> Message:
            terms = (at_ms, round(rate * 10**12), round(mark * 10**8), query.query_id)
            return lambda stamp: FundingReported(*stamp, query.instrument, *terms)

        self.driver.answer(query, [row_of(*row) for row in rows], ok=ok)


@pytest.fixture
def feed():
    made = Feed()
    made.tell()
    return made


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
@pytest.mark.parametrize("rate", [RATE, -0.00012345, 0.0])
def test_a_position_pays_quantity_times_mark_times_rate_at_its_time(feed, side, sign, rate):
    feed.hold(side=side)
    feed.through(mark=51_234.56, rate=rate)
    (paid,) = feed.paid()
    exact = Fraction(sign, 100) * Fraction("51234.56") * Fraction(str(rate)) * CASH
    assert paid.paid_units == feed.held().funding_units == ceil(exact)
    assert (paid.owner, paid.funding_ms, paid.coin) == ("s", feed.next_ms - 3_600_000, "USDT")
    assert feed.driver.core.ledger.cash == {}, "the account's own cash is not touched"
    before = feed.driver.core.equity_of("s")
    feed.through(mark=51_234.56, rate=rate)
    assert before - feed.driver.core.equity_of("s") == ceil(exact)


def test_the_rate_of_the_moment_is_paid_and_not_the_one_told_with_the_next(feed):
    feed.hold()
    feed.until(feed.next_ms - 500)
    feed.tell(50_000.0, 0.0002)
    feed.driver.now_ns = feed.next_ms * MS + 5 * MS  # the ticker comes before the timer
    feed.next_ms += 3_600_000
    feed.tell(49_000.0, -0.0009)
    (paid,) = feed.paid()
    assert (paid.rate_e12, paid.mark_e8) == (2 * 10**8, 50_000 * 10**8)
    feed.driver.advance(SECOND)
    assert len(feed.paid()) == 1


def test_who_is_flat_spot_or_opens_later_pays_nothing(feed):
    feed.hold("0.001", name=SPOT)
    feed.through()
    assert feed.paid() == []
    feed.hold()
    feed.driver.advance(SECOND)
    assert feed.paid() == []


def test_a_fill_in_the_moment_after_counts_for_the_next_time(feed):
    """The timer is late: a fill after the funding time must not take part in it."""
    feed.hold("0.010")
    feed.until(feed.next_ms - 1_000)
    feed.tell()
    feed.driver.do(lambda s: s.buy(PERP, "0.030"))
    feed.driver.now_ns = (feed.next_ms + 1) * MS
    feed.driver.book(PERP)  # fills here, before any timer
    feed.driver.advance(SECOND)
    (paid,) = feed.paid()
    assert (paid.qty_units, feed.held().qty_units) == (10**6, 4 * 10**6)


def test_an_interval_that_changes_is_followed(feed):
    feed.hold()
    feed.until(feed.next_ms - 1_800_000)
    feed.driver.queries.clear()
    sooner = feed.now_ms + 60_000
    feed.tell(next_ms=sooner)
    feed.until(sooner - 500)
    feed.tell(next_ms=sooner)
    feed.until(sooner + 10)
    assert [one.funding_ms for one in feed.paid()] == [sooner]


def test_no_owner_of_the_live_account_pays_here():
    feed = Feed(settings=settings_of(one_strategy(Mode.LIVE)))
    feed.tell()
    feed.driver.core.ledger.adopt_position("s", PERP, 10, 5 * 10**10)
    feed.through()
    assert feed.paid() == []


# ---- what nobody listened to ----


def test_a_ticker_that_was_silent_at_the_time_owes_and_the_venue_is_asked(feed):
    feed.hold()
    feed.until(feed.next_ms + 5_000)  # silent for most of an hour
    assert feed.paid() == []
    (owed,) = feed.driver.of(PaperFundingOwed)
    assert owed.since_ms < feed.next_ms <= owed.until_ms
    assert not feed.driver.queries, "the venue may not list it yet"
    feed.driver.advance(LAG + SECOND)
    feed.answer((feed.next_ms - 3_600_000, 9.0, 1.0), (feed.next_ms, 0.0003, 48_000.0))
    (paid,) = feed.paid()
    assert (paid.paid_units, paid.owed) == (ceil(Fraction(48_000 * 3 * CASH, 10**6)), owed.seq)
    assert feed.driver.core.state.funding_owed == {}
    feed.driver.advance(HOUR)
    assert len(feed.paid()) == 1


def test_a_rate_that_was_not_told_since_a_gap_is_asked_for(feed):
    """Deltas leave out what has not changed, and what changed unheard is gone."""
    feed.hold()
    feed.until(feed.next_ms - 3_000)
    feed.tell(rate=None)  # heard again; the rate may be another one by now
    feed.until(feed.next_ms + 500)
    assert feed.paid() == []
    feed.driver.advance(LAG + SECOND)
    feed.answer((feed.next_ms, 0.0007, 50_000.0))
    assert [one.rate_e12 for one in feed.paid()] == [7 * 10**8]


def test_a_time_that_was_never_told_is_asked_for(feed):
    """The message that told of the next funding time was lost: the one after it shows it."""
    feed.hold()
    feed.through()
    paid = len(feed.paid())
    unheard = feed.next_ms
    for second in range(3_600):
        feed.driver.now_ns += SECOND
        if second % 5 == 0:
            feed.tell(next_ms=0)
    feed.until(unheard + 10)
    feed.tell(next_ms=unheard + 3_600_000)
    feed.driver.advance(LAG + SECOND)
    feed.answer((unheard - 3_600_000, RATE, 50_000.0), (unheard, RATE, 50_000.0))
    assert [one.funding_ms for one in feed.paid()][paid:] == [unheard]


def test_an_unanswered_or_failed_question_is_asked_again_and_told_after_a_while(feed):
    feed.hold()
    feed.until(feed.next_ms + 5_000)
    feed.driver.advance(LAG + SECOND)
    feed.answer(ok=False)
    feed.driver.advance(LAG // 2)
    assert not feed.driver.queries, "not at once"
    feed.driver.advance(LAG // 2 + SECOND)
    old = feed.driver.queries.pop(0)  # never answered
    feed.driver.advance(LAG + SECOND)
    assert len(feed.driver.queries) == 1
    feed.driver.put(FundingReported, PERP, feed.next_ms, 10**8, 10**13, old.query_id)
    feed.driver.advance(15 * 60 * SECOND)
    incidents = [one.code for one in feed.driver.of(IncidentRaised)]
    assert incidents.count("paper_funding_owed") == 1
    feed.driver.queries[:-1] = []
    feed.answer((feed.next_ms, RATE, 50_000.0))
    assert len(feed.paid()) == 1


def test_what_changes_meanwhile_pays_for_what_was_held_then(feed):
    feed.hold("0.010")
    feed.until(feed.next_ms + 5_000)
    feed.tell(next_ms=feed.next_ms + 3_600_000)
    feed.hold("0.090")
    feed.driver.advance(LAG + SECOND)
    feed.answer((feed.next_ms, RATE, 50_000.0))
    assert [one.qty_units for one in feed.paid()] == [10**6]


def applied(log):
    """Bring a core to where a log ends, as a restart does."""
    core = Core()
    for record in log:
        core.apply(record)
    return core


def killed(feed, *, away_ns=0, is_restored=False):
    """Begin the next session from the log of the one before, which was cut off as it is."""
    old = feed.driver
    core = applied(old.log)
    state = restore(snapshot(core.state)) if is_restored else core.state
    made = Driver(SETTINGS, state=state, epoch=old.epoch + 1, now_ns=old.now_ns + away_ns)
    made.log = list(old.log)
    next_ms = feed.next_ms
    again = Feed(made)
    again.next_ms = max(again.next_ms, next_ms)
    return again


@pytest.mark.parametrize("is_restored", [False, True])
def test_fundings_while_the_engine_was_down_are_paid_once(feed, is_restored):
    feed.hold()
    feed.through()
    first = feed.next_ms
    again = killed(feed, away_ns=3 * HOUR, is_restored=is_restored)
    again.tell()
    again.driver.advance(LAG + SECOND)
    times = [first - 3_600_000, first, first + 3_600_000]
    again.answer(*[(at, RATE, 50_000.0) for at in times])
    assert [one.funding_ms for one in again.paid()] == times
    third = killed(again, away_ns=SECOND)
    third.tell()
    third.driver.advance(LAG + SECOND)
    third.answer(*[(at, RATE, 50_000.0) for at in times])
    assert [one.funding_ms for one in third.paid()] == times


def test_a_kill_between_the_owners_pays_each_once():
    settings = settings_of(
        one_strategy(Mode.PAPER, name="s"), one_strategy(Mode.PAPER, name="t"), timing=TIMING
    )
    feed = Feed(settings=settings)
    feed.tell()
    for name in "st":
        feed.driver.do(lambda s: s.buy(PERP, "0.010"), name=name)
        feed.driver.advance(LATENCY)
    feed.through()
    log = feed.driver.log
    (cut, _) = [place for place, one in enumerate(log) if isinstance(one, PaperFunded)]
    core = applied(log[: cut + 1])
    made = Driver(settings, state=core.state, epoch=2, now_ns=feed.driver.now_ns)
    made.log = log[: cut + 1]
    moment = feed.next_ms - 3_600_000
    again = Feed(made, settings=settings)
    again.tell()
    again.driver.advance(LAG + SECOND)
    again.answer((moment, RATE, 50_000.0))
    assert sorted(one.owner for one in again.paid()) == ["s", "t"]
    assert again.held().funding_units == 5 * 10**6


def test_killed_after_every_record_the_same_is_paid(feed):
    """The log is cut behind each of its records; the venue tells the rest."""
    feed.hold("0.010")
    feed.through()
    feed.hold("0.020")
    feed.until(feed.next_ms + 5_000)
    moments = [(feed.next_ms - 3_600_000, RATE, 50_000.0), (feed.next_ms, RATE, 50_000.0)]
    feed.driver.advance(LAG + SECOND)
    feed.answer(*moments)
    whole = {one.funding_ms: one.qty_units for one in feed.paid()}
    assert list(whole.values()) == [10**6, 3 * 10**6]
    log, end_ns = feed.driver.log, feed.driver.now_ns
    start = next(place for place, one in enumerate(log) if isinstance(one, PaperFunded))
    for cut in range(start - 2, len(log) + 1):
        core = applied(log[:cut])
        before = {
            key: held.qty_units for key, held in core.ledger.positions.items() if held.qty_units
        }
        made = Driver(SETTINGS, state=core.state, epoch=2, now_ns=end_ns)
        made.log = list(log[:cut])
        again = Feed(made)
        again.tell()
        again.driver.advance(LAG + SECOND)
        again.answer(*moments)
        paid = {one.funding_ms: one.qty_units for one in again.paid()}
        assert len(paid) == len(again.paid()), f"twice, cut at {cut}"
        assert paid.keys() == whole.keys(), f"lost, cut at {cut}"
        assert paid[moments[0][0]] == 10**6
        assert paid[moments[1][0]] == before["s", PERP], f"cut at {cut}"


def test_a_position_of_a_journal_without_fundings_begins_now(feed):
    feed.hold()
    feed.held().funded_ms = 0
    feed.driver.now_ns += HOUR
    feed.tell()
    feed.driver.advance(SECOND)
    assert feed.driver.of(QueryIntended) == []
    assert len(feed.driver.of(PaperFundingSettled)) == 1
    feed.next_ms = (feed.now_ms // 3_600_000 + 1) * 3_600_000
    feed.tell()
    feed.through()
    assert len(feed.paid()) == 1


def test_two_instruments_each_at_its_own_time_and_rate():
    feed = Feed()
    other_ms = feed.next_ms + 1_800_000
    feed.tell()
    feed.tell(2_000.0, -0.0002, ETH, other_ms)
    feed.hold()
    feed.hold("0.50", name=ETH)
    for at_ms in (feed.next_ms, other_ms):
        feed.until(at_ms - 500)
        feed.tell(next_ms=at_ms if at_ms == feed.next_ms else feed.next_ms + 3_600_000)
        feed.tell(2_000.0, -0.0002, ETH, other_ms)
        feed.until(at_ms + 500)
    found = {(one.instrument, one.funding_ms): one.paid_units for one in feed.paid()}
    assert found == {(PERP, feed.next_ms): 5 * 10**6, (ETH, other_ms): -20 * 10**6}
    assert INSTRUMENTS[ETH].settle == "USDT"


def test_a_record_that_comes_twice_is_booked_once(feed):
    feed.hold()
    feed.through()
    (paid,) = feed.paid()
    before = feed.held().funding_units
    state = feed.driver.core.state
    state.apply(paid)
    assert feed.held().funding_units == before
    again = msgspec.structs.replace(paid, owed=99)  # of a span nobody knows
    state.apply(again)
    assert feed.held().funding_units == before
