"""The same strategies on the same market: in a backtest, and on paper against a simulator.

On paper a request takes effect, and the core looks at the time, as late as a timer really fires.
With the timers of the session a backtest must decide the same, whatever the machine was busy with;
with its own, which are on time, it wants the same as long as nothing came in between.
"""

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.backtest.paper import (
    PERP,
    Done,
    alike,
    as_replayed,
    backtest_of,
    decided_in,
    done,
    of_file,
    of_journal,
    paper_session,
    settings,
    with_its_timers,
)
from tests.data.recordings.lines import other_venue, wandering, write

from plimsoll.backtest.tapes import Tape
from plimsoll.data.files import lines_of

CORE = settings(("quoter", "quoter.py:Quoter", PERP), ("ema", "ema_cross.py:EmaCross", PERP))
REAL = "market/other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst"
REAL_S = 10
ORDERS = 12
"""How many make a session long enough."""


class Session(NamedTuple):
    directory: Path
    recording: Path
    journal: Path
    paper: list[Done]


def held(directory: Path, recording: Path, orders: int = 0) -> Session:
    journal = paper_session(directory, recording, CORE, orders=orders)
    return Session(directory, recording, journal, done(decided_in(journal)))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A paper session of some seconds in two minutes of a made-up market."""
    directory = tmp_path_factory.mktemp("paper")
    frames = list(wandering(3_000, step_ms=40, jump=60))
    return held(directory, write(directory / "market.jsonl", other_venue(frames)), ORDERS)


def of(owner: str, found: list[Done]) -> list[Done]:
    return [one for one in found if one.owner == owner]


def test_with_the_sessions_timers_a_backtest_decides_the_same_to_the_nanosecond(session):
    assert done(with_its_timers(session.journal, CORE)) == session.paper
    assert {"place", "amend", "fill"} <= {one.kind for one in session.paper}


def test_with_timers_of_its_own_it_begins_the_same(session):
    own = of_journal(session.journal)
    ours = done(backtest_of(Tape(own.arrivals), CORE, own.listed[PERP]))
    assert alike(of("quoter", session.paper), of("quoter", ours)) >= 2
    assert {one.kind for one in ours} >= {"place", "amend", "fill"}


def test_a_backtest_of_the_recording_itself_wants_alike(session):
    listed = of_journal(session.journal).listed[PERP]
    tape, began_ns = as_replayed(of_file(session.recording), session.directory, session.journal)
    ours = of("quoter", done(backtest_of(tape, CORE, listed, began_ns)))
    assert {one.kind for one in ours} >= {"place", "amend", "fill"}
    assert all(one.ts_ns >= began_ns for one in ours)


def test_a_real_market_is_met_alike(shared_data, tmp_path):
    lines = list(lines_of(shared_data / REAL))
    snapshot = next(place for place, line in enumerate(lines) if b"lastUpdateId" in line)
    until_ns = int(lines[snapshot].partition(b" ")[0]) + REAL_S * 1_000_000_000
    kept = [line.decode() for line in lines if int(line.partition(b" ")[0]) < until_ns]
    found = held(tmp_path, write(tmp_path / "market.jsonl", kept))
    assert done(with_its_timers(found.journal, CORE)) == found.paper
    assert of("quoter", found.paper)
