"""Statistics of an instrument as tickers show them, pushed and asked for.

A ticker is made anew many times a second and changes little: the parts that cost are kept with
what they were made of.
"""

from collections.abc import Callable, Hashable
from decimal import Decimal

from plimsoll.core.model import Side
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.public import PublicMarket


def spot_ticker(market: PublicMarket, now_ms: int) -> dict[str, str]:
    """Return the fields of a spot ticker push."""
    listing = market.listing
    return {
        "symbol": listing.instrument.symbol,
        **_day_fields(market),
        "usdIndexPrice": listing.prices.text(market.index_ticks),
    }


def linear_ticker(market: PublicMarket, now_ms: int) -> dict[str, str]:
    """Return the fields of a linear ticker."""
    listing = market.listing
    price = listing.prices.text
    return {
        "symbol": listing.instrument.symbol,
        "tickDirection": market.direction,
        **_day_fields(market),
        "prevPrice1h": price(market.hour_ago_ticks()),
        "markPrice": price(market.mark_ticks),
        "indexPrice": price(market.index_ticks),
        **_kept(market, "interest", (market.interest.lots, market.mark_ticks), _interest_fields),
        **market.funding.shown(now_ms),
        **bbo_fields(market),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def bbo_fields(market: PublicMarket) -> dict[str, str]:
    """Return best bid and ask with their quantities, "" where a side is empty."""
    prices, qtys = market.listing.prices, market.listing.qtys
    fields = {}
    for side, name in ((Side.BUY, "bid1"), (Side.SELL, "ask1")):
        best = market.book.levels(side, 1)
        fields[f"{name}Price"] = prices.text(best[0][0]) if best else ""
        fields[f"{name}Size"] = qtys.text(best[0][1]) if best else ""
    return fields


def _kept(
    market: PublicMarket,
    part: str,
    made_of: Hashable,
    make: Callable[[PublicMarket], dict[str, str]],
) -> dict[str, str]:
    found = market.shown.get(part)
    if found is None or found[0] != made_of:
        found = market.shown[part] = made_of, make(market)
    return found[1]


def _interest_fields(market: PublicMarket) -> dict[str, str]:
    listing = market.listing
    interest, mark = listing.qty(market.interest.lots), listing.price(market.mark_ticks)
    return {
        "openInterest": text_of(interest),
        "openInterestValue": text_of(interest * mark),
        "singleOpenInterest": text_of(interest / 2),
        "singleOpenInterestValue": text_of(interest / 2 * mark),
    }


def _day_fields(market: PublicMarket) -> dict[str, str]:
    return _kept(market, "day", market.tape_version, _made_day_fields)


def _made_day_fields(market: PublicMarket) -> dict[str, str]:
    listing, day = market.listing, market.day()
    change = Decimal(market.last_ticks - day["first"]) / (day["first"] or 1)
    return {
        "lastPrice": listing.prices.text(market.last_ticks),
        "highPrice24h": listing.prices.text(day["high"]),
        "lowPrice24h": listing.prices.text(day["low"]),
        "prevPrice24h": listing.prices.text(day["first"]),
        "volume24h": listing.qtys.text(day["lots"]),
        "turnover24h": text_of(day["turnover"]),
        "price24hPcnt": text_of(change.quantize(Decimal("1e-6"))),
    }
