"""Cold restart after ``kill -9``: a million records, 500 open orders, until it trades again (Q20).

A journal of that size is written, its open orders placed at a simulated exchange, and the real
program started on it: with no snapshot, and with one as old as the auditor lets it become. Each
time it is killed and started once more, which is what is measured. Its parts are measured in this
process on the same journal.

    python -m benchmarks.restart [--full]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.history import OWNER, History, Venue
from benchmarks.report import Result, Size, run

from plimsoll.auditor.audit import SNAPSHOT_RECORDS
from plimsoll.cli import strategies
from plimsoll.core.engine import State, snapshot
from plimsoll.core.model import OrderState
from plimsoll.core.records import (
    LeaseTaken,
    LinkChanged,
    OrderSent,
    Reconciled,
    Record,
    WalletAdopted,
    decode,
)
from plimsoll.engine.restoring import SNAPSHOTS, from_snapshot, restore_state
from plimsoll.engine.shadowing import newest_states
from plimsoll.journal import (
    KIND_RECORD,
    MARKET,
    TRADING,
    Journal,
    forced_seq,
    scan,
    write_snapshot,
)

SIZES = {Size.TINY: (3_000, 20), Size.SMALL: (100_000, 200), Size.FULL: (1_000_000, 500)}
"""Records and open orders."""

DEADLINE_S = 120.0
ROOT = Path(__file__).resolve().parents[1]
LIVE = "live: an order leaves"
LIMIT_S = 5.0
"""What Q20 allows."""

STRATEGY = '''
from plimsoll.core.strategy import Strategy


class Resting(Strategy):
    """Has orders resting; asks for one more as soon as it may."""

    def on_book(self, market) -> None:
        name = market.instrument.name
        if not self.did_ask and market.book.mid and name == "linear:ETHUSDT":
            self.did_ask = True
            self.buy(name, self.lot, market.book.mid * 0.97)

    did_ask = False
    lot: float = 0.05
'''

CONFIGURATION = f"""
[venue]
environment = "simulator"

[account]
name = "bench"
tag = "bench"
key = "file:secrets/key"
secret = "file:secrets/secret"

[limits]
price_distance = "20 %"
order_notional = "20_000 USDT"
orders_per_second = 1000
orders_per_day = 10_000_000
open_orders = 1000
position_notional = "5_000_000 USDT"
exposure = "9_000_000 USDT"
daily_loss = "90_000 USDT"
drawdown = "90 %"
leverage = 100

[breakers]
off = ["losing_streak"]  # its history is made up, and loses

