"""What a mutant is: the product with one mistake in it, for the length of a run (DST-11)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest import mock

Patch = AbstractContextManager[object]
Stamp = tuple[int, int, int, int]
"""Seq, time, epoch and cause of a decision."""


class Mutant(NamedTuple):
    """One mistake a competent person could make."""

    name: str
    broken: str
    """What it does wrong, in words."""
    requirement: str
    """What it breaks."""
    patch: Callable[[], Patch]
    """Makes what breaks the product while it is entered."""
    test: str = ""
    """The test that shows it, where the world cannot; empty where the world does."""


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[], Patch]:
    """Return a patch of one attribute; ``make`` gets what is there and returns what is to be."""
    return lambda: mock.patch.object(owner, name, make(getattr(owner, name)))


def both(*patches: Callable[[], Patch]) -> Callable[[], Patch]:
    """Return several patches as one."""

    @contextmanager
    def entered() -> Iterator[None]:
        with ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch())
            yield

    return entered
