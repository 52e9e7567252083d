"""Log lines of the engine process: JSON, constant messages, ids as fields.

One method per happening; it alone picks the level and the fields. Not on the hot path.
"""

import logging
import os
import sys

import msgspec

from plimsoll.core.feed import STREAM_LIVE
from plimsoll.core.records import (
    AskRefused,
    CallbackCut,
    Halted,
    IncidentRaised,
    LinkChanged,
    QueryAnswered,
    StrategyStopped,
)

_FIELDS = "plimsoll_fields"


class Log:
    """What the engine process tells."""

    def __init__(self, name: str = "plimsoll.engine") -> None:
        """Write to the logger of this name."""
        self._logger = logging.getLogger(name)

    def session_started(self, epoch: int, account: str, restored: int, cut: list[str]) -> None:
        """Tell that the lease is held and the journal read."""
        self._tell(logging.INFO, "session started", epoch=epoch, account=account, restored=restored)
        for text in cut:
            self._tell(logging.WARNING, "journal repaired", text=text)

    def ready(self, epoch: int, instruments: list[str], start_ms: float) -> None:
        """Tell that links are being opened and commands are heard."""
        self._tell(
            logging.INFO,
            "ready",
            epoch=epoch,
            pid=os.getpid(),
            instruments=instruments,
            start_ms=round(start_ms),
        )

    def link_changed(self, record: LinkChanged) -> None:
        """Tell that a connection came up or broke."""
        level = logging.INFO if record.is_up else logging.WARNING
        self._tell(level, "link", link=record.link, up=record.is_up, reason=record.reason)

    def incident(self, record: IncidentRaised) -> None:
        """Tell what a person should see; that market data is live again wakes nobody."""
        level = logging.INFO if record.code == STREAM_LIVE else logging.ERROR
        self._tell(level, "incident", code=record.code, subject=record.subject, text=record.text)

    def warmed_up(self, record: QueryAnswered) -> None:
        """Tell of minutes to begin with that come from the store, and from where the others do."""
        if record.stored:
            asked = record.rows - record.stored
            fields = {"minutes": record.rows, "stored": record.stored, "asked": asked}
            self._tell(logging.INFO, "warm-up from the store", query=record.query_id, **fields)

    def halted(self, record: Halted) -> None:
        """Tell that trading is halted."""
        self._tell(
            logging.ERROR,
            "halted",
            reason=record.reason,
            actor=record.actor,
            scope=record.scope,
        )

    def strategy_stopped(self, record: StrategyStopped) -> None:
        """Tell that a strategy instance ended."""
        self._tell(logging.WARNING, "strategy stopped", owner=record.owner, reason=record.reason)

    def ask_refused(self, record: AskRefused) -> None:
        """Tell, once, that a strategy asks for what it cannot have; how often is in the log."""
        if record.since_ns == record.ts_ns:
            self._tell(
                logging.WARNING,
                "strategy refused at once",
                owner=record.owner,
                ask=record.ask,
                code=record.code,
                instrument=record.instrument,
                text=record.text,
            )

    def callback_cut(self, record: CallbackCut, place: str) -> None:
        """Tell that a callback did not return, and in which line it was."""
        self._tell(
            logging.ERROR,
            "callback cut off",
            owner=record.owner,
            callback=record.callback,
            place=place,
        )

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Tell of something odd at the venue's door."""
        self._tell(logging.WARNING, "venue trouble", code=code, subject=subject, text=text)

    def watchdog(self, event: str, *, is_bad: bool, fields: dict[str, object]) -> None:
        """Tell what the watchdog saw or did."""
        level = logging.ERROR if is_bad else logging.INFO
        self._logger.log(level, "watchdog %s", event, extra={_FIELDS: fields})

    def clock(self, offset_ms: float, uncertainty_ms: float) -> None:
        """Warn that this machine's clock is far from the venue's; requests are corrected."""
        self._tell(
            logging.WARNING,
            "clock differs from the venue's; requests are stamped with venue time",
            offset_ms=round(offset_ms),
            uncertainty_ms=round(uncertainty_ms, 1),
        )

    def failed(self, error: BaseException) -> None:
        """Tell that the engine stops because of a fault of its own."""
        self._logger.critical("engine failed", exc_info=error)

    def audit_started(self, pid: int, seq: int) -> None:
        """Tell that the auditor follows the logs from this seq on."""
        self._tell(logging.INFO, "audit started", pid=pid, seq=seq)

    def audit_finding(self, code: str, seq: int, text: str) -> None:
        """Tell that the logs do not lead to what was recorded, or are damaged."""
        self._tell(logging.CRITICAL, "audit finding", code=code, seq=seq, text=text)

    def stopped(self, reason: str, seq: int) -> None:
        """Tell that the session ended cleanly."""
        self._tell(logging.INFO, "session ended", reason=reason, seq=seq)

    def _tell(self, level: int, message: str, **fields: object) -> None:
        self._logger.log(level, message, extra={_FIELDS: fields})


def start_logging(level: int = logging.INFO) -> None:
    """Send log lines to stderr as JSON, one object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("plimsoll").setLevel(level)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "t": round(record.created, 3),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, _FIELDS, {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()
