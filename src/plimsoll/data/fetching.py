"""Bars, mark bars, funding rates and filters from the venue: what is missing and over.

Public REST, inside the part of the address's rate that is the tools'. Whole pages are stored as
they come, so that a fetch that was broken off goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from plimsoll.data.database import database
from plimsoll.data.errors import BadRows, DataError
from plimsoll.data.findings import Fault, Finding, Gap
from plimsoll.data.frames import FUNDING_MOST_MS, Series, month_of, month_span
from plimsoll.data.judging import drop_or_refuse
from plimsoll.data.staging import stage
from plimsoll.data.store import Filters, Store
from plimsoll.venues.bybit.errors import UnknownInstrument, VenueUnreachable
from plimsoll.venues.bybit.listing import load_instruments, split_name
from plimsoll.venues.bybit.rest import Answer, End, RestClient

BARS_A_PAGE: Final = 1000
RATES_A_PAGE: Final = 200
_AT_ONCE: Final = 4
"""Pages asked for at a time: their answers take longer than their turns."""

_PAGES_A_WRITE: Final = 48
_TRIES: Final = 4
_PATHS: Final = {"last": "/v5/market/kline", "mark": "/v5/market/mark-price-kline"}
_FUNDING: Final = "/v5/market/funding/history"
_COLUMNS: Final = {
    "last": "time,open,high,low,close,volume,turnover",
    "mark": "time,open,high,low,close",
    "funding": "time,rate",
}

RowT = TypeVar("RowT")


class _List(msgspec.Struct):
    rows: list[list[str]] = msgspec.field(name="list")


class _Rate(msgspec.Struct):
    fundingRate: str
    fundingRateTimestamp: str


class _Rates(msgspec.Struct):
    rows: list[_Rate] = msgspec.field(name="list")


class Progress(msgspec.Struct, frozen=True):
    """How far a fetch is; both count pages."""

    done: int
    total: int


class Fetched(msgspec.Struct, frozen=True):
    """What a fetch did for one series."""

    instrument: str
    kind: str
    frame: str
    from_ms: int
    to_ms: int
    """The span asked for, without what the venue cannot have: before its first month, after the
    last bar that is over."""

    requests: int
    added: int
    stored: int
    """Rows of the span that were there before."""

    dropped: list[Finding]
    """Rows of the venue left out as asked, up to 100 of each fault in each piece."""

    gaps: list[Gap]
    """What is missing in the span all the same: the venue has none."""


async def fetch_filters(
    rest: RestClient, store: Store, environment: str, instrument: str
) -> Filters:
    """Ask for an instrument's filters and store them.

    Raises:
        UnknownInstrument: there is none of this name.
        VenueUnreachable: the venue gave no usable answer.
        OtherVenue: the instrument is stored from another environment.
    """
    (found,) = await load_instruments(rest, [instrument], with_fees=False)
    filters = Filters(environment, rest.signed_ms(), found)
    store.keep_filters(filters)
    return filters


async def fetch(
    rest: RestClient,
    store: Store,
    series: Series,
    from_ms: int,
    to_ms: int,
    on_progress: Callable[[Progress], None] = lambda _: None,
    drop: Collection[Fault] = (),
) -> Fetched:
    """Fetch what is missing of a series between two times and store it.

    Args:
        rest: The way to the venue; its clock has been measured.
        store: Where to.
        series: What to fetch.
        from_ms: First bar wanted, Unix ms.
        to_ms: Bars that begin here or later are not wanted; the bar under way is never fetched.
        on_progress: Told after each page.
        drop: Faults of rows that are left out instead of refused.

    Raises:
        VenueUnreachable: the venue stopped answering; what had come is stored.
        BadRows: it answered with rows that make no sense.
        DataError: rows cannot be read or stored.
    """
    return await _Fetch(rest, store, series, on_progress, drop).run(from_ms, to_ms)


class _Fetch:
    """One fetch under way."""

    def __init__(
        self,
        rest: RestClient,
        store: Store,
        series: Series,
        on_progress: Callable[[Progress], None],
        drop: Collection[Fault],
    ) -> None:
        self._rest = rest
        self._store = store
        self._series = series
        self._category, self._symbol = split_name(series.instrument)
        self._on_progress = on_progress
        self._drop = drop
        self._dropped: list[Finding] = []
        self._lines: list[str] = []
        self._requests = self._added = self._done = self._total = 0

    async def run(self, from_ms: int, to_ms: int) -> Fetched:
        series, frame = self._series, self._series.frame
        now_ms = self._rest.signed_ms()
        if series.is_funding:
            to_ms = min(to_ms, now_ms)
        else:
            from_ms, to_ms = frame.ceil(from_ms), min(frame.ceil(to_ms), frame.floor(now_ms))
            from_ms = await self._since_listing(from_ms, to_ms)
        with database() as (connection, _):
            missing = self._store.missing(connection, series, from_ms, to_ms)
        try:
            if series.is_funding:
                await self._rates(missing)
            else:
                await self._bars(missing)
        finally:
            self._write()
        with database() as (connection, _):
            gaps = [
                Gap(first, end, -(-(end - first) // self._step))
                for first, end in self._store.missing(connection, series, from_ms, to_ms)
                if not series.is_funding or end - first > FUNDING_MOST_MS
            ]
            kept = self._store.count(connection, series, from_ms, to_ms)
        return Fetched(
            series.instrument,
            series.kind,
            frame.word,
            from_ms,
            to_ms,
            self._requests,
            self._added,
            kept - self._added,
            self._dropped,
            gaps,
        )

    @property
    def _step(self) -> int:
        return FUNDING_MOST_MS if self._series.is_funding else self._series.frame.span_ms

    # ---- bars ------------------------------------------------------------------------------

    async def _since_listing(self, from_ms: int, to_ms: int) -> int:
        """Return where to begin: bars of months show in one request when the venue's begin."""
        if from_ms >= to_ms:
            return from_ms
        first, _ = month_span(month_of(from_ms))
        rows = await self._page(first, to_ms - 1, "M")
        if not rows:
            return to_ms
        return max(from_ms, self._series.frame.ceil(min(int(row[0]) for row in rows)))

    async def _bars(self, missing: Sequence[tuple[int, int]]) -> None:
        span = BARS_A_PAGE * self._series.frame.span_ms
        pages = [
            (at, min(at + span, end)) for first, end in missing for at in range(first, end, span)
        ]
        self._total = len(pages)
        for place in range(0, len(pages), _AT_ONCE):
            await self._together(pages[place : place + _AT_ONCE])

    async def _together(self, pages: Sequence[tuple[int, int]]) -> None:
        """Take some pages, in order; those before one that failed are kept."""
        interval = self._series.frame.interval
        asked = (self._page(first, end - 1, interval) for first, end in pages)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for (first, end), rows in zip(pages, answers, strict=True):
            if isinstance(rows, BaseException):
                raise rows
            self._check_span(rows, first, end)
            self._take(",".join(row) for row in sorted(rows, key=lambda row: int(row[0])))

    async def _page(self, first: int, last: int, interval: str) -> list[list[str]]:
        params: dict[str, str | int] = {
            "category": self._category,
            "symbol": self._symbol,
            "interval": interval,
            "start": first,
            "end": last,
            "limit": BARS_A_PAGE,
        }
        path = _PATHS[self._series.kind]
        rows = self._decoded(await self._ask(path, params), _List, path).rows
        columns = _COLUMNS[self._series.kind].count(",") + 1
        if any(len(row) != columns or not row[0].isdecimal() for row in rows):
            raise VenueUnreachable(f"{path}: expected rows of {columns} columns, found others")
        return rows

    def _check_span(self, rows: Sequence[Sequence[str]], first: int, end: int) -> None:
        """Refuse bars that were not asked for: a venue that ignores the span gives the newest.

        Raises:
            VenueUnreachable: there are some.
        """
        strange = [row[0] for row in rows if not first <= int(row[0]) < end]
        if strange:
            raise VenueUnreachable(
                f"{_PATHS[self._series.kind]}: expected bars from {first} to {end}, found one that "
                f"begins at {strange[0]}"
            )

    # ---- funding ---------------------------------------------------------------------------

    async def _rates(self, missing: Sequence[tuple[int, int]]) -> None:
        """Ask for each span from its end: a page holds the newest 200."""
        self._total = len(missing)
        for first, end in missing:
            last, found = end - 1, dict[int, str]()
            while last >= first:
                params: dict[str, str | int] = {
                    "category": self._category,
                    "symbol": self._symbol,
                    "startTime": first,
                    "endTime": last,
                    "limit": RATES_A_PAGE,
                }
                rows = self._decoded(await self._ask(_FUNDING, params), _Rates, _FUNDING).rows
                times = [int(row.fundingRateTimestamp) for row in rows]
                if any(not first <= at <= last for at in times):
                    raise VenueUnreachable(f"{_FUNDING}: found rates that were not asked for")
                found |= dict(zip(times, (row.fundingRate for row in rows), strict=True))
                if len(rows) < RATES_A_PAGE:
                    break
                last = min(times) - 1
            self._take(f"{at},{found[at]}" for at in sorted(found))

    # ---- requests and rows -----------------------------------------------------------------

    async def _ask(self, path: str, params: dict[str, str | int]) -> Answer:
        """Ask, again where the answer was lost or came too often: a question may be repeated.

        Raises:
            UnknownInstrument: the venue refuses the question.
            VenueUnreachable: it does not answer.
        """
        answer = None
        for _ in range(_TRIES):
            self._requests += 1
            answer = await self._rest.get(path, params, signed=False)
            if answer.end not in (End.LIMITED, End.BROKEN):
                break
        assert answer is not None, "it is asked at least once"
        if answer.end is End.REFUSED:
            raise UnknownInstrument(f"{path} of {self._series.instrument}: {answer.reason}")
        if not answer.is_ok:
            raise VenueUnreachable(f"{path}: {answer.reason}")
        return answer

    def _decoded(self, answer: Answer, kind: type[RowT], path: str) -> RowT:
        try:
            return msgspec.json.decode(answer.result, type=kind)
        except msgspec.MsgspecError as error:
            raise VenueUnreachable(f"{path}: unreadable: {error}") from error

    def _take(self, lines: Iterable[str]) -> None:
        """Keep the rows of a page until they are written, oldest first."""
        self._lines += lines
        self._done += 1
        self._on_progress(Progress(self._done, self._total))
        if self._done % _PAGES_A_WRITE == 0:
            self._write()

    @property
    def _where(self) -> str:
        """Return whose answer a row stood in."""
        return f"{self._rest.settings.rest_url} {self._series.name}"

    def _told(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return findings in answers of the venue: they have no file and no line."""
        return [msgspec.structs.replace(one, file=self._where, row=0) for one in findings]

    def _write(self) -> None:
        """Judge and store what has come.

        Raises:
            DataError: rows make no sense.
        """
        lines, self._lines = self._lines, []
        if not lines:
            return
        with database() as (connection, directory):
            path = directory / "fetched.csv"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            columns = _COLUMNS[self._series.kind]
            try:
                staged = stage(connection, directory, path, self._series, columns=columns)
                self._dropped += self._told(drop_or_refuse(connection, staged, self._drop))
            except BadRows as error:
                how = f"none of these pages was stored; --drop-bad {','.join(error.counts)}"
                raise BadRows(self._where, self._told(error.findings), error.counts, how) from error
            except DataError as error:
                raise DataError(error.what, self._where, "fetch again, later") from error
            self._added += self._store.merge(connection, self._series).added
