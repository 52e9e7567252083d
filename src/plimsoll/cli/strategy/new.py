"""``strategy new``: a strategy with comments and its test, to begin from."""

import re
import sys
from keyword import iskeyword
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.layout import Layout

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")

_STRATEGY: Final = '''\
"""@WORDS@: say here what it does and when it should not be used."""

from plimsoll.core.feed import Bar
from plimsoll.core.strategy import FillEvent, Strategy, param, state


class @CLASS@(Strategy):
    """Buy when the price stands under its lower band, leave at the average."""

    # What comes: time frames, and how many closed bars of each are kept.
    bars = {"1m": 100}

    # What the configuration may say, under params. Types and bounds are checked at the start.
    period: int = param(20, ge=2, le=100, help="bars of the average")
    width: float = param(2.0, ge=0.5, le=5, help="standard deviations from average to band")
    notional: float = param(500.0, ge=0, help="what to hold, in quote coin")
    stop: float = param(0.02, ge=0.001, le=0.5, help="distance of the stop, as a share")

    # What a restart remembers. Anything else assigned to self is forgotten.
    entries = state(0)

    def on_bar(self, bar: Bar) -> None:
        """Hear a closed bar: every indicator has taken it, none knows a later one."""
        band = self.bollinger(bar.instrument, "1m", self.period, self.width)
        if not band.is_ready:
            return
        if bar.close < band.lower:
            # Say what to hold; the engine finds the orders. The stop stands at the venue.
            stop = bar.close * (1 - self.stop)
            self.target(bar.instrument, notional=self.notional, stop=stop)
        elif bar.close > band.value:
            self.target(bar.instrument, qty=0)

    def on_fill(self, fill: FillEvent) -> None:
        """Hear an own execution; positions are booked already."""
        self.entries += fill.side == "buy"
'''

_TEST: Final = '''\
"""What @CLASS@ asks for. Run it with `python -m pytest tests/test_@NAME@.py` in the project."""

import sys
from decimal import Decimal
from pathlib import Path

from plimsoll.core.strategy.rehearsal import Rehearsal

sys.path.insert(0, str(Path(__file__).parents[1] / "strategies"))

from @NAME@ import @CLASS@  # noqa: E402 - it stands in the folder named above

INSTRUMENT = "linear:BTCUSDT"


def stage(*closes: float) -> Rehearsal:
    """Play closed bars to a new instance."""
    made = Rehearsal(@CLASS@(), INSTRUMENT)
    for close in closes:
        made.bar(close)
    return made


def test_nothing_is_asked_before_the_bands_are_ready() -> None:
    assert stage(100.0, 90.0).target() is None


def test_a_fall_below_the_band_is_bought_with_a_stop() -> None:
    made = stage(*[100.0, 101.0] * 10, 95.0)
    assert made.target() == Decimal("5.263")  # 500 at 95, down to a lot
    assert made.stop() == Decimal("93.1")


def test_back_at_the_average_it_is_flat() -> None:
    made = stage(*[100.0, 101.0] * 10, 95.0, 101.0)
    assert made.target() == 0
'''

_INSTANCE: Final = """\
[[strategy]]
name = "@NAME@"
class = "strategies/@NAME@.py:@CLASS@"
instruments = ["linear:BTCUSDT"]
mode = "paper"
capital = "10_000 USDT"
params = { notional = 500.0 }
"""


def new(name: str, project: str, env: str, *, json: bool) -> Exit:
    """Write a strategy and its test into a project.

    Raises:
        ConfigError: there is no project.
        Failure: the name will not do, or one of the files is there already.
    """
    layout = Layout.of(Path(project), env)
    if not _NAME.fullmatch(name):
        hint = "lower-case letters, digits and underscores, a letter first, such as mean_reversion"
        raise Failure(Exit.USAGE, "usage", f"{name!r} is no name of a file", hint)
    if iskeyword(name) or name in sys.stdlib_module_names:
        what = f"{name!r} is a word of Python or a module of its library: it could not be imported"
        raise Failure(Exit.USAGE, "usage", what, f"such as my_{name}")
    files = {
        layout.strategies_dir / f"{name}.py": _filled(_STRATEGY, name),
        layout.root / "tests" / f"test_{name}.py": _filled(_TEST, name),
    }
    for path in files:
        if path.exists():
            raise Failure(
                Exit.REFUSED, "exists", f"{path} is there already", "take another name; it stays"
            )
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    written = [str(path.relative_to(layout.root)) for path in files]
    instance = _filled(_INSTANCE, name)
    if json:
        print_json({"written": written, "instance": instance})
        return Exit.DONE
    print(f"written: {', '.join(written)}\n")
    print(f"To run it, add this to {layout.main_file}:\n\n{instance}")
    print(f"Before that: plimsoll strategy check {written[0]}")
    return Exit.DONE


def _filled(template: str, name: str) -> str:
    words = name.split("_")
    return (
        template.replace("@NAME@", name)
        .replace("@CLASS@", "".join(word.capitalize() for word in words))
        .replace("@WORDS@", " ".join(words).capitalize())
    )
