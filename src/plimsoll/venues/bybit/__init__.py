"""Bybit v5, spot and linear: its messages in, records out; intents in, its messages out.

Protocol facts are cited from the venue's documentation where they are used.
Imported by ``engine`` and above. ``BybitVenue`` is imported from ``venue``: what only reads logs
does not load the network.
"""

from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    UnknownInstrument,
    VenueError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.links import LINKS, parsers_for
from plimsoll.venues.bybit.ports import Clock, Inbox, Sent
from plimsoll.venues.bybit.public import PublicParser
from plimsoll.venues.bybit.settings import BybitSettings, Hosts, Secret, environment

__all__ = [
    "LINKS",
    "AccountUnsupported",
    "BybitSettings",
    "Clock",
    "CredentialsRefused",
    "Hosts",
    "Inbox",
    "ParseError",
    "PublicParser",
    "Secret",
    "Sent",
    "UnknownInstrument",
    "VenueError",
    "VenueUnreachable",
    "environment",
    "parsers_for",
]
