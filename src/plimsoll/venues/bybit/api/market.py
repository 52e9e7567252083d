"""Public questions: clock, instruments, books, prices, bars, funding, tiers. No key is needed."""

from typing import Final

from plimsoll.venues.bybit.api.caller import Caller
from plimsoll.venues.bybit.api.endpoint import Endpoint, Paging
from plimsoll.venues.bybit.api.market_rows import (
    Candle,
    FundingRate,
    LinearInstrument,
    LinearTicker,
    OpenInterest,
    OrderBook,
    PriceLimit,
    PublicTrade,
    RiskTier,
    ServerTime,
    SpotInstrument,
    SpotTicker,
)

_BARS: Final = ("start", "end")

TIME: Final = Endpoint(
    name="market.time", path="/v5/market/time", row=ServerTime, page="market/time"
)
LINEAR_INSTRUMENTS: Final = Endpoint(
    name="market.linear_instruments",
    path="/v5/market/instruments-info",
    row=LinearInstrument,
    page="market/instrument",
    is_list=True,
    paging=Paging.CURSOR,
    limit=1000,
    key=("symbol",),
)
SPOT_INSTRUMENTS: Final = Endpoint(
    name="market.spot_instruments",
    path="/v5/market/instruments-info",
    row=SpotInstrument,
    page="market/instrument",
    is_list=True,
    key=("symbol",),
)
ORDER_BOOK: Final = Endpoint(
    name="market.order_book", path="/v5/market/orderbook", row=OrderBook, page="market/orderbook"
)
FULL_ORDER_BOOK: Final = Endpoint(
    name="market.full_order_book",
    path="/v5/market/full_orderbook",
    row=OrderBook,
    page="market/full-ob",
)
LINEAR_TICKERS: Final = Endpoint(
    name="market.linear_tickers",
    path="/v5/market/tickers",
    row=LinearTicker,
    page="market/tickers",
    is_list=True,
)
SPOT_TICKERS: Final = Endpoint(
    name="market.spot_tickers",
    path="/v5/market/tickers",
    row=SpotTicker,
    page="market/tickers",
    is_list=True,
)
PUBLIC_TRADES: Final = Endpoint(
    name="market.public_trades",
    path="/v5/market/recent-trade",
    row=PublicTrade,
    page="market/recent-trade",
    is_list=True,
    time="traded_ms",
    key=("trade_id",),
)
FUNDING_RATES: Final = Endpoint(
    name="market.funding_rates",
    path="/v5/market/funding/history",
    row=FundingRate,
    page="market/history-fund-rate",
    is_list=True,
    paging=Paging.BACKWARDS,
    limit=200,
    time="funded_ms",
    key=("funded_ms",),
)
OPEN_INTEREST: Final = Endpoint(
    name="market.open_interest",
    path="/v5/market/open-interest",
    row=OpenInterest,
    page="market/open-interest",
    is_list=True,
    paging=Paging.CURSOR,
    limit=200,
    time="measured_ms",
    key=("measured_ms",),
)
RISK_TIERS: Final = Endpoint(
    name="market.risk_tiers",
    path="/v5/market/risk-limit",
    row=RiskTier,
    page="market/risk-limit",
    is_list=True,
    paging=Paging.CURSOR,
    key=("symbol", "tier"),
)
PRICE_LIMIT: Final = Endpoint(
    name="market.price_limit",
    path="/v5/market/price-limit",
    row=PriceLimit,
    page="market/order-price-limit",
)


def _bars(name: str, path: str, page: str) -> Endpoint[Candle]:
    return Endpoint(
        name=name,
        path=path,
        row=Candle,
        page=page,
        is_list=True,
        paging=Paging.BACKWARDS,
        limit=1000,
        time="start_ms",
        key=("start_ms",),
        bounds=_BARS,
    )


BARS: Final = _bars("market.bars", "/v5/market/kline", "market/kline")
MARK_BARS: Final = _bars("market.mark_bars", "/v5/market/mark-price-kline", "market/mark-kline")
INDEX_BARS: Final = _bars("market.index_bars", "/v5/market/index-price-kline", "market/index-kline")
PREMIUM_BARS: Final = _bars(
    "market.premium_bars", "/v5/market/premium-index-price-kline", "market/premium-index-kline"
)

ENDPOINTS: Final = (
    TIME,
    LINEAR_INSTRUMENTS,
    SPOT_INSTRUMENTS,
    ORDER_BOOK,
    FULL_ORDER_BOOK,
    LINEAR_TICKERS,
    SPOT_TICKERS,
    PUBLIC_TRADES,
    BARS,
    MARK_BARS,
    INDEX_BARS,
    PREMIUM_BARS,
    FUNDING_RATES,
    OPEN_INTEREST,
    RISK_TIERS,
    PRICE_LIMIT,
)


