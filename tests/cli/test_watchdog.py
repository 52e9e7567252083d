"""`plimsoll watchdog`: which key it takes, what it refuses, what `status` says of it."""

import pytest
from tests.cli.conftest import edit

from plimsoll.cli.exits import Exit
from plimsoll.cli.watchdog import watchdog_settings
from plimsoll.cli.watchdog_words import words_of
from plimsoll.config.project import load_project
from plimsoll.watchdog import Reach

OWN = """
[watchdog]
key = "file:secrets/own-key"
secret = "file:secrets/own-secret"
patience = "4 s"
"""


def own_key(root):
    for name in ("own-key", "own-secret"):
        path = root / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(f"{name}\n")
    with (root / "plimsoll.toml").open("a") as file:
        file.write(OWN)


def point_somewhere(root):
    edit(root, "var/sim/sim.json", "127.0.0.1:9")


def test_it_has_a_key_of_its_own_where_one_is_given(root):
    own_key(root)
    point_somewhere(root)
    found = watchdog_settings(load_project(root))
    assert (found.venue.key, found.venue.secret.reveal()) == ("own-key", "own-secret")
    assert (found.reach, found.patience_ns) == (Reach.ACCOUNT, 4 * 10**9)


def test_elsewhere_than_on_mainnet_the_accounts_key_will_do(root):
    point_somewhere(root)
    edit(root, "dedicated = true", "dedicated = false")
    found = watchdog_settings(load_project(root))
    assert (found.venue.key, found.reach) == ("sim-key", Reach.OWN)
    found.leave_halt("test")
    assert '"actor": "watchdog"' in (found.run_dir / "halt.json").read_text()


def test_on_mainnet_a_key_of_its_own_is_required(plimsoll, root):
    edit(root, 'environment = "simulator"', 'environment = "mainnet"')
    edit(root, 'url = "var/sim/sim.json"', "")
    ran = plimsoll("watchdog", "--project", root, "--json")
    assert ran.code == Exit.CREDENTIALS
    assert "key of its own" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ('key = "file:secrets/own-key"', "watchdog.secret"),
        ('patience = "20 s"', "watchdog.restart"),
        ('patience = "0 s"', "watchdog.patience"),
        ('patients = "5 s"', "did you mean"),
    ],
)
def test_what_contradicts_itself_is_refused(plimsoll, root, words, told):
    with (root / "plimsoll.toml").open("a") as file:
        file.write(f"\n[watchdog]\n{words}\n")
    ran = plimsoll("watchdog", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert told in ran.err


def test_flattening_needs_a_dedicated_account(plimsoll, root):
    edit(root, "dedicated = true", "dedicated = false")
    with (root / "plimsoll.toml").open("a") as file:
        file.write("\n[watchdog]\nflatten = true\n")
    ran = plimsoll("watchdog", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert "dedicated" in ran.err


@pytest.mark.parametrize(
    ("window", "is_right"), [("10 s", True), ("2 s", False), ("4500 ms", False)]
)
def test_the_window_of_disconnect_protection_is_the_venues(plimsoll, root, window, is_right):
    edit(root, "dedicated = true", f'dedicated = true\ndcp = "{window}"')
    ran = plimsoll("config", "check", "--project", root)
    assert (ran.code == Exit.DONE) is is_right
    assert is_right or "3 s to 300 s" in ran.err


def test_where_none_runs_it_is_said(tmp_path):
    assert "none runs" in words_of(tmp_path)
