"""Reads the venue's instrument list and fee rates into ``Instrument``."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.errors import UnknownInstrument, VenueUnreachable
from plimsoll.venues.bybit.numbers import decimal_in, has_value
from plimsoll.venues.bybit.rest import Answer, RestClient

CATEGORIES: Final = ("linear", "spot")

_DEFAULT_FEES: Final = {"linear": ("0.00055", "0.0002"), "spot": ("0.001", "0.001")}
"""(taker, maker) of an account without a discount; used without a key and on demo."""

_HALF: Final = Decimal("0.5")

_Text = str | int | float | None
"""Decimal text or a bare number; no value means "no such filter"."""


class _Filter(msgspec.Struct):
    tickSize: _Text = ""
    qtyStep: _Text = ""
    basePrecision: _Text = ""
    minOrderQty: _Text = ""
    maxOrderQty: _Text = ""
    maxMktOrderQty: _Text = ""
    minNotionalValue: _Text = ""
    maxLimitOrderQty: _Text = ""
    maxMarketOrderQty: _Text = ""
    minOrderAmt: _Text = ""


class _Risk(msgspec.Struct):
    priceLimitRatioX: _Text = ""


class _Leverage(msgspec.Struct):
    maxLeverage: _Text = ""


class _Tier(msgspec.Struct):
    symbol: str
    riskLimitValue: _Text
    maintenanceMargin: _Text


class _Listed(msgspec.Struct):
    symbol: str
    status: str
    baseCoin: str
    quoteCoin: str
    lotSizeFilter: _Filter
    priceFilter: _Filter
    settleCoin: str | None = ""
    deliveryTime: str | int | None = 0
    riskParameters: _Risk | None = None
    leverageFilter: _Leverage | None = None


class _Fee(msgspec.Struct):
    symbol: str
    takerFeeRate: _Text
    makerFeeRate: _Text


class _List(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")


def split_name(name: str) -> tuple[str, str]:
    """Return (category, symbol) of an instrument name.

    Raises:
        UnknownInstrument: it is not ``linear:SYMBOL`` or ``spot:SYMBOL`` in capitals.
    """
    category, _, symbol = name.partition(":")
    if category not in CATEGORIES or not symbol or symbol != symbol.upper():
        raise UnknownInstrument(
            f"instrument {name!r}: expected linear:SYMBOL or spot:SYMBOL in capitals, "
            "such as linear:BTCUSDT"
        )
    return category, symbol


async def reload_instruments(
    rest: RestClient, known: Sequence[Instrument], *, with_fees: bool
) -> list[Instrument]:
    """Return instruments with the filters of now; one that is not traded any more says so.

    Raises:
        UnknownInstrument: one cannot be counted exactly.
        VenueUnreachable: the venue gave no usable answer.
    """
    return [await _reload(rest, item, with_fees=with_fees) for item in known]


async def _reload(rest: RestClient, known: Instrument, *, with_fees: bool) -> Instrument:
    listed = await _look_up(rest, known.name)
    if listed is None:
        return msgspec.structs.replace(known, status="gone")
    taker, maker = known.taker_fee, known.maker_fee
    if with_fees:
        taker, maker = await _fees(rest, known.category, known.symbol)
    found = _instrument(known.name, known.category, listed, taker, maker)
    return msgspec.structs.replace(found, risk_tiers=known.risk_tiers)


async def load_instruments(
    rest: RestClient, names: Sequence[str], *, with_fees: bool
) -> list[Instrument]:
    """Return the instruments of ``names`` with today's filters and this account's fee rates.

    One that is halted or closed says so in its status: what is held of it must still be watched.

    Raises:
        UnknownInstrument: one does not exist, or cannot be counted exactly.
        VenueUnreachable: the venue gave no usable answer.
    """
    return [await _load(rest, name, with_fees=with_fees) for name in dict.fromkeys(names)]


async def _load(rest: RestClient, name: str, *, with_fees: bool) -> Instrument:
    category, symbol = split_name(name)
    listed = await _look_up(rest, name)
    if listed is None:
        raise UnknownInstrument(
            f"{name}: expected an instrument at {rest.settings.rest_url}, found none of that name; "
            "correct `instruments` in the configuration"
        )
    taker, maker = _DEFAULT_FEES[category]
    if with_fees:
        taker, maker = await _fees(rest, category, symbol)
    found = _instrument(name, category, listed, taker, maker)
    if category == "spot":
        return found
    return msgspec.structs.replace(found, risk_tiers=await _tiers(rest, symbol))


async def _look_up(rest: RestClient, name: str) -> _Listed | None:
    category, symbol = split_name(name)
    params = {"category": category, "symbol": symbol}
    answer = await rest.get("/v5/market/instruments-info", params, signed=False)
    if not answer.is_ok and answer.code != 10001:  # 10001: the symbol is not valid
        raise VenueUnreachable(f"{rest.settings.rest_url} instruments-info: {answer.reason}")
    return next((item for item in _listed(answer) if item.symbol == symbol), None)


def _listed(answer: Answer) -> list[_Listed]:
    if not answer.is_ok:
        return []
    try:
        rows = msgspec.json.decode(answer.result, type=_List).rows
        return [msgspec.json.decode(row, type=_Listed) for row in rows]
    except msgspec.MsgspecError as error:
        raise VenueUnreachable(f"instruments-info: unreadable answer: {error}") from error


async def _tiers(rest: RestClient, symbol: str) -> tuple[tuple[str, str], ...]:
    """Return the risk tiers of a perpetual; none where the venue does not say: paper alone asks.

    Rates that are per cent (the documentation's one sample) are brought to fractions: no
    maintenance margin is half of the position.
    """
    params = {"category": "linear", "symbol": symbol}
    answer = await rest.get("/v5/market/risk-limit", params, signed=False)
    if not answer.is_ok:
        return ()
    try:
        rows = msgspec.json.decode(answer.result, type=_List).rows
        tiers = [msgspec.json.decode(row, type=_Tier) for row in rows]
        found = sorted(
            (
                decimal_in(_filter_text(one.riskLimitValue)),
                decimal_in(_filter_text(one.maintenanceMargin)),
            )
            for one in tiers
            if one.symbol == symbol
        )
    except (msgspec.MsgspecError, ValueError):
        return ()
    scale = 100 if found and found[0][1] >= _HALF else 1
    return tuple((format(limit, "f"), format(rate / scale, "f")) for limit, rate in found)


async def _fees(rest: RestClient, category: str, symbol: str) -> tuple[str, str]:
    params = {"category": category, "symbol": symbol}
    answer = await rest.get("/v5/account/fee-rate", params, signed=True)
    if answer.code == 10001:  # demo has no fee rates
        return _DEFAULT_FEES[category]
    if not answer.is_ok:
        raise VenueUnreachable(f"{rest.settings.rest_url} fee-rate: {answer.reason}")
    try:
        rows = msgspec.json.decode(answer.result, type=_List).rows
        fees = [msgspec.json.decode(row, type=_Fee) for row in rows]
    except msgspec.MsgspecError as error:
        raise VenueUnreachable(f"fee-rate: unreadable answer: {error}") from error
    own = next((fee for fee in fees if fee.symbol == symbol), None)
    taker, maker = _DEFAULT_FEES[category]
    if own is None:
        return taker, maker
    try:
        # An empty rate is no rate of zero.
        return _decimal_text(own.takerFeeRate, taker), _decimal_text(own.makerFeeRate, maker)
    except ValueError as error:
        raise VenueUnreachable(f"fee-rate of {category}:{symbol}: {error}") from error


def _instrument(name: str, category: str, item: _Listed, taker: str, maker: str) -> Instrument:
    lots, is_spot, risk = item.lotSizeFilter, category == "spot", item.riskParameters
    leverage = None if is_spot else item.leverageFilter
    try:
        return Instrument(
            name=name,
            category=category,
            symbol=item.symbol,
            base=item.baseCoin,
            quote=item.quoteCoin,
            settle=item.settleCoin or item.quoteCoin,
            tick_size=_decimal_text(item.priceFilter.tickSize),
            lot_size=_decimal_text(lots.basePrecision if is_spot else lots.qtyStep),
            min_qty=_filter_text(lots.minOrderQty),
            max_qty=_filter_text((is_spot and lots.maxLimitOrderQty) or lots.maxOrderQty),
            max_market_qty=_filter_text(lots.maxMarketOrderQty if is_spot else lots.maxMktOrderQty),
            min_notional=_filter_text(lots.minOrderAmt if is_spot else lots.minNotionalValue),
            taker_fee=taker,
            maker_fee=maker,
            status=item.status,
            delivery_ms=max(0, int(item.deliveryTime or 0)),
            max_leverage=_filter_text(leverage.maxLeverage if leverage is not None else None),
            price_limit=_filter_text(risk.priceLimitRatioX if risk is not None else None),
        )
    except ValueError as error:
        raise UnknownInstrument(f"{name} cannot be traded: {error}") from error


def _filter_text(value: _Text) -> str:
    """Return a limit on orders as decimal text, ``0`` where there is none.

    Raises:
        ValueError: it is no such number; asked here, because the core reads it only when it trades.
    """
    text = _decimal_text(value, "0")
    if decimal_in(text) < 0:
        raise ValueError(f"expected a limit that is not negative, found {text}")
    return text


def _decimal_text(value: _Text, default: str = "") -> str:
    text = str(value) if has_value(value) else default
    decimal_in(text)
    return text
