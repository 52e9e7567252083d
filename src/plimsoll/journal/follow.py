"""Following both logs of a running engine in the order of their common sequence.

The logs are two files and a reader looks at one after the other, so it may see record 12 of one
before record 11 of the other. The writer appends in the order of the sequence, therefore whoever
has seen record n somewhere, sees everything below n when it looks afterwards. `Follower.poll` looks
at trading, market and trading again, and hands out what is below the newest record each log was
read past. No rule about gaps is needed, so holes (lost by a power cut, dropped by retention)
hold nothing up.
"""

from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from plimsoll.journal.layout import MARKET, TRADING, Entry
from plimsoll.journal.reader import LogTail

_BATCH: int = 20_000
"""Records after which one poll stops reading a log, so that catching up stays bounded in memory."""


class Follower:
    """Hands out each record of a journal once, in order, as it is written.

    Survives rotation, the death of the writer and the sessions after it.
    """

    def __init__(
        self, directory: Path, logs: Sequence[str] = (TRADING, MARKET), from_seq: int = 0
    ) -> None:
        """Follow from ``from_seq`` on; the journal may not exist yet.

        Args:
            directory: The journal's folder.
            logs: The logs to join; ``("trading",)`` follows that one alone.
            from_seq: First seq wanted, 0 for the beginning.
        """
        self._tails = [_Ahead(LogTail(directory, log, from_seq)) for log in logs]

    @property
    def holes(self) -> int:
        """Times that older market segments were gone before they were read."""
        return sum(ahead.tail.holes for ahead in self._tails)

    @property
    def whole_from(self) -> int:
        """Seq from which on nothing was missed, 0 where nothing ever was."""
        return max(ahead.tail.whole_from for ahead in self._tails)

    def poll(self) -> list[Entry]:
        """Return what is new since the last call, in order; empty where nothing is.

        Raises:
            JournalDamaged: what follows is not what was written.
        """
        for ahead in (*self._tails, *self._tails[:-1]):
            ahead.look(newest=max(other.tail.last_seq for other in self._tails))
        horizon = min(ahead.complete_to for ahead in self._tails)
        taken = [entry for ahead in self._tails for entry in ahead.take(horizon)]
        if len(self._tails) > 1:
            taken.sort(key=attrgetter("seq"))
        return taken

    def close(self) -> None:
        """Close the files."""
        for ahead in self._tails:
            ahead.tail.close()


class _Ahead:
    """One log, read further than what may be handed out."""

    def __init__(self, tail: LogTail) -> None:
        self.tail = tail
        self.complete_to = 0
        """No record up to this seq is missing from what was read."""
        self._waiting: deque[Entry] = deque()

    def look(self, newest: int) -> None:
        """Read on; ``newest`` is the highest seq seen on any log before this look."""
        while len(self._waiting) < _BATCH:
            entries = self.tail.read()
            if not entries:
                self.complete_to = max(newest, self.tail.last_seq)
                return
            self._waiting.extend(entries)
        self.complete_to = max(self.complete_to, self.tail.last_seq)

    def take(self, horizon: int) -> list[Entry]:
        waiting, taken = self._waiting, []
        while waiting and waiting[0].seq <= horizon:
            taken.append(waiting.popleft())
        return taken