class MarketApi:
    """Public questions; each raises ``CallFailed`` or ``ParseError`` where there is no answer.

    Times are Unix ms; a first one of zero asks for the newest page only, a last one of zero for
    everything up to now. Lists are oldest first.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def time(self) -> ServerTime:
        """Return the venue's clock."""
        return await self._caller.one(TIME, {})

    async def linear_instruments(
        self, symbol: str = "", *, status: str = "", base: str = ""
    ) -> list[LinearInstrument]:
        """Return contracts, all pages; without ``status`` only those that trade.

        With ``base`` the venue adds inverse contracts, whose quantities are in USD.
        """
        params = {"category": "linear", "symbol": symbol, "status": status, "baseCoin": base}
        return await self._caller.rows(LINEAR_INSTRUMENTS, params)

    async def spot_instruments(self, symbol: str = "") -> list[SpotInstrument]:
        """Return pairs; the venue gives all of them in one page."""
        return await self._caller.rows(SPOT_INSTRUMENTS, {"category": "spot", "symbol": symbol})

    async def order_book(self, category: str, symbol: str, *, levels: int) -> OrderBook:
        """Return up to 1000 levels of each side."""
        scope = {"category": category, "symbol": symbol}
        return await self._caller.one(ORDER_BOOK, {**scope, "limit": levels})

    async def full_order_book(self, category: str, symbol: str) -> OrderBook:
        """Return up to 10,000 levels of each side."""
        return await self._caller.one(FULL_ORDER_BOOK, {"category": category, "symbol": symbol})

    async def linear_tickers(self, symbol: str = "") -> list[LinearTicker]:
        """Return prices of one contract or all."""
        return await self._caller.rows(LINEAR_TICKERS, {"category": "linear", "symbol": symbol})

    async def spot_tickers(self, symbol: str = "") -> list[SpotTicker]:
        """Return prices of one pair or all."""
        return await self._caller.rows(SPOT_TICKERS, {"category": "spot", "symbol": symbol})

    async def public_trades(
        self, category: str, symbol: str, *, count: int = 0
    ) -> list[PublicTrade]:
        """Return the newest prints: at most 60 on spot, 1000 on contracts; there is no history."""
        params = {"category": category, "symbol": symbol}
        most = count or (60 if category == "spot" else 1000)
        return await self._caller.rows(PUBLIC_TRADES, {**params, "limit": most})

    async def bars(
        self, category: str, symbol: str, interval: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[Candle]:
        """Return bars of 1 3 5 15 30 60 120 240 360 720 minutes, or D, W, M."""
        return await self._bars(BARS, category, symbol, interval, since_ms, until_ms)

    async def mark_bars(
        self, symbol: str, interval: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[Candle]:
        """Return bars of the mark price."""
        return await self._bars(MARK_BARS, "linear", symbol, interval, since_ms, until_ms)

    async def index_bars(
        self, symbol: str, interval: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[Candle]:
        """Return bars of the index price."""
        return await self._bars(INDEX_BARS, "linear", symbol, interval, since_ms, until_ms)

    async def premium_bars(
        self, symbol: str, interval: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[Candle]:
        """Return bars of the premium of the contract over its index."""
        return await self._bars(PREMIUM_BARS, "linear", symbol, interval, since_ms, until_ms)

    async def funding_rates(
        self, symbol: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[FundingRate]:
        """Return funding rates that were paid."""
        params = {"category": "linear", "symbol": symbol}
        return await self._caller.rows(FUNDING_RATES, params, since_ms, until_ms)

    async def open_interest(
        self, symbol: str, interval: str, since_ms: int = 0, until_ms: int = 0
    ) -> list[OpenInterest]:
        """Return open interest each 5min, 15min, 30min, 1h, 4h or 1d."""
        params = {"category": "linear", "symbol": symbol, "intervalTime": interval}
        return await self._caller.rows(OPEN_INTEREST, params, since_ms, until_ms)

    async def risk_tiers(self, symbol: str = "") -> list[RiskTier]:
        """Return the risk tiers of one contract or all, lowest first."""
        return await self._caller.rows(RISK_TIERS, {"category": "linear", "symbol": symbol})

    async def price_limit(self, category: str, symbol: str) -> PriceLimit:
        """Return the highest bid and lowest ask taken now."""
        return await self._caller.one(PRICE_LIMIT, {"category": category, "symbol": symbol})

    async def _bars(
        self,
        endpoint: Endpoint[Candle],
        category: str,
        symbol: str,
        interval: str,
        since_ms: int,
        until_ms: int,
    ) -> list[Candle]:
        params = {"category": category, "symbol": symbol, "interval": interval}
        return await self._caller.rows(endpoint, params, since_ms, until_ms)