[[strategy]]
name = "{OWNER}"
class = "strategies/resting.py:Resting"
instruments = ["linear:ETHUSDT", "linear:DOGEUSDT"]
mode = "live"
capital = "30_000 USDT"
"""


def measure(size: Size) -> Result:
    """Build the journal, start the program on it without a snapshot and with one."""
    records, orders = SIZES[size]
    with _scratch() as root, _simulator(root):
        _make_project(root)
        count = _write_history(root, records, orders)
        columns = [_restart(root)]
        _write_old_snapshot(root)
        columns.append(_restart(root))
        _check_orders(root, orders)
    without, with_snapshot = columns
    rows = {label: (without[label], with_snapshot[label]) for label in without}
    ratios = {"live, to 5 s": with_snapshot[LIVE] / (LIMIT_S * 1e3)}
    notes = (f"{count:,} records, {orders} open orders; times from the start of the process",)
    return Result("restart", ("log alone ms", "snapshot ms"), rows, ratios, notes)


def _restart(root: Path) -> dict[str, float]:
    """Kill a session that trades, and measure the start of the next one."""
    with _engine(root) as process:
        _wait(root, process, _last_seq(root), _has_sent)
    return _parts(root) | _start(root)


# ---- the journal ----


def _make_project(root: Path) -> None:
    (root / "strategies").mkdir()
    (root / "secrets").mkdir(mode=0o700)
    (root / "strategies/resting.py").write_text(STRATEGY)
    (root / "plimsoll.toml").write_text(CONFIGURATION)
    for name, text in (("key", "sim-key"), ("secret", "sim-secret")):
        path = root / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(text)


def _write_history(root: Path, records: int, orders: int) -> int:
    """Let a session begin, take its first records, and write a long history in its place."""
    with _engine(root) as process:
        _wait(root, process, 0, _has_adopted)
        process.terminate()
        process.wait(DEADLINE_S)
    begun = list(_records(root))
    adopted = max(at for at, one in enumerate(begun) if isinstance(one, WalletAdopted))
    shutil.rmtree(_journal(root))
    history = History(_journal(root), "bench", "bench", begun[: adopted + 1])
    history.trade(records - 4 * orders)
    history.rest(Venue(_port(root)), orders)
    history.close()
    return history.count


def _write_old_snapshot(root: Path) -> None:
    """Write a snapshot so old that the auditor would be about to write the next one."""
    shutil.rmtree(_journal(root) / SNAPSHOTS, ignore_errors=True)
    state, until = State(), max(1, _last_seq(root) - SNAPSHOT_RECORDS)
    for record in _records(root):
        if record.seq >= until:
            break
        state.apply(record)
        state.news.clear()
    write_snapshot(_journal(root) / SNAPSHOTS, state.seq, snapshot(state))


def _records(root: Path, from_seq: int = 0) -> Iterator[Record]:
    for entry in scan(_journal(root), TRADING, from_seq):
        if entry.kind == KIND_RECORD:
            yield decode(entry.payload)


# ---- what is measured ----


def _parts(root: Path) -> dict[str, float]:
    """Return milliseconds of each part of a restart, in this process."""
    journal = _journal(root)
    times: dict[str, float] = {}

    def timed(label: str, action: Any) -> Any:
        begin = time.perf_counter()
        found = action()
        times[label] = (time.perf_counter() - begin) * 1e3
        return found

    timed("part: read the snapshot", lambda: from_snapshot(journal))
    restored = timed("part: snapshot and tail", lambda: restore_state(journal))
    epoch = restored.state.epoch
    timed("part: open for append", lambda: Journal.open(journal, "bench", epoch)).close()
    load = partial(strategies.load, root=root)
    told: list[str] = []
    timed(
        "part: shadow strategies",
        lambda: newest_states(
            journal, restored.checkpoint_seq, load, lambda *words: told.append(" ".join(words))
        ),
    )
    if told:
        raise RuntimeError(f"the strategies were not restored: {told[0]}")
    return times


def _start(root: Path) -> dict[str, float]:
    """Return milliseconds from the start of the process to what it does first."""
    last, begin_ns = _last_seq(root), time.time_ns()
    with _engine(root) as process:
        seen = _wait(root, process, last, _has_sent)

    def after(kind: type[Record], **fields: Any) -> float:
        wanted = (
            one
            for one in seen
            if type(one) is kind and all(getattr(one, k) == v for k, v in fields.items())
        )
        return (next(wanted).ts_ns - begin_ns) / 1e6

    return {
        "session begun": after(LeaseTaken),
        "private link up": after(LinkChanged, link="private", is_up=True),
        "books reconciled": after(Reconciled),
        LIVE: after(OrderSent, action="create"),
    }


def _check_orders(root: Path, orders: int) -> None:
    """Every order that was open before is open still, and nothing was found to differ."""
    state = restore_state(_journal(root)).state
    working = [one for one in state.orders.working.values() if one.state is OrderState.OPEN]
    if len(working) < orders or state.safety.blocks:
        blocks = state.safety.blocks or "no instrument"
        raise RuntimeError(f"{len(working)} of {orders} orders are open, {blocks} blocked")


# ---- processes ----


@contextmanager
def _scratch() -> Iterator[Path]:
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        yield Path(name)


@contextmanager
def _simulator(root: Path) -> Iterator[None]:
    words = ["sim", "--dir", str(root / "var/sim"), "--limits", "off", "--speed", "1"]
    with _command(words, root / "sim.log") as process:
        deadline = time.monotonic() + DEADLINE_S
        while not (root / "var/sim/sim.json").exists():
            _check(process, root / "sim.log", deadline)
            time.sleep(0.02)
        yield


@contextmanager
def _engine(root: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the program; it is killed at the end."""
    with _command(["run", "--project", str(root)], root / "engine.log") as process:
        yield process


@contextmanager
def _command(words: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "plimsoll.cli", *words], stdout=out, stderr=out
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _wait(
    root: Path,
    process: "subprocess.Popen[bytes]",
    last: int,
    is_done: Callable[[list[Record]], bool],
) -> list[Record]:
    """Wait for something to stand behind seq ``last``; return all records that do."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        _check(process, root / "engine.log", deadline)
        time.sleep(0.2)  # each look takes time the engine could use
        seen = list(_records(root, last + 1))
        if is_done(seen):
            return seen


def _has_sent(records: list[Record]) -> bool:
    return any(isinstance(one, OrderSent) for one in records)


def _has_adopted(records: list[Record]) -> bool:
    return any(isinstance(one, WalletAdopted) for one in records) and _has_sent(records)


def _last_seq(root: Path) -> int:
    return max((forced_seq(_journal(root), log) for log in (TRADING, MARKET)), default=0)


def _check(process: "subprocess.Popen[bytes]", log: Path, deadline: float) -> None:
    if process.poll() is not None or time.monotonic() > deadline:
        raise RuntimeError(f"it did not get that far; it said: {log.read_text()[-2000:]}")


def _journal(root: Path) -> Path:
    return root / "var/development/journal/bench"


def _port(root: Path) -> int:
    port: int = json.loads((root / "var/sim/sim.json").read_text())["port"]
    return port


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(ROOT / "src"))
    run("restart", [measure])
