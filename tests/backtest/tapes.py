"""Plans over made-up recordings, and strategies that follow a script of book changes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import msgspec
from tests.data.recordings.lines import BEGIN_MS, NS, wandering
from tests.properties.driver import CASH, INSTRUMENTS, PERP, WIDE

from plimsoll.backtest.plan import Series
from plimsoll.backtest.recorded import Runner
from plimsoll.backtest.tapes import Arrival, RecordedPlan, Tape, arrivals_of
from plimsoll.core.records import Record
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.venues.bybit import PublicParser

LATE = 5


class ByBook(Strategy):
    """Does at the n-th book what its script says, and notes what it hears."""

    def __init__(self) -> None:
        self.script: dict[int, Callable[[Any], object]] = {}
        self.heard: list[Any] = []
        self.count = 0

    def on_book(self, market):
        action = self.script.get(self.count)
        self.count += 1
        if action is not None:
            action(self)

    def on_fill(self, fill):
        self.heard.append(("fill", fill.side.sign * fill.qty_lots, fill.price_ticks, fill.is_maker))

    def on_timer(self, name):
        self.heard.append(("timer", self.now))


class ByMinute(ByBook):
    """Hears minutes."""

    bars: ClassVar = {"1m": 5}

    def on_bar(self, bar):
        self.heard.append((bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume))


def tape_of(frames: Sequence[dict[str, Any]], category: str = "linear", late: int = LATE) -> Tape:
    """Return a tape of frames that arrive ``late`` ms after the venue's time."""
    encode = msgspec.json.encode

    def arrivals(number: int) -> Iterator[Arrival]:
        parse = PublicParser(category).parse
        for one in frames:
            yield (one["ts"] + late) * NS, number, parse, encode(one)

    return Tape(arrivals, f"{len(frames)} frames")


def plan_of(*tapes: Tape, script=None, strategy=None, names=(PERP,), **more: Any) -> RecordedPlan:
    made = strategy or ByBook()
    if script:
        made.script = script
    settings = StrategySettings(
        name="s", source="tests:ByBook", instruments=tuple(names), capital=100_000 * CASH
    )
    more.setdefault("limits", WIDE)
    more.setdefault("latency_ns", 10 * NS)
    return RecordedPlan(
        strategies=(settings,),
        load=lambda _one: made,
        series=[Series(INSTRUMENTS[name], lambda: iter(())) for name in names],
        tapes=list(tapes),
        **more,
    )


def played(plan: RecordedPlan, kind: type[Runner] = Runner) -> tuple[Runner, list[Record]]:
    """Play a plan; return what ran and every decision."""
    runner, found = kind(plan), []
    decided = runner.watch.decided

    def note(record: Record) -> None:
        found.append(record)
        decided(record)

    runner.watch.decided = note  # type: ignore[method-assign]
    runner.play(arrivals_of(plan.tapes))
    runner.end()
    return runner, found


def market(count: int = 200, **more: Any) -> list[dict[str, Any]]:
    return list(wandering(count, **more))


__all__ = ["BEGIN_MS", "NS"]
