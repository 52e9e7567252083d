"""Public REST questions: time, instruments, book, tickers, candles, tape."""

from collections.abc import Mapping
from typing import Any

from plimsoll.core.model import Side
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import CATEGORIES, Floor
from plimsoll.simulator.brain.listings import info_row
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.paging import page_of, whole
from plimsoll.simulator.brain.public import MINUTE_MS, Candle, PublicMarket
from plimsoll.simulator.brain.publisher import (
    KLINE_MINUTES,
    bbo_fields,
    linear_ticker,
    merged,
    spot_ticker,
)
from plimsoll.simulator.brain.tiers import tier_row

Params = Mapping[str, str]
Result = dict[str, Any]


def server_time(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/time``."""
    return {"timeSecond": str(now_ns // 1_000_000_000), "timeNano": str(now_ns)}


def instruments(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/instruments-info``; only trading instruments exist here."""
    category = _category(params)
    rows = [
        info_row(listing)
        for listing in floor.listings.values()
        if (item := listing.instrument).category == category
        and params.get("symbol", item.symbol) == item.symbol
        and params.get("baseCoin", item.base) == item.base
        and params.get("status", "Trading") == "Trading"
    ]
    page = {} if category == "spot" else {"nextPageCursor": ""}
    return {"category": category, "list": rows} | page


def order_book(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/orderbook``."""
    market = _market(floor, params)
    depth = whole(params, "limit", 1 if market.listing.is_spot else 25)
    listing = market.listing
    sides = {
        name: [
            (listing.prices.text(ticks), listing.qtys.text(lots))
            for ticks, lots in market.book.levels(side, depth)
        ]
        for name, side in (("b", Side.BUY), ("a", Side.SELL))
    }
    head = {"s": listing.instrument.symbol}
    times = {"ts": now_ns // 1_000_000, "cts": market.changed_ms}
    return head | sides | times | {"u": market.version + 1000, "seq": market.seq}


def tickers(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/tickers``."""
    category = _category(params)
    if params.get("symbol"):
        markets = [_market(floor, params)]
    else:
        markets = [m for m in floor.markets.values() if m.listing.instrument.category == category]
    return {"category": category, "list": [_ticker(m, now_ns // 1_000_000) for m in markets]}


def klines(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/kline``: newest first, the last row still open."""
    market = _market(floor, {"category": "linear"} | dict(params))
    interval = params.get("interval", "")
    if interval not in KLINE_MINUTES:
        raise VenueRefusal(10001, f"params error: interval invalid {interval!r}")
    market.roll(now_ns // 1_000_000)
    length = KLINE_MINUTES[interval] * MINUTE_MS
    start, end = whole(params, "start", 0), whole(params, "end", now_ns // 1_000_000)
    grouped: dict[int, list[Candle]] = {}
    for candle in market.candles:
        grouped.setdefault(candle.start_ms // length * length, []).append(candle)
    rows = [
        _kline_row(market, merged(parts, at)) for at, parts in grouped.items() if start <= at <= end
    ]
    limit = min(1000, whole(params, "limit", 200))
    item = market.listing.instrument
    return {"category": item.category, "symbol": item.symbol, "list": rows[::-1][:limit]}


def recent_trades(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/recent-trade``: newest first."""
    market = _market(floor, params)
    usual = 60 if market.listing.is_spot else 500
    limit = min(whole(params, "limit", usual), 60 if market.listing.is_spot else 1000)
    item, listing = market.listing.instrument, market.listing
    rows = [
        {
            "execId": trade.trade_id,
            "symbol": item.symbol,
            "price": listing.prices.text(trade.price_ticks),
            "size": listing.qtys.text(trade.qty_lots),
            "side": SIDES[trade.taker],
            "time": str(trade.time_ms),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(trade.seq),
        }
        for trade in reversed(market.tape)
    ]
    return {"category": item.category, "list": rows[:limit]}


def price_limit(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/price-limit``."""
    market = _market(floor, {"category": "linear"} | dict(params))
    high, low = market.price_limits()
    text = market.listing.prices.text
    symbol = market.listing.instrument.symbol
    limits = {"buyLmt": text(high), "sellLmt": text(low)}
    return {"symbol": symbol, **limits, "ts": str(now_ns // 1_000_000)}


def funding_history(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/funding/history``: newest first; the run's own payments only."""
    market = _market(floor, params)
    start, end = whole(params, "startTime", 0), whole(params, "endTime", 0)
    if start and not end:
        raise VenueRefusal(10001, "params error: endTime is needed with startTime")
    limit = min(200, whole(params, "limit", 200))
    rows = [
        {
            "symbol": market.listing.instrument.symbol,
            "fundingRate": text_of(paid.rate),
            "fundingRateTimestamp": str(paid.time_ms),
        }
        for paid in reversed(market.funding.history)
        if start <= paid.time_ms and (not end or paid.time_ms <= end)
    ]
    return {"category": market.listing.instrument.category, "list": rows[:limit]}


def risk_limits(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/risk-limit``: the tiers of 15 symbols a page."""
    category = _category(params)
    listings = [
        listing
        for listing in floor.listings.values()
        if listing.tiers
        and listing.instrument.category == category
        and params.get("symbol", listing.instrument.symbol) == listing.instrument.symbol
    ]
    if params.get("symbol") and not listings:
        raise VenueRefusal(10001, f"params error: symbol invalid {params['symbol']}")
    numbered = [(len(listings) - at, listing) for at, listing in enumerate(listings)]
    page, cursor = page_of(numbered, {"cursor": params.get("cursor", "")}, most=15, usual=15)
    rows = [tier_row(listing.instrument.symbol, tier) for listing in page for tier in listing.tiers]
    return {"category": category, "list": rows, "nextPageCursor": cursor}


def _ticker(market: PublicMarket, now_ms: int) -> Result:
    if market.listing.is_spot:
        return spot_ticker(market, now_ms) | bbo_fields(market)
    blank = ("predictedDeliveryPrice", "basisRate", "basisRateYear", "basis", "deliveryFeeRate")
    return linear_ticker(market, now_ms) | dict.fromkeys(blank, "") | {"deliveryTime": "0"}


def _kline_row(market: PublicMarket, candle: Candle) -> list[str]:
    price = market.listing.prices.text
    return [
        str(candle.start_ms),
        price(candle.open),
        price(candle.high),
        price(candle.low),
        price(candle.close),
        market.listing.qtys.text(candle.lots),
        text_of(candle.turnover),
    ]


def _category(params: Params) -> str:
    category = params.get("category", "")
    if category not in CATEGORIES:
        raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
    return category


def _market(floor: Floor, params: Params) -> PublicMarket:
    listing = floor.listing(params.get("category"), params.get("symbol"))
    return floor.markets[listing.name]
