"""Every breaker: what it measures, where, what it does, who ends it. The reference page is this."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Scope(StrEnum):
    """Whose new risk a breaker stops."""

    ACCOUNT = "account"
    INSTANCE = "instance"
    INSTRUMENT = "instrument"
    INSTANCE_INSTRUMENT = "instance and instrument"


class Effect(StrEnum):
    """What it does. None of them touches an order that protects or reduces."""

    NO_ENTRIES = "no_entries"
    CANCEL_ENTRIES = "cancel_entries"
    REDUCE = "reduce"


class Rearm(StrEnum):
    """Who ends it."""

    PERSON = "person"
    NEXT_DAY = "next_day"
    COOL_DOWN = "cool_down"
    CALM = "calm"
    CLEAN = "clean"


class Breaker(NamedTuple):
    """One breaker.

    Attributes:
        name: As records, commands and settings say it.
        measures: What, in words.
        unit: Of ``measured`` and ``limit``: ``cash``, ``ppm``, ``count`` or ``ms``.
        scopes: Where it may trip.
        effect: What it does there.
        rearm: Who ends it.
        keys: The settings it goes by.
    """

    name: str
    measures: str
    unit: str
    scopes: tuple[Scope, ...]
    effect: Effect
    rearm: Rearm
    keys: tuple[str, ...]


class Finding(NamedTuple):
    """Something a breaker should trip on; ``text`` says what was found."""

    breaker: str
    scope: str
    measured: int
    limit: int
    text: str


_ACCOUNT, _INSTANCE = (Scope.ACCOUNT,), (Scope.ACCOUNT, Scope.INSTANCE)
_INSTRUMENT, _PAIR = (Scope.INSTRUMENT,), (Scope.INSTANCE_INSTRUMENT,)

_ALL: Final = (
    Breaker(
        "daily_loss",
        "equity, for an instance its profit, open profit included, since 00:00 UTC, flows left out",
        "cash",
        _INSTANCE,
        Effect.CANCEL_ENTRIES,
        Rearm.NEXT_DAY,
        ("limits.daily_loss", "limits.strategy.NAME.daily_loss"),
    ),
    Breaker(
        "drawdown",
        "the fall from the highest equity, for an instance of its capital and profit",
        "ppm",
        _INSTANCE,
        Effect.CANCEL_ENTRIES,
        Rearm.PERSON,
        ("limits.drawdown", "limits.strategy.NAME.drawdown"),
    ),
    Breaker(
        "losing_streak",
        "round trips (flat to flat, net of fees and funding) lost in a row",
        "count",
        _PAIR,
        Effect.NO_ENTRIES,
        Rearm.COOL_DOWN,
        ("losing_streak",),
    ),
    Breaker(
        "reject_rate",
        "creates and amends the venue refused or rejected, of the newest 50",
        "ppm",
        _PAIR,
        Effect.NO_ENTRIES,
        Rearm.COOL_DOWN,
        ("reject_rate", "reject_least"),
    ),
    Breaker(
        "slippage",
        "mean cost of the newest 20 fills of market orders (at least 5) against the best price "
        "when they were decided, weighted by quantity",
        "ppm",
        _PAIR,
        Effect.NO_ENTRIES,
        Rearm.COOL_DOWN,
        ("slippage",),
    ),
    Breaker(
        "volatility",
        "the move of the middle in a minute, against the median of the last hour's",
        "ppm",
        _INSTRUMENT,
        Effect.NO_ENTRIES,
        Rearm.CALM,
        ("volatility", "volatility_floor"),
    ),
    Breaker(
        "spread",
        "best ask less best bid in parts of the middle, against the median of the last hour's",
        "ppm",
        _INSTRUMENT,
        Effect.NO_ENTRIES,
        Rearm.CALM,
        ("spread", "spread_floor"),
    ),
    Breaker(
        "stale_data",
        "for how long a market that was LIVE in this session is not; what is too silent, the "
        "stream's own gaps say",
        "ms",
        _INSTRUMENT,
        Effect.NO_ENTRIES,
        Rearm.CALM,
        ("stale_data",),
    ),
    Breaker(
        "error_rate",
        "requests of one group without a usable answer, of those of the last minute",
        "ppm",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.CLEAN,
        ("error_rate", "error_least"),
    ),
    Breaker(
        "unknown_orders",
        "live orders that are UNKNOWN at the same time",
        "count",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.CLEAN,
        ("unknown_orders",),
    ),
    Breaker(
        "rate_pressure",
        "how often in a minute the venue closed one group of requests for its rate",
        "count",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.CLEAN,
        ("rate_closures",),
    ),
    Breaker(
        "borrowing",
        "coins borrowed or of negative balance, each worth over 1 USD",
        "cash",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.CLEAN,
        (),
    ),
    Breaker(
        "margin",
        "the account's maintenance margin rate, first step",
        "ppm",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.CALM,
        ("margin",),
    ),
    Breaker(
        "margin_high",
        "the same, second step",
        "ppm",
        _ACCOUNT,
        Effect.CANCEL_ENTRIES,
        Rearm.PERSON,
        ("margin_high",),
    ),
    Breaker(
        "margin_critical",
        "the same, third step",
        "ppm",
        _ACCOUNT,
        Effect.REDUCE,
        Rearm.PERSON,
        ("margin_critical",),
    ),
    Breaker(
        "unasked_fill",
        "an execution of an order nobody here made, in an instrument of a live instance",
        "count",
        _INSTRUMENT,
        Effect.NO_ENTRIES,
        Rearm.PERSON,
        (),
    ),
    Breaker(
        "position_flip",
        "a reduce-only order that carried a position across zero, or a position whose sign at the "
        "venue is the other one for over 2 s",
        "count",
        _INSTRUMENT,
        Effect.NO_ENTRIES,
        Rearm.PERSON,
        (),
    ),
    Breaker(
        "unknown_epoch",
        "an order with our tag that our log does not know",
        "count",
        _ACCOUNT,
        Effect.NO_ENTRIES,
        Rearm.PERSON,
        (),
    ),
)

BREAKERS: Final[Mapping[str, Breaker]] = {one.name: one for one in _ALL}
"""All of them by name, in the order of the reference page."""
