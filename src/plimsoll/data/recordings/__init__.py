"""Recorded books and prints, as the inputs the core would have been given.

In: recordings of the venue's frames, of another venue's, trade archives, the product's own
journals. Out: for each line when it arrived and what makes an input of it, or what is wrong with
it, where, and how to mend it; nothing is guessed over, nothing is held in memory. The command line
may import it.
"""

from plimsoll.data.recordings.logs import JournalReader, journal_in
from plimsoll.data.recordings.opening import Opened, is_recording, open_file, open_journal
from plimsoll.data.recordings.reader import Arrival, Make, Names, Reader

__all__ = [
    "Arrival",
    "JournalReader",
    "Make",
    "Names",
    "Opened",
    "Reader",
    "is_recording",
    "journal_in",
    "open_file",
    "open_journal",
]
