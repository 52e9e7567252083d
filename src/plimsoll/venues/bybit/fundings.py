"""Fundings that lie behind us: each rate with the mark price of its moment, by public REST."""

from typing import Annotated, Final, TypeVar

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.queries import MINUTE_MS, QueryFailed
from plimsoll.venues.bybit.rest import RestClient

_HISTORY: Final = "/v5/market/funding/history"
_MARKS: Final = "/v5/market/mark-price-kline"
_PAGE: Final = 200
_PAGES_CAP: Final = 20

_T = TypeVar("_T")
_Rate = Annotated[float, msgspec.Meta(ge=-1, le=1)]
_Price = Annotated[float, msgspec.Meta(gt=0, le=1e12)]


class Funding(msgspec.Struct, frozen=True):
    """One funding: when, at which rate, at which mark price."""

    at_ms: int
    rate: float
    mark: float


class _Paid(msgspec.Struct):
    fundingRate: _Rate
    fundingRateTimestamp: int


class _History(msgspec.Struct):
    rows: list[_Paid] = msgspec.field(name="list")


class _Marks(msgspec.Struct):
    rows: list[tuple[int, _Price, _Price, _Price, _Price]] = msgspec.field(name="list")


async def fetch_fundings(rest: RestClient, instrument: Instrument, since_ms: int) -> list[Funding]:
    """Return the fundings of a perpetual after ``since_ms``, oldest first, each once.

    The mark price is that at which the minute of the payment opened.

    Raises:
        QueryFailed: a page could not be had or read, or there are more than 4,000.
    """
    rates: dict[int, float] = {}
    end_ms = rest.signed_ms()
    for _ in range(_PAGES_CAP):
        page = await _page(rest, instrument, since_ms + 1, end_ms)
        rates |= {row.fundingRateTimestamp: row.fundingRate for row in page}
        if len(page) < _PAGE:
            break
        end_ms = min(row.fundingRateTimestamp for row in page) - 1
    else:
        raise QueryFailed(f"fundings of {instrument.name} since {since_ms} are too many")
    return [
        Funding(at_ms, rates[at_ms], await _mark(rest, instrument, at_ms))
        for at_ms in sorted(rates)
        if at_ms > since_ms
    ]


async def _page(
    rest: RestClient, instrument: Instrument, start_ms: int, end_ms: int
) -> list[_Paid]:
    params: dict[str, str | int] = {
        "category": instrument.category,
        "symbol": instrument.symbol,
        "startTime": start_ms,
        "endTime": end_ms,
        "limit": _PAGE,
    }
    return (await _read(rest, _HISTORY, params, _History)).rows if start_ms <= end_ms else []


async def _mark(rest: RestClient, instrument: Instrument, at_ms: int) -> float:
    start_ms = at_ms - at_ms % MINUTE_MS
    params: dict[str, str | int] = {
        "category": instrument.category,
        "symbol": instrument.symbol,
        "interval": "1",
        "start": start_ms,
        "end": start_ms + MINUTE_MS - 1,
        "limit": 1,
    }
    rows = (await _read(rest, _MARKS, params, _Marks)).rows
    if not rows or rows[0][0] != start_ms:
        raise QueryFailed(f"{_MARKS}: no mark price of {instrument.name} at {start_ms}")
    return rows[0][1]


async def _read(rest: RestClient, path: str, params: dict[str, str | int], kind: type[_T]) -> _T:
    answer = await rest.get(path, params, signed=False)
    if not answer.is_ok:
        raise QueryFailed(f"{path}: {answer.reason}")
    try:
        return msgspec.json.decode(answer.result, type=kind, strict=False)
    except msgspec.MsgspecError as error:
        raise QueryFailed(f"{path}: unreadable: {error}") from error
