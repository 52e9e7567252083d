"""Rows of the market endpoints (Bybit v5 docs, market): times in Unix ms, rates as fractions."""

from decimal import Decimal

import msgspec

from plimsoll.venues.bybit.api.words import ContractKind, InstrumentStatus, Side, TickDirection


class ServerTime(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's clock."""

    seconds: int = msgspec.field(name="timeSecond")
    ns: int = msgspec.field(name="timeNano")


class Candle(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A bar; the newest one is still open. Mark, index and premium bars have no volume.

    Volume is in base coin, turnover in quote coin.
    """

    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None
    turnover: Decimal | None = None


class LeverageFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Leverage that may be set."""

    min_leverage: Decimal
    max_leverage: Decimal
    leverage_step: Decimal


class PriceFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Steps and bounds of prices; spot has no bounds."""

    tick_size: Decimal
    min_price: Decimal | None = None
    max_price: Decimal | None = None


class RiskParameters(msgspec.Struct, frozen=True, kw_only=True):
    """The X and Y of the venue's price limits."""

    limit_ratio_x: Decimal | None = msgspec.field(default=None, name="priceLimitRatioX")
    limit_ratio_y: Decimal | None = msgspec.field(default=None, name="priceLimitRatioY")


class LinearLotFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Quantities of a contract, in base coin."""

    lot_size: Decimal = msgspec.field(name="qtyStep")
    min_qty: Decimal = msgspec.field(name="minOrderQty")
    max_qty: Decimal = msgspec.field(name="maxOrderQty")
    max_market_qty: Decimal | None = msgspec.field(default=None, name="maxMktOrderQty")
    min_notional: Decimal | None = msgspec.field(default=None, name="minNotionalValue")


class SpotLotFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Quantities of a pair: in base coin, and in quote coin for market buys by value."""

    lot_size: Decimal = msgspec.field(name="basePrecision")
    quote_step: Decimal | None = msgspec.field(default=None, name="quotePrecision")
    min_notional: Decimal | None = msgspec.field(default=None, name="minOrderAmt")
    max_qty: Decimal | None = msgspec.field(default=None, name="maxLimitOrderQty")
    max_market_qty: Decimal | None = msgspec.field(default=None, name="maxMarketOrderQty")
    max_post_only_qty: Decimal | None = msgspec.field(
        default=None, name="postOnlyMaxLimitOrderSize"
    )
    min_qty: Decimal | None = msgspec.field(default=None, name="minOrderQty")
    """Deprecated as a check: the least value counts."""


class PreListing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The call auction before a contract trades."""

    phase: str = msgspec.field(default="", name="curAuctionPhase")
    skip_call_auction: bool = False


class LinearInstrument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A contract settled in USDT or USDC."""

    symbol: str
    status: InstrumentStatus
    base: str = msgspec.field(name="baseCoin")
    quote: str = msgspec.field(name="quoteCoin")
    settle: str = msgspec.field(name="settleCoin")
    contract: ContractKind = msgspec.field(name="contractType")
    lot_filter: LinearLotFilter = msgspec.field(name="lotSizeFilter")
    price_filter: PriceFilter
    leverage_filter: LeverageFilter
    symbol_id: int = 0
    symbol_type: str = ""
    launch_ms: int = msgspec.field(default=0, name="launchTime")
    delivery_ms: int = msgspec.field(default=0, name="deliveryTime")
    """Not zero on a perpetual: it will be delisted then."""

    delivery_fee_rate: Decimal | None = None
    price_scale: int | None = None
    """Decimals shown; the tick is in ``price_filter``."""

    unified_margin_trade: bool = False
    funding_minutes: int = msgspec.field(default=0, name="fundingInterval")
    upper_funding_rate: Decimal | None = None
    lower_funding_rate: Decimal | None = None
    copy_trading: str = ""
    display_name: str = ""
    forbid_upl_withdrawal: bool = False
    risk_parameters: RiskParameters | None = None
    is_pre_listing: bool = False
    pre_listing: PreListing | None = msgspec.field(default=None, name="preListingInfo")
    may_make_rpi: bool | None = msgspec.field(default=None, name="myRpiPermission")
    """Answered by the account's own list only."""

    is_public_rpi: bool | None = None


class SpotInstrument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A pair of coins."""

    symbol: str
    status: InstrumentStatus
    base: str = msgspec.field(name="baseCoin")
    quote: str = msgspec.field(name="quoteCoin")
    lot_filter: SpotLotFilter = msgspec.field(name="lotSizeFilter")
    price_filter: PriceFilter
    symbol_id: int = 0
    symbol_type: str = ""
    margin_trading: str = ""
    special_treatment: str = msgspec.field(default="", name="stTag")
    xstock_multiplier: Decimal | None = None
    risk_parameters: RiskParameters | None = None
    may_make_rpi: bool | None = msgspec.field(default=None, name="myRpiPermission")
    """Answered by the account's own list only."""

    is_public_rpi: bool | None = None


class BookLevel(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Price and quantity of one level."""

    price: Decimal
    qty: Decimal


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of a book, best first."""

    symbol: str = msgspec.field(name="s")
    bids: tuple[BookLevel, ...] = msgspec.field(name="b")
    asks: tuple[BookLevel, ...] = msgspec.field(name="a")
    update_id: int = msgspec.field(name="u")
    venue_ms: int = msgspec.field(default=0, name="ts")
    venue_seq: int = msgspec.field(default=0, name="seq")
    matched_ms: int = msgspec.field(default=0, name="cts")


class LinearTicker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Prices and figures of a contract; a pushed change has only what changed."""

    symbol: str
    last_price: Decimal | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    bid_price: Decimal | None = msgspec.field(default=None, name="bid1Price")
    bid_qty: Decimal | None = msgspec.field(default=None, name="bid1Size")
    ask_price: Decimal | None = msgspec.field(default=None, name="ask1Price")
    ask_qty: Decimal | None = msgspec.field(default=None, name="ask1Size")
    prev_price_1h: Decimal | None = msgspec.field(default=None, name="prevPrice1h")
    prev_price_24h: Decimal | None = msgspec.field(default=None, name="prevPrice24h")
    change_24h: Decimal | None = msgspec.field(default=None, name="price24hPcnt")
    high_24h: Decimal | None = msgspec.field(default=None, name="highPrice24h")
    low_24h: Decimal | None = msgspec.field(default=None, name="lowPrice24h")
    volume_24h: Decimal | None = msgspec.field(default=None, name="volume24h")
    turnover_24h: Decimal | None = msgspec.field(default=None, name="turnover24h")
    open_interest: Decimal | None = None
    open_interest_value: Decimal | None = None
    single_open_interest: Decimal | None = None
    single_open_interest_value: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_cap: Decimal | None = None
    funding_hours: Decimal | None = msgspec.field(default=None, name="fundingIntervalHour")
    next_funding_ms: int | None = msgspec.field(default=None, name="nextFundingTime")
    delivery_fee_rate: Decimal | None = None
    delivery_time: str = ""
    """Milliseconds by REST, an ISO date on the stream."""

    predicted_delivery_price: Decimal | None = None
    basis: Decimal | None = None
    basis_rate: Decimal | None = None
    basis_rate_year: Decimal | None = None
    pre_open_price: Decimal | None = None
    pre_qty: Decimal | None = None
    pre_listing_phase: str = msgspec.field(default="", name="curPreListingPhase")
    tick_direction: TickDirection = ""


class SpotTicker(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Prices of a pair; the stream has neither bid nor ask."""

    symbol: str
    last_price: Decimal
    bid_price: Decimal | None = msgspec.field(default=None, name="bid1Price")
    bid_qty: Decimal | None = msgspec.field(default=None, name="bid1Size")
    ask_price: Decimal | None = msgspec.field(default=None, name="ask1Price")
    ask_qty: Decimal | None = msgspec.field(default=None, name="ask1Size")
    prev_price_24h: Decimal | None = msgspec.field(default=None, name="prevPrice24h")
    change_24h: Decimal | None = msgspec.field(default=None, name="price24hPcnt")
    high_24h: Decimal | None = msgspec.field(default=None, name="highPrice24h")
    low_24h: Decimal | None = msgspec.field(default=None, name="lowPrice24h")
    volume_24h: Decimal | None = msgspec.field(default=None, name="volume24h")
    turnover_24h: Decimal | None = msgspec.field(default=None, name="turnover24h")
    usd_index_price: Decimal | None = None
    """None for coins that are no collateral."""


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A print of the tape; the side is the taker's."""

    trade_id: str = msgspec.field(name="execId")
    symbol: str
    price: Decimal
    qty: Decimal = msgspec.field(name="size")
    side: Side
    traded_ms: int = msgspec.field(name="time")
    is_block_trade: bool = False
    is_rpi_trade: bool = msgspec.field(default=False, name="isRPITrade")
    venue_seq: int = msgspec.field(default=0, name="seq")


class FundingRate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rate that was paid; positive: longs paid shorts."""

    symbol: str
    rate: Decimal = msgspec.field(name="fundingRate")
    funded_ms: int = msgspec.field(name="fundingRateTimestamp")


class OpenInterest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Contracts open at a time, both sides counted."""

    open_interest: Decimal
    single_open_interest: Decimal | None = None
    measured_ms: int = msgspec.field(name="timestamp")


class RiskTier(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Margin of a position up to a value.

    Whether the margins are fractions or per cent is not documented for linear: the initial one is
    the inverse of the largest leverage either way.
    """

    tier: int = msgspec.field(name="id")
    symbol: str
    max_value: Decimal = msgspec.field(name="riskLimitValue")
    maintenance_margin: Decimal
    initial_margin: Decimal
    max_leverage: Decimal
    maintenance_deduction: Decimal | None = msgspec.field(default=None, name="mmDeduction")
    is_lowest: bool = msgspec.field(default=False, name="isLowestRisk")


class PriceLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The highest bid and the lowest ask taken now."""

    symbol: str
    highest_bid: Decimal = msgspec.field(name="buyLmt")
    lowest_ask: Decimal = msgspec.field(name="sellLmt")
    venue_ms: int = msgspec.field(default=0, name="ts")
