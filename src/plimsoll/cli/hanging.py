"""A callback that does not return, in a run of the past: told in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.engine.guard import PAST_LIMIT_NS, CallbackHung

LIMIT_S: Final = PAST_LIMIT_NS / 1e9


@contextmanager
def hanging_told() -> Iterator[None]:
    """Turn a callback that does not return into the end of a command.

    Raises:
        Failure: one did not.
    """
    try:
        yield
    except CallbackHung as hung:
        cut = hung.cut
        where = f", at {hung.place}" if hung.place else ""
        raise Failure(
            Exit.TIMED_OUT,
            "callback",
            f"{cut.owner}: {cut.callback} did not return, it had {hung.used}{where}; "
            f"the data was at {text.moment(cut.ts_ns)} UTC",
            "look for a loop or a wait that does not end there; what rightly takes so long gets "
            "more time by --callback-limit 60 (live it has `execution.callback_limit`, 50 ms)",
        ) from hung
