"""What is known of one stream of an instrument, apart from its content."""

from typing import Final

from plimsoll.core.feed.silence import Silence
from plimsoll.core.feed.trust import STREAM_WORDS, Cause, Doubt, StreamName, StreamStatus, suspect
from plimsoll.core.records import StreamChanged

LATE_FOR_NS: Final = 5_000_000_000
"""An old event is a doubt for this long; after it the silence is what counts."""


class Stream:
    """Signs of life, age and carriage of one stream."""

    __slots__ = ("carried", "is_late", "name", "silence", "venue_ms")

    def __init__(self, name: StreamName, silence: Silence) -> None:
        """Start unheard and, until somebody says otherwise, well carried."""
        self.name = name
        self.silence = silence
        self.venue_ms = 0
        """Venue time of the newest event taken over."""
        self.is_late = False
        self.carried: Doubt | None = None
        """What the connection says against it."""

    def hear(self, ts_ns: int, venue_ms: int, moved_ns: int, *, is_late: bool) -> None:
        """Take a message that is not older than the one before.

        ``moved_ns``: when the stream moved that this one should follow. A gap in which it moved on
        teaches nothing.
        """
        silence = self.silence
        if moved_ns - silence.heard_ns > silence.floor_ns:
            silence.begin(ts_ns)
        else:
            silence.heard(ts_ns)
        self.venue_ms = venue_ms
        self.is_late = is_late

    def on_change(self, change: StreamChanged) -> None:
        """Take over how the stream is carried."""
        if change.status == StreamStatus.LIVE:
            self.carried = None
        else:
            is_dead = change.status == StreamStatus.DEAD
            status = StreamStatus.DEAD if is_dead else StreamStatus.SUSPECT
            text = f"{STREAM_WORDS[self.name]} {status}: {change.reason}"
            self.carried = Doubt(self.name, status, Cause.CARRIED, text)
        if change.is_void:
            self.silence.forget()

    def doubt(self, now_ns: int, moved_ns: int) -> Doubt | None:
        """Return what stands against the stream whatever its content; see ``Silence``."""
        if self.carried is not None:
            return self.carried
        if self.is_late and now_ns - self.silence.heard_ns <= LATE_FOR_NS:
            return suspect(self.name, Cause.LATE)
        return self.silent_doubt(now_ns, moved_ns)

    def silent_doubt(self, now_ns: int, moved_ns: int) -> Doubt | None:
        """Return the doubt about a silence that is too long."""
        silent_ns = self.silence.too_long_ns(now_ns, moved_ns)
        if silent_ns:
            return suspect(self.name, Cause.SILENT, f"silent for {silent_ns / 1e9:.1f} s")
        return None
