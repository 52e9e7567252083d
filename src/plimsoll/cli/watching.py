"""What the log shows of a halt: which orders it cancelled, which can still add risk."""

from pathlib import Path

from plimsoll.config.layout import Layout
from plimsoll.core.records import CancelIntended, decode
from plimsoll.engine.replica import Replica
from plimsoll.journal import KIND_RECORD, TRADING, Follower, JournalError


class HaltWatch:
    """Follows the log of an environment's account from the seq of a halt on."""

    def __init__(self, layout: Layout, seq: int) -> None:
        """Find the log that holds the halt, without a configuration: the newest of the accounts."""
        self._seq = seq
        folder = _newest(layout.journal_dir(""))
        self._replica = Replica(folder) if folder else None
        self._follower = Follower(folder, (TRADING,), seq) if folder else None
        self._canceled: set[str] = set()

    def is_done(self) -> bool:
        """Return whether nothing that can add risk is working any more, or nothing can be read."""
        if self._replica is None or self._follower is None:
            return True
        try:
            self._replica.poll()
            while batch := self._follower.poll():
                for entry in batch:
                    record = decode(entry.payload) if entry.kind == KIND_RECORD else None
                    if isinstance(record, CancelIntended):
                        self._canceled.add(record.client_order_id)
        except JournalError:
            self._replica = None
            return True
        return self._replica.core.seq >= self._seq and not self._working()

    def outcome(self) -> dict[str, object]:
        """Return how many orders were cancelled since and how many can still add risk."""
        if self._replica is None:
            return {"canceled": None, "working": None}
        working = self._working()
        return {"canceled": len(self._canceled - working), "working": len(working)}

    def _working(self) -> set[str]:
        orders = self._replica.core.orders.working.values() if self._replica else ()
        return {order.id for order in orders if not order.reduce_only and not order.is_paper}


def _newest(journals: Path) -> Path | None:
    logs = [folder for folder in journals.glob("*") if (folder / TRADING).is_dir()]
    return max(logs, key=lambda folder: (folder / TRADING).stat().st_mtime_ns, default=None)
