"""The page of the faults of the simulated exchange."""

from generating.page import made_from, one_line, page
from plimsoll.simulator.faults.catalogue import NETWORK, REQUESTS, STREAMS, VENUE, Kind


def faults_page() -> str:
    """Return the catalogue of faults: what each does, how to ask for it, what a client sees."""
    lines = [
        "# Faults of the simulated exchange",
        "",
        *made_from("src/plimsoll/simulator/faults/catalogue.py"),
        "How to ask for one, by scenario, seed or live:",
        "[the simulated exchange](simulator.md#faults). Each entry is asked for and seen from",
        "outside by `tests/simulator/faults/test_catalogue.py`. *each*: on each message it",
        "reaches, with probability `rate`. *while*: as long as it lasts, on the share `rate` of",
        "what it reaches. *once*: at its beginning, and every `every_s` seconds where that is",
        "given. *Narrowed by*: the keys that choose whom it reaches; without them it reaches all.",
    ]
    for title, kinds in (
        ("The network", NETWORK),
        ("Requests and answers", REQUESTS),
        ("Streams and books", STREAMS),
        ("The venue and people", VENUE),
    ):
        lines += ["", f"## {title}", ""]
        lines += ["| fault | requirement | when | does | a client sees | ask with | narrowed by |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_fault_row(kind) for kind in kinds]
    return page(lines)


def _fault_row(kind: Kind) -> str:
    asked = [f"`magnitude` = {kind.magnitude:g} {kind.unit}"] if kind.unit else []
    asked += [f"`code` = {kind.code}"] if kind.code else []
    asked += [f"`values.{name}`" for name in kind.values]
    cells = (
        f"`{kind.name}`",
        kind.requirement,
        kind.manner.value,
        kind.does,
        kind.sees,
        ", ".join(asked),
        ", ".join(f"`{name}`" for name in kind.scope),
    )
    return f"| {' | '.join(one_line(cell) for cell in cells)} |"
