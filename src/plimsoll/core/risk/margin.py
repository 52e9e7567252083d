"""Margin of a position as a venue counts it, for paper: initial, maintenance, bankruptcy.

    maintenance = value x rate of its tier - deduction of the tier + estimated fee to close
    fee to close = value x (1 -+ 1 / leverage) x taker rate, for long and short
    deduction(n) = limit(n-1) x (rate(n) - rate(n-1)) + deduction(n-1)

Values are at the mark price. Exact, and rounded up: against the holder.
Source: Bybit help, margin parameters and maintenance margin (UTA).
"""

from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from plimsoll.core.model import CASH_SCALE, Instrument

PPM: Final = 1_000_000
LEVERAGE_PPM: Final = 10 * PPM
"""Leverage where none is set: the venue's own default."""

RATE: Final = Fraction(1, 100)
"""Maintenance margin rate where neither tiers nor the largest leverage are known."""


class Tier(NamedTuple):
    """One tier; money in cash units of the settle coin."""

    limit_units: int
    rate: Fraction
    deduction_units: Fraction


class Terms(NamedTuple):
    """What margin of an instrument is counted with."""

    tiers: tuple[Tier, ...]
    leverage: Fraction
    taker: Fraction


@lru_cache(maxsize=4096)
def terms_of(instrument: Instrument, leverage_ppm: int) -> Terms:
    """Return tiers, leverage (the account's, or the largest there is) and fee rate.

    Without tiers the rate is half of what the largest leverage asks for as initial margin.
    """
    most = Fraction(instrument.max_leverage)
    leverage = Fraction(leverage_ppm or LEVERAGE_PPM, PPM)
    taker = Fraction(instrument.taker_fee)
    tiers = [Tier(0, 1 / (2 * most) if most else RATE, Fraction(0))]
    for place, (limit, rate) in enumerate(instrument.risk_tiers):
        limit_units, deduction = int(Fraction(limit) * 10**CASH_SCALE), Fraction(0)
        if place:
            last = tiers[-1]
            deduction = last.limit_units * (Fraction(rate) - last.rate) + last.deduction_units
        else:
            tiers.clear()
        tiers.append(Tier(limit_units, Fraction(rate), deduction))
    return Terms(tuple(tiers), min(leverage, most) if most else leverage, taker)


def maintenance_units(terms: Terms, value_units: int, sign: int) -> int:
    """Return the maintenance margin of a position of this (positive) value, long where sign > 0."""
    tier = next((one for one in terms.tiers if value_units <= one.limit_units), terms.tiers[-1])
    margin = value_units * tier.rate - tier.deduction_units
    return _up(margin + _to_close(terms, value_units, sign))


def initial_units(terms: Terms, value_units: int, sign: int) -> int:
    """Return the initial margin of a position of this value, its fee to close included."""
    return _up(value_units / terms.leverage + _to_close(terms, value_units, sign))


def bankruptcy_ticks(
    instrument: Instrument, terms: Terms, lots: int, mark_ticks: int, equity_units: int
) -> int:
    """Return the price at which closing a position, fee included, uses ``equity_units`` up.

    Rounded in the holder's favour, so that nobody ends below zero: as the venue does.
    """
    sign = 1 if lots > 0 else -1
    value = instrument.notional_units(mark_ticks, abs(lots))
    per_tick = instrument.notional_units(1, abs(lots))
    price = (value - sign * equity_units) / (per_tick * (1 - sign * terms.taker))
    return max(1, _up(price) if sign > 0 else -_up(-price))


def _to_close(terms: Terms, value_units: int, sign: int) -> Fraction:
    return value_units * (1 - sign / terms.leverage) * terms.taker


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
