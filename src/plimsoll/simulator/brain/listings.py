"""The instruments this exchange lists, with their filters and how it writes their numbers."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.simulator.brain.tiers import BANDS, Tier, tiers_of

FUNDING_MS: Final = 8 * 3_600_000
FUNDING_CAP: Final = Decimal("0.00375")
"""Upper bound of a funding rate; the lower one is its negative."""


class Scale(msgspec.Struct, frozen=True):
    """Writes whole steps as decimal text with as many places as the step has."""

    unit: int
    places: int

    def text(self, steps: int) -> str:
        """Return ``steps`` times the step as text."""
        digits, places = str(steps * self.unit), self.places
        if not places:
            return digits
        if steps < 0:
            return f"-{self.text(-steps)}"
        if len(digits) <= places:
            digits = digits.zfill(places + 1)
        return f"{digits[:-places]}.{digits[-places:]}"


def scale_of(step: str) -> Scale:
    """Return the scale of a step such as ``"0.10"``."""
    places = len(step.partition(".")[2])
    return Scale(int(Decimal(step).scaleb(places)), places)


class Listing(msgspec.Struct, frozen=True, dict=True):
    """One instrument on this exchange."""

    instrument: Instrument
    symbol_id: int
    ratio_x: Decimal
    ratio_y: Decimal
    tiers: tuple[Tier, ...] = ()
    """Risk tiers of a perpetual, the lowest first."""
    funding_ms: int = FUNDING_MS
    """Time between two funding payments; they fall on whole multiples of it."""

    @property
    def name(self) -> str:
        """Return the name, such as ``linear:BTCUSDT``."""
        return self.instrument.name

    @cached_property
    def is_spot(self) -> bool:
        """Return whether this trades the coin itself."""
        return self.instrument.is_spot

    @property
    def max_leverage(self) -> str:
        """Highest leverage of the lowest tier."""
        return self.tiers[0].max_leverage

    @cached_property
    def prices(self) -> Scale:
        """Writes prices."""
        return scale_of(self.instrument.tick_size)

    @cached_property
    def qtys(self) -> Scale:
        """Writes quantities."""
        return scale_of(self.instrument.lot_size)

    @cached_property
    def taker_rate(self) -> Decimal:
        """Fee rate of takers."""
        return Decimal(self.instrument.taker_fee)

    @cached_property
    def maker_rate(self) -> Decimal:
        """Fee rate of makers."""
        return Decimal(self.instrument.maker_fee)

    @cached_property
    def value_step(self) -> Decimal:
        """Quote value of one tick times one lot."""
        return self.instrument.tick * self.instrument.lot

    def price(self, ticks: int) -> Decimal:
        """Return ticks as a price."""
        return self.instrument.tick * ticks

    def qty(self, lots: int) -> Decimal:
        """Return lots as a quantity in base coin."""
        return self.instrument.lot * lots

    def value(self, ticks: int, lots: int) -> Decimal:
        """Return price times quantity in quote coin, exact."""
        return self.value_step * (ticks * lots)


_Filters = tuple[str, str, str, str, str]
_LINEAR: Final[dict[str, _Filters]] = {
    # base: tick, lot, min qty, max qty, max market qty
    "BTC": ("0.10", "0.001", "0.001", "1190.000", "500.000"),
    "ETH": ("0.01", "0.01", "0.01", "7240.00", "724.00"),
    "DOGE": ("0.00001", "1", "1", "40000000", "6000000"),
}
_SPOT: Final[dict[str, _Filters]] = {
    "BTC": ("0.01", "0.000001", "0.000011", "83", "41.5"),
    "ETH": ("0.01", "0.00001", "0.00022", "1229.2336343", "614.61681715"),
    "DOGE": ("0.00001", "0.1", "2.7", "1904761", "952380.5"),
}
_LISTED: Final = (
    # category, base, quote, symbol; perpetuals settle in their quote
    ("linear", "BTC", "USDT", "BTCUSDT"),
    ("linear", "ETH", "USDT", "ETHUSDT"),
    ("linear", "DOGE", "USDT", "DOGEUSDT"),
    ("linear", "BTC", "USDC", "BTCPERP"),
    ("linear", "ETH", "USDC", "ETHPERP"),
    ("spot", "BTC", "USDT", "BTCUSDT"),
    ("spot", "ETH", "USDT", "ETHUSDT"),
    ("spot", "DOGE", "USDT", "DOGEUSDT"),
    ("spot", "BTC", "USDC", "BTCUSDC"),
)


def default_listings(
    linear_limits: tuple[str, str],
    spot_limits: tuple[str, str],
    funding_interval_min: Mapping[str, float] | None = None,
) -> dict[str, Listing]:
    """Return what is listed, by name: USDT and USDC perpetuals, and spot pairs against both."""
    minutes = funding_interval_min or {}
    numbers = {"linear": 5, "spot": 5}
    listings = {}
    for category, base, quote, symbol in _LISTED:
        x, y = map(Decimal, linear_limits if category == "linear" else spot_limits)
        item = _instrument(
            category, base, quote, symbol, (_LINEAR if category == "linear" else _SPOT)[base]
        )
        tiers = () if item.is_spot else tiers_of(BANDS[base])
        funding_ms = round(minutes.get(item.name, FUNDING_MS / 60_000) * 60_000)
        listings[item.name] = Listing(item, numbers[category], x, y, tiers, funding_ms)
        numbers[category] += 1
    return listings


def extra_listings(count: int, limits: tuple[str, str]) -> dict[str, Listing]:
    """Return linear perpetuals SYM001USDT and so on, with the filters of DOGE, by name."""
    x, y = map(Decimal, limits)
    tiers = tiers_of(BANDS["DOGE"])
    listings = {}
    for number in range(1, count + 1):
        base = f"SYM{number:03}"
        item = _instrument("linear", base, "USDT", f"{base}USDT", _LINEAR["DOGE"])
        listings[item.name] = Listing(item, 100 + number, x, y, tiers)
    return listings


def _instrument(category: str, base: str, quote: str, symbol: str, filters: _Filters) -> Instrument:
    spot = category == "spot"
    tick, lot, min_qty, max_qty, max_market = filters
    return Instrument(
        name=f"{category}:{symbol}",
        category=category,
        symbol=symbol,
        base=base,
        quote=quote,
        settle="" if spot else quote,
        tick_size=tick,
        lot_size=lot,
        min_qty=min_qty,
        max_qty=max_qty,
        max_market_qty=max_market,
        min_notional="5",
        taker_fee="0.001" if spot else "0.00055",
        maker_fee="0.001" if spot else "0.0002",
    )


def info_row(listing: Listing) -> dict[str, Any]:
    """Return the ``instruments-info`` row (Bybit v5 docs, market/instrument)."""
    item = listing.instrument
    common = {
        "symbolId": listing.symbol_id,
        "symbol": item.symbol,
        "baseCoin": item.base,
        "quoteCoin": item.quote,
        "status": "Trading",
        "symbolType": "",
    }
    limits = {
        "priceLimitRatioX": str(listing.ratio_x),
        "priceLimitRatioY": str(listing.ratio_y),
    }
    return (
        common
        | (_spot_info(item) if listing.is_spot else _linear_info(listing, item))
        | {"riskParameters": limits}
    )


def _linear_info(listing: Listing, item: Instrument) -> dict[str, Any]:
    return {
        "contractType": "LinearPerpetual",
        "settleCoin": item.settle,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(listing.prices.places),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": listing.max_leverage,
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": item.tick_size,
            "maxPrice": listing.prices.text(19_999_998),
            "tickSize": item.tick_size,
        },
        "lotSizeFilter": {
            "minOrderQty": item.min_qty,
            "qtyStep": item.lot_size,
            "maxOrderQty": item.max_qty,
            "maxMktOrderQty": item.max_market_qty,
            "minNotionalValue": item.min_notional,
            "postOnlyMaxOrderQty": item.max_qty,
        },
        "unifiedMarginTrade": True,
        "fundingInterval": max(1, listing.funding_ms // 60_000),
        "copyTrading": "both",
        "upperFundingRate": str(FUNDING_CAP),
        "lowerFundingRate": str(-FUNDING_CAP),
        "displayName": "",
        "forbidUplWithdrawal": False,
        "isPreListing": False,
        "preListingInfo": None,
    }


def _spot_info(item: Instrument) -> dict[str, Any]:
    return {
        "innovation": "0",
        "marginTrading": "none",
        "stTag": "0",
        "xstockMultiplier": "1",
        "lotSizeFilter": {
            "basePrecision": item.lot_size,
            "quotePrecision": "0.0000001",
            "minOrderQty": item.min_qty,
            "maxOrderQty": item.max_qty,
            "minOrderAmt": item.min_notional,
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": item.max_qty,
            "maxMarketOrderQty": item.max_market_qty,
            "postOnlyMaxLimitOrderSize": "60000",
        },
        "priceFilter": {"tickSize": item.tick_size},
    }
