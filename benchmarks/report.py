"""What every benchmark gives: one table, the ratios that matter, and where it was measured.

A benchmark is a module with ``measure(size) -> Result``; ``run`` makes a command of it.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from plimsoll import __version__

LIBRARIES = ("msgspec", "picows", "uvloop", "aiohttp")


class Size(StrEnum):
    """How much is measured."""

    TINY = "tiny"
    """Does it run at all: for the tests, its figures mean nothing."""

    SMALL = "small"
    FULL = "full"


@dataclass(frozen=True)
class Result:
    """One table: a label and figures a row. Ratios are ours over the limit, smaller is better."""

    name: str
    columns: tuple[str, ...]
    rows: Mapping[str, Sequence[float]]
    ratios: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the table as it is read."""
        wide = max(map(len, self.rows), default=0)
        lines = [self.name, " " * wide + "".join(f"{column:>14}" for column in self.columns)]
        for label, figures in self.rows.items():
            lines.append(f"{label:{wide}}" + "".join(f"{figure:14,.2f}" for figure in figures))
        lines += [f"ratio, {label}: {ratio:.2f}" for label, ratio in self.ratios.items()]
        return "\n".join((*lines, *self.notes))


def quantile(values: Iterable[float], q: float) -> float:
    """Return the q-quantile by rank; the largest value where there are too few."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


def middle(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def machine() -> dict[str, str]:
    """Return where this is measured."""
    return {
        "plimsoll": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": f"{os.cpu_count()} x {_processor()}",
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def run(description: str, measures: Sequence[Callable[[Size], Result]]) -> None:
    """Measure and print: the command behind each benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--full", action="store_true", help="more rounds, for published figures")
    parser.add_argument("--tiny", action="store_true", help="only show that it runs")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    chosen = parser.parse_args()
    size = Size.FULL if chosen.full else Size.TINY if chosen.tiny else Size.SMALL
    where, results = machine(), []
    for measure in measures:
        results.append(measure(size))
        sys.stderr.write(f"{results[-1].name}: measured\n")
    where["load at the end"] = machine()["load"]
    print(_as_json(where, results) if chosen.json else _as_text(where, results))


def _as_text(where: Mapping[str, str], results: Sequence[Result]) -> str:
    head = "\n".join(f"{key:16}{value}" for key, value in where.items())
    return "\n\n".join((head, *(result.text() for result in results)))


def _as_json(where: Mapping[str, str], results: Sequence[Result]) -> str:
    document: dict[str, Any] = {"machine": where, "results": [asdict(one) for one in results]}
    return json.dumps(document, indent=1)
