"""Whether paper and a backtest decide alike: orders of a session held against those made again.

Two orders are the same where instrument, side and quantity are, the price within a tick, and the
time within a tolerance: on paper a timer fires when the machine gets to it, in a backtest on the
dot. Each order has one partner at most, the nearest in time. Orders are forgotten once none of
their time can come any more: a session may be as long as it likes.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

LEAST: Final = 20
"""Orders below which a share says nothing."""

NEAR_TICKS: Final = 1

_Key = tuple[str, str, int]


class Ask(NamedTuple):
    """An order that was decided."""

    ts_ns: int
    instrument: str
    side: str
    price_ticks: int
    qty_lots: int

    @property
    def key(self) -> _Key:
        """Return what must be equal."""
        return self.instrument, self.side, self.qty_lots


class Agreement(NamedTuple):
    """What comes of one session, or of several together."""

    recorded: int
    made: int
    alike: int
    most: int
    """Orders of the longer list, session by session."""

    @property
    def share(self) -> float | None:
        """Return the share that has a partner, of the longer list; None where both are short."""
        return self.alike / self.most if self.most >= LEAST else None


class Pairing:
    """Pairs two streams of orders, each in order of time."""

    def __init__(self, within_ns: int) -> None:
        """Begin with no order on either side."""
        self.within_ns = within_ns
        self.count_recorded = self.count_made = self.alike = 0
        self._recorded: deque[Ask] = deque()
        self._made: dict[_Key, deque[Ask]] = {}
        self._keys: deque[tuple[int, _Key]] = deque()
        """Of those made, in order of time: what is too old is let go of by it."""

    def record(self, ask: Ask) -> None:
        """Take an order of the session."""
        self.count_recorded += 1
        self._recorded.append(ask)

    def make(self, ask: Ask) -> None:
        """Take an order that was made again."""
        self.count_made += 1
        self._made.setdefault(ask.key, deque()).append(ask)
        self._keys.append((ask.ts_ns, ask.key))

    def settle(self, until_ns: int) -> None:
        """Pair what nothing of before a time can change any more; none older comes after."""
        within = self.within_ns
        while self._recorded and self._recorded[0].ts_ns + within < until_ns:
            self._pair(self._recorded.popleft())
        oldest = min(self._recorded[0].ts_ns, until_ns) if self._recorded else until_ns
        while self._keys and self._keys[0][0] < oldest - within:
            self._let_go(self._keys.popleft()[1], oldest - within)

    def end(self) -> Agreement:
        """Pair what is left and return what came of it."""
        while self._recorded:
            self._pair(self._recorded.popleft())
        most = max(self.count_recorded, self.count_made)
        return Agreement(self.count_recorded, self.count_made, self.alike, most)

    # ---- inside ----

    def _pair(self, ask: Ask) -> None:
        self._let_go(ask.key, ask.ts_ns - self.within_ns)
        others = self._made.get(ask.key, ())
        near = [
            (abs(one.ts_ns - ask.ts_ns), place)
            for place, one in enumerate(others)
            if one.ts_ns <= ask.ts_ns + self.within_ns
            and abs(one.price_ticks - ask.price_ticks) <= NEAR_TICKS
        ]
        if near:
            del self._made[ask.key][min(near)[1]]
            self.alike += 1

    def _let_go(self, key: _Key, before_ns: int) -> None:
        others = self._made.get(key)
        if others is None:
            return
        while others and others[0].ts_ns < before_ns:
            others.popleft()
        if not others:
            del self._made[key]


def agreement_of(recorded: Sequence[Ask], made: Sequence[Ask], within_ns: int) -> Agreement:
    """Return how much of two lists of orders, each in order of time, is alike."""
    pairing = Pairing(within_ns)
    for one in recorded:
        pairing.record(one)
    for one in made:
        pairing.make(one)
    return pairing.end()


def together(sessions: Sequence[Agreement]) -> Agreement:
    """Return the agreement over sessions: too many in one make up for nothing in another."""
    sums = [sum(column) for column in zip(*sessions, strict=True)] or [0, 0, 0, 0]
    return Agreement(*sums)
