"""Margin of a position as a venue counts it, for paper: initial, maintenance, bankruptcy.

    maintenance = value x rate of its tier - deduction of the tier + estimated fee to close
    fee to close = value x (1 -+ 1 / leverage) x taker rate, for long and short
    deduction(n) = limit(n-1) x (rate(n) - rate(n-1)) + deduction(n-1)

Values are at the mark price. Exact, and rounded up: against the holder.
Source: Bybit help, margin parameters and maintenance margin (UTA).
"""

from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Final, NamedTuple

from plimsoll.core.model import CASH_SCALE, Instrument

PPM: Final = 1_000_000
LEVERAGE_PPM: Final = 10 * PPM
"""Leverage where none is set: the venue's own default."""

RATE: Final = Fraction(1, 100)
"""Maintenance margin rate where neither tiers nor the largest leverage are known."""


class Tier(NamedTuple):
    """One tier: maintenance margin is (value x share - deduction) / scale, in whole numbers."""

    limit_units: int
    """Value up to which it goes, in cash units of the settle coin."""
    rate: Fraction
    long_share: int
    short_share: int
    """Rate and fee to close, times the scale."""
    deduction: int
    scale: int


class Terms(NamedTuple):
    """What margin of an instrument is counted with."""

    tiers: tuple[Tier, ...]
    leverage: Fraction
    taker: Fraction
    initial: dict[int, tuple[int, int]]
    """Initial margin as a share of the value, fee to close included, by sign: above and below the
    line."""


@lru_cache(maxsize=4096)
def terms_of(instrument: Instrument, leverage_ppm: int) -> Terms:
    """Return tiers, leverage (the account's, or the largest there is) and fee rate.

    Without tiers the rate is half of what the largest leverage asks for as initial margin.
    """
    most = Fraction(instrument.max_leverage)
    leverage = Fraction(leverage_ppm or LEVERAGE_PPM, PPM)
    leverage = min(leverage, most) if most else leverage
    taker = Fraction(instrument.taker_fee)
    close = {sign: (1 - sign / leverage) * taker for sign in (1, -1)}
    rows = [
        (int(Fraction(limit) * 10**CASH_SCALE), Fraction(rate))
        for limit, rate in instrument.risk_tiers
    ]
    rows = rows or [(0, 1 / (2 * most) if most else RATE)]
    tiers, deduction = [], Fraction(0)
    for place, (limit, rate) in enumerate(rows):
        if place:
            below, last = rows[place - 1]
            deduction += below * (rate - last)
        shares = (rate + close[1], rate + close[-1], deduction)
        scale = lcm(*(one.denominator for one in shares))
        long, short, deducted = (int(one * scale) for one in shares)
        tiers.append(Tier(limit, rate, long, short, deducted, scale))
    initial = {sign: (1 / leverage + fee).as_integer_ratio() for sign, fee in close.items()}
    return Terms(tuple(tiers), leverage, taker, initial)


def maintenance_units(terms: Terms, value_units: int, sign: int) -> int:
    """Return the maintenance margin of a position of this (positive) value, long where sign > 0."""
    tiers = terms.tiers
    tier = tiers[-1]
    if len(tiers) > 1:
        tier = next((one for one in tiers if value_units <= one.limit_units), tier)
    share = tier.long_share if sign > 0 else tier.short_share
    return -((tier.deduction - value_units * share) // tier.scale)


def initial_units(terms: Terms, value_units: int, sign: int) -> int:
    """Return the initial margin of a position of this value, its fee to close included."""
    share, of = terms.initial[sign]
    return -(-value_units * share // of)


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


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
