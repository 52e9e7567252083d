"""``quality`` on a journal of chance: its numbers are the follower's, its dashes have reasons."""

import json

import pytest
from tests.core.execution.quality.schedules import LIVE, PAPER, Schedule
from tests.core.execution.quality.test_follower import fed
from tests.properties.driver import PERP, SPOT

from plimsoll.cli import measuring
from plimsoll.cli.exits import Exit
from plimsoll.cli.measuring import Measurer
from plimsoll.config.books import load_books
from plimsoll.core.execution.quality import Key, Kind, Quality, measured, merged
from plimsoll.core.records import FRAME_KIND, RECORD_KIND, BookChanged, encode
from plimsoll.journal import Follower, Journal
from plimsoll.venues.bybit.links import parsers_for

LINKS = {parser.category: bytes([link]) for link, parser in parsers_for().items()}


def frame_of(book: BookChanged) -> bytes:
    """Return the venue's text of a book message."""
    category, symbol = book.instrument.split(":")
    rows = {
        name: [[repr(price), repr(qty)] for price, qty in side]
        for name, side in (("b", book.bids), ("a", book.asks))
    }
    data = rows | {"u": book.update_id, "seq": book.venue_seq}
    topic = f"orderbook.50.{symbol}"
    text = {"topic": topic, "type": "snapshot", "cts": book.venue_ms, "data": data}
    return LINKS[category] + json.dumps(text).encode()


def write(folder, log) -> None:
    """Write a log as engines would, a journal opened for each session."""
    for epoch in dict.fromkeys(record.epoch for record in log):
        journal = Journal.open(folder, "main", epoch)
        for record in (one for one in log if one.epoch == epoch):
            if isinstance(record, BookChanged):
                journal.market(record.seq, record.ts_ns, FRAME_KIND, frame_of(record))
            else:
                journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        journal.close()


@pytest.fixture
def log():
    found = next(log for seed in range(100) if (log := Schedule(seed, 400).log)[-1].epoch == 3)
    assert len(found) > 300
    return found


@pytest.fixture
def desk(root, log):
    write(load_books(root, "").journal_dir, log)
    return root


def figures(quality: Quality, key: Key):
    return {
        one.metric.name: {"unit": one.metric.unit, "n": one.n, **one.figures}
        | ({"reason": one.reason} if one.reason else {})
        for one in measured(quality.cells[key])
    }


def test_the_document_has_the_figures_of_the_follower(plimsoll, desk, log):
    found, quality = plimsoll("quality", "--project", desk, "--json").document, fed(log)
    rows = {
        (row["strategy"], row["instrument"], row["mode"], row["kind"]): row
        for row in found["quality"]
    }
    kinds = [key for key in quality.cells if key.kind is not Kind.NONE]
    for key in kinds:
        row = rows[key.owner, key.instrument, "paper" if key.is_paper else "live", str(key.kind)]
        assert row["metrics"] == figures(quality, key)
        assert row["fills"] == quality.cells[key].fills
    assert len(kinds) > 8
    assert found["records"] == len(log)
    assert found["outside_fills"] == quality.outside
    whole = merged(cell for key, cell in quality.cells.items() if not key.is_paper)
    (total,) = [row for row in found["totals"] if row["mode"] == "live"]
    assert total["metrics"]["denied"]["value"] == whole.denied
    assert (
        rows[LIVE, PERP, "live", "all"]["orders"] + rows[LIVE, SPOT, "live", "all"]["orders"]
        == whole.orders
    )


def test_the_table_has_a_dash_and_what_it_takes_where_n_is_too_small(plimsoll, desk):
    ran = plimsoll("quality", "--project", desk)
    assert ran.code == Exit.DONE
    lines = ran.out.splitlines()
    assert lines[0].startswith("all sessions, ")
    for title in (f"{LIVE}  {PERP}  live", f"{PAPER}  {SPOT}  paper", "everything live"):
        assert any(line.startswith(title) for line in lines), title
    dashes = [line for line in lines if " - " in line and "need" in line]
    assert dashes
    assert all("need" in line for line in lines if "  -  " in line)
    assert any("bps" in line and "slippage to decision" in line for line in lines)
    assert "fills have no middle to be held against" in ran.out


def test_one_session_counts_what_was_recorded_in_it(plimsoll, desk, log):
    whole = plimsoll("quality", "--project", desk, "--json").document
    parts = [
        plimsoll("quality", "--project", desk, "--json", "--session", epoch).document
        for epoch in (1, 2, 3)
    ]
    assert sum(part["records"] for part in parts) == whole["records"]
    last = plimsoll("quality", "--project", desk, "--json", "--session", "last").document
    assert last["quality"] == parts[2]["quality"]
    for mode in (0, 1):
        orders = [part["totals"][mode]["orders"] for part in parts if part["totals"]]
        assert sum(orders) == whole["totals"][mode]["orders"]
        assert all(orders)


def test_strategy_and_instrument_narrow_it(plimsoll, desk):
    words = ("quality", "--project", desk, "--json", "--strategy", PAPER, "--instrument", SPOT)
    found = plimsoll(*words).document
    assert {(row["strategy"], row["instrument"]) for row in found["quality"]} == {(PAPER, SPOT)}
    assert [row["mode"] for row in found["totals"]] == ["paper"]


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("--session", "7"), "no-session", "sessions: 1, 2, 3; or `last`, or `all`"),
        (("--session", "new"), "no-session", "sessions: 1, 2, 3; or `last`, or `all`"),
        (("--strategy", "papr"), "not-found", "did you mean paper?"),
        (("--instrument", "x"), "not-found", f"there are: {PERP}, {SPOT}"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(plimsoll, desk, words, code, hint):
    ran = plimsoll("quality", "--project", desk, "--json", *words)
    assert ran.code == Exit.USAGE
    assert (ran.error["code"], ran.error["hint"]) == (code, hint)


def test_a_long_read_says_how_far_it_is(desk, log, monkeypatch):
    monkeypatch.setattr(measuring, "_TELL_S", 0.0)
    told = []
    folder = load_books(desk, "").journal_dir
    Measurer(folder, Quality(), told=lambda *how: told.append(how)).read()
    assert told[-1] == (len(log), log[-1].ts_ns)


def test_the_log_of_a_running_engine_is_read_to_where_it_was_at_the_start(desk, log, monkeypatch):
    monkeypatch.setattr(measuring, "wall_ns", lambda: log[0].ts_ns)
    folder = load_books(desk, "").journal_dir
    polls = []

    class Counted(Follower):
        def poll(self):
            polls.append(1)
            return super().poll()

    monkeypatch.setattr(measuring, "Follower", Counted)
    assert Measurer(folder, Quality()).read().records == len(log)
    assert len(polls) == 1


def test_a_log_without_orders_says_so(plimsoll, root, log):
    write(load_books(root, "").journal_dir, log[:3])
    ran = plimsoll("quality", "--project", root)
    assert (ran.code, ran.out.splitlines()[-1]) == (Exit.DONE, "no order was asked for")
