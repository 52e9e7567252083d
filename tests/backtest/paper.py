"""A paper session beside its backtest: what both decided.

Paper lets a request take effect one latency after it was decided, or as soon after that as its
timer really fires; a backtest on the dot. That is all they differ by: with the timers of the
session (``with_its_timers``) a backtest decides the same, at the same nanosecond.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tests.backtest.tapes import played
from tests.simulation.engine_child import load
from tests.simulation.live import LIMITS, UNIT, EngineProcess, Sim, wait_for

from plimsoll.backtest.plan import Series
from plimsoll.backtest.recorded import Runner
from plimsoll.backtest.tapes import Arrival, Make, RecordedPlan, Tape
from plimsoll.core.model import Mode
from plimsoll.core.records import (
    RECORD_KIND,
    BookChanged,
    Configured,
    OrderDenied,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PublicTraded,
    Record,
    SessionStopping,
    StrategyCheckpoint,
    TimerFired,
)
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, StrategySettings
from plimsoll.data.recordings import Opened, open_file, open_journal
from plimsoll.engine.reading import record_of
from plimsoll.journal import TRADING, scan

EXAMPLES = Path(__file__).parents[2] / "examples" / "strategies"
PERP = "linear:BTCUSDT"


class Done(NamedTuple):
    """One thing a strategy wanted, or a fill: comparable over sessions."""

    kind: str
    owner: str
    order: int
    """The how manieth order of its owner."""
    terms: tuple[Any, ...]
    ts_ns: int

    @property
    def said(self) -> tuple[Any, ...]:
        """What it was, without when."""
        return self.kind, self.owner, self.order, self.terms


def settings(*instances: tuple[str, str, str]) -> CoreSettings:
    """Return a core with paper instances of (name, file and class, instrument)."""
    return CoreSettings(
        account="test",
        tag="test",
        limits=LIMITS,
        breakers=BreakerSettings(off=tuple(set(BREAKERS))),
        venue_orders_per_second=1_000_000,
        repeat_max=1_000_000,
        same_action_max=1_000_000,
        strategies=tuple(
            StrategySettings(
                name=name,
                source=f"{EXAMPLES}/{source}",
                instruments=(instrument,),
                mode=Mode.PAPER,
                capital=10_000 * UNIT,
            )
            for name, source, instrument in instances
        ),
    )


def instrument_of(core: CoreSettings) -> str:
    """Return the one instrument they all trade."""
    (name,) = {name for one in core.strategies for name in one.instruments}
    return name


def paper_session(directory: Path, recording: Path, core: CoreSettings, *, orders: int = 0) -> Path:
    """Trade on paper against a simulator that replays a recording; return the journal.

    Each recorded change is a message of its own. The session lasts until the recording ends or,
    where ``orders`` are given, so many have been placed, and one was amended and one filled: a
    start may take longer than a short recording.
    """
    sim = Sim(
        directory / "sim",
        limits="off",
        instrument=instrument_of(core),
        market="arrivals",
        data=str(recording),
        push_periods="none",
    )
    engine = EngineProcess(directory / "engine", sim, core)

    def is_over() -> bool:
        return _has_ended(directory / "sim") or bool(orders and _traded(engine) >= orders)

    engine.start()
    try:
        wait_for("its end", is_over, 600.0)
        assert engine.stop() == 143
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    return engine.journal_dir


def _traded(engine: EngineProcess) -> int:
    """Return how many orders were placed, zero before one was amended and one filled."""
    if not any((engine.journal_dir / TRADING).glob("*.seg")):
        return 0
    counts = Counter(map(type, decided_in(engine.journal_dir)))
    is_busy = counts[PaperAmendIntended] and counts[PaperFilled]
    return counts[PaperOrderIntended] if is_busy else 0


def _has_ended(directory: Path) -> bool:
    record = directory / "record.jsonl"
    return record.exists() and "recording ended after" in record.read_text()


def decided_in(journal: Path) -> list[Record]:
    """Return the records of a session's trading log."""
    return [record_of(entry) for entry in scan(journal, TRADING) if entry.kind == RECORD_KIND]


def backtest_of(tape: Tape, core: CoreSettings, listed: Any, begin_ns: int = 0) -> list[Record]:
    """Return every decision of a backtest over a recording."""
    return played(plan_over([tape], core, listed, begin_ns))[1]


def plan_over(
    tapes: list[Tape], core: CoreSettings, listed: Any, begin_ns: int = 0
) -> RecordedPlan:
    return RecordedPlan(
        strategies=core.strategies,
        load=load,
        series=[Series(listed, lambda: iter(()))],
        tapes=tapes,
        limits=core.limits,
        base=core,
        latency_ns=core.timing.paper_latency_ns,
        look_ns=core.timing.beat_ns,
        seed=core.seed,
        begin_ns=begin_ns,
    )


