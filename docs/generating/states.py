"""The page of the states of an order: a diagram and a table."""

from collections.abc import Iterator, Mapping
from typing import Final

from generating.page import made_from, page, words_of
from plimsoll.core.execution.lifecycle import CONTRADICTIONS, LIFECYCLE, Evidence
from plimsoll.core.model import TERMINAL, OrderState


def states_page() -> str:
    """Return the life of an order as a diagram and a table."""
    lines = [
        "# The states of an order",
        "",
        *made_from("src/plimsoll/core/execution/lifecycle.py"),
        "An order moves by evidence and by nothing else: what our gateway did, what the venue",
        "answered, what its streams and queries say. Passing time is not evidence; a timeout is",
        "recorded as *lost* and makes an order UNKNOWN, and only the venue ends UNKNOWN.",
        "",
        "| word | what it is evidence of |",
        "|---|---|",
        *(f"| {one} | {words_of(_EVIDENCE, one, 'evidence')} |" for one in Evidence),
        "",
        "## Diagram",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *_edges(),
        "```",
        "",
        "## Table",
        "",
        "Evidence without an entry ranks below the state: it is recorded and ignored. **(!)**",
        "marks evidence that contradicts what was held for certain: it blocks the instrument,",
        "raises an incident, and may or may not move the order. States in *italics* are final:",
        "nothing more is sent for the order, except a cancel where an ABSENT one turns up live.",
        "",
        f"| state | {' | '.join(Evidence)} |",
        f"|---|{'---|' * len(Evidence)}",
        *(f"| {_state(one)} | {' | '.join(_cells(one))} |" for one in OrderState),
        "",
        "DENIED is the state of a request that a check refused: no order of it exists, see",
        "[refusals](refusals.md). *Amend pending* and *cancel pending* are flags beside the state;",
        "fills are legal while they are set, and exposure counts the larger of old and new terms.",
    ]
    return page(lines)


_EVIDENCE: Final[Mapping[str, str]] = {
    Evidence.SENT: "the gateway wrote the create to a socket (`OrderSent`)",
    Evidence.SEND_REFUSED: "the gateway refused before a byte was written (`SendRefused`)",
    Evidence.ACCEPTED: "the venue accepted the create for processing (`RequestAnswered`)",
    Evidence.REFUSED: 'the venue answered with a code proven to mean "not done"',
    Evidence.LOST: "no answer, a broken link, a crash (`OutcomeLost`), or an unclear answer",
    Evidence.OPEN: "the venue reports it resting, or waiting for its trigger",
    Evidence.PARTIAL: "part of it was matched: by report or by a booked execution",
    Evidence.FILLED: "all of it was matched: by report or by booked executions",
    Evidence.CANCELED: "the venue reports it cancelled",
    Evidence.REJECTED: "the venue reports it rejected",
    Evidence.EXPIRED: "the venue reports it expired or deactivated",
    Evidence.ABSENT: "proof that it never came to live (`AbsenceShown`)",
}


def _edges() -> Iterator[str]:
    yield "    [*] --> INTENT: the record is in the log"
    for state, row in LIFECYCLE.items():
        together: dict[OrderState, list[str]] = {}
        for evidence, after in row.items():
            if after is not state:
                together.setdefault(after, []).append(str(evidence))
        for after, evidences in together.items():
            yield f"    {state.name} --> {after.name}: {', '.join(evidences)}"


def _cells(state: OrderState) -> Iterator[str]:
    for evidence in Evidence:
        after = LIFECYCLE[state].get(evidence)
        mark = " (!)" if evidence in CONTRADICTIONS.get(state, ()) else ""
        yield f"{after.name if after else ''}{mark}".strip()


def _state(state: OrderState) -> str:
    return f"*{state.name}*" if state in TERMINAL else f"**{state.name}**"
