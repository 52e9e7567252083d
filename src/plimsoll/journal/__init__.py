"""The journal: ordered logs of bytes, one writer and many readers, that survive the writer.

In: (seq, ts_ns, kind, payload). Out: the same records, in order, or a refusal; snapshots.
Every room above may import it; it knows no venue and no record type and imports nothing of ours.
"""

from plimsoll.journal.errors import JournalDamaged, JournalError
from plimsoll.journal.follow import Follower
from plimsoll.journal.forcer import Forcer
from plimsoll.journal.journal import Journal
from plimsoll.journal.layout import KIND_FRAME, KIND_RECORD, MARKET, TRADING, Entry
from plimsoll.journal.lookup import Places, look_up
from plimsoll.journal.reader import merge, scan
from plimsoll.journal.recover import Recovery
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.snapshots import newest_snapshot, write_snapshot
from plimsoll.journal.verify import Damage, Report, verify
from plimsoll.journal.writer import LogWriter, open_log, repair

__all__ = [
    "KIND_FRAME",
    "KIND_RECORD",
    "MARKET",
    "TRADING",
    "Damage",
    "Entry",
    "Follower",
    "Forcer",
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalSettings",
    "LogWriter",
    "Places",
    "Recovery",
    "Report",
    "look_up",
    "merge",
    "newest_snapshot",
    "open_log",
    "repair",
    "scan",
    "verify",
    "write_snapshot",
]
