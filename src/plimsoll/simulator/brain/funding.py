"""The funding rate of one perpetual, and when it is paid.

    F = P + clamp(I - P, -0.05 %, +0.05 %), within the instrument's bounds

P is the mean premium (middle of the book over index, sampled each second) since the last payment, I
the interest of the interval: 0.01 % for eight hours. The published rate moves once a minute; the
one published at the instant is paid. Source: Bybit help, introduction to funding rate.
"""

from collections import deque
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec

from plimsoll.simulator.brain.listings import FUNDING_CAP, FUNDING_MS
from plimsoll.simulator.brain.numbers import ZERO, text_of

INTEREST: Final = Decimal("0.0001")
"""For eight hours."""
_CLAMP: Final = Decimal("0.0005")
_UNIT: Final = Decimal("1e-8")
_MINUTE_MS: Final = 60_000
MISSED_MOST: Final = 100
"""Payments made up for at most, after the exchange was away."""
FUNDINGS_KEPT: Final = 200


class Paid(msgspec.Struct, frozen=True):
    """One payment that lies behind us."""

    time_ms: int
    rate: Decimal


class Funding:
    """Rate and timetable; payments fall on whole multiples of the interval since 1970."""

    def __init__(self, interval_ms: int, fixed: Decimal | None = None) -> None:
        """Begin at the interest rate; ``fixed`` replaces the computed rate."""
        self.interval_ms = interval_ms
        self.fixed = fixed
        self.interest = INTEREST * interval_ms / FUNDING_MS
        self.rate = fixed if fixed is not None else funding_rate(ZERO, self.interest)
        self.history: deque[Paid] = deque(maxlen=FUNDINGS_KEPT)
        self._next_ms = 0
        self._minute = 0
        self._premiums = ZERO
        self._samples = 0

    def next_ms(self, now_ms: int) -> int:
        """Return the next payment after a moment."""
        return (now_ms // self.interval_ms + 1) * self.interval_ms

    def sample(self, premium: Decimal) -> None:
        """Note the premium, a fraction of the index (each second)."""
        self._premiums += premium
        self._samples += 1

    def fix(self, rate: Decimal | None) -> None:
        """Publish this rate from now on, ``None`` for the computed one."""
        self.fixed = rate
        self._publish()

    def advance(self, now_ms: int) -> list[Paid]:
        """Publish a new rate where a minute began; return the payments that are due."""
        if not self._next_ms:
            self._next_ms, self._minute = self.next_ms(now_ms), now_ms // _MINUTE_MS
        due: list[Paid] = []
        oldest = self.next_ms(now_ms) - MISSED_MOST * self.interval_ms
        self._next_ms = max(self._next_ms, oldest)
        while now_ms >= self._next_ms:
            due.append(Paid(self._next_ms, self.rate))
            self._next_ms += self.interval_ms
            self._premiums, self._samples = ZERO, 0
        self.history.extend(due)
        if now_ms // _MINUTE_MS != self._minute:
            self._minute = now_ms // _MINUTE_MS
            self._publish()
        return due

    def due_ms(self) -> int:
        """Return when there is something to do next: a payment or another rate."""
        return min(self._next_ms, (self._minute + 1) * _MINUTE_MS)

    def resume(self, earlier: "Funding") -> None:
        """Go on where an earlier run ended; interval and fixed rate are those of now."""
        self.history = earlier.history
        if earlier.interval_ms != self.interval_ms:
            return
        self._next_ms, self._minute = earlier._next_ms, earlier._minute
        self._premiums, self._samples = earlier._premiums, earlier._samples
        if self.fixed is None:
            self.rate = earlier.rate

    def past(self, now_ms: int) -> list[Paid]:
        """Return the payments of the past, newest first.

        Before the first of this exchange stand those at the interest rate.
        """
        paid = list(reversed(self.history))
        first = paid[-1].time_ms if paid else self.next_ms(now_ms)
        times = (first - number * self.interval_ms for number in range(1, FUNDINGS_KEPT + 1))
        return paid + [Paid(at, funding_rate(ZERO, self.interest)) for at in times]

    def shown(self, now_ms: int) -> dict[str, str]:
        """Return the ticker's fields about funding."""
        return {
            "fundingIntervalHour": str(max(1, self.interval_ms // 3_600_000)),
            "fundingCap": text_of(FUNDING_CAP),
            "nextFundingTime": str(self.next_ms(now_ms)),
            "fundingRate": text_of(self.rate),
        }

    def _publish(self) -> None:
        mean = self._premiums / self._samples if self._samples else ZERO
        self.rate = self.fixed if self.fixed is not None else funding_rate(mean, self.interest)


def funding_rate(premium: Decimal, interest: Decimal) -> Decimal:
    """Return the rate for a mean premium, at 1e-8: positive means that longs pay."""
    rate = premium + max(-_CLAMP, min(_CLAMP, interest - premium))
    return max(-FUNDING_CAP, min(FUNDING_CAP, rate)).quantize(_UNIT, ROUND_HALF_EVEN)
