"""From the words of a configuration to the settings the core runs with."""

from pydantic import BaseModel

from plimsoll.config.project import Project
from plimsoll.config.schema import BreakerKeys, LimitKeys, StrategyEntry
from plimsoll.config.sources import digest_of, locate
from plimsoll.core.risk.limits import KEYS, NOTHING_NARROWER
from plimsoll.core.settings import (
    BreakerSettings,
    CoreSettings,
    Limits,
    StrategySettings,
    Timing,
)

_MS: int = 1_000_000


def core_settings(project: Project) -> CoreSettings:
    """Return what the core is given, with the digest of each strategy's file.

    Raises:
        ConfigError: a strategy's file is not there, or outside the project.
    """
    settings = project.settings
    execution = settings.execution
    return CoreSettings(
        account=settings.account.name,
        tag=settings.account.tag,
        strategies=tuple(_strategy(project, entry) for entry in settings.strategy),
        limits=account_limits(settings.limits),
        instrument_limits={
            name: _narrower(keys) for name, keys in settings.limits.instrument.items()
        },
        breakers=_breakers(settings.breakers),
        venue_leverage_ppm=settings.account.leverage,
        timing=Timing(
            answer_ns=execution.answer_timeout,
            confirm_ns=execution.confirm_timeout,
            absence_margin_ms=execution.absence_margin // _MS,
            sweep_ns=execution.sweep,
            paper_latency_ns=execution.paper_latency,
            paper_queue_ppm=execution.paper_queue,
        ),
        max_slippage_ppm=execution.max_slippage,
        strays=execution.strays,
        unusual=execution.unusual,
        end_policy=execution.end_policy,
        dedicated=settings.account.dedicated,
        seed=execution.seed,
        first_start=settings.account.first_start,
        wallet_difference_ppm=execution.wallet_difference,
        wallet_patience_ns=execution.wallet_patience,
        gap_price_ppm=execution.gap_price,
        gap_filled_ppm=execution.gap_filled,
        # The simulator counts in our own units; the venue's may be finer, and were rounded once.
        cash_slack_units=0 if settings.venue.environment == "simulator" else 1,
    )


def _strategy(project: Project, entry: StrategyEntry) -> StrategySettings:
    narrow = project.settings.limits.strategy.get(entry.name)
    path = locate(entry.class_, project.root, key=f"strategy.{entry.name}.class")
    return StrategySettings(
        name=entry.name,
        source=entry.class_,
        source_hash=digest_of(path),
        instruments=entry.instruments,
        mode=entry.mode,
        capital=entry.capital,
        live_capital=entry.live_capital,
        demotion=entry.demotion,
        params=entry.params,
        limits=_narrower(narrow) if narrow else None,
    )


def account_limits(keys: LimitKeys) -> Limits:
    """Return the account's limits; what is left out is zero, or narrows nothing (``Limits``)."""
    found = {KEYS[name].field: getattr(keys, name) for name in _limit_names(keys)}
    return Limits(**{field: value for field, value in found.items() if value is not None})


def _narrower(keys: BaseModel) -> Limits:
    """Return the limits of an instance or instrument; what is left out narrows nothing."""
    written = [name for name in _limit_names(keys) if name in keys.model_fields_set]
    fields = {name: getattr(NOTHING_NARROWER, name) for name in Limits.__struct_fields__}
    return Limits(**fields | {KEYS[name].field: getattr(keys, name) for name in written})


def _limit_names(keys: BaseModel) -> list[str]:
    return [name for name in type(keys).model_fields if name in KEYS]


def _breakers(keys: BreakerKeys) -> BreakerSettings:
    return BreakerSettings(
        off=keys.off,
        losing_streak=keys.losing_streak,
        reject_ppm=keys.reject_rate,
        reject_least=keys.reject_least,
        slippage_ppm=keys.slippage,
        volatility_ppm=keys.volatility,
        volatility_floor_ppm=keys.volatility_floor,
        spread_ppm=keys.spread,
        spread_floor_ppm=keys.spread_floor,
        stale_ns=keys.stale_data,
        error_ppm=keys.error_rate,
        error_least=keys.error_least,
        unknown_orders=keys.unknown_orders,
        rate_closures=keys.rate_closures,
        margin_entries_ppm=keys.margin,
        margin_cancel_ppm=keys.margin_high,
        margin_reduce_ppm=keys.margin_critical,
        cool_down_ns=keys.cool_down,
        cool_downs=keys.cool_downs,
        calm_ns=keys.calm,
        clean_ns=keys.clean,
    )
