"""What an execution costs on paper: the venue's rates, rounded against us."""

from functools import lru_cache

from plimsoll.core.model import Instrument, Side, decimal_of
from plimsoll.core.portfolio.history import worth


@lru_cache(maxsize=256)
def _rate(text: str) -> tuple[int, int]:
    """Return a rate as a fraction; read once: an instrument has two."""
    return decimal_of(text).as_integer_ratio()


def fee_of(
    instrument: Instrument, side: Side, price_ticks: int, qty_lots: int, *, is_maker: bool
) -> tuple[int, str]:
    """Return the fee in cash units (positive = paid, negative = received) and its coin.

    Perpetuals pay in the settle coin. Spot pays in the coin received: buys in the base coin, sells
    in the quote coin; a maker's rebate comes in the other one. Source: Bybit v5 docs, enum (spot
    fee currency).
    """
    rate, of = _rate(instrument.maker_fee if is_maker else instrument.taker_fee)
    is_rebate = is_maker and rate < 0
    if instrument.is_spot and (side is Side.BUY) is not is_rebate:
        units, coin = qty_lots * instrument.base_units_per_lot, instrument.base
    else:
        units = instrument.notional_units(price_ticks, qty_lots)
        coin = instrument.quote if instrument.is_spot else instrument.settle
    return -(-units * rate // of), coin


def fee_in_quote(
    instrument: Instrument, fee_units: int, fee_coin: str, price_ticks: int
) -> int | None:
    """Return what a fee is worth in quote cash units, None where its coin is not of the pair.

    One paid in the base coin is worth it at the execution's price, rounded against us.
    """
    if fee_coin == instrument.base and instrument.is_spot:
        return -worth(instrument, -fee_units, price_ticks)
    return fee_units if fee_coin in (instrument.quote, instrument.settle) else None
