"""The WebSocket manager: connections, subscriptions, heartbeats and reconnects of any venue.

In: a venue's ``Dialect``, topics and a URL. Out: frames to one handler, and link events.
Imported by ``venues`` and above; knows no venue itself.
"""

from plimsoll.websocket.driver import FrameHandler, Link, LinkEvents
from plimsoll.websocket.session import (
    AuthAccepted,
    AuthRefused,
    Control,
    Dialect,
    Malformed,
    Notice,
    Pong,
    Session,
    SessionSettings,
    Subscribed,
    SubscribeRefused,
    TopicPhase,
)

__all__ = [
    "AuthAccepted",
    "AuthRefused",
    "Control",
    "Dialect",
    "FrameHandler",
    "Link",
    "LinkEvents",
    "Malformed",
    "Notice",
    "Pong",
    "Session",
    "SessionSettings",
    "SubscribeRefused",
    "Subscribed",
    "TopicPhase",
]
