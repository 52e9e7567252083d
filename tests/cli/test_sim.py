"""`sim` where it cannot start; where it can, the demo's tests run it."""

import json
import socket

import pytest

from plimsoll.cli.exits import Exit


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
