"""The sessions of a track record: where each began, and what the instance had at that moment.

One pass over the trading log, one session held at a time: a record may be as long as it likes.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from plimsoll.core.engine import State
from plimsoll.core.feed import Market
from plimsoll.core.model import Instrument, Order, Position
from plimsoll.core.records import (
    RECORD_KIND,
    Configured,
    LeaseTaken,
    PaperOrderIntended,
    Record,
    SessionEnded,
    StrategyCheckpoint,
)
from plimsoll.core.settings import StrategySettings
from plimsoll.engine.reading import record_of
from plimsoll.engine.restoring import forget_news
from plimsoll.journal import TRADING, scan


class Begun(msgspec.Struct, frozen=True):
    """What an instance had when it began: whoever begins there too decides alike or not."""

    settings: StrategySettings
    seq: int
    ts_ns: int
    is_midway: bool
    """Whether the session ran already: its record began later than itself, and this is the first
    checkpoint since. Only there it is known exactly what the instance had."""
    checkpoint: bytes
    instruments: list[Instrument]
    positions: list[tuple[str, Position]]
    orders: list[Order]
    """On paper, and still working."""

    def state(self, name: str) -> State:
        """Return the state of before a session in which the instance is called ``name``."""
        state = State()
        for one in self.instruments:
            state.ledger.instruments[one.name] = one
            state.markets[one.name] = Market(one)
        if self.checkpoint:
            state.checkpoints[name] = self.checkpoint
        for instrument, held in self.positions:
            state.ledger.positions[name, instrument] = msgspec.structs.replace(held)
        for order in self.orders:
            state.orders.restore(msgspec.structs.replace(order, owner=name))
        return state


class Session(msgspec.Struct):
    """One session, as far as it belongs to a record."""

    epoch: int
    first_seq: int
    begun: Begun | None = None
    """None where it broke off before."""
    orders: int = 0
    """On paper, since."""
    early: int = 0
    """Those of the record before: what the instance had at their time is not known exactly."""
    is_over: bool = False


def sessions_of(journal_dir: Path, book: str, since_seq: int) -> Iterator[Session]:
    """Yield the sessions of a paper record, oldest first, each once it is read to its end.

    Args:
        journal_dir: Of the account.
        book: The instance.
        since_seq: When its record began.

    Raises:
        JournalDamaged: the log is not whole.
    """
    state, session, is_configured = State(), Session(0, 0), False
    for entry in scan(journal_dir, TRADING):
        if entry.kind != RECORD_KIND:
            continue
        record = record_of(entry)
        if isinstance(record, LeaseTaken):
            if session.begun is not None or session.early:
                session.is_over = True
                yield session
            session, is_configured = Session(record.epoch, record.seq), False
        state.apply(record)
        forget_news(state)
        is_begin = isinstance(record, Configured)
        is_configured = is_configured or is_begin
        is_exact = isinstance(record, StrategyCheckpoint) and record.owner == book
        is_first = is_begin or (is_configured and is_exact and session.begun is None)
        if is_first and record.seq >= since_seq:
            session.begun = _begun(state, book, record, is_midway=not is_begin)
        if isinstance(record, SessionEnded):
            session.is_over = True
        elif isinstance(record, PaperOrderIntended) and record.owner == book:
            session.orders += session.begun is not None
            session.early += session.begun is None and record.seq >= since_seq
    if session.begun is not None or session.early:
        yield session


def _begun(state: State, book: str, record: Record, *, is_midway: bool) -> Begun | None:
    assert state.settings is not None
    settings = next((one for one in state.settings.strategies if one.name == book), None)
    if settings is None:
        return None
    names = settings.instruments
    return Begun(
        settings,
        record.seq,
        record.ts_ns,
        is_midway,
        state.checkpoints.get(book, b""),
        [state.instruments[name] for name in names if name in state.instruments],
        [
            (name, msgspec.structs.replace(held))
            for (owner, name), held in state.ledger.positions.items()
            if owner == book and held.qty_units
        ],
        [
            msgspec.structs.replace(order)
            for order in state.orders.working.values()
            if order.owner == book and order.is_paper
        ],
    )
