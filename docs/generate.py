"""Write the reference pages that follow from the code: states, records, refusals, metrics, codes.

``python docs/generate.py`` writes them, ``python docs/generate.py --check`` compares and exits 1
with the difference where one is stale. Each page is made by a file of ``generating``; a name
without words stops the generator, so that nothing new stays undocumented.
"""

import difflib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from generating.breakers import breakers_page
from generating.client import client_page
from generating.exits import exits_page
from generating.faults import faults_page
from generating.metrics import metrics_page
from generating.page import Undocumented
from generating.quality import quality_page
from generating.records import records_page
from generating.refusals import refusals_page
from generating.states import states_page
from generating.statistics import statistics_page

REFERENCE: Final = Path(__file__).resolve().parent / "reference"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "states.md": states_page,
    "records.md": records_page,
    "refusals.md": refusals_page,
    "breakers.md": breakers_page,
    "execution-quality.md": quality_page,
    "metrics.md": metrics_page,
    "statistics.md": statistics_page,
    "exit-codes.md": exits_page,
    "bybit-client.md": client_page,
    "simulator-faults.md": faults_page,
}


def main(arguments: Sequence[str]) -> int:
    """Write or check every page; return the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    try:
        pages = {REFERENCE / name: make() for name, make in PAGES.items()}
    except Undocumented as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not arguments:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [line for path, text in pages.items() for line in difference(path, text)]
    if stale:
        sys.stdout.writelines(stale)
        print("stale pages: run `python docs/generate.py` and commit the result", file=sys.stderr)
    return 1 if stale else 0


def difference(path: Path, wanted: str) -> Iterator[str]:
    """Yield the lines of a unified diff from the page as it is to the page as it should be."""
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    name = f"docs/reference/{path.name}"
    return difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), name, f"{name} (new)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
