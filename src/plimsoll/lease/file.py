"""The lease of one machine: a locked file beside the epoch file (deployment.md LSE-1, LSE-2).

There is no expiry: the kernel frees the lock when the holder dies, however it dies. The lock file
is never deleted, since a lock on a deleted file excludes nobody.
"""

import fcntl
import os
import re
import socket
import weakref
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.lease.epoch import read_epoch, write_epoch
from plimsoll.lease.errors import LeaseError, LeaseHeld

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TEXT_BYTES: Final = 4096
_START_FIELD: Final = 19
"""Position of the start time in /proc/PID/stat, counted behind the name in brackets."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lease, for messages.

    ``started`` is the process's start in clock ticks since boot: with the pid it names one process
    for as long as the machine runs. ``host`` is the machine's name.
    """

    name: str
    pid: int
    started: int
    host: str


class FileLease:
    """A lease that is held until `release` or the death of this process. Made by `take`.

    Attributes:
        held: Whether this process may send; a plain attribute, cheap as the last look.
    """

    __slots__ = ("__weakref__", "_epoch", "_fd", "held")

    def __init__(self, fd: int, epoch: int) -> None:
        """Own a locked descriptor."""
        self._fd = fd
        self._epoch = epoch
        self.held = True
        _LEASES.add(self)

    @property
    def epoch(self) -> int:
        """Return the number of this session."""
        return self._epoch

    def release(self) -> None:
        """Stop holding; a second call does nothing."""
        self.held = False
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            self._close()

    def forget(self) -> None:
        """Give up this process's part in a lease its parent holds; for a forked child."""
        self.held = False
        if self._fd >= 0:
            self._close()

    def _close(self) -> None:
        os.close(self._fd)
        self._fd = -1


_LEASES: Final[weakref.WeakSet[FileLease]] = weakref.WeakSet()


def take(directory: Path, account: str, holder: str, floor: int = 0) -> FileLease:
    """Take the lease of ``account``; the new epoch is on disk before this returns.

    Args:
        directory: Folder of the lease files, made where it does not exist.
        account: Whose lease: letters, digits, dot, dash, underscore.
        holder: Name of the instance that asks, for messages.
        floor: Highest epoch seen anywhere else (the journal); the new one is greater.

    Raises:
        LeaseHeld: another process holds it.
        EpochUnreadable: the last epoch is not known or the next cannot be stored.
        LeaseError: the account's name or the folder does not do.
    """
    lock, epoch_path = _paths(directory, account)
    fd = _locked(lock)
    try:
        epoch = max(floor, read_epoch(epoch_path)) + 1
        _sign(fd, holder, lock)
        write_epoch(epoch_path, epoch)
    except BaseException:
        os.close(fd)
        raise
    return FileLease(fd, epoch)


def current_holder(directory: Path, account: str) -> Holder | None:
    """Return who holds the lease now, None where nobody does (or nobody has yet said so).

    Looks at the signature and the process, not at the lock: asking must not make a take fail.

    Raises:
        LeaseError: the account's name does not do.
    """
    lock, _ = _paths(directory, account)
    try:
        found = _parse_holder(lock.read_bytes())
    except FileNotFoundError:
        return None
    return found if found is not None and _started(found.pid) == found.started else None


def _paths(directory: Path, account: str) -> tuple[Path, Path]:
    if not _ACCOUNT.fullmatch(account):
        raise LeaseError(
            f"account {account!r} must have 1 to 64 letters, digits, dots, dashes or underscores"
        )
    return directory / f"{account}.lock", directory / f"{account}.epoch"


def _locked(lock: Path) -> int:
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LeaseError(f"cannot open {lock}: {error.strerror}; check owner and mode") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        found = _parse_holder(os.pread(fd, _TEXT_BYTES, 0))
        os.close(fd)
        raise _held(lock, found) from None
    return fd


def _held(lock: Path, found: Holder | None) -> LeaseHeld:
    who = f"{found.name}, process {found.pid} on {found.host}" if found else "a starting process"
    return LeaseHeld(
        f"{lock} is held by {who}: one engine per account. Stop that one first, or hand over to "
        f"this one with a deployment",
        found.pid if found else 0,
    )


def _parse_holder(content: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(content, type=Holder)
    except msgspec.MsgspecError:  # released, or taken and just about to be signed
        return None


def _sign(fd: int, holder: str, lock: Path) -> None:
    me = Holder(
        name=holder, pid=os.getpid(), started=_started(os.getpid()), host=socket.gethostname()
    )
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, msgspec.json.encode(me) + b"\n", 0)
    except OSError as error:
        raise LeaseError(f"cannot write {lock}: {error.strerror}; free some space") from error


def _started(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[_START_FIELD])


def _forget_in_child() -> None:
    """Take the lease from a forked child: it must not send, nor keep the lock past its parent."""
    for lease in list(_LEASES):
        lease.forget()


os.register_at_fork(after_in_child=_forget_in_child)
