"""An error at each write and each force: nothing leaves without its intent on the log (Q11, P4)."""

import errno
import mmap
import os
from contextlib import suppress

import pytest

from plimsoll.journal import JournalError, open_log, scan, verify

SEGMENT = 2 * mmap.PAGESIZE
CALLS = ("pwrite", "write", "fdatasync", "fsync", "ftruncate", "posix_fallocate")
RECORDS = 60
STEP = 1 if os.environ.get("DAMAGE") == "full" else 5
"""Every call with ``DAMAGE=full``, in the gate every fifth."""


class Faults:
    """Fails the n-th of the calls that bring something to disk, and all after it if asked."""

    def __init__(self, monkeypatch, number, *, lasts, code):
        self.left = number
        self.lasts = lasts
        self.code = code
        self.has_failed = False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, call):
        def counted(*args):
            self.left -= 1
            if self.left == 0 or (self.left < 0 and self.lasts):
                self.has_failed = True
                raise OSError(self.code, os.strerror(self.code))
            return call(*args)

        return counted


def broken_session(directory, *, waits):
    """Return what was sent before a fault ended the session."""
    sent, forced = [], []
    log = open_log(directory, "trading", "main", 1, segment_bytes=SEGMENT)
    try:
        for seq in range(1, 1 + RECORDS):
            log.append(seq, seq, 1, b"intent %d " % seq * 30)
            if waits or seq % 7 == 0:
                log.force()
            sent.append(seq)
            forced.append(log.forced_seq)
            with suppress(OSError):  # as the forcing thread: what is open goes on, no new risk
                log.prepare()
    except JournalError:
        with pytest.raises(JournalError):
            log.append(999, 1, 1, b"nothing is taken any more")
    finally:
        with suppress(JournalError):
            log.close()
    return sent, forced


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get)
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("waits", [False, True], ids=["kernel", "disk"])
def test_nothing_is_sent_whose_intent_the_log_does_not_have(tmp_path, waits, lasts, code):
    failures = 0
    for number in range(1, 10_000, STEP):
        directory = tmp_path / str(number)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, number, lasts=lasts, code=code)
            try:
                sent, forced = broken_session(directory, waits=waits)
            except (JournalError, OSError):  # it did not even open
                sent, forced = [], []
        if not faults.has_failed:
            break
        failures += 1
        found = [entry.seq for entry in scan(directory, "trading")]
        assert found[: len(sent)] == sent, f"fault {number}"
        if waits:
            assert forced == sent, f"fault {number}"
        assert verify(directory, "trading").is_whole, f"fault {number}"
        again = open_log(directory, "trading", "main", 2, segment_bytes=SEGMENT)
        assert again.last_seq >= len(sent), f"fault {number}"
        again.close()
    assert failures > 30 // STEP
