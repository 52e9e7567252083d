"""A start whose bar windows are filled from the store: what is told, recorded and asked for."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import edit
from tests.cli.test_changing import Runs

from plimsoll.cli.exits import Exit
from plimsoll.cli.warming import WarmUp, wanted_minutes
from plimsoll.cli.wiring import engine_settings
from plimsoll.config.project import load_project
from plimsoll.core.records import BarReported, IncidentRaised, QueryAnswered
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

NAME = "linear:ETHUSDT"
KEEP = 1_400

SLOW = f'''"""Hold a long window."""
from plimsoll.core.strategy import Strategy

class Slow(Strategy):
    """Averages a long window."""

    bars = {{"1m": {KEEP}, "5m": 20, "1s": 5_000}}
'''
CONFIGURED = """
[[strategy]]
name = "slow"
class = "strategies/slow.py:Slow"
instruments = ["linear:ETHUSDT"]
mode = "paper"
capital = "10_000 USDT"
"""


def simulator(tmp_path: Path, seed: int = 1) -> SimulatorThread:
    directory = str(tmp_path / f"sim{seed}")
    return SimulatorThread(SimSettings(directory=directory, history_bars=6_000, seed=seed))


@pytest.fixture
def exchange(tmp_path) -> Iterator[SimulatorThread]:
    with simulator(tmp_path) as thread:
        yield thread


@pytest.fixture
def desk(project: Path) -> Path:
    (project / "strategies" / "slow.py").write_text(SLOW)
    edit(project, "[breakers]", f"{CONFIGURED}\n[breakers]")
    return project


def session(desk: Path, epoch: int) -> tuple[str, list[BarReported], QueryAnswered, list[str]]:
    """Run a session; return what was told, its minutes, the end of its query, and incidents."""
    engine = Runs(desk)
    try:
        engine.started("slow", epoch=epoch)

        def is_warm(_core) -> bool:
            return bool(ends())

        def ends() -> list[QueryAnswered]:
            queries = {one.query_id for one in bars()}
            found = [one for one in engine.records() if isinstance(one, QueryAnswered)]
            return [one for one in found if one.epoch == epoch and one.query_id in queries]

        def bars() -> list[BarReported]:
            found = [one for one in engine.records() if isinstance(one, BarReported)]
            return [one for one in found if one.epoch == epoch and one.instrument == NAME]

        engine.wait("the minutes", is_warm)
        incidents = [one for one in engine.records() if isinstance(one, IncidentRaised)]
        codes = [one.code for one in incidents if one.epoch == epoch]
        (end,) = ends()
        return engine.log.read_text(), bars(), end, codes
    finally:
        engine.stop()


def test_a_start_takes_what_is_stored_and_asks_for_the_rest(plimsoll, desk, tmp_path, exchange):
    since = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    shared = ("--project", desk)
    ran = plimsoll("data", "fetch", NAME, "--from", since, *shared)
    assert ran.code == Exit.DONE, ran.err

    told, bars, end, codes = session(desk, 1)
    assert f"warm-up of {NAME}: 1,403 minutes, 1," in told
    assert "the venue is asked for the others (1 page, some 1 s) and whether it agrees" in told
    assert '"event":"warm-up from the store"' in told
    assert (end.is_ok, end.reason, "store_differs" in codes) == (True, "", False)
    assert end.stored == sum(one.is_stored for one in bars) > 1_000
    starts = [one.start_ms for one in bars]
    assert starts == [*range(starts[0], starts[-1] + 1, 60_000)]
    assert plimsoll("replay", "1", *shared).code == Exit.DONE

    # ---- they are the venue's own, to the tick ----
    shutil.move(desk / "data", tmp_path / "kept")
    _, alone, end, _ = session(desk, 2)
    assert end.stored == 0
    known = {one.start_ms: one for one in bars}
    same = [(known[one.start_ms], one) for one in alone if one.start_ms in known]
    assert len(same) > 1_300
    for one, other in same:
        terms = [(x.open_ticks, x.high_ticks, x.low_ticks, x.close_ticks) for x in (one, other)]
        assert terms[0] == terms[1]
        assert one.volume_lots == pytest.approx(other.volume_lots)

    # ---- a store of another market is not believed ----
    shutil.move(tmp_path / "kept", desk / "data")
    with simulator(tmp_path, seed=2) as another:
        edit(desk, f"127.0.0.1:{exchange.port}", f"127.0.0.1:{another.port}")
        _, bars, end, codes = session(desk, 3)
    assert not any(one.is_stored for one in bars)
    assert (end.is_ok, end.stored, codes.count("store_differs")) == (True, 0, 1)
    assert "are not the venue's" in end.reason


def test_as_many_minutes_are_wanted_as_the_engine_asks_for(desk):
    found = wanted_minutes(engine_settings(load_project(desk, "")))
    assert found[NAME] == KEEP + 3


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (WarmUp(NAME, 33, 0, 0, ""), ""),
        (WarmUp(NAME, 33, 0, 0, "it is of mainnet"), "not used: it is of mainnet"),
        (WarmUp(NAME, 20_163, 0, 0, ""), "from the venue (21 pages, some 5 s)"),
        (WarmUp(NAME, 20_163, 0, 0, ""), f"`plimsoll data fetch {NAME} --from DATE` keeps them"),
        (WarmUp(NAME, 20_163, 20_000, 60_000, ""), "20,000 of them stored here, the newest of"),
    ],
)
def test_what_is_missing_is_told_before_it_is_asked_for(one, words):
    assert (words in one.words) if words else (one.words == "")
