"""Limits of an instance or of one instrument, each measured on what is its own.

An instance's own are its requests, its instruments and its profit; an instrument's are those of all
live instances in it. What of an instrument is held by hand counts as its instance's as well: more
is refused, never less.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from plimsoll.core.model import Denied, Refusal, cash_text
from plimsoll.core.risk.exposure import Exposure
from plimsoll.core.risk.limits import Level
from plimsoll.core.risk.losses import OwnLosses
from plimsoll.core.risk.pacing import Pacing
from plimsoll.core.risk.words import over
from plimsoll.core.settings import NO_LIMIT

PPM: Final = 1_000_000


class Asked(NamedTuple):
    """What of an order the account's check has worked out."""

    at_risk: int
    """Worst case in its instrument with it, in cash units."""
    owned: int
    """Worst case in its instance's other instruments, in cash units."""
    net: int
    """Longs less shorts of its instance with it, to its side; 0 where no limit wants it."""
    account_equity: int


def pace_denial(level: Level, pacing: Pacing, now_ns: int) -> Denied | None:
    """Return why one more request would be too many for an instance or instrument."""
    limits = level.limits
    if limits.orders_per_second < NO_LIMIT and (
        pacing.in_last_second(now_ns) >= limits.orders_per_second
    ):
        text = f"{level.key}.orders_per_second is {limits.orders_per_second}, all used"
        return Denied(Refusal.RATE, text)
    if limits.orders_per_day < NO_LIMIT and pacing.on_day(now_ns) >= limits.orders_per_day:
        text = f"{level.key}.orders_per_day is {limits.orders_per_day}, all used"
        return Denied(Refusal.DAY_RATE, text)
    return None


def working_denial(level: Level, scope: str, exposure: Exposure) -> Denied | None:
    """Return why one more working order would be too many."""
    limit = level.limits.open_orders
    if limit < NO_LIMIT and exposure.working(scope, level.names) >= limit:
        return Denied(Refusal.OPEN_ORDERS, f"{level.key}.open_orders is {limit}, all open")
    return None


def room_denial(level: Level, asked: Asked, own: Mapping[str, OwnLosses]) -> Denied | None:
    """Return which amount of this level an order would break."""
    limits, key = level.limits, level.key
    if asked.at_risk > limits.position_notional:
        name = f"{key}.position_notional"
        return over(name, Refusal.POSITION, asked.at_risk, limits.position_notional)
    if not level.owner:
        return None
    total = asked.at_risk + asked.owned
    if total > limits.exposure:
        return over(f"{key}.exposure", Refusal.EXPOSURE, total, limits.exposure)
    if asked.net > limits.net_exposure:
        return over(f"{key}.net_exposure", Refusal.NET_EXPOSURE, asked.net, limits.net_exposure)
    found = own.get(level.owner, _UNMEASURED)
    equity = own_equity(level, own, asked.account_equity)
    if limits.leverage_ppm < NO_LIMIT and total * PPM > limits.leverage_ppm * max(equity, 0):
        return Denied(
            Refusal.LEVERAGE,
            f"exposure {cash_text(total)} over its capital and profit {cash_text(equity)} is above "
            f"{key}.leverage {limits.leverage_ppm / PPM:g}",
        )
    if found.lost_today >= limits.daily_loss:
        return over(f"{key}.daily_loss", Refusal.DAILY_LOSS, found.lost_today, limits.daily_loss)
    fallen_ppm = found.drawdown_ppm(level.capital)
    if fallen_ppm >= limits.drawdown_ppm:
        return Denied(
            Refusal.DRAWDOWN,
            f"its drawdown {fallen_ppm / PPM:.2%} has reached {key}.drawdown "
            f"{limits.drawdown_ppm / PPM:.2%}",
        )
    return None


def own_equity(level: Level, own: Mapping[str, OwnLosses], account_equity: int) -> int:
    """Return an instance's capital and profit; without a capital the account's equity."""
    if not level.capital:
        return account_equity
    return level.capital + own.get(level.owner, _UNMEASURED).profit


_UNMEASURED: Final = OwnLosses()
