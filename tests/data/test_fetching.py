"""Fetching: from our own simulator, and from a venue that answers what a test says."""

import asyncio
import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bar

from plimsoll.data import (
    BadRows,
    Fault,
    Fetched,
    OtherVenue,
    Progress,
    fetch,
    fetch_filters,
    import_file,
    read_bars,
    read_funding,
    series_of,
    verify,
)
from plimsoll.engine.clock import EngineClock
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread
from plimsoll.venues.bybit.errors import UnknownInstrument, VenueUnreachable
from plimsoll.venues.bybit.http import Reply, Unanswered
from plimsoll.venues.bybit.rates import Holder
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.settings import BybitSettings

MARKS = series_of("linear:BTCUSDT", "mark", "1m")
FUNDING = series_of("linear:BTCUSDT", "funding", "")
HOUR_MS = 3_600_000


def settings(url: str = "http://venue") -> BybitSettings:
    return BybitSettings(
        rest_url=url, public_url="", private_url="", trade_url="", holder=Holder.TOOLS
    )


class StillClock:
    """Time stands; what sleeps is told how long it would have."""

    def __init__(self, now_ms: int) -> None:
        # A clock that was not measured is held back by so much, so that no bar is taken too early.
        self.at_ns = now_ms * 1_000_000 + 250_000_000
        self.slept_s = 0.0

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic_ns(self) -> int:
        return self.at_ns

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds


