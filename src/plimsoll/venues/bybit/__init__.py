"""Bybit v5, spot and linear: its messages in, records out; intents in, its messages out.

Protocol facts are cited from the venue's documentation where they are used.
Imported by ``engine`` and above.
"""

from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    UnknownInstrument,
    VenueError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.ports import Clock, Inbox, Sent
from plimsoll.venues.bybit.public import PublicParser
from plimsoll.venues.bybit.settings import BybitSettings, Hosts, Secret, environment
from plimsoll.venues.bybit.venue import LINKS, BybitVenue, parsers_for

__all__ = [
    "LINKS",
    "AccountUnsupported",
    "BybitSettings",
    "BybitVenue",
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
