"""Daily loss and drawdown, of the account and of each instance."""

from collections.abc import Iterator, Mapping

from plimsoll.core.model import cash_text
from plimsoll.core.risk.breakers.table import Finding
from plimsoll.core.risk.limits import ACCOUNT, LimitBook
from plimsoll.core.risk.losses import Losses, OwnLosses
from plimsoll.core.settings import NO_LIMIT


def account_losses(losses: Losses, limits: LimitBook) -> Iterator[Finding]:
    """Yield what the live account has lost too much of."""
    if losses.is_known:
        yield from _lost(ACCOUNT, losses.lost_today, limits.account.daily_loss)
        yield from _fallen(ACCOUNT, losses.drawdown_ppm, limits.account.drawdown_ppm)


def own_losses(
    own: Mapping[str, OwnLosses], capital: Mapping[str, int], limits: LimitBook
) -> Iterator[Finding]:
    """Yield the instances that have lost too much of their own."""
    for name, bound in limits.instances.items():
        found = own.get(name)
        if found is not None:
            yield from _lost(name, found.lost_today, bound.daily_loss)
            yield from _fallen(name, found.drawdown_ppm(capital.get(name, 0)), bound.drawdown_ppm)


def _lost(scope: str, lost: int, limit: int) -> Iterator[Finding]:
    if 0 < limit < NO_LIMIT and lost >= limit:
        text = f"{cash_text(lost)} lost since 00:00 UTC, the limit is {cash_text(limit)}"
        yield Finding("daily_loss", scope, lost, limit, text)


def _fallen(scope: str, fallen_ppm: int, limit_ppm: int) -> Iterator[Finding]:
    if 0 < limit_ppm < NO_LIMIT and fallen_ppm >= limit_ppm:
        text = (
            f"{fallen_ppm / 10_000:.2f} % below the highest, the limit is {limit_ppm / 10_000:g} %"
        )
        yield Finding("drawdown", scope, fallen_ppm, limit_ppm, text)
