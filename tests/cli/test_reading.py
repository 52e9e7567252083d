"""Commands that only read, where there is nothing yet to read."""

import pytest

from plimsoll.cli import status, text
from plimsoll.cli.exits import Exit
from plimsoll.cli.rows import stopped_strategies
from plimsoll.cli.status import health
from plimsoll.core.engine import Core
from plimsoll.core.records import (
    Blocked,
    Halted,
    IncidentRaised,
    LeaseTaken,
    LinkChanged,
    Reconciled,
    StrategyStopped,
)
from plimsoll.lease import Holder

READERS = [
    ["status"],
    ["orders"],
    ["positions"],
    ["executors", "list"],
    ["reconcile"],
    ["quality"],
    ["replay"],
    ["journal", "tail"],
    ["journal", "verify"],
]
by_words = pytest.mark.parametrize("words", READERS, ids=" ".join)


@by_words
def test_without_a_project_the_command_that_makes_one_is_named(plimsoll, tmp_path, words):
    ran = plimsoll(*words, "--project", tmp_path, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "plimsoll demo" in ran.error["hint"]


@by_words
def test_without_a_log_the_command_that_makes_one_is_named(plimsoll, root, words):
    ran = plimsoll(*words, "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert ran.error["code"] == "no-journal"
    assert f"plimsoll run --project {root}" in ran.error["hint"]


def test_a_sound_configuration_is_told_with_its_strategies(plimsoll, root):
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.DONE
    assert "ema (live), quoter (live), ema-paper (paper)" in ran.out


def test_a_missing_limit_is_a_warning(plimsoll, root):
    path = root / "plimsoll.toml"
    path.write_text(path.read_text().replace("leverage = 5\n", ""))
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.DONE
    assert "warning  limits.leverage: not set, so zero" in ran.out


def test_a_secret_that_others_may_read_ends_with_the_code_for_credentials(plimsoll, root):
    (root / "secrets" / "secret").chmod(0o644)
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.CREDENTIALS
    assert "chmod 600" in ran.err


def test_the_merged_configuration_shows_origins_and_no_secret(plimsoll, root):
    ran = plimsoll("config", "show", "--project", root)
    assert "sim-secret" not in ran.out
    assert '"file:secrets/secret"' in ran.out
    rows = {line.split()[0]: line for line in ran.out.splitlines()}
    assert rows["execution.sweep"].split() == ["execution.sweep", '"15', 's"', "default"]
    assert rows["limits.leverage"].endswith("plimsoll.toml")


def test_strategies_are_listed_with_their_parameters(plimsoll, root):
    (cross, quoter, paper) = plimsoll("strategy", "list", "--project", root, "--json").document[
        "strategies"
    ]
    assert (cross["name"], cross["mode"], paper["mode"]) == ("ema", "live", "paper")
    assert cross["params"]["fast"] == 2
    assert cross["sha256"] == paper["sha256"] != quoter["sha256"]


def test_the_version_is_told(plimsoll):
    assert plimsoll("version").out.startswith("plimsoll ")
    assert plimsoll("--version", "--json").document["version"]


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (0, "0.00"),
        (123_456_789_012, "1,234.57"),
        (-50_000_000, "-0.50"),
        (100, "0.00"),
        (-100, "0.00"),
    ],
)
def test_money_is_shown_with_two_decimals(units, shown):
    assert text.money(units) == shown


def test_a_gain_has_its_sign():
    assert [text.money(units, signed=True) for units in (10**8, -(10**8), 0)] == [
        "+1.00",
        "-1.00",
        "0.00",
    ]


def test_numbers_stand_on_the_right():
    assert text.table(("name", ">n"), [("a", "5"), ("long one", "12")]) == (
        "name       n\na          5\nlong one  12"
    )


def test_a_mistake_elsewhere_in_the_configuration_keeps_nobody_from_looking(plimsoll, root):
    path = root / "plimsoll.toml"
    path.write_text(path.read_text().replace("leverage = 5", 'leverge = "five"'))
    assert plimsoll("config", "check", "--project", root).code == Exit.CONFIGURATION
    assert plimsoll("status", "--project", root, "--json").error["code"] == "no-journal"


def test_an_unknown_type_of_record_is_refused_with_the_nearest(plimsoll, root):
    ran = plimsoll("journal", "tail", "--project", root, "--type", "intent", "--json")
    assert ran.code == Exit.USAGE
    assert ran.error["hint"] == "did you mean 'intend'?"


def settled() -> Core:
    """Return books of a session in which everything is as it should be."""
    core = Core()
    core.apply(LeaseTaken(1, 1, 1, 0, "demo", "demo", "engine", "1"))
    core.apply(LinkChanged(2, 2, 1, 0, "private", True, "subscribed"))
    core.apply(Reconciled(3, 3, 1, 2, "private link up", 0, 0, 0))
    return core


@pytest.mark.parametrize(
    "record",
    [
        LinkChanged(4, 4, 1, 0, "trade", False, "lost"),
        LinkChanged(4, 4, 1, 0, "private", True, "subscribed"),  # books to be compared again
        StrategyStopped(4, 4, 1, 0, "ema", "on_bar raised ZeroDivisionError"),
        Halted(4, 4, 1, 0, "wrong prices", "ann"),
        Blocked(4, 4, 1, 0, "linear:BTCUSDT", "position differs"),
        IncidentRaised(4, 4, 1, 0, "stream_dead", "linear:BTCUSDT book", "no snapshot came"),
        IncidentRaised(4, 4, 1, 0, "stream_suspect", "linear:BTCUSDT book", "late"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_running_engine_that_may_not_do_all_it_is_there_for_is_unhealthy(record):
    core = settled()
    assert health(core, "running") is Exit.DONE
    core.apply(record)
    assert health(core, "running") is Exit.UNHEALTHY


def test_markets_in_doubt_are_told_until_they_are_live_again():
    core = settled()
    assert status.doubt_lines(core) == []
    subject = "linear:BTCUSDT book"
    core.apply(IncidentRaised(4, 4, 1, 0, "stream_dead", subject, "no snapshot came"))
    assert status.doubt_lines(core)[1:] == ["markets in doubt", f"  {subject}: no snapshot came"]
    core.apply(IncidentRaised(5, 5, 1, 0, "stream_live", "linear:BTCUSDT", "after 12 s"))
    assert status.doubt_lines(core) == []
    assert health(core, "running") is Exit.DONE


def test_strategies_that_ended_with_their_session_are_not_told_as_stopped():
    core = settled()
    core.apply(StrategyStopped(4, 4, 1, 0, "ema", "session ends"))
    assert stopped_strategies(core) == {}
    assert health(core, "stopped") is Exit.DONE


def test_an_engine_that_lives_and_writes_nothing_is_told_and_unhealthy(monkeypatch):
    core, holder = settled(), Holder("engine", 1, 1, "here")
    monkeypatch.setattr(status, "wall_ns", lambda: core.ts_ns + status.SILENT_NS - 1)
    assert status.engine_state(core, holder) == "running"
    monkeypatch.setattr(status, "wall_ns", lambda: core.ts_ns + status.SILENT_NS)
    assert status.engine_state(core, holder) == "silent"
    assert health(core, "silent") is Exit.UNHEALTHY
