"""What an instance is saved as, and how one goes on from it (``StrategyCheckpoint``)."""

from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.core.feed import Bar
from plimsoll.core.strategy.base import Strategy
from plimsoll.core.strategy.executors import Run
from plimsoll.core.strategy.indicators import KINDS
from plimsoll.core.strategy.keeping import Kept
from plimsoll.core.strategy.wishes import Quote, Target


class Saved(msgspec.Struct):
    """Content of a ``StrategyCheckpoint``."""

    states: dict[str, Any]
    targets: dict[str, Target]
    quotes: dict[str, Quote]
    windows: dict[str, list[Bar]]
    indicators: dict[str, Any]
    rng_word: int
    timers: dict[str, int] = {}
    executors: list[Run] = []
    executor_count: int = 0

    def encoded(self) -> bytes:
        """Return it as bytes: the same content is always the same bytes."""
        return msgspec.msgpack.encode(self, order="deterministic")


class Migration(NamedTuple):
    """Names of declared state: gone over from a checkpoint, not taken from it, not in it."""

    kept: list[str]
    dropped: list[str]
    fresh: list[str]


def read(payload: bytes) -> Saved:
    """Return what ``Saved.encoded`` wrote."""
    return msgspec.msgpack.decode(payload, type=Saved)


def states_of(kind: type[Strategy]) -> dict[str, Kept]:
    """Return the declared state of a class by name, that of its bases included."""
    return {
        name: value
        for base in reversed(kind.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Kept)
    }


def take_up(strategy: Strategy, states: dict[str, Any], *, is_strict: bool) -> Migration:
    """Set the declared state of a strategy to what was saved; say what was not.

    ``is_strict``: it was saved by other code, so that a value has to fit what is declared now.
    """
    declared = states_of(type(strategy))
    found = Migration([], [name for name in states if name not in declared], [])
    for name, one in declared.items():
        if name not in states:
            found.fresh.append(name)
            continue
        value = states[name]
        if one.kind is not Any:
            value = as_now(value, one.kind)
        fits = one.fits(value) if is_strict else one.kind is Any or value is not None
        if fits:
            setattr(strategy, name, value)
        (found.kept if fits else found.dropped).append(name)
    return found


def indicators_of(saved: Saved) -> dict[tuple[Any, ...], Any]:
    """Return the indicators that this release still makes of what was saved, by key."""
    found = {}
    for text, value in saved.indicators.items():
        key = _key_of(text)
        made = as_now(value, KINDS.get(key[0]))
        if made is not None:
            found[key] = made
    return found


def key_text(key: tuple[Any, ...]) -> str:
    """Return the key of an indicator as it is saved."""
    return _KEY_JOIN.join(map(str, key))


def as_now(value: object, kind: Any) -> Any:  # noqa: ANN401 - of that kind
    """Return what was saved as what it is now, None where the class has become another one."""
    try:
        return None if value is None or kind is None else msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _key_of(text: str) -> tuple[Any, ...]:
    """Return the key of an indicator from a checkpoint: kind, instrument, frame, terms."""
    kind, instrument, frame, *terms = text.split(_KEY_JOIN)
    return (
        kind,
        instrument,
        frame,
        *(int(one) if one.isdecimal() else float(one) for one in terms),
    )


_KEY_JOIN: Final = " "
