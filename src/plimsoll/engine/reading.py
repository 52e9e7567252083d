"""From entries of the logs to the records they hold, raw frames parsed as they were live."""

from plimsoll.core.records import FRAME_KIND, Record, decode
from plimsoll.journal import Entry
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.links import parsers_for


class EntryReader:
    """Brings each entry back to what the core was given."""

    def __init__(self) -> None:
        """Make the same pure parsers the engine uses."""
        self._parsers = parsers_for()

    def record(self, entry: Entry) -> Record | None:
        """Return the record of an entry, None for a frame that held nothing for the core.

        Raises:
            msgspec.DecodeError: written by another build.
        """
        if entry.kind != FRAME_KIND:
            return decode(entry.payload)
        raw = entry.payload
        try:
            return self._parsers[raw[0]].parse(raw[1:], entry.seq, entry.ts_ns, entry.epoch)
        except ParseError:
            return None
