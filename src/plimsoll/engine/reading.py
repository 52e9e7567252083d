"""From entries of the logs to the records they hold, raw frames parsed as they were live."""

import msgspec

from plimsoll.core.records import FRAME_KIND, Record, decode
from plimsoll.journal import Entry, JournalError
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.links import parsers_for


def record_of(entry: Entry) -> Record:
    """Return the typed record of an entry that is none of the venue's raw frames.

    Raises:
        JournalError: written by another release, which knew other records.
    """
    try:
        return decode(entry.payload)
    except msgspec.MsgspecError as error:
        raise JournalError(
            f"record {entry.seq} is none that this release knows ({error}): start the release that "
            f"wrote it, or a newer one"
        ) from error


class EntryReader:
    """Brings each entry back to what the core was given."""

    def __init__(self, *, books_only: bool = False) -> None:
        """Make the same pure parsers the engine uses.

        ``books_only``: of the frames only those of order books are read.
        """
        self._parsers = parsers_for()
        self._books_only = books_only

    def record(self, entry: Entry) -> Record | None:
        """Return the record of an entry, None for a frame that held nothing for the core.

        Raises:
            JournalError: written by another release.
        """
        if entry.kind != FRAME_KIND:
            return record_of(entry)
        parser, raw = self._parsers[entry.payload[0]], entry.payload[1:]
        if self._books_only and not parser.is_book(raw):
            return None
        try:
            return parser.parse(raw, entry.seq, entry.ts_ns, entry.epoch)
        except ParseError:
            return None
