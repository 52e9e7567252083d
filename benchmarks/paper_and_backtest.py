"""The same strategies on the same recorded market: on paper against the simulator, and backtests.

    PLIMSOLL_DATA=DIRECTORY python -m benchmarks.paper_and_backtest [--full]

For each recording an engine trades on paper against a simulator that replays it, ``--full`` to its
end, in real time. Then two backtests of what that session heard. One is given the session's own
timers: it has to decide the same to the nanosecond, or this ends with what differs. In the other
timers are on time; on paper a request takes effect when a timer really fires, a little late, and
what that changes is the table.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.real_input import directory
from benchmarks.report import Result, Size, quantile
from benchmarks.report import run as report
from tests.backtest.paper import (
    Done,
    alike,
    backtest_of,
    decided_in,
    done,
    of_journal,
    paper_session,
    settings,
    with_its_timers,
)

from plimsoll.backtest.tapes import Tape
from plimsoll.data.files import lines_of

SECOND_NS: Final = 1_000_000_000


class Recording(NamedTuple):
    """A recorded book, and the instrument of the simulator that relives it: its ticks fit."""

    label: str
    file: str
    instrument: str


RECORDINGS: Final = (
    Recording(
        "perpetual",
        "other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst",
        "linear:BTCUSDT",
    ),
    Recording(
        "spot",
        "other_venues/binance_spot_BTCUSDT_depth100ms_bbo_trades_20240808_346s.jsonl.zst",
        "spot:BTCUSDT",
    ),
    Recording(
        "coin perpetual",
        "other_venues/binance_coinm_BTCUSD_depth0ms_bbo_trades_20240808_344s.jsonl.zst",
        "linear:BTCUSDT",
    ),
    Recording(
        "XRP archive",
        "bybit_linear_XRPUSDT_orderbook500_20241201_first50msgs.jsonl.zst",
        "linear:DOGEUSDT",
    ),
)
"""Those that the simulator can replay: they begin with a whole book."""


def cut(path: Path, until_s: float, into: Path) -> Path:
    """Return the beginning of a recording with times in front, from its snapshot on."""
    lines = list(lines_of(path))
    first = next((place for place, line in enumerate(lines) if b"lastUpdateId" in line), None)
    if first is None:
        return path  # an archive of some seconds
    until_ns = int(lines[first].partition(b" ")[0]) + int(until_s * SECOND_NS)
    kept = [line for line in lines if int(line.partition(b" ")[0]) < until_ns]
    into.write_bytes(b"\n".join(kept) + b"\n")
    return into


def is_order(one: Done) -> bool:
    """Return whether it asks for an order or moves one."""
    return one.kind in ("place", "amend")


def compared(paper: Sequence[Done], ours: Sequence[Done]) -> tuple[float, ...]:
    """Return the figures of one instance; see ``measure``."""
    figures: list[float] = []
    for belongs in (is_order, lambda one: one.kind == "fill"):
        left = [one.said for one in paper if belongs(one)]
        right = [one.said for one in ours if belongs(one)]
        same = (Counter(left) & Counter(right)).total()
        figures += [len(left), len(right), same]
    first = alike(paper, ours)
    began_ns = paper[0].ts_ns if paper else 0
    figures.append((paper[first].ts_ns - began_ns) / 1e9 if first < len(paper) else -1.0)
    pairs = zip(paper[:first], ours[:first], strict=True)
    late = [(one.ts_ns - other.ts_ns) / 1e6 for one, other in pairs if one.kind == "fill"]
    return (*figures, quantile(late, 0.5) if late else 0.0, max(late, default=0.0))


def session(recording: Recording, path: Path, where: Path) -> dict[str, tuple[float, ...]]:
    """Trade on paper, run both backtests, and compare.

    Raises:
        SystemExit: with the session's timers a backtest decided otherwise.
    """
    name = recording.instrument
    core = settings(("quoter", "quoter.py:Quoter", name), ("ema", "ema_cross.py:EmaCross", name))
    journal = paper_session(where, path, core)
    paper = done(decided_in(journal))
    twin = done(with_its_timers(journal, core))
    if twin != paper:
        place = next(
            (n for n, (one, other) in enumerate(zip(paper, twin, strict=False)) if one != other),
            min(len(paper), len(twin)),
        )
        raise SystemExit(
            f"{recording.label}: of {len(paper)} decisions on paper and {len(twin)} in the "
            f"backtest the first that differ are {paper[place : place + 1]} and "
            f"{twin[place : place + 1]}"
        )
    own = of_journal(journal, name)
    ours = done(backtest_of(Tape(own.arrivals), core, own.listed[name]))
    found = {}
    for owner in ("quoter", "ema"):
        sides = ([one for one in side if one.owner == owner] for side in (paper, ours))
        found[f"{recording.label}, {owner}: {len(paper)} of both"] = compared(*sides)
    return found


def measure(size: Size) -> Result:
    """Let each recording be traded."""
    market = directory() / "market"
    rows: dict[str, tuple[float, ...]] = {}
    seconds = {Size.TINY: 3.0, Size.SMALL: 20.0, Size.FULL: 3_600.0}[size]
    for recording in RECORDINGS[: 1 if size is Size.TINY else None]:
        with TemporaryDirectory(dir=os.environ.get("TMPDIR")) as where:
            root = Path(where)
            path = cut(market / recording.file, seconds, root / "market.jsonl")
            rows |= session(recording, path, root / "session")
    return Result(
        name="decisions on paper and in a backtest whose timers are on time",
        columns=(
            "orders paper",
            "backtest",
            "same",
            "fills paper",
            "backtest",
            "same",
            "alike for s",
            "late p50 ms",
            "late max ms",
        ),
        rows=rows,
        notes=(
            "with the timers of the session every decision was the same to the nanosecond",
            "orders: placed or amended; alike for: until the first that differs, -1 = none does; "
            "late: fills on paper after those of the backtest, up to there",
        ),
    )


if __name__ == "__main__":
    report("the same strategies on paper and in backtests", [measure])
