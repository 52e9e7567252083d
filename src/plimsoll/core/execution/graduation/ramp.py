"""The capital ramp: how much money each amount of evidence may move.

Theory: the chance that a strategy without edge ever shows evidence x is at most 1 / x. A step is
left, at the latest, when the strategy has fallen by ``drawdown`` from its high-water mark, so it
costs at most that part of its capital. Steps of

    capital = budget / steps x equity x evidence / drawdown

cost the same each, weighed with the chance of coming there at all: budget / steps of equity. Their
sum is the budget. What a fall goes beyond the mark before it is stopped is not in it.
"""

from typing import Final, NamedTuple

from plimsoll.core.execution.graduation.defaults import DEFAULTS, Defaults

_PPM: Final = 1_000_000


class Step(NamedTuple):
    """One step; money in quote cash units."""

    number: int
    """0 = probing."""
    evidence: int
    """What the test must have shown."""
    capital_units: int
    risk_units: int
    """What of it is lost at most before it is stopped."""
    cost_units: int
    """The same weighed with the chance that a strategy without edge ever comes here."""
    is_raised: bool
    """Whether it is more than the ramp would give: the venue takes no smaller orders."""


class Ramp(NamedTuple):
    """All steps, and what they cost together."""

    steps: tuple[Step, ...]
    cost_units: int
    budget_units: int

    @property
    def is_within(self) -> bool:
        """Return whether the expected cost stays inside the budget."""
        return self.cost_units <= self.budget_units + len(self.steps)  # each is rounded up once


def ramp_of(
    equity_units: int, capital_units: int, least_units: int, defaults: Defaults = DEFAULTS
) -> Ramp:
    """Return the steps of one strategy.

    Args:
        equity_units: Of the account.
        capital_units: What the strategy is configured with: never more than this ...
        least_units: ... unless its smallest order is below the venue's minimum with less than this;
            0 = not known.
        defaults: Numbers it follows.
    """
    budget, drawdown = round(defaults.budget * _PPM), round(defaults.drawdown * _PPM)
    steps = []
    for number, evidence in enumerate(defaults.ramp):
        wanted = min(
            equity_units * budget * evidence // (len(defaults.ramp) * drawdown), capital_units
        )
        if number == 0 and least_units:
            wanted = min(wanted, least_units)  # the probing asks for no more than it takes
        capital = max(wanted, least_units)
        risk = -(-capital * drawdown // _PPM)
        steps.append(Step(number, evidence, capital, risk, -(-risk // evidence), capital > wanted))
    return Ramp(
        tuple(steps),
        sum(step.cost_units for step in steps),
        equity_units * budget // _PPM,
    )
