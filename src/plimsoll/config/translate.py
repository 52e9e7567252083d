"""From the words of a configuration to the settings the core runs with."""

from plimsoll.config.project import Project
from plimsoll.config.schema import LimitKeys, StrategyEntry
from plimsoll.config.sources import digest_of, locate
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings, Timing

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
        limits=_limits(settings.limits, settings.limits),
        timing=Timing(
            answer_ns=execution.answer_timeout,
            confirm_ns=execution.confirm_timeout,
            absence_margin_ms=execution.absence_margin // _MS,
            sweep_ns=execution.sweep,
            paper_latency_ns=execution.paper_latency,
        ),
        max_slippage_ppm=execution.max_slippage,
        strays=execution.strays,
        end_policy=execution.end_policy,
        dedicated=settings.account.dedicated,
        seed=execution.seed,
        first_start=settings.account.first_start,
        wallet_difference_ppm=execution.wallet_difference,
        wallet_patience_ns=execution.wallet_patience,
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
        params=entry.params,
        limits=_limits(narrow, project.settings.limits) if narrow else None,
    )


def _limits(keys: LimitKeys, account: LimitKeys) -> Limits:
    """Return the limits of these keys; what they leave out is the account's."""
    value = {
        name: getattr(keys if name in keys.model_fields_set else account, name)
        for name in LimitKeys.model_fields
    }
    return Limits(
        price_distance_ppm=value["price_distance"],
        order_notional=value["order_notional"],
        orders_per_second=value["orders_per_second"],
        orders_per_day=value["orders_per_day"],
        open_orders=value["open_orders"],
        position_notional=value["position_notional"],
        exposure=value["exposure"],
        daily_loss=value["daily_loss"],
        drawdown_ppm=value["drawdown"],
        leverage_ppm=value["leverage"],
    )
