"""The exclusive right to send for an account, and the epoch that fences late writers.

In: a folder, an account, who asks. Out: a lease with a new highest epoch, or a refusal.
Every room above may import it; it imports nothing of ours.
"""

from plimsoll.lease.epoch import read_epoch
from plimsoll.lease.errors import EpochUnreadable, LeaseError, LeaseHeld
from plimsoll.lease.file import FileLease, Holder, current_holder, take
from plimsoll.lease.port import Lease

__all__ = [
    "EpochUnreadable",
    "FileLease",
    "Holder",
    "Lease",
    "LeaseError",
    "LeaseHeld",
    "current_holder",
    "read_epoch",
    "take",
]
