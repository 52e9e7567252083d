"""Runs the core's questions and puts what the venue says as records: rows first, then the end."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence

from plimsoll.core.model import Instrument
from plimsoll.core.portfolio import mark_e8_of, rate_e12_of
from plimsoll.core.records import (
    BarReported,
    FundingReported,
    PositionReported,
    QueryAnswered,
    QueryIntended,
    Record,
)
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.fundings import Funding, fetch_fundings
from plimsoll.venues.bybit.ports import Inbox
from plimsoll.venues.bybit.private import Catalogue, Origin, Stamp, read_item
from plimsoll.venues.bybit.queries import QueryFailed, Rows, fetch_rows
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.warming import Warmed, kept_minutes, warm_minutes


class QueryRunner:
    """Answers queries one by one; several may run beside each other."""

    def __init__(
        self,
        rest: RestClient,
        inbox: Inbox,
        on_unlisted: Callable[[str], None],
        stored: "Mapping[str, array[float]] | None" = None,
    ) -> None:
        self._rest = rest
        self._stored = stored or {}
        self._inbox = inbox
        self._on_unlisted = on_unlisted
        self._instruments: Mapping[str, Instrument] = {}
        self._catalogue: Catalogue = {}

    def list_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Know these instruments from now on."""
        self._instruments = instruments
        self._catalogue = {(item.category, item.symbol): item for item in instruments.values()}

    async def answer(self, query: QueryIntended) -> None:
        """Ask the venue, put the rows, then put ``QueryAnswered``.

        A page that could not be had or a row that could not be read makes the whole query fail;
        rows put before that are true, but not all.
        """
        reason, differs, rows, stored = "", "", 0, 0
        try:
            if query.kind == "bars":
                warmed = await self._warm(query)
                differs = warmed.differs
                found: Iterator[Record] = self._bars(warmed, query)
            else:
                found = await self._ask(query)
            for record in found:
                self._inbox.put(record)
                rows += 1
                stored += isinstance(record, BarReported) and record.is_stored
        except (QueryFailed, ParseError) as error:
            reason = str(error)
        stamp, is_ok = self._stamper(query)(), not reason
        told = reason or differs
        self._inbox.put(QueryAnswered(*stamp, query.query_id, is_ok, rows, told, stored))

    async def _ask(self, query: QueryIntended) -> Iterator[Record]:
        if query.kind == "funding":
            instrument = self._named(query)
            found = await fetch_fundings(self._rest, instrument, query.since_ms)
            return self._fundings(found, query)
        asked = self._named(query) if query.instrument else None
        return self._reports(await fetch_rows(self._rest, query, asked), query)

    async def _warm(self, query: QueryIntended) -> Warmed:
        instrument = self._named(query)
        kept = kept_minutes(instrument, self._stored, query.since_ms)
        return await warm_minutes(self._rest, instrument, query.since_ms, kept)

    def _named(self, query: QueryIntended) -> Instrument:
        """Return the instrument a query is about."""
        if not query.instrument:
            raise QueryFailed(f"a query of {query.kind} names no instrument")
        instrument = self._instruments.get(query.instrument)
        if instrument is None:
            raise QueryFailed(f"instrument {query.instrument} is not listed")
        return instrument

    def _reports(self, found: Sequence[Rows], query: QueryIntended) -> Iterator[Record]:
        seen: set[str] = set()
        origin = Origin("query", query.query_id)
        for rows in found:
            for item in rows.items:
                for record in self._read(rows, item, query, origin):
                    if isinstance(record, PositionReported):
                        seen.add(record.instrument)
                    yield record
        if query.kind == "positions" and not query.instrument:
            yield from self._flat_positions(query, seen)

    def _read(
        self, rows: Rows, item: bytes, query: QueryIntended, origin: Origin
    ) -> Iterator[Record]:
        stamp, catalogue = self._stamper(query), self._catalogue
        return read_item(
            rows.kind, item, rows.category, catalogue, stamp, self._on_unlisted, origin
        )

    def _flat_positions(self, query: QueryIntended, seen: set[str]) -> Iterator[PositionReported]:
        """Yield quantity zero for each listed instrument the answer leaves out.

        Asked by settle coin the venue lists open positions only (Bybit v5 docs, position/list).
        """
        now_ms, stamp = self._rest.signed_ms(), self._stamper(query)
        for item in self._instruments.values():
            is_asked = item.category == query.category and item.settle == query.settle
            if is_asked and item.name not in seen:
                yield PositionReported(
                    *stamp(), item.name, 0, "", now_ms, "query", query.query_id, b""
                )

    def _bars(self, warmed: Warmed, query: QueryIntended) -> Iterator[BarReported]:
        stamp = self._stamper(query)
        for one in warmed.minutes:
            yield BarReported(
                *stamp(),
                query.instrument,
                one.start_ms,
                one.open_ticks,
                one.high_ticks,
                one.low_ticks,
                one.close_ticks,
                one.volume_lots,
                query.query_id,
                one.start_ms in warmed.stored,
            )

    def _fundings(
        self, found: Sequence[Funding], query: QueryIntended
    ) -> Iterator[FundingReported]:
        stamp = self._stamper(query)
        for one in found:
            terms = rate_e12_of(one.rate), mark_e8_of(one.mark)
            yield FundingReported(*stamp(), query.instrument, one.at_ms, *terms, query.query_id)

    def _stamper(self, query: QueryIntended) -> Stamp:
        """Return a stamp whose cause is the query, so that ``why`` can walk back to it."""

        def stamp() -> tuple[int, int, int, int]:
            seq, ts_ns, epoch, _ = self._inbox.stamp()
            return seq, ts_ns, epoch, query.seq

        return stamp
