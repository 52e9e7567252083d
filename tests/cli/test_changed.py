"""What differs from the configuration, as a log tells it."""

from plimsoll.cli.changed import changed_document, changed_lines, changed_of
from plimsoll.core.engine import Core
from plimsoll.core.model import Mode
from plimsoll.core.records import Configured, ParametersChanged
from plimsoll.core.settings import CoreSettings, StrategySettings, to_text


def told(**changes: object) -> Core:
    """Return a replica of a hybrid whose parameters were set one after the other."""
    one = StrategySettings(
        name="ema", source="x:Y", mode=Mode.HYBRID, instruments=("spot:X",), params={"fast": 2},
        capital=10**10, live_capital=10**9,
    )  # fmt: skip
    core = Core()
    settings = CoreSettings(account="demo", tag="demo", strategies=(one,))
    core.apply(Configured(1, 1, 1, 0, to_text(settings)))
    before = {"fast": 2, "slow": 5}
    for seq, (name, value) in enumerate(changes.items(), 2):
        name = name.rstrip("_")
        change = ({name: value}, {name: before[name]}, "anna", "calm")
        core.apply(ParametersChanged(seq, seq, 1, 1, "ema", *change))
        before[name] = value  # type: ignore[assignment]
    return core


def test_each_book_of_a_strategy_has_what_was_set():
    core = told(fast=3, slow=9)
    books = [one.name for one in core.settings.strategies] if core.settings else []
    assert len(books) == 2
    found = changed_document(core)
    assert list(found) == books
    assert found["ema"]["fast"] == {"value": 3, "file": 2, "before": 2}
    assert found["ema"]["slow"] == {"value": 9, "file": None, "before": 5}
    lines = changed_lines(core)
    assert f"  {' and '.join(books)}: fast is 3; the file says 2" in lines
    assert lines[-1].endswith("slow is 9; the file says nothing of it, it was 5")


def test_what_was_set_back_differs_no_more():
    assert changed_of(told(fast=3, fast_=2, slow=9, slow_=5)) == {}
    assert changed_lines(told()) == []


def test_one_that_runs_no_more_is_not_shown():
    core = told(fast=3)
    core.state.settings = CoreSettings(account="demo", tag="demo")
    assert changed_of(core) == {}
