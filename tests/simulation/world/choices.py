"""Every random decision: ``choose(label, n)``, and 0 is the harmless one (DST-6).

A choice depends on the seed, its label and how often the label was asked, and on nothing else: one
choice more or less, or one set to 0, moves no other. So a run is its seed and what was set to 0.
"""

from collections.abc import Iterable

from plimsoll.simulator.brain.numbers import drawn_fraction


class Choices:
    """The choices of one run."""

    def __init__(self, seed: int, muted: Iterable[str] = ()) -> None:
        """Draw from a seed; what is ``muted`` is 0: ``label`` or ``label@first-last``."""
        self.seed = seed
        self.counts: dict[str, int] = {}
        self.harmful: dict[str, list[int]] = {}
        """Which of a label's choices were not 0, in the order of their making."""
        self._muted: dict[str, list[tuple[int, int]]] = {}
        for text in muted:
            label, _, span = text.partition("@")
            first, _, last = span.partition("-")
            whole = (int(first), int(last or first)) if span else (1, 1 << 62)
            self._muted.setdefault(label, []).append(whole)

    def choose(self, label: str, n: int) -> int:
        """Return a number below ``n``."""
        count = self.counts[label] = self.counts.get(label, 0) + 1
        for first, last in self._muted.get(label, ()):
            if first <= count <= last:
                return 0
        found = int(drawn_fraction(self.seed, label, count) * n)
        if found:
            self.harmful.setdefault(label, []).append(count)
        return found

    def share(self, label: str) -> float:
        """Return a number in [0, 1)."""
        return self.choose(label, 1_000_000) / 1_000_000
