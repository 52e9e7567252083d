"""State from a journal: all of the log, or a snapshot and its tail, is the state that was."""

import pytest
from tests.properties.driver import PERP, Driver

from plimsoll.core.engine import snapshot
from plimsoll.core.model import OrderState
from plimsoll.core.records import DECISIONS, INPUTS, MARKET_INPUTS, RECORD_KIND, encode
from plimsoll.engine.restoring import SNAPSHOTS, from_snapshot, restore_state
from plimsoll.journal import Journal, JournalDamaged, JournalError, snapshots, write_snapshot

STORED = frozenset((*INPUTS, *DECISIONS))


@pytest.fixture
def traded():
    """Return a driver after a session with a position, an open order and an unknown one."""
    driver = Driver().live()
    filled = driver.open_order()
    driver.execute(filled.id, 4, "e1")
    driver.open_order(side="sell", limit="52000")
    driver.do(lambda s: s.buy(PERP, "0.010", "48000"))
    driver.answered(driver.newest.id, "unknown")
    return driver


def written(driver, directory, log=None):
    journal = Journal.open(directory, "main", 1)
    for record in log if log is not None else driver.log:
        if type(record) in STORED:
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.close()


def test_an_empty_journal_is_the_state_before_the_first_record(tmp_path):
    written(None, tmp_path, [])
    state, applied, _ = restore_state(tmp_path)
    assert (state.seq, applied) == (0, 0)


def test_the_whole_log_gives_the_books_that_were(traded, tmp_path):
    written(traded, tmp_path)
    state, applied, _ = restore_state(tmp_path)
    assert applied == len([one for one in traded.log if type(one) not in MARKET_INPUTS])
    assert snapshot(state) == snapshot(_without_market(traded))
    assert [one.state for one in state.orders.working.values()] == [
        OrderState.PARTIAL,
        OrderState.OPEN,
        OrderState.UNKNOWN,
    ]
    assert state.news == []
    assert state.orders.contradictions == []


@pytest.mark.parametrize("cut", [1, 20, 40, -1])
def test_a_snapshot_and_the_tail_give_the_same(traded, tmp_path, cut):
    written(traded, tmp_path)
    whole, all_applied, _ = restore_state(tmp_path)
    part = _without_market(traded, traded.log[:cut])
    write_snapshot(tmp_path / SNAPSHOTS, part.seq, snapshot(part))
    state, applied, _ = restore_state(tmp_path)
    assert applied < all_applied
    assert snapshot(state) == snapshot(whole)


@pytest.mark.parametrize("payload", [b"not a snapshot", b"\x80"])
def test_a_snapshot_of_another_build_is_passed_over(traded, tmp_path, payload):
    written(traded, tmp_path)
    whole, all_applied, _ = restore_state(tmp_path)
    write_snapshot(tmp_path / SNAPSHOTS, 10, payload)
    state, applied, _ = restore_state(tmp_path)
    assert (snapshot(state), applied) == (snapshot(whole), all_applied)


def test_a_snapshot_the_logs_do_not_reach_is_passed_over(traded, tmp_path):
    """The machine went down before the log was on disk, or an old copy of it was restored."""
    written(traded, tmp_path, traded.log[:-9])
    whole, all_applied, _ = restore_state(tmp_path)
    ahead = _without_market(traded)
    write_snapshot(tmp_path / SNAPSHOTS, ahead.seq, snapshot(ahead))
    state, applied, _ = restore_state(tmp_path)
    assert (snapshot(state), applied) == (snapshot(whole), all_applied)


def test_an_older_snapshot_serves_where_the_newest_is_too_new(traded, tmp_path):
    written(traded, tmp_path)
    for cut in (10, 30):
        part = _without_market(traded, traded.log[:cut])
        write_snapshot(tmp_path / SNAPSHOTS, part.seq, snapshot(part))
    seqs = [seq for seq, _ in snapshots(tmp_path / SNAPSHOTS)]
    assert from_snapshot(tmp_path).seq == seqs[0]
    assert from_snapshot(tmp_path, before=seqs[0]).seq == seqs[1]
    assert from_snapshot(tmp_path, before=seqs[1]).seq == 0


def test_a_long_read_leaves_a_snapshot_before_the_newest_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("plimsoll.engine.restoring.LONG", 30)
    driver = Driver().live()
    for number in range(3):
        driver.execute(driver.open_order().id, 4, f"e{number}")
        driver.advance(60_000_000_000)
        driver.book()
    written(driver, tmp_path)
    read_only = restore_state(tmp_path)
    assert list(snapshots(tmp_path / SNAPSHOTS)) == []
    first = restore_state(tmp_path, keep=True)
    (kept, _), *others = snapshots(tmp_path / SNAPSHOTS)
    assert others == []
    assert kept < first.checkpoint_seq == read_only.checkpoint_seq
    again = restore_state(tmp_path, keep=True)
    assert again.applied < first.applied
    assert again.checkpoint_seq == first.checkpoint_seq
    assert snapshot(again.state) == snapshot(first.state)


def test_a_record_of_another_release_is_refused_with_words(traded, tmp_path):
    written(traded, tmp_path)
    journal = Journal.open(tmp_path, "main", 2)
    journal.trading(journal.last_seq + 1, 1, RECORD_KIND, b"\x91\xa3new")
    journal.close()
    with pytest.raises(JournalError, match="none that this release knows"):
        restore_state(tmp_path)


def test_a_damaged_log_is_not_traded_on(traded, tmp_path):
    written(traded, tmp_path)
    segment = next((tmp_path / "trading").glob("*.seg*"), None)
    assert segment is not None, sorted(tmp_path.rglob("*"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2 if len(content) < 9_000 else 4_600] ^= 0xFF
    segment.write_bytes(content)
    with pytest.raises(JournalDamaged):
        restore_state(tmp_path)


def _without_market(driver, log=None):
    """Return the state the stored records alone lead to."""
    from plimsoll.core.engine import State

    state = State()
    for record in log if log is not None else driver.log:
        if type(record) in STORED:
            state.apply(record)
    return state
