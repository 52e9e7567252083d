"""Numbers that graduation decides by, and what for; they stand in every evidence file."""

from typing import Final

import msgspec


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked before money follows, and what takes it away again."""

    alpha: float = 0.05
    """Chance that a strategy without edge is ever called proven."""
    day_loss: float = 0.10
    """What a day may lose of strategy capital; one that loses more ends the test against it."""
    ramp: tuple[int, ...] = (1, 2, 6, 20)
    """Evidence each step of capital takes: the probing, and three steps; the last is 1 / alpha."""
    budget: float = 0.02
    """Expected cost of promoting a strategy without edge, as a share of account equity."""
    drawdown: float = 0.20
    """Fall from the high-water mark since the probing began that ends a promotion."""
    review_alpha: float = 0.05
    """Chance that a strategy as good as it was promoted for is ever demoted by its returns."""
    stay_sharpe: float = 0.5
    """Sharpe ratio every promoted strategy is held to; to the lower end of its own 95 % interval
    where that is more. The ratio itself would be too much: what was picked was lucky too."""
    horizon_days: int = 365
    """What takes longer than this at the present rate is called unreachable."""
    stay_days: int = 30
    """Newest days that the screen of a live strategy looks at."""
    alert_days: int = 7
    alert_sharpe: float = -1.0
    alert_losses: int = 10
    """What is an alert and never a demotion."""


DEFAULTS: Final = Defaults()
