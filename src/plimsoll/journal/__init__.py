"""The journal: ordered logs of bytes, one writer and many readers, that survive the writer.

In: (seq, ts_ns, kind, payload). Out: the same records, in order, or a refusal; snapshots.
Every room above may import it; it knows no venue and no record type and imports nothing of ours.
"""

from plimsoll.journal.ends import forced_seq, highest_epoch, reaches
from plimsoll.journal.errors import JournalDamaged, JournalError
from plimsoll.journal.follow import Follower
from plimsoll.journal.forcer import Forcer
from plimsoll.journal.journal import Journal
from plimsoll.journal.layout import KIND_FRAME, KIND_RECORD, MARKET, TRADING, Entry
from plimsoll.journal.lookup import Places, look_up
from plimsoll.journal.reader import is_kept, merge, newest_epoch, scan
from plimsoll.journal.recover import Recovery
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.snapshots import snapshots, write_snapshot
from plimsoll.journal.usage import Usage, usage
from plimsoll.journal.verify import Damage, Report, Verification, verify
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
    "Usage",
    "Verification",
    "forced_seq",
    "highest_epoch",
    "is_kept",
    "look_up",
    "merge",
    "newest_epoch",
    "open_log",
    "reaches",
    "repair",
    "scan",
    "snapshots",
    "usage",
    "verify",
    "write_snapshot",
]
