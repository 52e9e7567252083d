"""``gap``: on the logs of a real engine process, and on a journal of chance."""

import json
from pathlib import Path

import pytest
from tests.cli.test_demo import run_demo
from tests.cli.test_quality import write
from tests.core.execution.quality.schedules import LIVE, Schedule
from tests.core.execution.shadow.test_follower import fed
from tests.properties.driver import PERP, SPOT

from plimsoll.cli import gap
from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.core.execution.shadow import Key, Kind, bound_of, gap_of, judged
from plimsoll.core.records import OrderSent, PublicTraded, decode
from plimsoll.journal import TRADING, scan


@pytest.fixture(scope="module")
def traded(tmp_path_factory) -> Path:
    """Return a project in which engine, simulator and strategies ran as processes of their own."""
    code, found, _ = run_demo(tmp_path_factory.mktemp("gap"), "--duration", "10")
    assert code == Exit.DONE
    return Path(found["project"])


@pytest.fixture
def log():
    found = next(log for seed in range(100) if (log := Schedule(seed, 400).log)[-1].epoch == 3)
    return [record for record in found if type(record) is not PublicTraded]


@pytest.fixture
def desk(root, log):
    write(load_books(root, "").journal_dir, log)
    return root


def test_the_gap_of_a_real_engines_session(plimsoll, traded):
    ran = plimsoll("gap", "--project", traded, "--json")
    assert ran.code == Exit.DONE
    found = ran.document
    journal = load_books(traded, "").journal_dir
    sent = [
        record.client_order_id
        for entry in scan(journal, TRADING)
        if type(record := decode(entry.payload)) is OrderSent and record.action == "create"
    ]
    assert sum(row["orders"] for row in found["gap"]) == len(set(sent)) > 5
    for row in found["gap"]:
        assert row["orders"] == row["compared"] + sum(row["left_out"].values()) + row["working"]
    assert sum(row["compared"] for row in found["gap"]) > 0
    assert found["not_found_on_the_tape"] == 0
    assert found["configured"] == {"paper_latency_ms": 10.0, "paper_queue": 1.0}
    assert {row["strategy"] for row in found["gap"]} <= {"ema", "quoter"}, "live ones only"
    assert all(row["verdict"] in ("inside", "outside", "open") for row in found["verdicts"])


def test_people_read_the_same(plimsoll, traded):
    ran = plimsoll("gap", "--project", traded, "--latency", "measured", "--queue", "50%")
    assert ran.code == Exit.DONE
    lines = ran.out.splitlines()
    assert lines[0].startswith("all sessions, ")
    assert lines[1] == (
        "configured: paper_latency 10.0 ms, paper_queue 100 %; measured with latency measured, "
        "queue 50 %"
    )
    assert any(line.startswith("quoter  linear:ETHUSDT  ") for line in lines)
    assert any("orders that may rest: " in line for line in lines)
    assert any(line.strip().startswith("live less paper") for line in lines)
    assert any(line.startswith("  latency: ") for line in lines)


def test_the_document_has_the_figures_of_the_follower(plimsoll, desk, log):
    found, shadow = plimsoll("gap", "--project", desk, "--json").document, fed(log)
    assert {(row["strategy"], row["instrument"], row["kind"]) for row in found["gap"]} == set(
        shadow.cells
    )
    for row in found["gap"]:
        key = Key(LIVE, row["instrument"], Kind(row["kind"]))
        expected = gap_of(shadow.cells[key])
        assert row["compared"] == expected.compared
        assert row["left_out"] == expected.voids
        assert row["price_bps"] == expected.price_bps._asdict()
        assert row["filled"] == expected.filled._asdict()
        assert row["working"] == shadow.unjudged.get(key, 0)
    assert len(found["verdicts"]) == len(judged(shadow.cells, bound_of(shadow.settings)))


def test_strategy_instrument_and_session_narrow_it(plimsoll, desk):
    whole = plimsoll("gap", "--project", desk, "--json").document
    assert {row["instrument"] for row in whole["gap"]} == {PERP, SPOT}
    some = plimsoll("gap", "--project", desk, "--json", "--instrument", SPOT).document
    assert some["gap"] == [row for row in whole["gap"] if row["instrument"] == SPOT]
    last = plimsoll("gap", "--project", desk, "--json", "--session", "last").document
    assert last["records"] < whole["records"]
    assert sum(row["orders"] for row in last["gap"]) < sum(row["orders"] for row in whole["gap"])


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--strategy", "lives"), "no order of strategy 'lives'", f"did you mean {LIVE}?"),
        (("--instrument", "x"), "no order of instrument 'x'", "there are: "),
        (("--session", "9"), "there is no session '9'", "sessions: 1, 2, 3"),
        (("--latency", "35"), "--latency: expected a duration with its unit", "`configured`"),
        (("--latency", "-3ms"), "--latency: expected a duration", "`configured`"),
        (("--queue", "1.5"), "--queue: expected a fraction from 0 to 1", "`configured`"),
        (("--queue", "half"), "--queue: expected a fraction from 0 to 1", "`configured`"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(plimsoll, desk, words, message, hint):
    ran = plimsoll("gap", "--project", desk, "--json", f"{words[0]}={words[1]}")
    assert ran.code == Exit.USAGE
    assert message in ran.error["message"]
    assert hint in ran.error["hint"]


def test_a_log_without_live_orders_says_so(plimsoll, root, log):
    write(load_books(root, "").journal_dir, log[:3])
    ran = plimsoll("gap", "--project", root)
    assert (ran.code, ran.out.splitlines()[-1]) == (Exit.DONE, "no live order was sent")


def test_following_prints_it_again_until_it_is_interrupted(plimsoll, desk, capfd, monkeypatch):
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("plimsoll.cli.gap.time.sleep", pause)
    ran = plimsoll("gap", "--project", desk, "--follow", "--json")
    documents = [json.loads(line) for line in ran.out.splitlines()]
    assert len(documents) == 3
    assert documents[0]["gap"] == documents[2]["gap"]
    assert pauses == [gap.EVERY_S] * 3


def test_kinds_have_words():
    assert set(gap._MEANT) == set(Kind)
