"""A process that kills itself at an append to its journal: exactly there, in every run."""

import os
import signal
from typing import Any, Literal

import msgspec

from plimsoll.core.records import decode
from plimsoll.journal import KIND_RECORD, Journal
from plimsoll.journal.journal import Append


class Kill(msgspec.Struct, frozen=True):
    """Die at the ``n``-th append, counted from 1 in each process: before it or after it.

    ``log`` is ``trading`` or ``market``, empty for both; ``kind`` the class of the records that are
    counted, empty for all.
    """

    n: int
    is_after: bool = False
    log: Literal["", "trading", "market"] = "trading"
    kind: str = ""

    def __str__(self) -> str:
        """Return it as the name of a test case."""
        side = "after" if self.is_after else "before"
        return f"{side}-{self.kind or self.log or 'any'}-{self.n}"


def arm(kill: Kill) -> None:
    """Have this process die as asked; for the journal it opens from now on."""
    opened = Journal.open

    def opening(*args: Any, **named: Any) -> Journal:
        journal = opened(*args, **named)
        appends = 0

        def deadly(append: Append) -> Append:
            def counted(seq: int, ts_ns: int, kind: int, payload: bytes) -> None:
                nonlocal appends
                if _counts(kill, kind, payload):
                    appends += 1
                    if appends == kill.n and not kill.is_after:
                        os.kill(os.getpid(), signal.SIGKILL)
                append(seq, ts_ns, kind, payload)
                if appends == kill.n:
                    os.kill(os.getpid(), signal.SIGKILL)

            return counted

        for log in ("trading", "market"):
            if kill.log in ("", log):
                setattr(journal, log, deadly(getattr(journal, log)))
        return journal

    Journal.open = opening  # type: ignore[method-assign]


def _counts(kill: Kill, kind: int, payload: bytes) -> bool:
    return not kill.kind or (kind == KIND_RECORD and type(decode(payload)).__name__ == kill.kind)
