"""Which topics are wanted, and which connection of a link carries each (pure).

A topic is put on the first connection with room for it, a second copy on another one, and it stays
there while it is wanted: nothing is ever moved for the sake of order, because each move is a hole
in a stream. A connection that carries nothing any more is closed.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_AROUND: Final = 3
"""Characters of a topic's quotes and comma in a request; whether they count nobody documents."""


class PoolLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may carry."""

    topics: int = 100
    chars: int = 21_000
    """Characters of all topics together, as a venue limits them."""


class Carry(msgspec.Struct, frozen=True):
    """Have a connection carry these topics from now on; ``opens``: it does not exist yet."""

    number: int
    topics: tuple[str, ...]
    opens: bool


class Shed(msgspec.Struct, frozen=True):
    """Have a connection carry these topics no more; ``closes``: it carries nothing then."""

    number: int
    topics: tuple[str, ...]
    closes: bool


Change = Carry | Shed


class _Wanted(msgspec.Struct):
    references: int = 0
    numbers: list[int] = []


class _Shard(msgspec.Struct):
    topics: dict[str, None] = {}
    chars: int = 0


class Pool:
    """The plan of one link; whoever carries it out applies the changes in order."""

    def __init__(self, limits: PoolLimits | None = None) -> None:
        """Start without topics and connections."""
        self.limits = limits or PoolLimits()
        self._wanted: dict[str, _Wanted] = {}
        self._shards: dict[int, _Shard] = {}
        self._opened = 0

    def __contains__(self, topic: str) -> bool:
        """Return whether a topic is wanted."""
        return topic in self._wanted

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what is wanted."""
        return tuple(self._wanted)

    @property
    def plan(self) -> dict[int, tuple[str, ...]]:
        """Return what each connection should carry."""
        return {number: tuple(shard.topics) for number, shard in self._shards.items()}

    def carriers(self, topic: str) -> tuple[int, ...]:
        """Return the connections that carry a topic."""
        found = self._wanted.get(topic)
        return tuple(found.numbers) if found is not None else ()

    def want(self, topics: Iterable[str], copies: int = 1) -> list[Change]:
        """Want topics once more, each carried ``copies`` times, or as it was wanted first.

        Raises:
            ValueError: a topic is longer than a connection may carry; nothing was changed.
        """
        topics = list(topics)
        for topic in topics:
            if len(topic) + _AROUND > self.limits.chars:
                raise ValueError(
                    f"a topic of {len(topic)} characters is more than {self.limits.chars} allow"
                )
        before = set(self._shards)
        added: dict[int, list[str]] = {}
        for topic in topics:
            is_known = topic in self._wanted
            wanted = self._wanted.setdefault(topic, _Wanted())
            wanted.references += 1
            for _ in range(0 if is_known else copies):
                number = self._place(topic, wanted.numbers)
                wanted.numbers.append(number)
                added.setdefault(number, []).append(topic)
        return [
            Carry(number, tuple(names), opens=number not in before)
            for number, names in added.items()
        ]

    def release(self, topics: Iterable[str]) -> list[Change]:
        """Want topics once less; those nobody wants any more are shed.

        Raises:
            KeyError: a topic is not wanted; those before it were released.
        """
        shed: dict[int, list[str]] = {}
        for topic in topics:
            wanted = self._wanted[topic]
            wanted.references -= 1
            if wanted.references:
                continue
            del self._wanted[topic]
            for number in wanted.numbers:
                shard = self._shards[number]
                del shard.topics[topic]
                shard.chars -= len(topic) + _AROUND
                shed.setdefault(number, []).append(topic)
        return list(self._shed(shed))

    def _shed(self, shed: dict[int, list[str]]) -> Iterator[Change]:
        for number, names in shed.items():
            closes = not self._shards[number].topics
            if closes:
                del self._shards[number]
            yield Shed(number, tuple(names), closes)

    def _place(self, topic: str, taken: list[int]) -> int:
        """Return the first connection with room for a topic, a new one where none has."""
        needs = len(topic) + _AROUND
        for number, shard in self._shards.items():
            has_room = (
                len(shard.topics) < self.limits.topics and shard.chars + needs <= self.limits.chars
            )
            if has_room and number not in taken:
                break
        else:
            self._opened += 1
            number = self._opened
            shard = self._shards[number] = _Shard()
        shard.topics[topic] = None
        shard.chars += needs
        return number
