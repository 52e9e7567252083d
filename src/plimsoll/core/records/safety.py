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
    scope: str = ""
    """As ``core.model.Scope`` writes it, empty for the account."""
    keeps_orders: bool = False
    with_protections: bool = False
    """Protective orders are cancelled as well: never the default (RSK-10)."""
    is_dedicated: bool = False
    """It reaches foreign orders and positions too: the account is nobody else's."""


class Rearmed(Record, frozen=True, tag="rearm"):
    """A person ended the halt of one scope."""

    actor: str
    reason: str
    scope: str = ""


class Paused(Record, frozen=True, tag="pause"):
    """Durable: no new risk, and nothing is cancelled. Empty fields stand for all of them."""

    owner: str
    instrument: str
    reason: str
    actor: str


class Unpaused(Record, frozen=True, tag="unpause"):
    """The pause of exactly this owner and instrument is over."""

    owner: str
    instrument: str
    actor: str
    reason: str


class Swept(Record, frozen=True, tag="swept"):
    """The venue's lists were read until nothing a halt or stop cancels was in them, twice (RSK-10).

    ``looks``: how often they were read.
    """

    scope: str
    looks: int


class FlattenBegun(Record, frozen=True, tag="flatten"):
    """The positions of a scope are closed in slices from here on (RSK-10)."""

    id: str
    scope: str
    actor: str
    reason: str
    is_dedicated: bool
    references: dict[str, int]
    """Reference price of each instrument at the start, ticks: what the cost is measured from."""


class FlattenEnded(Record, frozen=True, tag="flattened"):
    """It is over: ``outcome`` is ``flat``, ``left`` (a person chooses) or ``given_up``."""

    id: str
    outcome: str
    text: str


class Observed(Record, frozen=True, tag="observe"):
    """Live instances take no new risk here until a person decides what the foreign holding is."""

    instrument: str
    reason: str


class ObservingEnded(Record, frozen=True, tag="observed"):
    """It is decided (or nothing foreign is left): live instances may add risk here again."""

    instrument: str
    actor: str
    reason: str


class WalletDoubted(Record, frozen=True, tag="wallet-doubt"):
    """The wallet differs by too much for too long and nothing says why: no new risk (ACC-7).

    An empty ``reason`` ends it: the difference is explained or small again.
    """

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


class StageChanged(Record, frozen=True, tag="stage"):
    """A strategy stands somewhere else on its way to real money (trading.md 7).

    ``owner`` is the strategy, whatever its books are called. ``stage`` as
    ``core.execution.graduation.Stage`` names it; ``step`` of the ramp, 0 = probing;
    ``capital_units`` what the step allows; ``expected_ppb`` the daily return it is held to, parts
    per billion; ``evidence`` the SHA-256 of the file the decision rests on, empty where it takes
    none. ``actor`` is a person, or ``engine`` where a safety stop ended a promotion.
    """

    owner: str
    stage: str
    step: int
    before: str
    capital_units: int
    expected_ppb: int
    evidence: str
    actor: str
    reason: str


class StrategyStopped(Record, frozen=True, tag="strategy-stop"):
    """A strategy instance was stopped (it raised, repeated itself, or the session ends).

    ``code`` is ``raised``, ``repeats``, ``quarantine`` (cut off) or ``session``. A stop for a fault
    lasts until a person frees the instance; one because the session ends does not.
    """

    owner: str
    reason: str
    code: str = ""


class StrategyFreed(Record, frozen=True, tag="strategy-free"):
    """A person lets an instance that was stopped for a fault start again (RSK-8)."""

    owner: str
    actor: str
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
    Paused,
    Unpaused,
    Observed,
    ObservingEnded,
    WalletDoubted,
    Swept,
    FlattenBegun,
    FlattenEnded,
    Tripped,
    Reset,
    LimitsChanged,
    StageChanged,
    StrategyStopped,
    CallbackCut,
    StrategyFreed,
    IncidentRaised,
    StrategyCheckpoint,
    HashTaken,
    SessionEnded,
)
