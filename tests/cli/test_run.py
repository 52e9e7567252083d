import pytest

from plimsoll.cli.exits import Exit
from plimsoll.cli.wiring import engine_settings
from plimsoll.config.project import load_project


def edited(root, *changes):
    path = root / "plimsoll.toml"
    found = path.read_text()
    for old, new in changes:
        assert old in found
        found = found.replace(old, new)
    path.write_text(found)


MAINNET = ('environment = "simulator"\nurl = "var/sim/sim.json"', 'environment = "mainnet"')


@pytest.mark.parametrize("words", [(), ("--confirm-live", "other")])
def test_real_money_is_refused_until_the_account_is_named(plimsoll, root, words):
    edited(root, MAINNET)
    ran = plimsoll("run", "--project", root, "--json", *words)
    assert ran.code == Exit.REFUSED
    assert ran.error["code"] == "live-not-confirmed"
    assert "--confirm-live demo" in ran.error["hint"]


def test_without_a_simulator_the_command_that_starts_one_is_named(plimsoll, root):
    ran = plimsoll("run", "--project", root, "--json")
    assert ran.code == Exit.UNREACHABLE
    assert "plimsoll sim --dir" in ran.error["hint"]


@pytest.mark.parametrize("url", ["example.com:80", "127.0.0.1", "127.0.0.1:x"])
def test_an_address_that_is_no_simulator_is_refused(plimsoll, root, url):
    edited(root, ("var/sim/sim.json", url))
    ran = plimsoll("run", "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "venue.url" in ran.error["message"]


def test_a_simulators_file_that_is_something_else_is_refused(plimsoll, root):
    path = root / "var/sim/sim.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    assert plimsoll("run", "--project", root, "--json").code == Exit.CONFIGURATION


def test_a_strategy_that_does_not_load_is_refused_before_anything_starts(plimsoll, root):
    edited(root, ("fast = 2", "fats = 2"))
    ran = plimsoll("run", "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "'fast'" in ran.error["hint"]
    assert not (root / "var").exists()


def test_the_engine_gets_paths_keys_and_addresses(root):
    twice = '127.0.0.1:4711"\nredundant = ["orderbook"]'
    edited(root, ('var/sim/sim.json"', twice))
    settings = engine_settings(load_project(root, environ={}))
    assert settings.venue.redundant == ("orderbook",)
    assert settings.venue.rest_url == "http://127.0.0.1:4711"
    assert settings.venue.key == "sim-key"
    assert settings.venue.secret.reveal() == "sim-secret"
    assert "sim-secret" not in repr(settings)
    var = root / "var/development"
    assert settings.journal_dir == var / "journal/demo"
    assert (settings.lease_dir, settings.run_dir) == (var / "lease", var / "run")
    strategy = settings.load(settings.core.strategies[0])
    assert vars(strategy)["fast"] == 2