class History:
    """A venue with bars from ``first_ms`` on; ``holes`` are minutes it lacks for ever."""

    def __init__(self, now_ms: int, first_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.first_ms = first_ms
        self.holes: set[int] = set()
        self.asked: list[dict[str, str]] = []
        self.answers: dict[int, Callable[[], Reply]] = {}
        """What happens instead of an answer, by the number of the request from 0."""

        self.row: Callable[[int], str] = bar
        self.rates: list[int] = []

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        path, _, query = target.partition("?")
        params = dict(parse_qsl(query))
        number = len(self.asked)
        self.asked.append(params | {"path": path})
        if number in self.answers:
            return self.answers[number]()
        if path.endswith("funding/history"):
            return reply({"list": self._rates(params)})
        return reply({"list": self._bars(params)})

    async def close(self) -> None:
        pass

    def _bars(self, params):
        first, end = int(params["start"]), int(params["end"])
        if params["interval"] == "M":
            return [bar(max(first, self.first_ms)).split(",")] if self.first_ms <= end else []
        first = max(first, self.first_ms)
        times = range(first + -first % MINUTE_MS, min(end, self.now_ms) + 1, MINUTE_MS)
        rows = [self.row(at).split(",") for at in times if at not in self.holes]
        return rows[::-1][: int(params["limit"])]

    def _rates(self, params):
        first, end = int(params["startTime"]), int(params["endTime"])
        found = [at for at in self.rates if first <= at <= end][::-1][: int(params["limit"])]
        return [
            {"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(at)}
            for at in found
        ]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Return the minutes asked for, counted from the day's first."""
        return [
            ((int(one["start"]) - DAY_MS) // MINUTE_MS, (int(one["end"]) + 1 - DAY_MS) // MINUTE_MS)
            for one in self.asked
            if one.get("interval") == "1"
        ]


def reply(result, code: int = 0, status: int = 200) -> Reply:
    body = {"retCode": code, "retMsg": "", "result": result}
    return Reply(status, {}, [], json.dumps(body).encode())


def unanswered() -> Reply:
    raise Unanswered("the connection was lost")


def run(history, store, series=MINUTES, first=DAY_MS, end=1 << 60, **options) -> Fetched:
    clock = StillClock(history.now_ms)

    async def main():
        rest = RestClient(settings(), clock, None, transport=history, sleep=clock.sleep)
        return await fetch(rest, store, series, first, end, **options)

    return asyncio.run(main())


def count(store, series=MINUTES) -> int:
    rows = read_bars(store.directory, series.instrument, "1m", 0, 1 << 60, series.kind)
    return sum(map(len, rows))


# ---- what is asked for -----------------------------------------------------------------------


def test_the_bar_under_way_is_never_stored(store):
    history = History(DAY_MS + 10 * MINUTE_MS + MINUTE_MS - 1)
    found = run(history, store)
    assert (found.added, found.gaps) == (10, [])
    assert found.to_ms == DAY_MS + 10 * MINUTE_MS
    assert history.spans == [(0, 10)]


def test_pages_of_a_thousand_and_only_what_is_missing(store, given):
    import_file(store, given([bar(DAY_MS + at * MINUTE_MS) for at in range(100, 200)]), MINUTES)
    history = History(DAY_MS + 2500 * MINUTE_MS)
    found = run(history, store)
    assert history.spans == [(0, 100), (200, 1200), (1200, 2200), (2200, 2500)]
    assert (found.added, found.stored, found.gaps) == (2400, 100, [])
    history.asked.clear()
    again = run(history, store)
    assert (again.added, again.stored, history.spans) == (0, 2500, [])


def test_holes_of_the_venue_are_listed_and_asked_for_again(store):
    history = History(DAY_MS + 100 * MINUTE_MS)
    history.holes = {DAY_MS + at * MINUTE_MS for at in (40, 41, 60)}
    found = run(history, store)
    assert [(gap.missing, gap.from_ms) for gap in found.gaps] == [
        (2, DAY_MS + 40 * MINUTE_MS),
        (1, DAY_MS + 60 * MINUTE_MS),
    ]
    history.holes.clear()
    assert run(history, store).gaps == []
    assert count(store) == 100


def test_before_the_listing_nothing_is_asked_for(store):
    history = History(DAY_MS + 100 * MINUTE_MS, first_ms=DAY_MS)
    found = run(history, store, first=DAY_MS - 3 * 365 * 86_400_000)
    assert found.from_ms == DAY_MS
    assert len(history.asked) == 2  # the months, then one page
    assert found.gaps == []


def test_a_venue_without_any_bar_of_the_span(store):
    found = run(History(DAY_MS, first_ms=DAY_MS), store, first=DAY_MS - 10 * MINUTE_MS, end=DAY_MS)
    assert (found.added, found.gaps, found.requests) == (0, [], 1)


def test_requests_wait_for_their_turn_in_the_address_s_budget(store):
    history, clock = History(DAY_MS + 100_000 * MINUTE_MS), StillClock(DAY_MS + 100_000 * MINUTE_MS)

    async def main():
        rest = RestClient(settings(), clock, None, transport=history, sleep=clock.sleep)
        return await fetch(rest, store, MINUTES, DAY_MS, 1 << 60)

    assert asyncio.run(main()).added == 100_000
    assert len(history.asked) == 101
    assert clock.slept_s > 0  # a tenth of 600 in 5 s: the sixty-first has to wait


def test_progress_is_told_page_by_page(store):
    told: list[Progress] = []
    run(History(DAY_MS + 2500 * MINUTE_MS), store, on_progress=told.append)
    assert told == [Progress(1, 3), Progress(2, 3), Progress(3, 3)]


def test_funding_is_paged_from_the_end_and_only_what_is_missing(store):
    history = History(DAY_MS + 500 * 8 * HOUR_MS)
    history.rates = [DAY_MS + at * 8 * HOUR_MS for at in range(500)]
    found = run(history, store, FUNDING)
    assert (found.added, found.gaps, len(history.asked)) == (500, [], 3)
    stored = [row for chunk in read_funding(store.directory, "linear:BTCUSDT", 0, 1 << 60)
              for row in chunk]  # fmt: skip
    assert [at for at, _ in stored] == history.rates
    history.rates.append(history.now_ms - 1)
    history.asked.clear()
    assert run(history, store, FUNDING).added == 1
    assert len(history.asked) == 1


# ---- what goes wrong -------------------------------------------------------------------------


def test_a_lost_or_refused_page_is_asked_for_again(store):
    history = History(DAY_MS + 2500 * MINUTE_MS)
    history.answers = {
        1: unanswered,
        2: lambda: reply({}, code=10006),
        3: lambda: reply({}, 0, 500),
    }
    assert run(history, store).added == 2500


def test_a_fetch_that_broke_off_goes_on_where_it_was(store):
    history = History(DAY_MS + 6000 * MINUTE_MS)
    history.answers = {number: unanswered for number in range(5, 100)}
    with pytest.raises(VenueUnreachable):
        run(history, store)
    assert count(store) == 4000  # the pages before the one that failed
    history.answers.clear()
    history.asked.clear()
    assert run(history, store).added == 2000
    assert history.spans == [(4000, 5000), (5000, 6000)]


def test_a_fetch_that_is_interrupted_keeps_its_whole_pages(store):
    def stop(now: Progress) -> None:
        if now.done == 4:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    history = History(DAY_MS + 9000 * MINUTE_MS)
    with pytest.raises(asyncio.CancelledError):
        run(history, store, on_progress=stop)
    assert count(store) == 4000
    assert run(history, store).added == 5000


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda: reply({}, code=10001), UnknownInstrument),
        (lambda: reply({}, status=403), VenueUnreachable),
        (lambda: reply({"rows": []}), VenueUnreachable),
        (lambda: reply({"list": [["1", "2"]]}), VenueUnreachable),
        (lambda: reply({"list": [bar(DAY_MS - MINUTE_MS).split(",")]}), VenueUnreachable),
        (lambda: reply({"list": [bar(DAY_MS + 1).split(",")]}), BadRows),
        (lambda: reply({"list": [bar(DAY_MS).split(",")] * 2}), BadRows),
        (lambda: reply({"list": [bar(DAY_MS, price=-5).split(",")]}), BadRows),
    ],
)
def test_an_answer_that_makes_no_sense_stores_nothing(store, answer, error):
    history = History(DAY_MS + 10 * MINUTE_MS)
    history.answers = {1: answer}
    with pytest.raises(error):
        run(history, store)
    assert store.files(MINUTES) == []


