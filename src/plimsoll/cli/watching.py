"""What the log shows of a command: the records that followed it, and the books as they are now.

It reads no configuration: the newest log of the environment's accounts is the one meant.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.config.layout import Layout
from plimsoll.core.engine import Core
from plimsoll.core.engine.reach import is_cancelled
from plimsoll.core.model import Scope
from plimsoll.core.records import CancelIntended, FlattenEnded, Record, Swept, decode
from plimsoll.engine.replica import Replica
from plimsoll.journal import KIND_RECORD, TRADING, Follower, JournalError

POLL_S: Final = 0.02
_R = TypeVar("_R", bound=Record)


class LogWatch:
    """The books of an account and the records behind the point it was opened at."""

    def __init__(self, folder: Path, seq: int | None = None) -> None:
        """Read the log as it is now; follow records from ``seq`` on, or from here."""
        self.replica = Replica(folder)
        self.replica.poll()
        self.records: list[Record] = []
        start = self.core.seq if seq is None else seq
        self._follower = Follower(folder, (TRADING,), start)

    @property
    def core(self) -> Core:
        """Return the books as last read."""
        return self.replica.core

    def poll(self) -> None:
        """Read what is new.

        Raises:
            JournalError: the log cannot be read any further.
        """
        self.replica.poll()
        while batch := self._follower.poll():
            self.records += [decode(one.payload) for one in batch if one.kind == KIND_RECORD]

    def of(self, kind: type[_R], *, cause: int | None = None) -> list[_R]:
        """Return the records of a type, of one cause where it is named."""
        return [
            one
            for one in self.records
            if isinstance(one, kind) and (cause is None or one.cause == cause)
        ]

    def until(self, seq: int, is_done: Callable[[], bool], seconds: float) -> bool:
        """Read on until the log is past ``seq`` and something is so; False after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            self.poll()
            if self.core.seq >= seq and is_done():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)

    def close(self) -> None:
        """Close the files."""
        self.replica.close()
        self._follower.close()


@contextmanager
def watching(folder: Path, seq: int | None = None) -> Iterator[LogWatch]:
    """Yield a watch and close it."""
    watch = LogWatch(folder, seq)
    try:
        yield watch
    finally:
        watch.close()


class HaltWatch:
    """Follows the log of an environment's account from the seq of a halt on."""

    def __init__(self, layout: Layout, seq: int, scope: Scope, *, flattens: bool) -> None:
        """Find the log that holds the halt; without one nothing will be known."""
        self._seq = seq
        self._scope = scope
        self._flattens = flattens
        folder = newest_journal(layout)
        self._watch: LogWatch | None = None
        if folder is not None:
            try:
                self._watch = LogWatch(folder, seq)
            except JournalError:
                self._watch = None

    def is_done(self) -> bool:
        """Return whether the halt is complete as far as the log tells, or nothing can be read."""
        if self._watch is None:
            return True
        try:
            self._watch.poll()
        except JournalError:
            self._watch = None
            return True
        is_there = self._watch.core.seq >= self._seq
        is_flat = not self._flattens or bool(self._watch.of(FlattenEnded))
        return is_there and is_flat and not self._working() and self._is_confirmed()

    def outcome(self) -> dict[str, object]:
        """Return what was cancelled since, what still works, and whether the venue confirmed it."""
        if self._watch is None:
            return {"canceled": None, "working": None}
        working = self._working()
        asked = (one.client_order_id for one in self._watch.of(CancelIntended))
        orders = self._watch.core.orders
        canceled = {
            name
            for name in asked
            if (order := orders.find(name)) is not None
            and self._scope.covers(order.owner, order.instrument)
        }
        found: dict[str, object] = {
            "canceled": len(canceled - working),
            "working": len(working),
            "confirmed": self._is_confirmed(),
        }
        if self._flattens:
            ends = self._watch.of(FlattenEnded)
            found["flatten"] = ends[-1].outcome if ends else "under way"
            found["flatten_text"] = ends[-1].text if ends else ""
        return found

    def _is_confirmed(self) -> bool:
        """Return whether the venue's lists confirmed it; true where no venue is connected."""
        assert self._watch is not None
        core = self._watch.core
        halt = core.safety.halts.get(self._scope)
        if halt is None or halt.keeps_orders or "private" not in core.safety.links:
            return True
        return any(one.scope == self._scope.text for one in self._watch.of(Swept))

    def _working(self) -> set[str]:
        assert self._watch is not None
        core = self._watch.core
        halt = core.safety.halts.get(self._scope)
        if halt is None or halt.keeps_orders:
            return set()
        return {
            order.id
            for order in core.orders.working.values()
            if not order.is_paper
            and is_cancelled(
                order,
                self._scope,
                with_protections=halt.with_protections,
                is_dedicated=halt.is_dedicated,
            )
        }


def must_have_run(layout: Layout) -> Path:
    """Return the newest log of an environment's accounts.

    Raises:
        Failure: no engine has run there.
    """
    folder = newest_journal(layout)
    if folder is None:
        raise Failure(
            Exit.UNREACHABLE,
            "no-engine",
            f"no engine has run in {layout.var_dir}",
            f"plimsoll run --project {layout.root}",
        )
    return folder


def newest_journal(layout: Layout) -> Path | None:
    """Return the newest log of an environment's accounts, None where nothing was ever written."""
    journals = layout.journal_dir("")
    logs = [folder for folder in journals.glob("*") if any((folder / TRADING).glob("*.seg"))]
    return max(logs, key=lambda folder: (folder / TRADING).stat().st_mtime_ns, default=None)
