"""When to act: what the beats say of the engine. Pure: time comes in, a reason comes out (RSK-11).

Only progress counts: a higher ``seq`` of the same epoch, or a higher epoch. A restart that is
announced lengthens the patience, counted from the last progress: no row of announcements can put an
act off for ever. A clean end disarms until the next beat.
"""

from enum import StrEnum
from typing import Final

from plimsoll.control.protocol import Beat, Life

ASLEEP_NS: Final = 2_000_000_000
"""Looks further apart than this mean that we were paused ourselves, and not only the engine."""

_SECOND: Final = 1_000_000_000


class Phase(StrEnum):
    """What the watchdog is about."""

    IDLE = "idle"
    """No engine beats, and none has to: nothing was heard yet, or it ended cleanly."""

    WATCHING = "watching"
    ACTING = "acting"
    """It acted, and stands by its act until an engine is there that has compared its books."""


class Vigil:
    """Watches one account's engine. Times are ns of one clock that counts suspended time too."""

    def __init__(self, patience_ns: int, restart_ns: int, now_ns: int) -> None:
        """Begin idle.

        Args:
            patience_ns: How long the progress of a running engine may stand still.
            restart_ns: The same while a start or stop is announced.
            now_ns: Time now.
        """
        self.phase = Phase.IDLE
        self.epoch = self.seq = self.pid = 0
        self.life = Life.ENDED
        self.is_ready = False
        self.progress_ns = now_ns
        self._patience_ns = patience_ns
        self._restart_ns = restart_ns
        self._looked_ns = now_ns
        self._is_armed = False
        self._acted_ns = 0
        self._is_cleared = False

    @property
    def limit_ns(self) -> int:
        """Return how long progress may stand still now."""
        return self._patience_ns if self.life is Life.RUNNING else self._restart_ns

    def hear(self, beat: Beat, now_ns: int) -> None:
        """Take a beat. One of an older session than the newest known is no sign of life."""
        if beat.life is Life.STARTING:
            self.life, self.pid = Life.STARTING, beat.pid
            return
        if beat.epoch < self.epoch:
            return
        if (beat.epoch, beat.seq) > (self.epoch, self.seq):
            self.epoch, self.seq, self.progress_ns = beat.epoch, beat.seq, now_ns
            self.life, self.pid, self.is_ready = beat.life, beat.pid, beat.is_ready
            self._is_armed = True
            if self.phase is Phase.IDLE:
                self.phase = Phase.WATCHING
        if beat.life is Life.ENDED:
            self.life, self._is_armed, self.is_ready = Life.ENDED, False, False
            if self.phase is Phase.WATCHING:
                self.phase = Phase.IDLE

    def restore(self, epoch: int, now_ns: int) -> None:
        """Watch a session that was watched before: its engine has the whole patience anew."""
        self.epoch, self.progress_ns, self.life = epoch, now_ns, Life.STARTING
        self._is_armed, self.phase = True, Phase.WATCHING

    def look(self, now_ns: int) -> str:
        """Return why to act now, empty where there is no reason or it was acted on already."""
        slept = now_ns - self._looked_ns
        self._looked_ns = now_ns
        if slept > ASLEEP_NS:
            self.progress_ns += slept  # it had no chance to be heard
        if not self._is_armed or self.phase is not Phase.WATCHING:
            return ""
        still_ns = now_ns - self.progress_ns
        if still_ns <= self.limit_ns:
            return ""
        during = "" if self.life is Life.RUNNING else f" while {self.life}"
        return (
            f"the engine of epoch {self.epoch} has made no progress for {still_ns / _SECOND:.1f} s"
            f"{during} (seq {self.seq})"
        )

    def acts(self, now_ns: int) -> None:
        """Note that an act begins; nothing but `stands_down` ends it."""
        self.phase, self._acted_ns, self._is_cleared = Phase.ACTING, now_ns, False

    def cleared(self) -> None:
        """Note that the venue's list was empty twice since the act began."""
        self._is_cleared = True

    def stands_down(self) -> bool:
        """Return whether the act is over, and go back to watching, or to idling.

        The list was empty twice, and an engine has made progress since the act began and has
        compared its books; or none has to be there, because none was heard or it ended cleanly. The
        halt that was left behind stays: only a person ends it.
        """
        is_back = self._is_armed and self.is_ready and self.progress_ns > self._acted_ns
        if self.phase is not Phase.ACTING or not self._is_cleared:
            return False
        if self._is_armed and not is_back:
            return False
        self.phase = Phase.WATCHING if self._is_armed else Phase.IDLE
        return True
