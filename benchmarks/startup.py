"""How long until it works: ``plimsoll --help``, the engine's imports, process start to first book.

The first book is read from the engine's own market log: when its first book frame came in, which
is when it was applied, against the time the process was asked for. The interpreter's cache of
compiled modules is warm, as on any machine after the first start.

    python -m benchmarks.startup [--full]
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Result, Size, middle, run
from benchmarks.tick_to_order.contest import CLIENTS, client, venue

from plimsoll.core.records import Reconciled, decode
from plimsoll.journal import KIND_FRAME, MARKET, TRADING, scan

REPEATS = {Size.TINY: 1, Size.SMALL: 5, Size.FULL: 10}
DEADLINE_S = 20.0
ROOT = Path(__file__).resolve().parents[1]
ENGINE = "plimsoll.engine.process"
SHOWN = (ENGINE, "aiohttp", "asyncio", "msgspec", "picows", "uvloop")
"""Whose imports are told apart."""

Environment = Mapping[str, str]


def measure(size: Size) -> Result:
    """Repeat each start and take the shortest and the middle."""
    repeats = REPEATS[size]
    with _warm_cache() as environment:
        commands = {
            "python -c pass": ("-c", "pass"),
            "plimsoll --help": ("-m", "plimsoll.cli", "--help"),
            f"import {ENGINE}": ("-c", f"import {ENGINE}"),
        }
        rows = {
            label: _spread([_command(words, environment) for _ in range(2 * repeats + 1)])
            for label, words in commands.items()
        }
        starts = [_engine_start(environment) for _ in range(repeats + 1)]
        rows["engine, start to first book"] = _spread([book for book, _ in starts])
        rows["engine, start to books reconciled"] = _spread([ready for _, ready in starts])
        for name, spent_ms in _imports(environment).items():
            rows[f"import {name}, with what it loads first"] = (spent_ms, spent_ms)
    return Result("start", ("best ms", "median ms"), rows)


@contextmanager
def _warm_cache() -> Iterator[Environment]:
    """Give an environment whose compiled modules are kept, in a place of their own."""
    with _directory() as directory:
        unset = {"PYTHONDONTWRITEBYTECODE"}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        yield kept | {"PYTHONPYCACHEPREFIX": str(directory)}


@contextmanager
def _directory() -> Iterator[Path]:
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        yield Path(name)


def _command(words: tuple[str, ...], environment: Environment) -> float:
    """Return the milliseconds a Python command takes."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *words], check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment
    )
    return (time.perf_counter() - begin) * 1e3


def _engine_start(environment: Environment) -> tuple[float, float]:
    """Return milliseconds from asking for the process to its first book, and to agreement."""
    with (
        _directory() as directory,
        venue(["benchmarks.tick_to_order.venue", "--orders=1"]) as (_, ports),
    ):
        begin_ns = time.time_ns()
        with client(CLIENTS["ours"](ports, directory), directory, environment):
            journal = directory / "journal"
            ready_ns = _first_ns(journal, TRADING, _is_reconciled)
            book_ns = _first_ns(journal, MARKET, _is_book)
    return (book_ns - begin_ns) / 1e6, (ready_ns - begin_ns) / 1e6


def _first_ns(journal: Path, log: str, wanted: Callable[[int, bytes], bool]) -> int:
    """Return the time of the first wanted record, waiting for it to be written."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if (journal / log).is_dir():
            for entry in scan(journal, log):
                if wanted(entry.kind, entry.payload):
                    return entry.ts_ns
        time.sleep(0.1)
    raise RuntimeError(f"the engine's {log} log did not get that far in {DEADLINE_S} s")


def _is_book(kind: int, payload: bytes) -> bool:
    return kind == KIND_FRAME and b'"topic":"orderbook.' in payload[:40]


def _is_reconciled(_kind: int, payload: bytes) -> bool:
    return isinstance(decode(payload), Reconciled)


def _imports(environment: Environment) -> dict[str, float]:
    """Return the cumulative milliseconds of imports, as the interpreter counts them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import uvloop, {ENGINE}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    rows = (line.split("|") for line in done.stderr.splitlines() if line.count("|") == 2)
    spent = {name.strip(): cumulative for _, cumulative, name in rows}
    return {name: int(spent[name]) / 1e3 for name in SHOWN if name in spent}


def _spread(times: list[float]) -> tuple[float, float]:
    """Return the shortest and the middle, the first one left out: it compiled."""
    return min(times[1:]), middle(times[1:])


if __name__ == "__main__":
    run("start", [measure])
