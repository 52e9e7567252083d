"""Public REST questions about the present: time, instruments, book, tickers, tape, limits."""

from collections.abc import Mapping
from typing import Any

from plimsoll.core.model import Side
from plimsoll.simulator.brain.asking import category_of, limit_of
from plimsoll.simulator.brain.book_topic import FULL_DEPTH
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.listings import info_row
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.paging import page_of
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.tickers import bbo_fields, linear_ticker, spot_ticker
from plimsoll.simulator.brain.tiers import tier_row

Params = Mapping[str, str]
Result = dict[str, Any]


def server_time(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/time``."""
    return {"timeSecond": str(now_ns // 1_000_000_000), "timeNano": str(now_ns)}


def instruments(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/instruments-info``; only trading instruments exist here.

    Spot knows neither base coin nor pages (Bybit v5 docs, market/instrument).
    """
    category = category_of(params)
    is_spot = category == "spot"
    if params.get("status", "Trading") != "Trading":
        found = []
    else:
        found = [
            listing
            for listing in floor.listings.values()
            if (item := listing.instrument).category == category
            and params.get("symbol", item.symbol) == item.symbol
            and (is_spot or params.get("baseCoin", item.base) == item.base)
        ]
    if is_spot:
        return {"category": category, "list": [info_row(listing) for listing in found]}
    count = len(found)
    serials = ((count - place, listing) for place, listing in enumerate(found))
    page, cursor = page_of(serials, params, most=1000, usual=500)
    rows = [info_row(listing) for listing in page]
    return {"category": category, "list": rows, "nextPageCursor": cursor}


def order_book(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/orderbook``; ``u`` is that of the stream of depth 1000."""
    market = market_of(floor, params)
    depth = limit_of(params, usual=1 if market.listing.is_spot else 25, most=1000)
    symbol = market.listing.instrument.symbol
    return _book(market, depth, f"orderbook.1000.{symbol}", now_ns)


def full_book(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/full_orderbook``; ``u`` is that of ``orderbook.full``."""
    market = market_of(floor, params)
    symbol = market.listing.instrument.symbol
    return _book(market, FULL_DEPTH, f"orderbook.full.{symbol}", now_ns)


def tickers(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/tickers``."""
    category = category_of(params)
    if params.get("symbol"):
        markets = [market_of(floor, params)]
    else:
        markets = [m for m in floor.markets.values() if m.listing.instrument.category == category]
    return {"category": category, "list": [_ticker(m, now_ns // 1_000_000) for m in markets]}


def recent_trades(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/recent-trade``: newest first."""
    market = market_of(floor, params)
    most = 60 if market.listing.is_spot else 1000
    limit = limit_of(params, usual=min(most, 500), most=most)
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
        for trade in list(market.tape)[: -limit - 1 : -1]
    ]
    return {"category": item.category, "list": rows}


def price_limit(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/price-limit``."""
    market = market_of(floor, {"category": "linear"} | dict(params))
    high, low = market.price_limits()
    text = market.listing.prices.text
    symbol = market.listing.instrument.symbol
    limits = {"buyLmt": text(high), "sellLmt": text(low)}
    return {"symbol": symbol, **limits, "ts": str(now_ns // 1_000_000)}


def risk_limits(floor: Floor, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/market/risk-limit``: the tiers of 15 symbols a page."""
    category = category_of(params)
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


def market_of(floor: Floor, params: Params) -> PublicMarket:
    """Return the market of the category and symbol asked for.

    Raises:
        VenueRefusal: 10001 where there is none.
    """
    listing = floor.listing(params.get("category"), params.get("symbol"))
    return floor.markets[listing.name]


def _book(market: PublicMarket, depth: int, topic: str, now_ns: int) -> Result:
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
    return head | sides | times | {"u": market.rest_u(topic), "seq": market.seq}


def _ticker(market: PublicMarket, now_ms: int) -> Result:
    if market.listing.is_spot:
        return spot_ticker(market, now_ms) | bbo_fields(market)
    blank = ("predictedDeliveryPrice", "basisRate", "basisRateYear", "basis", "deliveryFeeRate")
    return linear_ticker(market, now_ms) | dict.fromkeys(blank, "") | {"deliveryTime": "0"}