def test_a_bad_bar_of_the_venue_can_be_left_out_by_name(store):
    history = History(DAY_MS + 10 * MINUTE_MS)
    bad_ms = DAY_MS + 4 * MINUTE_MS
    history.row = lambda at_ms: bar(at_ms, price=-5.0 if at_ms == bad_ms else 100.0)
    with pytest.raises(BadRows, match="1 price") as refused:
        run(history, store)
    assert "--drop-bad price" in refused.value.how
    (finding,) = refused.value.findings
    assert finding.where == "http://venue linear:BTCUSDT last 1m"
    assert finding.value == bar(bad_ms, price=-5.0)
    found = run(history, store, drop={Fault.PRICE})
    assert found.added == 9
    assert [one.value for one in found.dropped] == [finding.value]
    assert [gap.from_ms for gap in found.gaps] == [bad_ms]


# ---- our own exchange ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exchange():
    with SimulatorThread(SimSettings(limits="venue", seed=3)) as found:
        yield found


def at_exchange(exchange, work):
    async def main():
        async with RestClient(settings(exchange.url), EngineClock(), None) as rest:
            await rest.measure_offset(1)
            return await work(rest)

    return asyncio.run(main())


def test_every_kind_is_fetched_from_our_own_exchange(store, exchange):
    now_ms = EngineClock().now_ns() // 1_000_000

    async def work(rest):
        filters = await fetch_filters(rest, store, "simulator", "linear:BTCUSDT")
        assert filters.instrument.tick_size == "0.10"
        return [
            await fetch(rest, store, series, now_ms - 24 * HOUR_MS, now_ms)
            for series in (MINUTES, MARKS, FUNDING)
        ]

    last, mark, funding = at_exchange(exchange, work)
    assert last.added > 100
    assert last.to_ms <= now_ms
    assert mark.kind == "mark"
    assert funding.added == 3
    found = verify(store)
    assert found.is_sound, found.findings[:3]


def test_spot_and_an_instrument_that_is_none(store, exchange):
    now_ms = EngineClock().now_ns() // 1_000_000

    async def work(rest):
        spot = series_of("spot:ETHUSDT", "last", "5m")
        found = await fetch(rest, store, spot, now_ms - 2 * HOUR_MS, now_ms)
        with pytest.raises(UnknownInstrument):
            await fetch_filters(rest, store, "simulator", "linear:NONEUSDT")
        none = series_of("linear:NONEUSDT", "last", "1m")
        with pytest.raises(UnknownInstrument):
            await fetch(rest, store, none, now_ms - HOUR_MS, now_ms)
        await fetch_filters(rest, store, "mainnet", "linear:BTCUSDT")
        with pytest.raises(OtherVenue):
            await fetch_filters(rest, store, "simulator", "linear:BTCUSDT")
        return found

    assert at_exchange(exchange, work).added in (23, 24)
