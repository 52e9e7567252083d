"""``[breakers]``: when the circuit breakers trip."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from plimsoll.config.schema.kinds import Count, Duration, Fraction, Multiple, Section
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings

_BREAKERS: Final = BreakerSettings()


def _breaker(text: str) -> str:
    if text not in BREAKERS:
        raise ValueError(f"one of {', '.join(BREAKERS)}")
    return text


class BreakerKeys(Section):
    """``[breakers]``: when the circuit breakers trip. All are on. Losses are ``[limits]``."""

    off: tuple[Annotated[str, AfterValidator(_breaker)], ...] = Field(
        default=(), description="Breakers that never trip.", examples=[["spread"]]
    )
    losing_streak: Count = Field(
        default=_BREAKERS.losing_streak, description="Round trips lost in a row; 0 = any number."
    )
    reject_rate: Fraction = Field(
        default=_BREAKERS.reject_ppm,
        description="Part of an instance's newest 50 requests that may be rejected.",
    )
    reject_least: Count = Field(
        default=_BREAKERS.reject_least, description="Requests before that part says something."
    )
    slippage: Fraction = Field(
        default=_BREAKERS.slippage_ppm,
        description="Mean cost of the newest 20 fills of market orders; half of "
        "`execution.max_slippage` by default.",
    )
    volatility: Multiple = Field(
        default=_BREAKERS.volatility_ppm,
        description="Move within a minute, in multiples of the instrument's usual one ...",
    )
    volatility_floor: Fraction = Field(
        default=_BREAKERS.volatility_floor_ppm, description="... and at least this."
    )
    spread: Multiple = Field(
        default=_BREAKERS.spread_ppm, description="Spread, in multiples of the usual one ..."
    )
    spread_floor: Fraction = Field(
        default=_BREAKERS.spread_floor_ppm, description="... and at least this."
    )
    stale_data: Duration = Field(
        default=_BREAKERS.stale_ns,
        description="A market that was LIVE and is not, for this long.",
    )
    error_rate: Fraction = Field(
        default=_BREAKERS.error_ppm,
        description="Part of one group's requests of a minute that may go without an answer.",
    )
    error_least: Count = Field(
        default=_BREAKERS.error_least, description="Requests before that part says something."
    )
    unknown_orders: Count = Field(
        default=_BREAKERS.unknown_orders,
        description="Orders UNKNOWN at the same time; 0 = any number.",
    )
    rate_closures: Count = Field(
        default=_BREAKERS.rate_closures,
        description="Times a minute the venue may close a group for its rate; 0 = any number.",
    )
    margin: Fraction = Field(
        default=_BREAKERS.margin_entries_ppm,
        description="Maintenance margin rate that stops entries; 0 = none.",
    )
    margin_high: Fraction = Field(
        default=_BREAKERS.margin_cancel_ppm, description="The one that cancels them; 0 = none."
    )
    margin_critical: Fraction = Field(
        default=_BREAKERS.margin_reduce_ppm,
        description="The one at which a person must reduce; 0 = none.",
    )
    cool_down: Duration = Field(
        default=_BREAKERS.cool_down_ns, description="After it an instance's breaker arms itself."
    )
    cool_downs: Count = Field(
        default=_BREAKERS.cool_downs,
        description="Cool-downs a UTC day; after one more trip a person arms it.",
    )
    calm: Duration = Field(
        default=_BREAKERS.calm_ns, description="After so long a calm a market's arms itself."
    )
    clean: Duration = Field(
        default=_BREAKERS.clean_ns, description="After so long without an error the venue's does."
    )
