"""Decisions about safety and sessions: blocks, halts, incidents, checkpoints, hashes."""

from typing import Final

from plimsoll.core.records.base import Record


class Blocked(Record, frozen=True, tag="block"):
    """No new risk on one instrument until released."""

    instrument: str
    reason: str


class Released(Record, frozen=True, tag="release"):
    """The block of one instrument is over."""

    instrument: str


class Halted(Record, frozen=True, tag="halt"):
    """Durable: no new risk and every order that can add risk is cancelled; a person re-arms."""

    reason: str
    actor: str


class Rearmed(Record, frozen=True, tag="rearm"):
    """A person ended the halt."""

    actor: str
    reason: str


class Tripped(Record, frozen=True, tag="trip"):
    """A circuit breaker took its effect; the table of breakers says which and who re-arms it.

    ``scope``: ``account``, an instance, an instrument, or ``instance/instrument``. ``until_ns``:
    not ended by itself before this, 0 = only a person ends it. ``measured`` and ``limit`` are in
    the breaker's own unit: cash units, parts per million, a count, milliseconds.
    """

    breaker: str
    scope: str
    effect: str
    until_ns: int
    text: str
    measured: int
    limit: int


class Reset(Record, frozen=True, tag="reset"):
    """A circuit breaker is armed again: by a person, or by itself (``actor`` is ``engine``)."""

    breaker: str
    scope: str
    actor: str
    reason: str


class LimitsChanged(Record, frozen=True, tag="limits"):
    """A person changed a limit of the running engine (RSK-7).

    ``scope`` as in ``Tripped``; ``value`` and ``before`` in the unit of the key.
    """

    scope: str
    key: str
    value: int
    before: int
    actor: str
    reason: str


class StrategyStopped(Record, frozen=True, tag="strategy-stop"):
    """A strategy instance was stopped (it raised, repeated itself, or the session ends)."""

    owner: str
    reason: str


class CallbackCut(Record, frozen=True, tag="cut"):
    """A callback did not return and was cut off; what it asked for was dropped (P8).

    ``nth``: which callback within the input that is its cause. A replay cuts there.
    """

    owner: str
    callback: str
    nth: int


class IncidentRaised(Record, frozen=True, tag="incident"):
    """Something a person should see; recorded until acknowledged."""

    code: str
    subject: str
    text: str


class StrategyCheckpoint(Record, frozen=True, tag="checkpoint"):
    """Everything one strategy instance needs to go on after a restart (msgpack)."""

    owner: str
    state: bytes


class HashTaken(Record, frozen=True, tag="hash"):
    """Hashes of the books (orders, positions, balances) and of the whole state at this seq."""

    books_hash: str
    state_hash: str


class SessionEnded(Record, frozen=True, tag="end"):
    """Last decision of a clean stop."""

    reason: str


DECISIONS: Final[tuple[type[Record], ...]] = (
    Blocked,
    Released,
    Halted,
    Rearmed,
    Tripped,
    Reset,
    LimitsChanged,
    StrategyStopped,
    CallbackCut,
    IncidentRaised,
    StrategyCheckpoint,
    HashTaken,
    SessionEnded,
)
