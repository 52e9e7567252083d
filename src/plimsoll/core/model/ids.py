"""Client order ids: derived, never drawn (account tag, epoch, counter, check character)."""

import re
from itertools import count
from operator import mul
from typing import Final

_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,7}")
_ID: Final = re.compile(r"([A-Za-z][A-Za-z0-9]{0,7})-(\d{6,})-(\d{9,})-([0-9A-Z])")
_GUARD_ID: Final = re.compile(r"([A-Za-z][A-Za-z0-9]{0,7})W-(\d{6,})-(\d{9,})-([0-9A-Z])")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS: Final = 37
"""A prime above the alphabet: single wrong digits and swaps of neighbours change the check."""


def check_tag(tag: str) -> str:
    """Return ``tag`` if it may mark an account's orders: 1 to 8 letters and digits, a letter first.

    Raises:
        ValueError: otherwise.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"account tag {tag!r} must be 1 to 8 letters or digits, a letter first")
    return tag


class IdMaker:
    """Makes the ids of one epoch: strictly increasing, unique for the life of the account."""

    __slots__ = ("_made", "_made_at", "counter", "epoch", "prefix")

    def __init__(self, tag: str, epoch: int, counter: int = 0) -> None:
        """Start after ``counter`` ids have been made in this epoch."""
        self.prefix = f"{check_tag(tag)}-{epoch:06d}-"
        self.epoch = epoch
        self.counter = counter
        self._made, self._made_at = "", -1

    def peek(self) -> str:
        """Return the next id without taking it (taking happens when its record is applied)."""
        if self._made_at != self.counter:  # hot: whoever looked before has made it
            body = f"{self.prefix}{self.counter + 1:09d}"
            self._made, self._made_at = f"{body}-{_check(body)}", self.counter
        return self._made

    def take(self, client_order_id: str) -> None:
        """Take note of an id that stands in the log; the next one comes behind it."""
        if client_order_id == self._made:  # hot: the one that was looked at
            self.counter = max(self.counter, self._made_at + 1)
        else:
            self.counter = max(self.counter, counter_of(client_order_id))


def is_own(client_order_id: str, tag: str) -> bool:
    """Return whether the id was made by an engine of this account tag, its check included."""
    match = _ID.fullmatch(client_order_id)
    return bool(match and match[1] == tag and _check(client_order_id[:-2]) == match[4])


def guard_id(tag: str, epoch: int, counter: int) -> str:
    """Return an id of the watchdog or of a direct halt: the account's tag with a ``W`` (RSK-11)."""
    body = f"{check_tag(tag)}W-{epoch:06d}-{counter:09d}"
    return f"{body}-{_check(body)}"


def is_guard(client_order_id: str, tag: str) -> bool:
    """Return whether the watchdog of this account tag, or a direct halt, made the id."""
    match = _GUARD_ID.fullmatch(client_order_id)
    return bool(match and match[1] == tag and _check(client_order_id[:-2]) == match[4])


def epoch_of(client_order_id: str) -> int:
    """Return the epoch inside one of our ids, 0 where it is not one."""
    match = _ID.fullmatch(client_order_id)
    return int(match[2]) if match else 0


def counter_of(client_order_id: str) -> int:
    """Return the counter inside one of our ids, 0 where there is none; the check is not read."""
    parts = client_order_id.split("-")
    return int(parts[2]) if len(parts) == 4 and parts[2].isdecimal() else 0


def _check(body: str) -> str:
    weighted = sum(map(mul, count(1), body.encode()))
    return _ALPHABET[weighted % _MODULUS % 36]
