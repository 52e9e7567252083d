"""``graduate --check``: paper sessions of the product beside backtests of their journal."""

import shutil

import msgspec
import pytest
from tests.backtest.paper import PERP
from tests.data.recordings.lines import other_venue, wandering, write
from tests.simulation.live import EngineProcess, Sim, wait_for

from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.config.project import load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.model import Mode
from plimsoll.core.records import PaperOrderIntended
from plimsoll.engine.reading import record_of
from plimsoll.journal import TRADING, scan


@pytest.fixture
def sessions(root, tmp_path):
    """Return a project whose quoter traded on paper for some seconds, killed in the middle."""
    core = core_settings(load_project(root, ""))
    one = next(one for one in core.strategies if one.name == "quoter")
    path, _, kind = one.source.partition(":")
    paper = msgspec.structs.replace(
        one, source=f"{root / path}:{kind}", mode=Mode.PAPER, instruments=(PERP,)
    )
    core = msgspec.structs.replace(core, strategies=(paper,))
    frames = list(wandering(3_000, step_ms=40, jump=60))
    recording = write(tmp_path / "market.jsonl", other_venue(frames))
    sim = Sim(
        tmp_path / "sim", limits="off", market="arrivals", data=str(recording), push_periods="none"
    )
    engine = EngineProcess(tmp_path / "engine", sim, core)
    try:
        engine.start()
        wait_for("orders", lambda: _orders(engine.journal_dir, 1) > 25, 60.0)
        engine.kill()
        engine.start()
        wait_for("more", lambda: _orders(engine.journal_dir, 2) > 25, 60.0)
        assert engine.stop() == 143
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    wanted = load_books(root).journal_dir
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.symlink_to(engine.journal_dir)
    return root


def _orders(journal, epoch) -> int:
    if not any((journal / TRADING).glob("*.seg")):
        return 0
    found = (record_of(one) for one in scan(journal, TRADING) if one.epoch == epoch)
    return sum(isinstance(one, PaperOrderIntended) for one in found)


def test_backtests_of_all_paper_sessions_are_kept_with_what_they_were_of(plimsoll, sessions):
    root, shared = sessions, ("--project", sessions)

    def checked():
        ran = plimsoll("graduate", "quoter", "--check", *shared, "--json")
        assert ran.code == Exit.DONE, ran.err
        (one,) = ran.document["strategies"]
        return one["check"], one["screen"]["rows"]

    bare = plimsoll("graduate", "quoter", *shared)
    assert "not checked: `plimsoll graduate quoter --check`" in bare.out
    check, rows = checked()
    one, two = check["sessions"]
    assert (check["strategy"], one["session"], two["session"]) == ("quoter", 1, 2)
    assert one["first_seq"] < one["last_seq"] < two["first_seq"] < two["last_seq"]
    for each in (one, two):
        assert (each["is_over"], each["recorded"] > 20, each["alike"] > 0) == (True, True, True)
    assert (check["recorded"], check["left"]) == (one["recorded"] + two["recorded"], [])
    most = sum(max(each["recorded"], each["made"]) for each in (one, two))
    assert check["share"] == (one["alike"] + two["alike"]) / most
    (row,) = [row for row in rows if row["name"] == "agreement"]
    assert row["measured"] == check["share"]
    assert "checked    session 1, 2; " in plimsoll("graduate", "quoter", *shared).out

    # ---- what was compared is not run again, also when its data are gone ----
    again, _ = checked()
    assert again["sessions"] == check["sessions"]
    journal = load_books(root).journal_dir
    shutil.rmtree(journal / "market")
    again, _ = checked()
    assert again["sessions"] == check["sessions"]

    # ---- what cannot be compared is told ----
    (kept,) = (root / "var").rglob("quoter-check.json")
    document = msgspec.json.decode(kept.read_bytes())
    first = document["sessions"].pop(0)
    kept.write_bytes(msgspec.json.encode(document))
    again, _ = checked()
    assert [each["session"] for each in again["sessions"]] == [2]
    (left,) = again["left"]
    assert (left["session"], left["orders"]) == (1, first["recorded"])
    told = plimsoll("graduate", "quoter", *shared).out
    assert f"not compared: {first['recorded']} orders; session 1: its market data" in told
    kept.unlink()
    nothing = plimsoll("graduate", "quoter", "--check", *shared, "--json")
    assert (nothing.code, nothing.error["code"]) == (Exit.CONFIGURATION, "no-data")
    assert "market_keep_time" in nothing.error["hint"]

    # ---- another strategy is another record ----
    strategy = next((root / "strategies").glob("quoter.py"))
    strategy.write_text(strategy.read_text() + "\n# changed\n")
    changed = plimsoll("graduate", "quoter", "--check", *shared, "--json")
    assert (changed.code, changed.error["code"]) == (Exit.REFUSED, "changed")
