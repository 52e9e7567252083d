"""Signals: what somebody outside may tell a strategy, declared and checked before it is heard.

    class Alert(Signal):
        side: Literal["long", "short", "flat"]
        strength: float = 1.0

    class Follow(Strategy):
        signal = Alert

        def on_signal(self, signal):
            ...

A signal has less to say than an operator: it is data for one instance, and nothing else.
"""

from typing import Any, ClassVar, Final, TypeVar

import msgspec

PAYLOAD_MOST: Final = 4_096
"""Bytes of a payload, as JSON."""

FUTURE_S: Final = 5.0
"""How far a sender's clock may be ahead."""


class Signal(msgspec.Struct, forbid_unknown_fields=True):
    """Base of what a strategy declares as its ``signal``: fields with types, strictly read.

    A field without a default must be there. ``Annotated[float, msgspec.Meta(ge=0)]`` bounds one.
    """

    max_age_s: ClassVar[float] = 60.0
    """One that says when it was made is refused when it is older than this."""
    most_per_minute: ClassVar[int] = 60
    """More than this many in a minute are refused."""


_Signal = TypeVar("_Signal", bound=Signal)


def read_signal(kind: type[_Signal], payload: str) -> _Signal:
    """Return a payload as the strategy hears it.

    Raises:
        ValueError: it is no JSON object, too long, or not as declared; in words.
    """
    if len(payload.encode()) > PAYLOAD_MOST:
        raise ValueError(f"expected at most {PAYLOAD_MOST} bytes, found {len(payload.encode())}")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"{error}; {declared(kind)}") from error


def declared(kind: type[Signal]) -> str:
    """Return in words what a signal of this kind holds."""
    fields = msgspec.structs.fields(kind)
    names = ", ".join(one.name if one.required else f"{one.name} (optional)" for one in fields)
    return f"{kind.__name__} has: {names or 'no fields'}"


def fault_of(kind: Any) -> str:  # noqa: ANN401 - whatever a class has written there
    """Return what is wrong with a class's ``signal``, empty where it will do."""
    if not (isinstance(kind, type) and issubclass(kind, Signal)):
        return f"signal = {kind!r}: expected a class that extends plimsoll.core.strategy.Signal"
    try:
        msgspec.json.Decoder(kind)
    except (TypeError, NameError) as error:
        return f"signal = {kind.__name__}: {error}"
    return ""
