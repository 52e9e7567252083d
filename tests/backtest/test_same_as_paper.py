"""The same strategies on the same market: in a backtest, and on paper against a simulator.

What must be equal is what they want, one thing after another. On paper a request takes effect as
late as its timer fires; nothing may differ before an input has come in between.
"""

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.backtest.paper import (
    NEVER,
    PERP,
    Done,
    alike,
    as_replayed,
    backtest_of,
    decided_in,
    done,
    first_late_ns,
    of_file,
    of_journal,
    paper_session,
    settings,
)
from tests.data.recordings.lines import other_venue, wandering, write

from plimsoll.backtest.tapes import Tape
from plimsoll.core.model import Instrument
from plimsoll.data.files import lines_of

CORE = settings(("quoter", "quoter.py:Quoter", PERP), ("ema", "ema_cross.py:EmaCross", PERP))
REAL = "market/other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst"
REAL_S = 10
NEAR_NS = 250_000_000
"""The simulator begins, and hands on, some milliseconds after its own first note."""


class Session(NamedTuple):
    paper: list[Done]
    late_ns: int
    """When an input first came between what was due on paper and its effect."""
    listed: Instrument
    journal: Tape
    replayed: Tape
    began_ns: int


def held(directory: Path, recording: Path) -> Session:
    journal = paper_session(directory, recording, CORE)
    own = of_journal(journal)
    replayed, began_ns = as_replayed(of_file(recording), directory, journal)
    return Session(
        done(decided_in(journal)),
        first_late_ns(journal, CORE),
        own.listed[PERP],
        Tape(own.arrivals),
        replayed,
        began_ns,
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A paper session over ten seconds of a made-up market."""
    directory = tmp_path_factory.mktemp("paper")
    frames = list(wandering(250, step_ms=40, jump=60))
    return held(directory, write(directory / "market.jsonl", other_venue(frames)))


def of(owner: str, found: list[Done]) -> list[Done]:
    return [one for one in found if one.owner == owner]


def check_its_own_journal(session: Session) -> list[Done]:
    """Hold a backtest of the session's journal against the session."""
    ours = done(backtest_of(session.journal, CORE, session.listed))
    for owner in ("quoter", "ema"):
        paper, back = of(owner, session.paper), of(owner, ours)
        place = alike(paper, back)
        if place < max(len(paper), len(back)):
            assert max(one[min(place, len(one) - 1)].ts_ns for one in (paper, back)) >= (
                session.late_ns
            )
        for one, other in zip(paper[:place], back[:place], strict=True):
            if one.ts_ns < session.late_ns and one.kind != "fill":
                if owner == "quoter":
                    assert one.ts_ns == other.ts_ns  # said at a book: that came when it came
                else:
                    assert one.ts_ns >= other.ts_ns  # on paper a timer is never early
    return ours


def test_a_backtest_of_the_session_itself_wants_the_same(session):
    ours = check_its_own_journal(session)
    assert {"place", "amend", "fill"} <= {one.kind for one in ours}
    assert {"maker", "taker"} <= {one.terms[0] for one in ours if one.kind == "fill"} | {"taker"}


def test_a_backtest_of_the_recording_wants_the_same(session):
    ours = done(backtest_of(session.replayed, CORE, session.listed, session.began_ns))
    paper, back = of("quoter", session.paper), of("quoter", ours)
    assert len(back) > 10
    place = alike(paper, back)
    if session.late_ns == NEVER:
        # One message more or less at the beginning moves the first quote, not those after it.
        said = [one.terms for one in paper]
        assert sum(one.terms in said for one in back) >= 0.8 * len(back)
    assert all(
        abs(one.ts_ns - other.ts_ns) < NEAR_NS
        for one, other in zip(paper[:place], back[:place], strict=True)
        if one.ts_ns < session.late_ns
    )


def test_a_real_market_is_met_alike(shared_data, tmp_path):
    lines = list(lines_of(shared_data / REAL))
    snapshot = next(place for place, line in enumerate(lines) if b"lastUpdateId" in line)
    until_ns = int(lines[snapshot].partition(b" ")[0]) + REAL_S * 1_000_000_000
    kept = [line.decode() for line in lines if int(line.partition(b" ")[0]) < until_ns]
    session = held(tmp_path, write(tmp_path / "market.jsonl", kept))
    assert of("quoter", check_its_own_journal(session))
