"""Reads the venue's statements about us into records, exactly, one at a time.

In: frames of the private stream, and items of the answers to queries; out: records. Every item's
raw JSON goes into its record, so a field we do not read today can be read from the log tomorrow.
Imported by ``venues.bybit`` alone.
"""

from plimsoll.venues.bybit.private.frames import parse_private
from plimsoll.venues.bybit.private.given import Catalogue, Origin, Stamp
from plimsoll.venues.bybit.private.items import read_item

__all__ = ["Catalogue", "Origin", "Stamp", "parse_private", "read_item"]
