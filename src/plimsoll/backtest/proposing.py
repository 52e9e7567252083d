"""Proposes parameters with optuna: the tree-structured Parzen estimator, seeded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from plimsoll.backtest.space import Dimension, Range
from plimsoll.backtest.sweep import Outcome, Params

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


class Learner:
    """A study: the more it is told, the better it proposes."""

    def __init__(self, space: Sequence[Dimension], measure: str, seed: int) -> None:
        """Begin with nothing known.

        Raises:
            ImportError: optuna is not installed (the extra ``sweep``).
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._measure = measure
        self._ended = optuna.trial.TrialState
        self._asked: list[Trial] = []
        self._space = {one.name: _distribution(one) for one in space}
        self._study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
        )

    def ask(self, count: int) -> list[Params]:
        """Return so many sets of parameters."""
        self._asked = [self._study.ask(self._space) for _ in range(count)]
        return [dict(one.params) for one in self._asked]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn; what could not be measured is no example of anything."""
        for trial, outcome in zip(self._asked, outcomes, strict=True):
            worth = outcome.worth(self._measure)
            if worth == float("-inf"):
                self._study.tell(trial, state=self._ended.FAIL)
            else:
                self._study.tell(trial, worth)


def _distribution(one: Dimension) -> "BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if not isinstance(one, Range):
        return CategoricalDistribution(one.values)
    if one.is_whole:
        low, step = int(one.low), int(one.step) or 1
        return IntDistribution(low, low + (int(one.high) - low) // step * step, step=step)
    more: dict[str, Any] = {"step": one.step} if one.step else {}
    return FloatDistribution(one.low, one.high, **more)
