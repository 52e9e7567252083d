"""Tick to order, wire to wire: our engine beside the hand-written client, in turns.

python -m benchmarks.tick_to_order.contest [--full]
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.report import Result, Size, middle, quantile, run

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = {Size.TINY: (1, 4), Size.SMALL: (5, 100), Size.FULL: (9, 300)}
"""Rounds, and orders in each of them for each client."""

STOP_S = 15.0

Ports = dict[str, int]
Arguments = Callable[[Ports, Path], list[str]]

CLIENTS: dict[str, Arguments] = {
    "limit": lambda ports, _directory: ["benchmarks.tick_to_order.limit", f"--ws={ports['ws']}"],
    "ours": lambda ports, directory: [
        "benchmarks.tick_to_order.engine",
        f"--ws={ports['ws']}",
        f"--rest={ports['rest']}",
        f"--directory={directory}",
    ],
}


def measure(size: Size) -> Result:
    """Run the rounds; the first tenth of each, when caches are cold, does not count."""
    rounds, orders = ROUNDS[size]
    taken: dict[str, list[list[float]]] = {name: [] for name in CLIENTS}
    lost = 0
    for _ in range(rounds):
        for name in CLIENTS:
            latencies = one_round(name, orders)
            lost += orders - len(latencies)
            taken[name].append(latencies[orders // 10 :])
    return _result(taken, lost)


def one_round(name: str, orders: int) -> list[float]:
    """Return the latencies of one client on a venue of its own, microseconds, in order."""
    arguments = ["benchmarks.tick_to_order.venue", f"--orders={orders}"]
    with scratch() as directory, venue(arguments) as (process, ports):
        with client(CLIENTS[name](ports, directory), directory):
            assert process.stdout is not None
            answer = process.stdout.readline()
        if not answer:
            said = (directory / "client.log").read_text()
            raise RuntimeError(f"no latencies of {name}; it said: {said[-2000:]}")
        found: list[float] = json.loads(answer)
        if len(found) < orders * 0.98:
            raise RuntimeError(f"only {len(found)} of {orders} orders of {name} arrived")
        return found


@contextmanager
def venue(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[str], Ports]]:
    """Run a measuring venue: a module and its options."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def client(
    arguments: list[str], directory: Path, environment: Mapping[str, str] = os.environ
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a client, a module and its options; its words go to ``client.log``."""
    with (directory / "client.log").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env=environment,
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()
            process.wait()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a directory on the disk the journal would lie on: not the system's, often in memory."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        yield Path(name)


def _result(taken: dict[str, list[list[float]]], lost: int) -> Result:
    rows: dict[str, tuple[float, ...]] = {}
    for index, pair in enumerate(zip(*taken.values(), strict=True), start=1):
        for name, latencies in zip(taken, pair, strict=True):
            rows[f"round {index}, {name}"] = _figures(latencies)
    for name, rounds in taken.items():
        rows[f"pooled, {name}"] = _figures([one for latencies in rounds for one in latencies])
    for name, rounds in taken.items():
        columns = zip(*map(_figures, rounds), strict=True)
        rows[f"median of rounds, {name}"] = tuple(middle(column) for column in columns)
    ours, limit = rows["median of rounds, ours"], rows["median of rounds, limit"]
    pooled = rows["pooled, ours"][0] / rows["pooled, limit"][0]
    return Result(
        "tick to order, wire to wire",
        ("p50 us", "p90 us", "p99 us"),
        rows,
        {"p50": ours[0] / limit[0], "p99": ours[2] / limit[2], "pooled p50": pooled},
        (f"orders that did not arrive: {lost}",),
    )


def _figures(latencies: list[float]) -> tuple[float, ...]:
    return tuple(quantile(latencies, q) for q in (0.5, 0.9, 0.99))


if __name__ == "__main__":
    run("tick to order, wire to wire", [measure])
