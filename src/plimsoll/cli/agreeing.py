"""A paper session run again as a backtest, its orders held against those made again.

It begins with what the instance had when the session began (checkpoint, positions, working paper
orders), so that a session says something by itself. Both streams of orders are paired as they
pass: nothing is kept of a session but counts and a hash.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from plimsoll import __version__
from plimsoll.backtest.recorded import Runner
from plimsoll.backtest.tapes import RecordedPlan, arrivals_of
from plimsoll.cli.backtest_data import data_told
from plimsoll.cli.backtest_options import Asked
from plimsoll.cli.backtesting import planned
from plimsoll.cli.books import wall_ns
from plimsoll.cli.measuring import tell
from plimsoll.core.engine import State
from plimsoll.core.records import RECORD_KIND, PaperOrderIntended, Record
from plimsoll.engine.reading import record_of
from plimsoll.journal import TRADING, scan
from plimsoll.track.agreement import Agreement, Ask, Pairing
from plimsoll.track.sessions import Begun, Session

_SLACK_NS: Final = 1_000_000_000
"""Beyond the latency: how much later a timer of a busy machine may be."""


class SessionChecked(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest of one paper session, and of what."""

    session: int
    first_seq: int
    last_seq: int
    """Of the session's own orders that were compared; 0 where it had none."""
    digest: str
    """SHA-256 over them."""
    at_ns: int
    version: str
    """Of the release that ran it."""
    is_over: bool
    """Whether the session was over when it was run."""
    recorded: int
    made: int
    alike: int

    @property
    def is_final(self) -> bool:
        """Return whether running it again would say nothing new."""
        return self.is_over and self.version == __version__

    @property
    def agreement(self) -> Agreement:
        """Return how far both decided alike."""
        most = max(self.recorded, self.made)
        return Agreement(self.recorded, self.made, self.alike, most)


def compared(
    asked: Asked, journal: Path, book: str, session: Session, begun: Begun
) -> SessionChecked:
    """Run a session again and return how far both decided alike.

    Args:
        asked: The strategy, by its name, with the parameters and capital of the session.
        journal: Of the account.
        book: The instance whose orders count.
        session: Its data are kept.
        begun: With what it begins.

    Raises:
        ConfigError: the strategy cannot be used.
        Failure: the session's data cannot.
        JournalDamaged: the logs are not whole.
    """
    plan = planned(asked).plan
    assert isinstance(plan, RecordedPlan)
    if begun.is_midway:
        plan = msgspec.structs.replace(plan, begin_ns=begun.ts_ns)
    pairing = Pairing(plan.latency_ns + _SLACK_NS)
    recorded = _Recorded(_orders(journal, session, begun, book), pairing)
    again = _Again(plan, begun.state(asked.strategy), recorded, pairing)

    def progress(count: int, ts_ns: int) -> None:
        tell(count, ts_ns)
        again.settle(ts_ns)

    with data_told():
        again.play(arrivals_of(plan.tapes), progress)
    recorded.until(again.now_ns)
    found = pairing.end()
    return SessionChecked(
        session=session.epoch,
        first_seq=recorded.first_seq,
        last_seq=recorded.last_seq,
        digest=recorded.digest.hexdigest(),
        at_ns=wall_ns(),
        version=__version__,
        is_over=session.is_over,
        recorded=found.recorded,
        made=found.made,
        alike=found.alike,
    )


class _Recorded:
    """The orders of the session, taken as time passes."""

    def __init__(self, orders: Iterator[PaperOrderIntended], pairing: Pairing) -> None:
        self._orders = orders
        self._next = next(orders, None)
        self._pairing = pairing
        self.digest = hashlib.sha256()
        self.first_seq = self.last_seq = 0

    def until(self, ts_ns: int) -> None:
        """Take those of up to a time."""
        while self._next is not None and self._next.ts_ns <= ts_ns:
            ask = _ask(self._next)
            self._pairing.record(ask)
            self.digest.update(msgspec.json.encode(ask))
            self.first_seq = self.first_seq or self._next.seq
            self.last_seq = self._next.seq
            self._next = next(self._orders, None)


class _Again(Runner):
    """The backtest: hands on the orders that are decided."""

    def __init__(
        self, plan: RecordedPlan, state: State, recorded: _Recorded, pairing: Pairing
    ) -> None:
        super().__init__(plan, state)
        self._recorded = recorded
        self._pairing = pairing

    def settle(self, ts_ns: int) -> None:
        """Pair what stands before a time that has passed."""
        self._recorded.until(ts_ns)
        self._pairing.settle(ts_ns)

    def _follow(self, decisions: Iterable[Record]) -> None:
        super()._follow(self._noted(decisions))

    def _noted(self, decisions: Iterable[Record]) -> Iterator[Record]:
        for decision in decisions:
            yield decision
            if isinstance(decision, PaperOrderIntended):
                self._pairing.make(_ask(decision))


def _orders(
    journal: Path, session: Session, begun: Begun, book: str
) -> Iterator[PaperOrderIntended]:
    for entry in scan(journal, TRADING, begun.seq):
        if entry.epoch != session.epoch:
            return
        if entry.kind == RECORD_KIND:
            record = record_of(entry)
            if isinstance(record, PaperOrderIntended) and record.owner == book:
                yield record


def _ask(one: PaperOrderIntended) -> Ask:
    return Ask(one.ts_ns, one.instrument, str(one.side), one.price_ticks, one.qty_lots)
