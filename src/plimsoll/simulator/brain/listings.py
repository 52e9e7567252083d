"""The instruments this exchange lists, with their filters and how it writes their numbers."""

from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import msgspec

from plimsoll.core.model import Instrument


class Scale(msgspec.Struct, frozen=True):
    """Writes whole steps as decimal text with as many places as the step has."""

    unit: int
    places: int

    def text(self, steps: int) -> str:
        """Return ``steps`` times the step as text."""
        if not self.places:
            return str(steps * self.unit)
        digits = str(abs(steps) * self.unit).zfill(self.places + 1)
        sign = "-" if steps < 0 else ""
        return f"{sign}{digits[: -self.places]}.{digits[-self.places :]}"


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
    max_leverage: str = "100.00"
    maintenance_rate: Decimal = Decimal("0.005")

    @property
    def name(self) -> str:
        """Return the name, such as ``linear:BTCUSDT``."""
        return self.instrument.name

    @cached_property
    def is_spot(self) -> bool:
        """Return whether this trades the coin itself."""
        return self.instrument.is_spot

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


_Filters = tuple[str, str, str, str, str, str]
_LINEAR: Final[dict[str, _Filters]] = {
    # base: tick, lot, min qty, max qty, max market qty, max leverage
    "BTC": ("0.10", "0.001", "0.001", "1190.000", "500.000", "100.00"),
    "ETH": ("0.01", "0.01", "0.01", "7240.00", "724.00", "100.00"),
    "DOGE": ("0.00001", "1", "1", "40000000", "6000000", "75.00"),
}
_SPOT: Final[dict[str, _Filters]] = {
    "BTC": ("0.01", "0.000001", "0.000011", "83", "41.5", ""),
    "ETH": ("0.01", "0.00001", "0.00022", "1229.2336343", "614.61681715", ""),
    "DOGE": ("0.00001", "0.1", "2.7", "1904761", "952380.5", ""),
}


def default_listings(
    linear_limits: tuple[str, str], spot_limits: tuple[str, str]
) -> dict[str, Listing]:
    """Return BTC, ETH and DOGE against USDT, linear and spot, by name."""
    listings = {}
    for category, table, limits in (
        ("linear", _LINEAR, linear_limits),
        ("spot", _SPOT, spot_limits),
    ):
        for number, (base, filters) in enumerate(table.items(), start=5):
            listing = _listing(category, base, filters, limits, number)
            listings[listing.name] = listing
    return listings


def extra_listings(count: int, limits: tuple[str, str]) -> dict[str, Listing]:
    """Return linear perpetuals SYM001USDT and so on, with the filters of DOGE, by name."""
    made = [
        _listing("linear", f"SYM{number:03}", _LINEAR["DOGE"], limits, 100 + number)
        for number in range(1, count + 1)
    ]
    return {listing.name: listing for listing in made}


def _listing(
    category: str, base: str, filters: _Filters, limits: tuple[str, str], number: int
) -> Listing:
    tick, lot, min_qty, max_qty, max_market, leverage = filters
    symbol = f"{base}USDT"
    spot = category == "spot"
    instrument = Instrument(
        name=f"{category}:{symbol}",
        category=category,
        symbol=symbol,
        base=base,
        quote="USDT",
        settle="" if spot else "USDT",
        tick_size=tick,
        lot_size=lot,
        min_qty=min_qty,
        max_qty=max_qty,
        max_market_qty=max_market,
        min_notional="5",
        taker_fee="0.001" if spot else "0.00055",
        maker_fee="0.001" if spot else "0.0002",
    )
    x, y = map(Decimal, limits)
    return Listing(instrument, number, x, y, leverage)


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
        "fundingInterval": 480,
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
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
