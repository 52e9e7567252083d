"""`sim` where it cannot start; where it can, the demo's tests run it."""

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
        (["--key", "none"], Exit.CREDENTIALS, "none"),
    ],
)
def test_an_option_that_does_not_do_is_told(plimsoll, tmp_path, words, code, message):
    ran = plimsoll("sim", "--dir", tmp_path, "--json", *words)
    assert ran.code == code
    assert message in ran.error["message"]
