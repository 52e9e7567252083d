"""The watchdog's own log: what it saw and did, before it did it.

The same format as the engine's logs, with JSON in its records. It never keeps the watchdog from
acting: what cannot be written is told on stderr and done all the same.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.control import Life
from plimsoll.journal import (
    Forcer,
    JournalError,
    JournalSettings,
    LogWriter,
    newest_epoch,
    open_log,
    scan,
)
from plimsoll.watchdog.settings import LOG

KIND_EVENT: Final = 3
"""A record of this log: a JSON object with ``event``."""

_SEGMENT_BYTES: Final = 4 << 20
_FORCE_S: Final = 0.05

_encode: Final = msgspec.json.Encoder().encode


class Left(NamedTuple):
    """What a watchdog that did not end by itself was about."""

    is_acting: bool = False
    epoch: int = 0
    """The session it watched, 0 where none had to be there."""


class Diary:
    """Appends events; ``epoch`` is one more at each start of the watchdog."""

    def __init__(self, journal_dir: Path, account: str, tell: Callable[[str, str], None]) -> None:
        """Open the log, or go on without one.

        Args:
            journal_dir: The account's journal folder.
            account: Whose.
            tell: Takes a code and words where something is wrong with the log.
        """
        self._tell = tell
        self._writer: LogWriter | None = None
        self._forcer: Forcer | None = None
        self.epoch = 1
        self.left = Left()
        try:
            self.left = _left(events(journal_dir))
            self.epoch = newest_epoch(journal_dir, LOG) + 1
            writer = open_log(
                journal_dir,
                LOG,
                account,
                self.epoch,
                segment_bytes=_SEGMENT_BYTES,
            )
            self._forcer = Forcer(
                journal_dir, [(writer, _FORCE_S)], JournalSettings(), _give_up_nothing
            )
            self._forcer.start()
            self._writer = writer
        except (JournalError, OSError) as error:
            tell("no-log", f"going on without a log: {error}")

    @property
    def is_kept(self) -> bool:
        """Return whether events are being written."""
        return self._writer is not None

    def note(self, ts_ns: int, event: str, fields: dict[str, object]) -> None:
        """Append one event."""
        if self._writer is None:
            return
        try:
            text = _encode({"event": event} | fields)
            self._writer.append(self._writer.last_seq + 1, ts_ns, KIND_EVENT, text)
        except (JournalError, OSError) as error:
            self._writer = None
            self._tell("no-log", f"going on without a log: {error}")

    def close(self) -> None:
        """Force and close."""
        writer, self._writer = self._writer, None
        try:
            if self._forcer is not None:
                self._forcer.stop()
            if writer is not None:
                writer.close()
        except (JournalError, OSError) as error:
            self._tell("log", str(error))


def _give_up_nothing() -> None:
    """Keep everything: a diary is small."""


def _left(told: list[dict[str, Any]]) -> Left:
    found = Left()
    for one in told:
        event = one["event"]
        if event == "ended":
            found = Left()
        elif event in ("acts", "cleared", "stands down"):
            found = Left(event == "acts", found.epoch)
        elif event == "engine":
            is_over = one["life"] == Life.ENDED
            found = Left(found.is_acting, 0 if is_over else int(one["epoch"]))
    return found


def events(journal_dir: Path) -> list[dict[str, Any]]:
    """Return what the log of an account's watchdog holds, oldest first, each with its ``ts_ns``.

    Raises:
        JournalDamaged: it is not what was written.
    """
    return [
        {"ts_ns": entry.ts_ns, "epoch": entry.epoch}
        | msgspec.json.decode(entry.payload, type=dict[str, Any])
        for entry in scan(journal_dir, LOG)
    ]
