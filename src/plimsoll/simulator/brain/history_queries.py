"""Public REST questions about the past: candles of every kind, funding, open interest."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from plimsoll.simulator.brain.asking import category_of, limit_of
from plimsoll.simulator.brain.candles import INTERVALS, Candle
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funding import FUNDINGS_KEPT
from plimsoll.simulator.brain.market_queries import Params, Result, market_of
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.paging import page_of, whole
from plimsoll.simulator.brain.public import PublicMarket

_SPANS_MS: Final = {
    "5min": 300_000,
    "15min": 900_000,
    "30min": 1_800_000,
    "1h": 3_600_000,
    "4h": 14_400_000,
    "1d": 86_400_000,
}
_PREMIUM_PLACES: Final = Decimal("1e-6")


def klines(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/kline``: newest first, the first row still open."""
    market, interval = _asked(floor, params)
    market.roll(now_ns // 1_000_000)
    prices, qtys = market.listing.prices, market.listing.qtys

    def row(candle: Candle) -> list[str]:
        return [
            *_times_and_prices(candle, prices.text),
            qtys.text(candle.lots),
            text_of(candle.turnover),
        ]

    return _page(market, params, market.series.all(interval), row, now_ns)


def mark_klines(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/mark-price-kline``: five columns, linear only."""
    return _line(floor, params, now_ns, "mark")


def index_klines(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/index-price-kline``: five columns, linear only."""
    return _line(floor, params, now_ns, "index")


def premium_klines(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/premium-index-price-kline``: five columns, shares of the index."""
    return _line(floor, params, now_ns, "premium")


def funding_history(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/funding/history``: newest first.

    Before the first payment of this exchange the past has the interest rate at every instant.
    """
    market = _perpetual(floor, params)
    start, end = whole(params, "startTime", 0), whole(params, "endTime", now_ns // 1_000_000)
    if start and not params.get("endTime"):
        raise VenueRefusal(10001, "params error: startTime needs endTime")
    limit = limit_of(params, usual=FUNDINGS_KEPT, most=FUNDINGS_KEPT)
    symbol = market.listing.instrument.symbol
    rows = [
        {
            "symbol": symbol,
            "fundingRate": text_of(paid.rate),
            "fundingRateTimestamp": str(paid.time_ms),
        }
        for paid in market.funding.past(now_ns // 1_000_000)
        if start <= paid.time_ms <= end
    ]
    return {"category": "linear", "list": rows[:limit]}


def open_interest(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/open-interest``: newest first, as far back as this run goes."""
    market = _perpetual(floor, params)
    span = _SPANS_MS.get(params.get("intervalTime", ""))
    if span is None:
        text = f"params error: intervalTime invalid {params.get('intervalTime', '')!r}"
        raise VenueRefusal(10001, text)
    now_ms = now_ns // 1_000_000
    start, end = whole(params, "startTime", 0), whole(params, "endTime", now_ms)
    market.interest.roll(now_ms)
    rows = ((at, (at, lots)) for at, lots in market.interest.past(span) if start <= at <= end)
    page, cursor = page_of(rows, params, most=200, usual=50)
    qty = market.listing.qty
    shown = [
        {
            "openInterest": text_of(qty(lots)),
            "singleOpenInterest": text_of(qty(lots) / 2),
            "timestamp": str(at),
        }
        for at, lots in page
    ]
    item = market.listing.instrument
    head = {"symbol": item.symbol, "category": item.category}
    return head | {"list": shown, "nextPageCursor": cursor}


def insurance(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/insurance``: one pool for each settle coin."""
    usd = floor.index_of()
    rows = [
        {
            "coin": coin,
            "symbols": ",".join(
                item.symbol
                for listing in floor.listings.values()
                if (item := listing.instrument).settle == coin
            ),
            "balance": text_of(balance),
            "value": text_of(balance * usd[coin]),
        }
        for coin, balance in floor.insurance.items()
        if params.get("coin", coin) == coin
    ]
    return {"updatedTime": str(now_ns // 86_400_000_000_000 * 86_400_000), "list": rows}


def _line(floor: Floor, params: Params, now_ns: int, name: str) -> Result:
    market, interval = _asked(floor, params)
    if market.listing.is_spot:
        raise VenueRefusal(10001, "params error: Category 'spot' is invalid")
    market.draw_lines(now_ns // 1_000_000)
    text: Callable[[int], str]
    if name == "premium":
        text = _premium_text
    else:
        prices = market.listing.prices

        def text(value: int) -> str:
            return prices.text(value // 1_000_000)

    def row(candle: Candle) -> list[str]:
        return _times_and_prices(candle, text)

    return _page(market, params, market.lines[name].all(interval), row, now_ns)


def _asked(floor: Floor, params: Params) -> tuple[PublicMarket, str]:
    market = market_of(floor, {"category": "linear"} | dict(params))
    interval = params.get("interval", "")
    if interval not in INTERVALS:
        raise VenueRefusal(10001, f"params error: interval invalid {interval!r}")
    return market, interval


def _page(
    market: PublicMarket,
    params: Params,
    candles: list[Candle],
    row: Callable[[Candle], list[str]],
    now_ns: int,
) -> Result:
    start, end = whole(params, "start", 0), whole(params, "end", now_ns // 1_000_000)
    limit = limit_of(params, usual=200, most=1000)
    found = [candle for candle in candles if start <= candle.start_ms <= end]
    item = market.listing.instrument
    rows: list[Any] = [row(candle) for candle in found[: -limit - 1 : -1]]
    return {"category": item.category, "symbol": item.symbol, "list": rows}


def _times_and_prices(candle: Candle, text: Callable[[int], str]) -> list[str]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [str(candle.start_ms), *map(text, prices)]


def _premium_text(value: int) -> str:
    return format(Decimal(value).scaleb(-8).quantize(_PREMIUM_PLACES), "f")


def _perpetual(floor: Floor, params: Params) -> PublicMarket:
    if category_of(params) == "spot":
        raise VenueRefusal(10001, "params error: Category 'spot' is invalid")
    return market_of(floor, params)
