"""Incremental indicators: plain values, checkpointed with the strategy that uses them."""

import msgspec


class Ema(msgspec.Struct):
    """Exponential moving average with alpha = 2 / (period + 1), seeded by the first value.

    ``is_ready`` after ``period`` values.
    """

    period: int
    value: float = 0.0
    count: int = 0

    @property
    def is_ready(self) -> bool:
        """Return whether enough values were seen."""
        return self.count >= self.period

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        if self.count == 0:
            self.value = value
        else:
            self.value += (value - self.value) * 2.0 / (self.period + 1)
        self.count += 1
        return self.value


class Sma(msgspec.Struct):
    """Simple moving average over the newest ``period`` values; before that over what is there."""

    period: int
    values: list[float] = []
    total: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.values) >= self.period

    @property
    def value(self) -> float:
        """Average of the window, 0.0 when it is empty."""
        return self.total / len(self.values) if self.values else 0.0

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        self.values.append(value)
        self.total += value
        if len(self.values) > self.period:
            self.total -= self.values.pop(0)
        return self.value
