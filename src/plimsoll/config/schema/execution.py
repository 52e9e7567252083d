"""``[execution]``: how orders are sent and looked after."""

from typing import Final, Literal

from pydantic import Field

from plimsoll.config.schema.kinds import Duration, Fraction, Section
from plimsoll.core.settings import CoreSettings, Timing

_TIMING: Final = Timing()
_CORE: Final = CoreSettings(account="", tag="")


class Execution(Section):
    """``[execution]``: how orders are sent and looked after."""

    max_slippage: Fraction = Field(
        default=_CORE.max_slippage_ppm,
        description="Band of a market order around the price it was decided at.",
        examples=["0.2 %"],
    )
    answer_timeout: Duration = Field(
        default=_TIMING.answer_ns, description="A request unanswered for this long is UNKNOWN."
    )
    confirm_timeout: Duration = Field(
        default=_TIMING.confirm_ns,
        description="An accepted order the stream has not confirmed is asked for after this.",
    )
    absence_margin: Duration = Field(
        default=_TIMING.absence_margin_ms * 1_000_000,
        description="How long after the receive window an order may still appear at the venue.",
    )
    sweep: Duration = Field(
        default=_TIMING.sweep_ns,
        description="Period of the comparison of our books with the venue's.",
    )
    wallet_difference: Fraction = Field(
        default=_CORE.wallet_difference_ppm,
        description="Part of equity that may be missing in the wallet, or too much, without a "
        "cause; more of it stops new risk on the account ...",
        examples=["0.1 %"],
    )
    wallet_patience: Duration = Field(
        default=_CORE.wallet_patience_ns, description="... after it has lasted this long."
    )
    paper_latency: Duration = Field(
        default=_TIMING.paper_latency_ns, description="Delay of paper orders and their answers."
    )
    paper_queue: Fraction = Field(
        default=_TIMING.paper_queue_ppm,
        description="Part of the displayed quantity that a resting paper order joins behind.",
        examples=["75 %"],
    )
    gap_price: Fraction = Field(
        default=_CORE.gap_price_ppm,
        description="Paper fills count as near enough to live ones while their prices differ by "
        "less than this ...",
        examples=["0.02 %"],
    )
    gap_filled: Fraction = Field(
        default=_CORE.gap_filled_ppm,
        description="... and the share of orders filled by less than this; both ways.",
        examples=["10 %"],
    )
    callback_limit: Duration = Field(
        default=50_000_000,
        description="Processor time one callback of a strategy may take; one that takes more is "
        "cut off, what it asked for is dropped, and its instance is stopped.",
        examples=["50 ms"],
    )
    practice: Duration = Field(
        default=5_000_000,
        description="How often, behind a quiet frame, the way of an order is gone without an "
        "order, so that the next one finds it in the processor's caches; 0 = never.",
        examples=["5 ms"],
    )
    strays: Literal["cancel", "keep"] = Field(
        default="cancel",
        description="Orders under our tag that should not live (never known, or shown absent): "
        "`cancel` those that can add risk, or `keep` them. Both are told and block.",
    )
    unusual: Literal["tell", "pause"] = Field(
        default="tell",
        description="When an instance does what it never does (orders, values, fills, prices, "
        "changes of side, each against its own past): `tell` a person, or `pause` it as well.",
    )
    end_policy: Literal["cancel", "keep", "flatten"] = Field(
        default="cancel",
        description="At a stop: `cancel` orders that can add risk, `keep` them, or `flatten`: "
        "cancel them and close every position, within 5 s.",
    )
    seed: int = Field(
        default=_CORE.seed, ge=0, description="Seed of the strategies' random streams."
    )
