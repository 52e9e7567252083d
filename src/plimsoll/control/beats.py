"""Beats of the trading loop, as datagrams: who hears none for a while may act (RSK-11).

The sender never waits and never fails: whether anybody listens is not its business.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.control.address import socket_address
from plimsoll.control.errors import ControlError
from plimsoll.control.protocol import Beat, Life

BEATS: Final = "watchdog.beats"
"""The listener's socket, in the run directory."""

WATCHDOG_SOCKET: Final = "watchdog.sock"
"""The listener's own control socket, beside it."""

_MOST_BYTES: Final = 4096


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Beat).decode


class BeatSender:
    """Sends beats to whoever listens in a run directory."""

    def __init__(self, run_dir: Path) -> None:
        """Prepare; nothing is opened that could be missing."""
        self._path = run_dir / BEATS
        self._pid = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(
        self, life: Life, seq: int = 0, epoch: int = 0, ts_ns: int = 0, *, is_ready: bool = False
    ) -> bool:
        """Send one now; return whether a listener took it."""
        beat = Beat(life=life, seq=seq, epoch=epoch, ts_ns=ts_ns, is_ready=is_ready, pid=self._pid)
        try:
            with socket_address(self._path) as address:
                self._socket.sendto(_encode(beat), address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class BeatListener:
    """Hears beats on an event loop."""

    def __init__(self, run_dir: Path, hear: Callable[[Beat], None]) -> None:
        """Call ``hear`` with each beat from ``start`` on; what is none is passed over."""
        self._path = run_dir / BEATS
        self._hear = hear
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin to listen; the file of a dead listener is replaced.

        Raises:
            ControlError: the path cannot be used.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.setblocking(False)
        try:
            self._path.unlink(missing_ok=True)
            os.fchmod(listener.fileno(), 0o600)
            with socket_address(self._path) as address:
                listener.bind(address)
        except OSError as error:
            listener.close()
            raise ControlError(f"cannot listen at {self._path}: {error.strerror}") from error
        self._socket = listener
        asyncio.get_running_loop().add_reader(listener.fileno(), self._read)

    def close(self) -> None:
        """Stop listening and remove the file."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        assert self._socket is not None
        while True:
            try:
                raw = self._socket.recv(_MOST_BYTES)
            except OSError:  # read to the end
                return
            try:
                beat = _decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            self._hear(beat)
