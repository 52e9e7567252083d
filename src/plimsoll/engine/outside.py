"""What a session of the engine touches besides lease and journal: time, network, lines, memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from plimsoll.control import BeatSender
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.memory import tidy_memory
from plimsoll.observe import Log
from plimsoll.venues.bybit.http import Transport
from plimsoll.websocket import LoopShell, Shell


@dataclass(frozen=True, kw_only=True)
class Outside:
    """By default the running event loop, sockets, HTTP, this machine's clock and its log.

    A simulation brings all of them (docs/explanation/testing.md).
    """

    shell: Shell = field(default_factory=LoopShell)
    transport: Transport | None = None
    """None is HTTP to the venue's REST address."""

    clock: EngineClock = field(default_factory=EngineClock)
    log: Log = field(default_factory=Log)
    guard: BeatSender | None = None
    """Who hears the beats of the loop; None is whoever listens in the run directory."""

    tidy: Callable[[int], None] = tidy_memory
    """Collects garbage after each second, told how many there have been."""
