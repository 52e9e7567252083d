"""A project that is ready to run, and the command line as a function."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from plimsoll.cli.demo.project import instruments_of, make
from plimsoll.cli.main import main
from plimsoll.simulator.thread import SimulatorThread

NAMES = "linear:BTCUSDT,linear:ETHUSDT,linear:DOGEUSDT"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        return json.loads(self.err)["error"]


@pytest.fixture
def plimsoll(capfd, monkeypatch) -> Callable[..., Ran]:
    """Run a command in this process; what it started before it is not shown."""
    for name in ("PLIMSOLL_JSON", "PLIMSOLL_PROJECT", "PLIMSOLL_ENV"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> Ran:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the project directory that `demo` makes."""
    root = tmp_path / "desk"
    make(root, instruments_of(NAMES))
    return root


def edit(root: Path, old: str, new: str) -> None:
    """Change the words of a project's configuration."""
    path = root / "plimsoll.toml"
    found = path.read_text()
    assert old in found
    path.write_text(found.replace(old, new))


@pytest.fixture
def project(root: Path, exchange: SimulatorThread) -> Path:
    """Return a project that points at the exchange of the module that asks."""
    edit(root, "var/sim/sim.json", f"127.0.0.1:{exchange.port}")
    return root