def of_journal(journal: Path, name: str = PERP) -> Opened:
    return open_journal(journal, frozenset({name}))


def of_file(path: Path, names: dict[str, str] | None = None) -> Opened:
    return open_file(path, names or {"BTCUSDT": PERP}, 0)


def as_replayed(opened: Opened, directory: Path, journal: Path) -> tuple[Tape, int]:
    """Return a recording at the times the simulator gave it, and when the instances began.

    Bars are cut at whole seconds of the venue: a recording replayed at another time has others.
    """
    with (directory / "sim" / "record.jsonl").open("rb") as record:
        anchor_ns = msgspec.json.decode(record.readline())["t_ns"]
    began_ns = next(one for one in decided_in(journal) if isinstance(one, StrategyCheckpoint)).ts_ns
    shift_ns = 0
    for ts_ns, _, make, what in opened.arrivals(0):
        if isinstance(make(what, 1, ts_ns, 1), BookChanged):
            shift_ns = anchor_ns - ts_ns
            break

    def arrivals(number: int) -> Iterator[Arrival]:
        for ts_ns, _, make, what in opened.arrivals(number):
            yield ts_ns + shift_ns, number, partial(_shifted, make, ts_ns), what

    return Tape(arrivals), began_ns


def _shifted(make: Make, was_ns: int, what: Any, seq: int, ts_ns: int, epoch: int) -> Record | None:
    record = make(what, seq, ts_ns, epoch)
    at_ms = ts_ns // 1_000_000
    if isinstance(record, BookChanged):
        return msgspec.structs.replace(record, venue_ms=at_ms)
    if isinstance(record, PublicTraded):
        rows = [(price, qty, is_buy, at_ms) for price, qty, is_buy, _ in record.rows]
        return msgspec.structs.replace(record, venue_ms=at_ms, rows=rows)
    return record


def with_its_timers(journal: Path, core: CoreSettings) -> list[Record]:
    """Return every decision of a backtest over a session whose timers fire as they did there."""
    name = instrument_of(core)
    opened, log = of_journal(journal, name), list(scan(journal, TRADING))
    typed = [(entry.ts_ns, record_of(entry)) for entry in log if entry.kind == RECORD_KIND]
    began_ns = next(ts_ns for ts_ns, record in typed if isinstance(record, Configured))

    ended_ns = next(ts_ns for ts_ns, record in typed if isinstance(record, SessionStopping))

    def until_the_stop(number: int) -> Iterator[Arrival]:
        return takewhile(lambda one: one[0] < ended_ns, opened.arrivals(number))

    def timers(number: int) -> Iterator[Arrival]:
        yield began_ns, number, _nothing, None
        for ts_ns, record in typed:
            if isinstance(record, TimerFired) and ts_ns < ended_ns:
                yield ts_ns, number, _again, record

    plan = plan_over([Tape(timers), Tape(until_the_stop)], core, opened.listed[name])
    return played(plan, kind=Patient)[1]


class Patient(Runner):
    """Fires no timer of the core itself: they come as inputs."""

    def _note_due(self) -> None:
        self.due_ns = self.watch.due_ns


def _nothing(_what: Any, _seq: int, _ts_ns: int, _epoch: int) -> None:
    return None


def _again(record: Record, seq: int, ts_ns: int, epoch: int) -> Record:
    return msgspec.structs.replace(record, seq=seq, ts_ns=ts_ns, epoch=epoch)


def done(records: Sequence[Record]) -> list[Done]:
    """Return what instances wanted and what was filled, until the session was stopped."""
    counts: dict[str, int] = {}
    owners: dict[str, tuple[str, int]] = {}
    found = []
    for record in records:
        match record:
            case PaperOrderIntended():
                count = counts[record.owner] = counts.get(record.owner, 0) + 1
                owners[record.client_order_id] = record.owner, count
                kind, terms = "place", (str(record.side), record.price_ticks, record.qty_lots)
            case PaperAmendIntended():
                kind, terms = "amend", ("", record.price_ticks, record.qty_lots)
            case PaperCancelIntended() if not record.reason.startswith(("stop", "the data ends")):
                kind, terms = "cancel", (record.reason, 0, 0)
            case PaperFilled():
                maker = "maker" if record.is_maker else "taker"
                kind, terms = "fill", (maker, record.price_ticks, record.qty_lots)
            case OrderDenied():
                kind, terms = "denied", (record.code, 0, 0)
                owners[""] = record.owner, 0
            case _:
                continue
        owner, number = owners[getattr(record, "client_order_id", "")]
        found.append(Done(kind, owner, number, terms, record.ts_ns))
    return found


def alike(one: Sequence[Done], other: Sequence[Done]) -> int:
    """Return how many things both say before the first difference."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left.said != right.said:
            return place
    return min(len(one), len(other))
