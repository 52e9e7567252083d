"""What changes a strategy while it runs: signals from outside, parameters, new code."""

from typing import Any, Final

from plimsoll.core.records.base import Record


class SignalReceived(Record, frozen=True, tag="signal"):
    """Somebody outside tells a strategy something: its books hear it in ``on_signal``.

    ``id`` names it for ever; ``payload`` is a JSON object as the instance's ``signal`` declares it;
    ``at_ms`` is when its sender made it, Unix ms, 0 = not said.
    """

    owner: str
    id: str
    actor: str
    payload: str
    at_ms: int = 0


class ParametersChanged(Record, frozen=True, tag="parameters"):
    """A person changed hot parameters of a strategy, read in the next callback of each instance.

    ``owner`` is the strategy: both of its books are changed by one record.
    ``values`` as a configuration would have them, all at once; ``before`` are those in force until
    now. They hold until the configuration says something else than when they were changed.
    """

    owner: str
    values: dict[str, Any]
    before: dict[str, Any]
    actor: str
    reason: str


class StrategyReloaded(Record, frozen=True, tag="reload"):
    """A strategy goes on with other code from here on; both are named by their SHA-256.

    ``owner`` is the strategy: both of its books are changed by one record.
    ``orders``: what became of its working orders, ``keep`` or ``cancel``. ``kept``: names of its
    state that went over; ``dropped``: those the new code does not declare, or as another type;
    ``fresh``: those that begin with their default.
    """

    owner: str
    before: str
    source_hash: str
    orders: str
    kept: list[str]
    dropped: list[str]
    fresh: list[str]
    actor: str
    reason: str


INPUTS: Final[tuple[type[Record], ...]] = (SignalReceived,)

DECISIONS: Final[tuple[type[Record], ...]] = (ParametersChanged, StrategyReloaded)
