"""Each rule of the check: what it finds, in which line, and what it leaves alone."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from plimsoll.cli.strategy.calls import BUILTINS, FORBIDDEN, METHODS
from plimsoll.cli.strategy.lint import check_file, check_text
from plimsoll.cli.strategy.rules import RULES

REPOSITORY = Path(__file__).resolve().parents[3]

HEAD = """\
from collections import deque
from typing import ClassVar
from plimsoll.core.strategy import StandardDeviation, Strategy, param, state
"""

CLASS = """\
class One(Strategy):
    bars = {"1m": 100}
    fast: int = 5
    slow: int = param(20, ge=2)
    table: ClassVar[dict[str, int]] = {}
    count: int = state(0)
    spread = state(StandardDeviation(60))
    seen = []

    def on_start(self):
        self.ready = False

    def on_bar(self, bar):
"""


def codes(text: str) -> list[str]:
    found, _ = check_text(dedent(text), "s.py")
    return [one.rule.code for one in found]


def in_a_callback(body: str) -> list[str]:
    return codes(HEAD + CLASS + indent(dedent(body), " " * 8))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import time\nx = time.time()", "clock"),
        ("import time as t\nx = t.monotonic_ns()", "clock"),
        ("from time import time_ns as now\nx = now()", "clock"),
        ("import time\nclock = time.time", "clock"),
        ("from datetime import datetime\nx = datetime.now()", "clock"),
        ("import datetime as d\nx = d.datetime.utcnow()", "clock"),
        ("from datetime import date\nx = date.today()", "clock"),
        ("import pandas as pd\nx = pd.Timestamp.now()", "clock"),
        ("from datetime import datetime as d\nx = d.fromtimestamp(1)", "clock"),
        ("import random", "random"),
        ("from random import gauss", "random"),
        ("import secrets", "random"),
        ("import uuid\nx = uuid.uuid4()", "random"),
        ("import numpy as np\nx = np.random.normal()", "random"),
        ("from numpy.random import default_rng", "random"),
        ("import os\nx = os.urandom(4)", "random"),
        ("x = hash('a')", "random"),
        ("for one in {'a', 'b'}:\n    pass", "order"),
        ("x = list(set('ab'))", "order"),
        ("x = [one for one in set('ab')]", "order"),
        ("import threading", "concurrency"),
        ("import asyncio", "concurrency"),
        ("from concurrent.futures import ThreadPoolExecutor", "concurrency"),
        ("import subprocess", "concurrency"),
        ("import os\nos.system('x')", "concurrency"),
        ("async def f():\n    pass", "concurrency"),
        ("x = open('f')", "io"),
        ("import requests", "io"),
        ("import urllib.request", "io"),
        ("import socket", "io"),
        ("import time\ntime.sleep(1)", "io"),
        ("from time import sleep", "io"),
        ("import os\nx = os.environ['A']", "io"),
        ("from pathlib import Path", "io"),
        ("def f(p):\n    return p.read_text()", "io"),
        ("import pandas\nx = pandas.read_csv('f')", "io"),
        ("print('x')", "print"),
        ("import logging", "print"),
        ("x = eval('1')", "dynamic"),
        ("import importlib", "dynamic"),
        ("_SEEN = []\ndef f(x):\n    _SEEN.append(x)", "shared"),
        ("_SEEN = {}\ndef f(x):\n    _SEEN[x] = 1", "shared"),
        ("_SEEN = deque()\ndef f(x):\n    del _SEEN[0]", "shared"),
        ("N = 0\ndef f():\n    global N\n    N += 1", "shared"),
        ("def f(frame):\n    return frame['close'].shift(-1)", "look-ahead"),
        ("def f(frame):\n    return frame.close.pct_change(periods=-5)", "look-ahead"),
        ("import numpy as np\ndef f(x):\n    return np.roll(x, -1)", "look-ahead"),
        ("def f(x):\n    return x.rolling(5, center=True).mean()", "look-ahead"),
        ("def f(x):\n    return x.bfill()", "look-ahead"),
        ("def f(x):\n    return x.fillna(method='bfill')", "look-ahead"),
        ("def f(maker):\n    return maker.open_bar[3]", "look-ahead"),
    ],
)
def test_what_breaks_a_replay_is_found_once(text, code):
    assert codes(text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import UTC, datetime\nx = datetime.fromtimestamp(1, UTC)",
        "import datetime\nx = datetime.timedelta(days=1)",
        "import time\nx = time.gmtime(0)",
        "import numpy as np\nx = np.mean([1.0])",
        "import os.path\nx = os.path.join('a', 'b')",
        "import math, statistics, bisect, itertools",
        "def f(x):\n    return x.shift(1)",
        "def f(x):\n    return x.rolling(5).mean()",
        "for one in sorted({'b', 'a'}):\n    pass",
        "x = 'a' in {'a', 'b'}",
        "_WEIGHTS = {'a': 1}\ndef f(x):\n    return _WEIGHTS[x]",
        "_ROWS = []\ndef f(x):\n    _ROWS = []\n    _ROWS.append(x)\n    return _ROWS",
        "_ROWS = []\ndef f(_ROWS):\n    _ROWS.append(1)",
        "import time\nif __name__ == '__main__':\n    print(time.time())",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import random",
        "def f(bar):\n    return bar.open, bar.hash, bar.id",
    ],
)
def test_what_is_harmless_is_left_alone(text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("self.last = bar.close", "forgotten"),
        ("self.ready = True", "forgotten"),
        ("self.total += bar.close", "forgotten"),
        ("self.cache[bar.start_ns] = bar", "forgotten"),
        ("self.cache.append(bar)", "forgotten"),
        ("self.fast, x = 3, 4", "forgotten"),
        ("self.slow = 3", "forgotten"),
        ("self.seen.append(bar)", "shared"),
        ("self._port.makers", "inside"),
        ("x = self.market(bar.instrument)._low", "inside"),
        ("self.ema(bar.instrument, '5m', 3)", "frame"),
        ("self.window(bar.instrument, frame='1h')", "frame"),
        ("self.size(bar.instrument, 'buy', volatility=0.2)", "frame"),
        ("x = self.window(bar.instrument, '1m')[100]", "look-ahead"),
        ("x = self.window(bar.instrument, '1m')[-101]", "look-ahead"),
        ("w = self.window(bar.instrument, '1m')\nx = w[len(w)]", "look-ahead"),
        ("w = self.window(bar.instrument, '1m')\nx = w[100]", "look-ahead"),
    ],
)
def test_what_a_class_must_not_do_is_found_once(body, code):
    assert in_a_callback(body) == [code]


@pytest.mark.parametrize(
    "body",
    [
        "self.count += 1",
        "self.spread.update(bar.close)",
        "x = self.ready and self.fast",
        "self._own()\nx = super().on_bar(bar)",
        "x = self.table['a']",
        "x = self.window(bar.instrument, '1m')[-1]",
        "x = self.window(bar.instrument, '1m')[99]",
        "w = self.window(bar.instrument, '1m')\nx = w[len(w) - 1]",
        "x = self.ema(bar.instrument, '1m', self.fast)",
        "x = self.ema(bar.instrument, bar.frame, 3)",
        "x = self.size(bar.instrument, 'buy', percent=5)",
        "x = self.__class__.__name__",
        "rows = []\nrows.append(bar)",
    ],
)
def test_what_a_class_may_do_is_left_alone(body):
    assert in_a_callback(body) == []


def test_a_class_that_extends_another_in_the_file_has_what_that_declares():
    text = HEAD + CLASS + "        pass\n\nclass Two(One):\n    def on_fill(self, fill):\n"
    assert codes(text + "        self.count += 1\n        self.ema('i', '1m', 3)\n") == []
    assert codes(text + "        self.other = 1\n") == ["forgotten"]


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("on_bars(self, bar)", "nothing calls on_bars(); did you mean on_bar?"),
        ("on_tick(self)", "nothing calls on_tick()"),
        ("on_bar(self)", "it is called as on_bar(self, bar)"),
        ("on_bar(self, bar, more)", "it is called as on_bar(self, bar)"),
        ("on_start(self, x)", "it is called as on_start(self)"),
        ("on_trade(self, i, p, q)", "on_trade(self, instrument, price, qty, *, is_buy)"),
        ("on_bar(self, bar, more=1)", ""),
        ("on_bar(self, *rest)", ""),
        ("on_trade(self, i, p, q, *, is_buy)", ""),
        ("on_trade(self, i, p, q, **rest)", ""),
        ("bar(self)", ""),
    ],
)
def test_a_callback_is_called_by_its_name_and_with_what_it_takes(signature, words):
    text = f"{HEAD}class One(Strategy):\n    def {signature}:\n        pass"
    found, _ = check_text(text, "s.py")
    assert [one.rule.code for one in found] == ["callback"] * bool(words)
    assert all(words in one.what for one in found)


def test_classes_that_are_no_strategies_keep_what_they_like():
    assert codes("class Book:\n    def add(self, x):\n        self.x = x") == []
    assert codes("class Book:\n    def on_bar(self, x):\n        self.x = x") == ["forgotten"]


# ---- allowances ----


def test_a_comment_with_a_reason_silences_one_code_in_its_line():
    line = "x = time.time()  # plimsoll: allow(clock) only shown, never decided on"
    assert codes(f"import time\n{line}") == []
    assert codes(f"import time\n{line}\ny = time.time()") == ["clock"]


def test_a_comment_that_stands_alone_is_meant_for_the_next_line():
    text = "# plimsoll: allow(random, io) made up before the start\nimport random, socket"
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import random  # plimsoll: allow(random)", ["allow", "random"]),
        ("import random  # plimsoll: allow(clock) a reason", ["idle-allow", "random"]),
        ("import random  # plimsoll: allow(randon) a reason", ["allow", "random"]),
        ("x = 1  # plimsoll: allow(random) it was there once", ["idle-allow"]),
        ("x = '# plimsoll: allow(random)'", []),
    ],
)
def test_an_allowance_needs_a_reason_and_something_to_allow(text, expected):
    assert codes(text) == expected


# ---- files ----


def test_places_and_words_are_told():
    (finding,), imported = check_text("import time\n\nx = time.time()\n", "strategies/s.py")
    assert (finding.place, finding.what) == ("strategies/s.py:3", "time.time")
    assert "self.now" in finding.rule.fix
    assert imported == ["time"]


def test_files_beside_it_that_it_imports_are_read_too(tmp_path):
    (tmp_path / "one.py").write_text("import helping\nfrom rows import x\nimport one")
    (tmp_path / "helping.py").write_text("import one\nimport random")
    (tmp_path / "rows.py").write_text("x = open('f')")
    (tmp_path / "other.py").write_text("import socket")
    found = check_file(tmp_path / "one.py", tmp_path)
    assert [one.place for one in found] == ["helping.py:2", "rows.py:1"]


def test_the_examples_pass():
    for path in sorted((REPOSITORY / "examples" / "strategies").glob("*.py")):
        assert check_file(path, REPOSITORY) == []


def test_every_code_that_can_be_found_has_a_rule():
    named = {*FORBIDDEN.values(), *BUILTINS.values(), *METHODS.values()}
    assert named <= RULES.keys()
    assert all(rule.why and rule.fix for rule in RULES.values())
