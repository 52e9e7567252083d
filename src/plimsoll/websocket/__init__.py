"""The WebSocket manager: connections, subscriptions, heartbeats and reconnects of any venue.

In: a venue's ``Dialect``, topics and a URL. Out: frames to one handler, and link events.
Imported by ``venues`` and above; knows no venue itself.
"""

from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.chain import ChainId
from plimsoll.websocket.connection import FrameHandler
from plimsoll.websocket.dialect import (
    AuthAccepted,
    AuthRefused,
    Control,
    Data,
    Dialect,
    Malformed,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
)
from plimsoll.websocket.link import Link, LinkEvents, LinkPlace
from plimsoll.websocket.loop import LoopShell
from plimsoll.websocket.pool import PoolLimits
from plimsoll.websocket.pooled import PooledLink
from plimsoll.websocket.sequence import MessageId
from plimsoll.websocket.session import Session, SessionSettings
from plimsoll.websocket.shell import Shell
from plimsoll.websocket.sole import SoleLink
from plimsoll.websocket.topics import TopicPhase

__all__ = [
    "AuthAccepted",
    "AuthRefused",
    "ChainId",
    "ConnectBudget",
    "Control",
    "Data",
    "Dialect",
    "FrameHandler",
    "Link",
    "LinkEvents",
    "LinkPlace",
    "LoopShell",
    "Malformed",
    "MessageId",
    "Notice",
    "Pong",
    "PoolLimits",
    "PooledLink",
    "Session",
    "SessionSettings",
    "Shell",
    "SoleLink",
    "SubscribeRefused",
    "Subscribed",
    "TopicPhase",
    "Unsubscribed",
]
