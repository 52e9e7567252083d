"""A project to break in one place at a time."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from plimsoll.config.project import Project, load_project

STRATEGY = """
from plimsoll.core.strategy import Strategy

class Plain(Strategy):
    fast: int = 10
    weight: float = 0.5
"""

WHOLE = """
[account]
tag = "abc"
[limits]
price_distance = "2 %"
order_notional = "500 USDT"
orders_per_second = 5
orders_per_day = 1_000
open_orders = 4
position_notional = "2_000 USDT"
exposure = 5000
daily_loss = "100 USDT"
drawdown = 0.05
leverage = 2
[[strategy]]
name = "one"
class = "strategies/plain.py:Plain"
instruments = ["linear:BTCUSDT"]
capital = "1_000 USDT"
params = { fast = 7 }
"""


class Desk:
    """A project directory and what is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "strategies").mkdir()
        (root / "strategies" / "plain.py").write_text(STRATEGY)
        self.write(WHOLE)

    def write(self, text: str, name: str = "plimsoll.toml") -> Path:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
        return path

    def replace(self, old: str, new: str) -> None:
        path = self.root / "plimsoll.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def load(self, environment: str = "", **rest) -> Project:
        return load_project(self.root, environment, **{"environ": {}, **rest})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def broken(desk: Desk) -> Callable[[str, str], Desk]:
    def replace(old: str, new: str) -> Desk:
        desk.replace(old, new)
        return desk

    return replace
