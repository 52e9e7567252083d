"""What an execution costs on paper: the venue's rates, rounded against us."""

from decimal import ROUND_CEILING

from plimsoll.core.model import Instrument, Side, decimal_of


def fee_of(
    instrument: Instrument, side: Side, price_ticks: int, qty_lots: int, *, is_maker: bool
) -> tuple[int, str]:
    """Return the fee in cash units (positive = paid) and its coin.

    Perpetuals pay in the settle coin, spot buys in the base coin, spot sells in the quote coin.
    Source: Bybit v5 docs, enum (spot fee currency), for maker rates that are not negative.
    """
    rate = decimal_of(instrument.maker_fee if is_maker else instrument.taker_fee)
    if instrument.is_spot and side is Side.BUY:
        received = qty_lots * instrument.base_units_per_lot
        return int((received * rate).to_integral_value(ROUND_CEILING)), instrument.base
    value = instrument.notional_units(price_ticks, qty_lots)
    coin = instrument.quote if instrument.is_spot else instrument.settle
    return int((value * rate).to_integral_value(ROUND_CEILING)), coin
