"""How the venue answers: requests without an answer, orders UNKNOWN, groups closed, the account."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from plimsoll.core.model import cash_text
from plimsoll.core.risk.breakers.table import Finding
from plimsoll.core.risk.health import Health
from plimsoll.core.risk.limits import ACCOUNT
from plimsoll.core.settings import BreakerSettings

PPM: Final = 1_000_000
MINUTE_NS: Final = 60_000_000_000
KEPT: Final = 10_000
"""Answers of a group that are looked at, at most."""


class Answers:
    """Answers of the last minute by group of requests, and how often each group was closed."""

    def __init__(self) -> None:
        """Start with none."""
        self.asked: dict[str, deque[tuple[int, bool]]] = {}
        """When, and whether it was an error."""
        self.closed: dict[str, deque[int]] = {}
        self.error_ns = 0
        self.closed_ns = 0

    def note(self, group: str, ts_ns: int, *, is_error: bool) -> None:
        """Note the end of a request; nobody else lets go of old ones while the breaker is off."""
        asked = self.asked.setdefault(group, deque(maxlen=KEPT))
        while asked and asked[0][0] <= ts_ns - MINUTE_NS:
            asked.popleft()
        asked.append((ts_ns, is_error))
        if is_error:
            self.error_ns = ts_ns

    def close(self, group: str, ts_ns: int) -> None:
        """Note that the venue takes nothing of a group for a while."""
        closed = self.closed.setdefault(group, deque(maxlen=KEPT))
        while closed and closed[0] <= ts_ns - MINUTE_NS:
            closed.popleft()
        closed.append(ts_ns)
        self.closed_ns = ts_ns

    def findings(self, now_ns: int, settings: BreakerSettings) -> Iterator[Finding]:
        """Yield the groups that fail or are closed too often."""
        since_ns = now_ns - MINUTE_NS
        for group, asked in self.asked.items():
            while asked and asked[0][0] <= since_ns:
                asked.popleft()
            errors = sum(is_error for _, is_error in asked)
            if len(asked) >= settings.error_least and errors * PPM >= settings.error_ppm * len(
                asked
            ):
                text = f"{errors} of {len(asked)} requests of {group} failed within a minute"
                rate = errors * PPM // len(asked)
                yield Finding("error_rate", ACCOUNT, rate, settings.error_ppm, text)
        for group, closed in self.closed.items():
            while closed and closed[0] <= since_ns:
                closed.popleft()
            if len(closed) >= settings.rate_closures > 0:
                text = f"{group} was closed for its rate {len(closed)} times within a minute"
                yield Finding("rate_pressure", ACCOUNT, len(closed), settings.rate_closures, text)


def unknown_orders(count: int, settings: BreakerSettings) -> Iterator[Finding]:
    """Yield a finding where too many live orders are UNKNOWN."""
    if count >= settings.unknown_orders > 0:
        text = f"{count} orders are UNKNOWN at the same time"
        yield Finding("unknown_orders", ACCOUNT, count, settings.unknown_orders, text)


def margin(health: Health, settings: BreakerSettings) -> Iterator[Finding]:
    """Yield the steps the account's maintenance margin rate has reached, and its loans."""
    rate = health.maintenance_ppm
    steps = (
        ("margin", settings.margin_entries_ppm),
        ("margin_high", settings.margin_cancel_ppm),
        ("margin_critical", settings.margin_reduce_ppm),
    )
    for name, limit in steps:
        if rate >= limit > 0:
            text = f"maintenance margin rate {rate / 10_000:.1f} %; at 100 % the venue liquidates"
            yield Finding(name, ACCOUNT, rate, limit, text)
    if health.borrowed:
        owed = sum(health.borrowed.values())
        coins = ", ".join(
            f"{coin} worth {cash_text(usd)} USD" for coin, usd in health.borrowed.items()
        )
        yield Finding("borrowing", ACCOUNT, owed, 10**8, f"borrowed: {coins}")
