"""What a strategy asked for and its desk refused at once, counted by call and reason.

Such a refusal is returned to the strategy, before any gate is asked. It is counted here, beside the
strategy: the first of each kind is a record at once (``AskRefused``), how many it has become is one
with each checkpoint and at the end. So the log grows with the kinds, not with the calls, and a
strategy that asks for nothing wrong pays nothing.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from plimsoll.core.model import Denied, Refusal

_TEXT_MOST: Final = 400
_NAME_MOST: Final = 80


class Refused(msgspec.Struct):
    """One kind: the call, the reason, and the first of them in words."""

    ask: str
    """``target``, ``quote``, ``buy``, ``sell``, ``amend``, ``cancel``, ``size``, ``execute``."""
    code: Refusal
    instrument: str
    text: str
    since_ns: int
    times: int = 0
    told: int = 0
    """How many the log knows of."""


class Refusals:
    """Of one instance since it was made. Bounded: there are so many calls and so many reasons."""

    def __init__(self) -> None:
        """Start with none."""
        self.kinds: dict[tuple[str, Refusal], Refused] = {}

    def note(self, ask: str, instrument: object, denied: Denied, now_ns: int) -> Refused | None:
        """Count one; return its kind where it is the first.

        Args:
            ask: The call.
            instrument: What the strategy named; it may be anything.
            denied: What the strategy is told.
            now_ns: When.
        """
        kind = self.kinds.get((ask, denied.code))
        if kind is not None:
            kind.times += 1
            return None
        text, name = denied.text[:_TEXT_MOST], str(instrument)[:_NAME_MOST]
        kind = Refused(ask, denied.code, name, text, now_ns, 1)
        self.kinds[ask, denied.code] = kind
        return kind

    def untold(self) -> Iterator[Refused]:
        """Yield the kinds of which the log does not know all."""
        for kind in self.kinds.values():
            if kind.told < kind.times:
                yield kind
