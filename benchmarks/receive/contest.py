"""From a frame's write to the book that has taken it, and the processor time it takes.

Our engine, market log on, beside the hand-written receiver, in turns: at a steady rate, and with
the arrival times of a recording run twenty times as fast.

    python -m benchmarks.receive.contest [--full]
    RECORDING=FILE python -m benchmarks.receive.contest    # lines of `<ns> <json>`, plain or .zst
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard
from benchmarks.report import Result, Size, middle, quantile, run
from benchmarks.tick_to_order.contest import Ports, client, scratch, venue

ROUNDS = {Size.TINY: (1, 200), Size.SMALL: (5, 10_000), Size.FULL: (9, 20_000)}
"""Rounds, and frames in each of them for each client."""

RATE = 2_000
SPEED = 20

CLIENTS: dict[str, Callable[[Ports, Path], list[str]]] = {
    "limit": lambda ports, _directory: ["benchmarks.receive.limit", f"--ws={ports['ws']}"],
    "ours": lambda ports, directory: [
        "benchmarks.receive.engine",
        f"--ws={ports['ws']}",
        f"--rest={ports['rest']}",
        f"--directory={directory}",
    ],
}


class Round(NamedTuple):
    """One client's round: microseconds a frame, processor time a frame, frames never seen."""

    latencies_us: list[float]
    cpu_us: float
    missed: int


def measure(size: Size) -> Result:
    """Run the rounds at a steady rate."""
    rounds, count = ROUNDS[size]
    options = [f"--rate={RATE}", f"--count={count}"]
    return _contest(f"receive {RATE:,} frames a second", rounds, count, options)


def measure_burst(size: Size) -> Result:
    """Run the rounds with a recording's arrival times, twenty times as fast."""
    rounds, count = ROUNDS[size]
    name = f"receive a recording's arrivals at {SPEED} times their speed"
    path = os.environ.get("RECORDING", "")
    if not path:
        return Result(name, (), {}, notes=("not measured: RECORDING names no file",))
    times = list(_arrivals(Path(path), count))
    with scratch() as directory:
        file = directory / "times.json"
        file.write_text(json.dumps(times))
        return _contest(name, rounds, len(times), [f"--times={file}"])


def _contest(name: str, rounds: int, count: int, options: list[str]) -> Result:
    found: dict[str, list[Round]] = {client: [] for client in CLIENTS}
    for _ in range(rounds):
        for one, results in found.items():
            results.append(_one_round(one, count, options))
    rows = {
        f"{one}, median of rounds": tuple(
            middle(figures) for figures in zip(*map(_figures, results), strict=True)
        )
        for one, results in found.items()
    }
    rows |= {
        f"{one}, round {n}": _figures(result)
        for one, results in found.items()
        for n, result in enumerate(results, start=1)
    }
    limit, ours = (rows[f"{one}, median of rounds"] for one in CLIENTS)
    missed = {one: sum(result.missed for result in results) for one, results in found.items()}
    columns = ("p50 us", "p99 us", "p99.9 us", "cpu us")
    ratios = {column: ours[n] / limit[n] for n, column in enumerate(columns)}
    return Result(name, columns, rows, ratios, (f"frames never seen: {missed}",))


def _one_round(name: str, count: int, options: list[str]) -> Round:
    with scratch() as directory, venue(["benchmarks.receive.venue", *options]) as (playing, ports):
        out = directory / "noted.json"
        arguments = [*CLIENTS[name](ports, directory), f"--count={count}", f"--out={out}"]
        with client(arguments, directory):
            assert playing.stdout is not None
            written: list[int] = json.loads(playing.stdout.readline() or "[]")
        if not out.exists():
            said = (directory / "client.log").read_text()
            raise RuntimeError(f"{name} did not see the last frame; it said: {said[-2000:]}")
        noted = json.loads(out.read_text())
    pairs = list(zip(written, noted["done"], strict=True))[count // 10 :]
    latencies = [(done - wrote) / 1000 for wrote, done in pairs if done]
    missed = sum(not done for _, done in pairs)
    return Round(latencies, noted["cpu_ns"] / 1000 / (count - 1), missed)


def _figures(result: Round) -> tuple[float, ...]:
    return (*(quantile(result.latencies_us, q) for q in (0.5, 0.99, 0.999)), result.cpu_us)


def _arrivals(path: Path, most: int) -> Iterator[int]:
    """Yield when the messages of a recording came, ns after the first, at ``SPEED``."""
    raw = path.read_bytes()
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    first = 0
    for line in raw.splitlines()[:most]:
        stamp = line.partition(b" ")[0]
        if stamp.isdigit():
            first = first or int(stamp)
            yield (int(stamp) - first) // SPEED


if __name__ == "__main__":
    run("receive market data", [measure, measure_burst])
