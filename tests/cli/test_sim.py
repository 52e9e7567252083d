"""`sim` where it cannot start; where it can, the demo's tests run it."""

import json
import socket

import pytest

from plimsoll.cli.exits import Exit
from plimsoll.cli.sim import _accounts
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread


def test_a_port_in_use_is_told(plimsoll, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = plimsoll("sim", "--port", port, "--dir", tmp_path)
    assert ran.code == Exit.UNREACHABLE
    assert f"port {port}" in ran.err
    assert not (tmp_path / "sim.json").exists()


def test_a_data_file_that_is_none_is_refused(plimsoll, tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("not,bars\n")
    ran = plimsoll("sim", "--data", path, "--dir", tmp_path)
    assert ran.code == Exit.CONFIGURATION
    assert "bars.csv" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--data", "none.csv"], Exit.CONFIGURATION, "none.csv"),
        (["--port", "65536"], Exit.USAGE, "0 to 65535"),
        (["--speed", "0"], Exit.USAGE, "speed must be above 0"),
        (["--market", "arrivals"], Exit.USAGE, "needs data"),
        (["--burst", "0"], Exit.USAGE, "burst must be above 0"),
        (["--extra-symbols", "1000"], Exit.USAGE, "from 0 to 999"),
        (["--key", "none"], Exit.CREDENTIALS, "none"),
    ],
)
def test_an_option_that_does_not_do_is_told(plimsoll, tmp_path, words, code, message):
    ran = plimsoll("sim", "--dir", tmp_path, "--json", *words)
    assert ran.code == code
    assert message in ran.error["message"]


@pytest.fixture
def simulator(tmp_path):
    with SimulatorThread(SimSettings(directory=str(tmp_path))) as running:
        yield running


def test_faults_are_started_listed_and_stopped(plimsoll, tmp_path, simulator):
    ran = plimsoll("sim", "fault", "--dir", tmp_path)
    assert ran.code == Exit.DONE
    assert "no fault is active" in ran.out
    assert "lose_ack" in ran.out
    words = ["filters_changed", "--symbol", "BTCUSDT", "--values", "tickSize=0.5,qtyStep=0.01"]
    ran = plimsoll("sim", "fault", *words, "--duration", "60", "--dir", tmp_path, "--json")
    assert ran.code == Exit.DONE
    fault_id = json.loads(ran.out)["id"]
    begun = next(line for line in simulator.lines() if line.get("name") == "filters_changed")
    assert begun["asked"]["values"] == {"tickSize": "0.5", "qtyStep": "0.01"}
    ran = plimsoll("sim", "fault", "--dir", tmp_path)
    assert f"{fault_id}     filters_changed" in ran.out
    ran = plimsoll("sim", "fault", "--stop", fault_id, "--dir", tmp_path)
    assert ran.code == Exit.DONE
    assert "ended" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["stal"], Exit.USAGE, "no fault 'stal'"),
        (["stall", "--rate", "2"], Exit.USAGE, "rate: must be from 0 to 1"),
        (["stall", "--values", "x"], Exit.USAGE, "expected KEY=VALUE"),
        (["--stop", "f99"], Exit.USAGE, "no fault 'f99'"),
        (["stall", "--magnitude", "x"], Exit.USAGE, "a number"),
    ],
)
def test_a_fault_that_cannot_be_had_is_told(plimsoll, tmp_path, simulator, words, code, message):
    ran = plimsoll("sim", "fault", *words, "--dir", tmp_path, "--json")
    assert ran.code == code
    assert message in ran.error["message"]


def test_without_a_simulator_faults_are_refused(plimsoll, tmp_path):
    ran = plimsoll("sim", "fault", "stall", "--dir", tmp_path)
    assert ran.code == Exit.UNREACHABLE
    assert "plimsoll sim --dir" in ran.err
    with SimulatorThread(SimSettings(directory=str(tmp_path))):
        pass
    ran = plimsoll("sim", "fault", "stall", "--dir", tmp_path)
    assert ran.code == Exit.UNREACHABLE
    assert "no simulator answers" in ran.err


@pytest.mark.parametrize(
    ("name", "text", "code", "message"),
    [
        ("a.toml", '[[account]]\nkeyy = "a"', Exit.CONFIGURATION, "keyy"),
        ("a.toml", "[[account", Exit.CONFIGURATION, "a.toml"),
        ("a.toml", "", Exit.CONFIGURATION, "a.toml"),
        ("a.json", '[{"vip": -1}]', Exit.CONFIGURATION, "vip must be 0 or more"),
        ("b.toml", None, Exit.CREDENTIALS, "cannot be read"),
    ],
)
def test_accounts_that_do_not_do_are_told(plimsoll, tmp_path, name, text, code, message):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    ran = plimsoll("sim", "--accounts", path, "--dir", tmp_path, "--json")
    assert ran.code == code
    assert message in ran.error["message"]


def test_a_scenario_that_does_not_do_is_told(plimsoll, tmp_path):
    path = tmp_path / "hour.toml"
    path.write_text('[[fault]]\nname = "stall"\nrate = 3')
    ran = plimsoll("sim", "--scenario", path, "--dir", tmp_path)
    assert ran.code == Exit.CONFIGURATION
    assert "hour.toml:fault[0].rate" in ran.err


def test_accounts_of_a_file_trade(tmp_path):
    path = tmp_path / "accounts.toml"
    path.write_text(
        '[[account]]\nkey = "a"\nsecret = "x"\nuid = 5\n[[account]]\nkey = "b"\nuid = 6'
    )
    assert [account.uid for account in _accounts(str(path))] == [5, 6]


def recording(path):
    """Write an order book archive: a snapshot, then a change each 100 ms."""
    first = {"b": [["1.9530", "100"]], "a": [["1.9531", "50"]]}
    frames = [
        {
            "topic": "orderbook.500.XRPUSDT",
            "type": "delta" if number else "snapshot",
            "ts": 1_733_011_200_000 + 100 * number,
            "data": {"s": "XRPUSDT"}
            | ({"b": [["1.9530", f"{number}"]], "a": []} if number else first),
        }
        for number in range(30)
    ]
    path.write_text("\n".join(map(json.dumps, frames)))
    return path


def test_compare_shows_recording_and_simulator_side_by_side(plimsoll, tmp_path):
    path = recording(tmp_path / "ob500.jsonl")
    ran = plimsoll("sim", "compare", path)
    assert ran.code == Exit.DONE
    title, *lines = ran.out.splitlines()
    assert title == "linear:XRPUSDT, 2.9 s, a message each 100.0 ms"
    assert lines[0].split() == ["statistic", "recording", "simulator", "ratio"]
    spread = next(line for line in lines if line.startswith("spread"))
    assert spread.split()[-3:] == ["0.512", "0.512", "1.000"]
    found = json.loads(plimsoll("sim", "compare", path, "--json").out)
    assert found["statistics"]["messages a second"]["recording"] == pytest.approx(10)


@pytest.mark.parametrize("text", ["", "nothing\n", '{"topic": 1}\n', "1 {}\n", "1 {\n", "\x00"])
def test_compare_tells_what_is_wrong_with_a_file(plimsoll, tmp_path, text):
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    ran = plimsoll("sim", "compare", path, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "bad.jsonl" in ran.error["message"]
    assert plimsoll("sim", "compare", tmp_path / "none").code == Exit.CONFIGURATION
