"""Attributes of a strategy that a restart remembers."""

from typing import Any, TypeVar, cast

import msgspec

_Value = TypeVar("_Value")


class Kept:
    """What ``state(...)`` leaves on a class: the default of an attribute that is checkpointed."""

    def __init__(self, default: object) -> None:
        """Keep the default; each instance starts with a copy of its own."""
        self.encoded = msgspec.msgpack.encode(default)
        self.kind: Any = type(default) if isinstance(default, msgspec.Struct) else Any

    def fits(self, value: object) -> bool:
        """Return whether a value that other code has kept may stand for this."""
        if self.kind is not Any:
            return value is not None
        default = self.fresh()
        if value is None or default is None or type(value) is type(default):
            return True
        return {type(default), type(value)} == {int, float}

    def fresh(self) -> Any:  # noqa: ANN401 - any plain value
        """Return a new copy of the default."""
        return msgspec.msgpack.decode(self.encoded, type=self.kind)


def state(default: _Value) -> _Value:
    """Declare an attribute that a restart remembers.

    Written ``count = state(0)`` in the class; checkpointed and restored. The default and every
    value must be numbers, text, booleans, lists or dicts of these, or one indicator:
    ``spread = state(StandardDeviation(60))``. Typed as its default, like a dataclass field.
    """
    return cast("_Value", Kept(default))
