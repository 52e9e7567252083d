"""The sessions of a record: where each begins, and with what."""

import pytest
from tests.properties.driver import PERP
from tests.track.log import LOTS, PRICE, Log, strategy

from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    RECORD_KIND,
    PaperOrderIntended,
    PaperReported,
    ParametersChanged,
    SessionEnded,
    StrategyCheckpoint,
    StrategyRestored,
    encode,
)
from plimsoll.journal import Journal
from plimsoll.track.sessions import Session, sessions_of


def written(directory, log: Log) -> None:
    journal, epoch = None, 0
    for record in log.records:
        if record.epoch != epoch:
            if journal is not None:
                journal.close()
            journal, epoch = Journal.open(directory, "main", record.epoch), record.epoch
        assert journal is not None
        journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    assert journal is not None
    journal.close()


def resting(log: Log) -> PaperOrderIntended:
    """Let an order of ``ema`` rest on paper."""
    order = log.ids.peek()
    log.ids.counter += 1
    terms = (Side.BUY, OrderType.LIMIT, TimeInForce.GTC, PRICE - 100, LOTS)
    made = log.put(PaperOrderIntended, order, "ema", PERP, *terms, False, "")
    assert isinstance(made, PaperOrderIntended)
    log.put(PaperReported, order, OrderState.OPEN, PRICE - 100, LOTS, "")
    return made


def ended(log: Log) -> None:
    log.put(SessionEnded, "stopped")


@pytest.fixture
def found(tmp_path):
    def read(log: Log, since_seq: int = 1) -> list[Session]:
        written(tmp_path, log)
        return list(sessions_of(tmp_path, "ema", since_seq))

    return read


def test_each_session_begins_with_what_the_one_before_left(found):
    log = Log().begin(strategy())
    first = resting(log)
    log.trip("ema", 10)
    log.put(StrategyCheckpoint, "ema", b"old")
    log.begin(strategy(), strategy("other"))  # the one before died: no end is on record
    log.trip("other", 10)
    log.put(StrategyCheckpoint, "ema", b"new")
    ended(log)
    log.begin(strategy())
    one, two, three = found(log)
    assert [session.epoch for session in (one, two, three)] == [1, 2, 3]
    assert [session.orders for session in (one, two, three)] == [3, 0, 0]
    assert [session.is_over for session in (one, two, three)] == [True, True, False]
    begins = [session.begun for session in (one, two, three)]
    assert [begun.checkpoint for begun in begins] == [b"", b"old", b"new"]
    assert [len(begun.orders) for begun in begins] == [0, 1, 1]
    assert [begun.is_midway for begun in begins] == [False] * 3
    state = begins[1].state("again")
    (order,) = state.orders.working.values()
    assert (order.id, order.owner) == (first.client_order_id, "again")
    assert state.checkpoints == {"again": b"old"}


def test_what_was_worked_out_at_the_start_counts_before_the_checkpoint(found):
    log = Log().begin(strategy())
    log.put(StrategyCheckpoint, "ema", b"old")
    log.begin(strategy())
    configured, listed = log.records[-2:]
    del log.records[-2:]
    log.put(StrategyRestored, "ema", b"newest")
    for record in (configured, listed):
        fields = [getattr(record, name) for name in type(record).__struct_fields__[4:]]
        log.put(type(record), *fields)
    assert found(log)[1].begun.checkpoint == b"newest"


def test_a_record_that_begins_in_a_session_begins_midway_there(found):
    log = Log().begin(strategy())
    log.trip("ema", 10)
    log.put(StrategyCheckpoint, "ema", b"before")
    changed = log.put(ParametersChanged, "ema", {"fast": 9}, {"fast": 2}, "anna", "")
    resting(log)
    log.put(StrategyCheckpoint, "other", b"of another")
    saved = log.put(StrategyCheckpoint, "ema", b"after")
    resting(log)
    log.begin(strategy())
    one, two = found(log, changed.seq)
    assert (one.begun.seq, one.begun.is_midway, one.begun.checkpoint) == (saved.seq, True, b"after")
    assert (one.early, one.orders) == (1, 1), "compared from where all is known of it"
    assert len(one.begun.orders) == 1
    assert (two.begun.is_midway, len(two.begun.orders)) == (False, 2)


def test_a_session_without_the_instance_is_none_of_its(found):
    log = Log().begin(strategy("other"))
    log.begin(strategy())
    assert [one.epoch for one in found(log)] == [2]
