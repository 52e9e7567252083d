"""Whether a person may raise a limit now: a passphrase given again, checked against its hash.

The hash is scrypt (RFC 7914), made by ``hashed`` and kept in a file; the passphrase itself stands
nowhere. Wrong ones are answered after growing pauses, during which nothing is checked.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from plimsoll.control import Command

COST: Final = 1 << 15
_BLOCK: Final = 8
_MEMORY: Final = 128 * COST * _BLOCK * 2
PAUSE_S: Final = 1.0
PAUSE_MOST_S: Final = 300.0
LEAST: Final = 8
"""Characters of a passphrase that is taken."""

_MARK: Final = "scrypt"


def hashed(passphrase: str, salt: bytes) -> str:
    """Return what is kept of a passphrase: method, cost, salt and hash."""
    found = _scrypt(passphrase, salt, COST)
    return "$".join((_MARK, str(COST), _text(salt), _text(found)))


def matches(passphrase: str, kept: str) -> bool:
    """Return whether this is the passphrase that a hash was made of; slow on purpose.

    Raises:
        ValueError: ``kept`` was not made by ``hashed``.
    """
    salt, wanted, cost = _parts(kept)
    return hmac.compare_digest(_scrypt(passphrase, salt, cost), wanted)


def check_kept(kept: str) -> None:
    """Look whether a configured hash can be used.

    Raises:
        ValueError: it was not made by ``hashed``.
    """
    _parts(kept)


class Authority:
    """Vets the proofs of commands. One at a time: two at once would halve the pauses."""

    def __init__(self, kept: str, monotonic_s: Callable[[], float]) -> None:
        """Take the hash, empty where none is configured, and a clock for the pauses."""
        self._kept = kept
        self._now_s = monotonic_s
        self._wrong = 0
        self._not_before_s = 0.0
        self._is_busy = False
        self._proved: set[str] = set()

    async def vet(self, command: Command) -> str:
        """Return why a command's proof does not hold, empty where it does."""
        if not self._kept:
            return NONE_CONFIGURED
        wait_s = self._not_before_s - self._now_s()
        if self._is_busy or wait_s > 0:
            return f"the passphrase was wrong {self._wrong} times: wait {max(wait_s, 1):.0f} s"
        self._is_busy = True
        try:
            is_right = await asyncio.to_thread(matches, command.proof or "", self._kept)
        finally:
            self._is_busy = False
        if not is_right:
            pause_s = min(PAUSE_S * 2**self._wrong, PAUSE_MOST_S)
            self._wrong += 1
            self._not_before_s = self._now_s() + pause_s
            return f"the passphrase is wrong; the next one is looked at in {pause_s:.0f} s"
        self._wrong = 0
        self._proved.add(command.id)
        return ""

    def proved(self, command: Command) -> str:
        """Return why a command may not do what needs a proof, empty where it was proved; once."""
        if command.id in self._proved:
            self._proved.discard(command.id)
            return ""
        return NEEDED if self._kept else NONE_CONFIGURED


NEEDED: Final = (
    "raising a limit, or going live, needs the operator's passphrase, given again for this change"
)
NONE_CONFIGURED: Final = (
    "a running engine raises a limit or goes live only with the operator's passphrase; none is "
    "configured: `plimsoll operator passphrase` makes one, [operator] passphrase names it, and the "
    "next start reads it"
)


def _scrypt(passphrase: str, salt: bytes, cost: int) -> bytes:
    content = passphrase.encode()
    return hashlib.scrypt(content, salt=salt, n=cost, r=_BLOCK, p=1, maxmem=_MEMORY, dklen=32)


def _parts(kept: str) -> tuple[bytes, bytes, int]:
    parts = kept.strip().split("$")
    if len(parts) != 4 or parts[0] != _MARK or parts[1] != str(COST):
        raise ValueError("expected what `plimsoll operator passphrase` wrote")
    try:
        salt, found = (base64.b64decode(part, validate=True) for part in parts[2:])
    except ValueError:
        raise ValueError("expected what `plimsoll operator passphrase` wrote") from None
    return salt, found, COST


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
