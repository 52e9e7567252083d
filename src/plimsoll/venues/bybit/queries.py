"""Answers the core's questions by REST: all pages of everything, or nothing.

A list that broke off half way is a failed query, never a shorter answer (reliability ORD-9).
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import QueryIntended
from plimsoll.venues.bybit.rest import Answer, RestClient

_T = TypeVar("_T")
WEEK_MS: Final = 7 * 24 * 3600 * 1000
"""Longest span one execution query may cover."""

KEPT_MS: Final = 730 * 24 * 3600 * 1000
"""How long the venue keeps executions: two years."""

MINUTE_MS: Final = 60_000
BARS_A_PAGE: Final = 1000
PAGES_CAP: Final = 500
"""Most pages of bars one query asks for."""

FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "linear": ("", "StopOrder"),
    "spot": ("", "StopOrder", "tpslOrder"),
}
"""Conditional orders are missing from some unfiltered answers: ask for each kind (trap 40)."""


class Rows(msgspec.Struct, frozen=True):
    """Items of one kind, as ``private.read_item`` takes them."""

    kind: str
    category: str
    items: Sequence[bytes]


class QueryFailed(Exception):
    """The venue gave no whole answer; the text says to what and why."""


class _Keyed(msgspec.Struct):
    orderId: str = ""
    execId: str = ""
    symbol: str = ""
    execTime: int = 0
    seq: int = 0


class _Moved(msgspec.Struct):
    id: str = ""
    type: str = ""
    currency: str = ""
    tradeId: str | None = ""
    transactionTime: int = 0


class _Candles(msgspec.Struct):
    rows: list[tuple[str, str, str, str, str, str, str]] = msgspec.field(name="list")


class Candle(msgspec.Struct, frozen=True):
    """A final one-minute bar as decimal text; ``start_ms`` is when it began."""

    start_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str


async def fetch_rows(
    rest: RestClient, query: QueryIntended, instrument: Instrument | None
) -> list[Rows]:
    """Return the rows that answer a query of any kind but ``bars`` and ``funding``.

    Args:
        rest: The way to the venue.
        query: The question; see ``QueryIntended``.
        instrument: The instrument it names, ``None`` where it names none.

    Raises:
        QueryFailed: a page could not be had, or the kind is not known.
    """
    scope = _scope(query, instrument)
    match query.kind:
        case "orders":
            return [Rows("order", query.category, await _open_orders(rest, query, scope))]
        case "order":
            return await _one_order(rest, query, scope)
        case "executions":
            items = await _executions(rest, scope, query.since_ms)
            return [Rows("execution", query.category, items)]
        case "positions":
            items = await _all(rest, "/v5/position/list", {**scope, "limit": 200})
            return [Rows("position", query.category, items)]
        case "wallet" | "health" as kind:
            params = {"accountType": "UNIFIED"}
            return [Rows(kind, "", await _all(rest, "/v5/account/wallet-balance", params))]
        case "cash":
            return [Rows("cash", "", await _transactions(rest, query.since_ms))]
        case _:
            raise QueryFailed(f"no query is called {query.kind!r}")


async def fetch_bars(rest: RestClient, instrument: Instrument, since_ms: int) -> list[Candle]:
    """Return the final one-minute bars since ``since_ms``, oldest first, each once.

    Raises:
        QueryFailed: a page could not be had, or the span needs more than 500 pages.
    """
    bars: dict[int, Candle] = {}
    now_ms = rest.signed_ms()
    start = since_ms - since_ms % MINUTE_MS
    if now_ms - start > PAGES_CAP * BARS_A_PAGE * MINUTE_MS:
        raise QueryFailed(f"bars of {instrument.name} since {since_ms} are too many")
    while start + MINUTE_MS <= now_ms:
        end = start + BARS_A_PAGE * MINUTE_MS - 1
        for candle in await bar_page(rest, instrument, start, end):
            if candle.start_ms >= since_ms and candle.start_ms + MINUTE_MS <= now_ms:
                bars[candle.start_ms] = candle
        start = end + 1
    return [bars[at] for at in sorted(bars)]


async def bar_page(rest: RestClient, instrument: Instrument, start: int, end: int) -> list[Candle]:
    """Return the minutes that begin from ``start`` to ``end``, one page at most, as they come.

    Raises:
        QueryFailed: it could not be had.
    """
    params: dict[str, str | int] = {
        "category": instrument.category,
        "symbol": instrument.symbol,
        "interval": "1",
        "start": start,
        "end": end,
        "limit": BARS_A_PAGE,
    }
    answer = await rest.get("/v5/market/kline", params, signed=False)
    if not answer.is_ok:
        raise QueryFailed(f"/v5/market/kline: {answer.reason}")
    try:
        rows = msgspec.json.decode(answer.result, type=_Candles).rows
        return [Candle(int(row[0]), *row[1:6]) for row in rows]
    except (msgspec.MsgspecError, ValueError) as error:
        raise QueryFailed(f"/v5/market/kline: unreadable: {error}") from error


def _scope(query: QueryIntended, instrument: Instrument | None) -> dict[str, str | int]:
    """Return the parameters that say which orders, executions or positions are meant."""
    scope: dict[str, str | int] = {"category": query.category}
    if instrument is not None:
        scope["symbol"] = instrument.symbol
    elif query.settle and query.category != "spot":
        scope["settleCoin"] = query.settle
    return scope


async def _open_orders(
    rest: RestClient, query: QueryIntended, scope: Mapping[str, str | int]
) -> list[bytes]:
    found: dict[str, bytes] = {}
    for order_filter in FILTERS.get(query.category, ("",)):
        params = {**scope, "orderFilter": order_filter, "openOnly": 0, "limit": 50}
        for item in await _all(rest, "/v5/order/realtime", params):
            found[_key(item).orderId] = item
    return list(found.values())


async def _one_order(
    rest: RestClient, query: QueryIntended, scope: Mapping[str, str | int]
) -> list[Rows]:
    """Ask real-time orders, history and executions: absence needs all three (ORD-10).

    Where the unfiltered lists have nothing, the other kinds are asked for as well: conditional
    orders are missing from some of them (trap 40), and would be proven absent while they wait. Not
    so for an order without a trigger: the venue grants few questions about the past a second.
    """
    params = {**scope, "orderLinkId": query.client_order_id}
    if query.venue_order_id:
        params = {**scope, "orderId": query.venue_order_id}
    # The history lags and may repeat an older state: it goes first, so that the newer one rules.
    past = await _all(rest, "/v5/order/history", params)
    present = await _all(rest, "/v5/order/realtime", params)
    for order_filter in FILTERS.get(query.category, ("",))[1:]:
        if past or present or query.is_plain:
            break
        kind = {**params, "orderFilter": order_filter}
        past = await _all(rest, "/v5/order/history", kind)
        present = await _all(rest, "/v5/order/realtime", kind)
    executions = await _all(rest, "/v5/execution/list", params)
    return [
        Rows("order", query.category, [*past, *present]),
        Rows("execution", query.category, _oldest_first(executions)),
    ]


async def _executions(
    rest: RestClient, scope: Mapping[str, str | int], since_ms: int
) -> list[bytes]:
    """Return executions since ``since_ms``; 0 means the venue's own default, the last week."""
    params = {**scope, "limit": 100}
    return _oldest_first(await _weeks(rest, "/v5/execution/list", params, since_ms))


