"""Books heard at intervals while inputs lag behind the venue (MKT-5, N9).

Theory: every message is applied, so that books, bars and last prices are those of the venue; what
is saved is the strategies' work. While the newest event of a book is older than ``lag_ms`` and the
uncertainty of the venue's clock, strategies hear that book at most every ``coalesce_ns``, and then
its newest state. The first message that is young again, or the time, lets the last state through.
All of it follows from recorded inputs.
"""

from collections.abc import Iterator

from plimsoll.core.engine.facts import NEVER
from plimsoll.core.engine.state import State
from plimsoll.core.feed import Market
from plimsoll.core.settings import Timing


class Backlog:
    """What strategies have not heard yet; counts in ``State.coalesced`` what they never will."""

    def __init__(self, state: State, timing: Timing) -> None:
        """Share the engine's state; nothing waits."""
        self.state = state
        self.lag_ms = timing.lag_ms
        self.coalesce_ns = timing.coalesce_ns
        self._heard_ns: dict[str, int] = {}
        self.waiting: dict[str, int] = {}
        """When books that wait are due, by instrument."""
        state.behind_ns = NEVER

    def holds(self, market: Market) -> bool:
        """Return whether strategies hear this book later, or a newer one instead.

        Hot: needs asking only for a book older than ``lag_ms``, or while one is ``waiting``.
        """
        state, name = self.state, market.instrument.name
        self._supersede(name)
        if market.age_ms <= self.lag_ms + state.safety.clock_uncertainty_ns // 1_000_000:
            return False
        due_ns = self._heard_ns.get(name, 0) + self.coalesce_ns
        if due_ns <= state.ts_ns:
            self._heard_ns[name] = state.ts_ns
            return False
        self.waiting[name] = due_ns
        self._wake()
        return True

    def due(self) -> Iterator[str]:
        """Let go of the books whose time has come."""
        now_ns = self.state.ts_ns
        for name in [name for name, due_ns in self.waiting.items() if due_ns <= now_ns]:
            del self.waiting[name]
            self._heard_ns[name] = now_ns
            yield name
        self._wake()

    def _supersede(self, name: str) -> None:
        if self.waiting.pop(name, 0):
            self.state.coalesced += 1
            self._wake()

    def _wake(self) -> None:
        self.state.behind_ns = min(self.waiting.values(), default=NEVER)
        self.state.rearm()
