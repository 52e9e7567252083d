"""The control socket: how a person's command reaches a running engine, and its answer comes back.

In: one JSON object a line from a process of the same user. Out: accepted or not, why, at which seq.
Beside it the beats of the trading loop, which a watchdog hears.
Every room above may import it; it imports nothing of ours.
"""

from plimsoll.control.beats import WATCHDOG_SOCKET, BeatListener, BeatSender
from plimsoll.control.client import send_command
from plimsoll.control.errors import ControlError, ControlUnanswered, ControlUnreachable
from plimsoll.control.protocol import VERSION, Answer, Beat, Command, Life
from plimsoll.control.server import ControlServer

__all__ = [
    "VERSION",
    "WATCHDOG_SOCKET",
    "Answer",
    "Beat",
    "BeatListener",
    "BeatSender",
    "Command",
    "ControlError",
    "ControlServer",
    "ControlUnanswered",
    "ControlUnreachable",
    "Life",
    "send_command",
]