async def _transactions(rest: RestClient, since_ms: int) -> list[bytes]:
    """Return rows of the transaction log since ``since_ms``, oldest first, each once (X28).

    Its id alone does not tell two rows apart (Bybit v5 docs, transaction log).
    """
    params: dict[str, str | int] = {"accountType": "UNIFIED", "limit": 50}
    items = await _weeks(rest, "/v5/account/transaction-log", params, since_ms)
    rows: dict[tuple[str, str, str, str], tuple[int, bytes]] = {}
    for item in reversed(items):  # pages come newest first
        one = _decoded(item, _Moved)
        key = (one.id, one.tradeId or "", one.type, one.currency)
        rows.setdefault(key, (one.transactionTime, item))
    return [item for _, item in sorted(rows.values(), key=lambda pair: pair[0])]


async def _weeks(
    rest: RestClient, path: str, params: Mapping[str, str | int], since_ms: int
) -> list[bytes]:
    """Return all rows since a time, asked for in spans the venue takes."""
    items: list[bytes] = []
    now_ms = rest.signed_ms()
    start = max(since_ms, now_ms - KEPT_MS) if since_ms else now_ms - WEEK_MS
    spans: list[list[bytes]] = []
    while True:
        asked = {**params, "startTime": start}
        is_last = start + WEEK_MS > rest.signed_ms()
        if not is_last:
            asked["endTime"] = start + WEEK_MS
        spans.append(await _all(rest, path, asked))
        if is_last:
            break
        start += WEEK_MS
    for rows in reversed(spans):  # newest first, like the rows of each
        items += rows
    return items


def _oldest_first(items: Sequence[bytes]) -> list[bytes]:
    """Return executions in the order they happened, each once: pages may overlap (X28)."""
    keyed = {}
    for item in items:
        key = _key(item)
        keyed[key.symbol, key.execId] = ((key.execTime, key.seq, key.execId), item)
    return [item for _, item in sorted(keyed.values(), key=lambda pair: pair[0])]


def _key(item: bytes) -> _Keyed:
    return _decoded(item, _Keyed)


def _decoded(item: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(item, type=kind, strict=False)
    except msgspec.MsgspecError as error:
        raise QueryFailed(f"an unreadable row: {error}; found {item[:120]!r}") from error


async def _all(rest: RestClient, path: str, params: Mapping[str, str | int]) -> list[bytes]:
    rows = await rest.rows(path, params, signed=True)
    if isinstance(rows, Answer):
        raise QueryFailed(f"{path}: {rows.reason}")
    return rows
