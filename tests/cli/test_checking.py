"""``graduate --check``: a paper session of the product beside a backtest of its journal."""

import msgspec
import pytest
from tests.backtest.paper import PERP, paper_session
from tests.data.recordings.lines import other_venue, wandering, write

from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.config.project import load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.model import Mode


@pytest.fixture
def session(root, tmp_path):
    """Return a project whose quoter traded ten seconds on paper."""
    core = core_settings(load_project(root, ""))
    one = next(one for one in core.strategies if one.name == "quoter")
    path, _, kind = one.source.partition(":")
    paper = msgspec.structs.replace(
        one, source=f"{root / path}:{kind}", mode=Mode.PAPER, instruments=(PERP,)
    )
    core = msgspec.structs.replace(core, strategies=(paper,))
    frames = list(wandering(250, step_ms=40, jump=60))
    recording = write(tmp_path / "market.jsonl", other_venue(frames))
    journal = paper_session(tmp_path, recording, core)
    wanted = load_books(root).journal_dir
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.symlink_to(journal)
    return root


def test_a_backtest_of_a_paper_session_is_kept_with_what_it_was_of(plimsoll, session):
    bare = plimsoll("graduate", "quoter", "--project", session)
    assert "not checked: `plimsoll graduate quoter --check`" in bare.out
    ran = plimsoll("graduate", "quoter", "--check", "--project", session, "--json")
    assert ran.code == Exit.DONE, ran.err
    (one,) = ran.document["strategies"]
    check = one["check"]
    assert (check["session"], check["strategy"]) == (1, "quoter")
    assert check["first_seq"] < check["last_seq"]
    assert check["recorded"] > 20
    assert check["alike"] > 0
    assert check["share"] == check["alike"] / max(check["recorded"], check["made"])
    (row,) = [row for row in one["screen"]["rows"] if row["name"] == "agreement"]
    assert row["measured"] == check["share"]
    text = plimsoll("graduate", "quoter", "--project", session).out
    assert "checked    session 1, seq " in text
    strategy = next((session / "strategies").glob("quoter.py"))
    strategy.write_text(strategy.read_text() + "\n# changed\n")
    changed = plimsoll("graduate", "quoter", "--check", "--project", session, "--json")
    assert (changed.code, changed.error["code"]) == (Exit.REFUSED, "changed")
