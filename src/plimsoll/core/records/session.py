"""Inputs about the session itself: lease, settings, clock, links, commands."""

from typing import Final

from plimsoll.core.model import Instrument
from plimsoll.core.records.base import Record


class LeaseTaken(Record, frozen=True, tag="lease"):
    """First record of a session: this process now holds the right to send."""

    account: str
    tag: str
    holder: str
    version: str


class Configured(Record, frozen=True, tag="configured"):
    """The settings the core runs with: JSON of ``core.settings.CoreSettings``."""

    settings: str


class StrategyRestored(Record, frozen=True, tag="restored"):
    """The state an instance had when its last session broke off, worked out again from the logs.

    Newer than the newest checkpoint: what was recorded since has been run through the strategy
    once more, its decisions discarded. An input, so that a replay of this session needs no other.
    """

    owner: str
    state: bytes


class InstrumentListed(Record, frozen=True, tag="instrument"):
    """The venue's filters for one instrument, at start and whenever they change."""

    instrument: Instrument


class ClockMeasured(Record, frozen=True, tag="clock"):
    """Estimate of venue clock minus ours, with half the spread it may be wrong by."""

    offset_ns: int
    uncertainty_ns: int


class LinkChanged(Record, frozen=True, tag="link"):
    """A connection came up (authenticated, subscribed) or went down.

    ``link`` is ``private``, ``trade`` or ``public.<category>``.
    """

    link: str
    is_up: bool
    reason: str


class StreamChanged(Record, frozen=True, tag="stream"):
    """How one instrument's stream is carried now, as the WebSocket manager sees it (MKT-1, MKT-3).

    ``stream`` is ``book``, ``trades``, ``ticker`` or ``bars``; ``status`` is ``live``, ``suspect``
    or ``dead``. ``is_void``: what was held of it counts for nothing until a new snapshot.
    """

    instrument: str
    stream: str
    status: str
    reason: str
    is_void: bool


class SpaceChanged(Record, frozen=True, tag="space"):
    """The disk under the journal became nearly full, or is not any more (JRN-4)."""

    is_low: bool


class DisconnectReported(Record, frozen=True, tag="dcp"):
    """How the venue's disconnect protection of one product stands (RSK-12).

    ``status``: ``set`` (asked for, in force in a while), ``on`` (seen in force), ``none`` (the
    account has none), ``failed`` (set, and not in force). ``window_s``: seconds without us.
    """

    product: str
    status: str
    window_s: int
    reason: str


class Woken(Record, frozen=True, tag="woken"):
    """The loop stood still: the process was stopped, starved or blocked, or the machine slept.

    What was known before is old: books, markets and the clock's offset count for nothing until
    they are known anew, and the private link may be dead (RSK-13, P7).
    """

    gap_ns: int


class TimerFired(Record, frozen=True, tag="timer"):
    """The earliest time the core asked to be woken at has come."""

    due_ns: int


class OperatorCommand(Record, frozen=True, tag="command"):
    """A person's command, by the control socket or a standing request file. ``args`` is JSON."""

    id: str
    actor: str
    cmd: str
    args: str


class SessionStopping(Record, frozen=True, tag="stopping"):
    """The process was asked to stop: no new risk, strategies get ``on_stop``, then it ends."""

    reason: str


INPUTS: Final[tuple[type[Record], ...]] = (
    LeaseTaken,
    StrategyRestored,
    Configured,
    InstrumentListed,
    ClockMeasured,
    LinkChanged,
    StreamChanged,
    SpaceChanged,
    TimerFired,
    OperatorCommand,
    SessionStopping,
    Woken,
    DisconnectReported,
)
