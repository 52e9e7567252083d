"""A seeded random stream for strategies: the same seed gives the same numbers for ever."""

from typing import Final

_MASK: Final = (1 << 64) - 1


class RandomStream:
    """SplitMix64 (Steele, Lea, Flood 2014): one 64-bit word of state, checkpointed as a number."""

    __slots__ = ("word",)

    def __init__(self, seed: int) -> None:
        """Start from a seed."""
        self.word = seed & _MASK

    def next_word(self) -> int:
        """Return the next 64 random bits."""
        self.word = (self.word + 0x9E3779B97F4A7C15) & _MASK
        mixed = self.word
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return mixed ^ mixed >> 31

    def random(self) -> float:
        """Return a float in [0, 1)."""
        return (self.next_word() >> 11) / (1 << 53)

    def below(self, count: int) -> int:
        """Return an integer in [0, count). The bias is under count / 2**64."""
        return self.next_word() % count
