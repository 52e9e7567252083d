"""From a name to its chain: the input that began it, every record about it, what each one did."""

import re
from typing import Final, NamedTuple

from plimsoll.core.records import (
    AskRefused,
    Blocked,
    ExecutionReported,
    Halted,
    OrderDenied,
    PaperFilled,
    Record,
)
from plimsoll.why.index import Index
from plimsoll.why.subjects import HALT, denials_of, subjects_of
from plimsoll.why.words import words_of

DEPTH_MAX: Final = 50
"""Most causes walked back from one record; a chain is rarely longer than four."""

_SEQ: Final = re.compile(r"(?:seq[: ])?(\d+)")


class NotFound(Exception):
    """Nothing in the log has this name; carries names that begin alike."""

    def __init__(self, name: str, near: list[str]) -> None:
        """Say what was asked for."""
        super().__init__(f"nothing in the log is called {name!r}")
        self.near = near


class Step(NamedTuple):
    """One record of a chain, or (``seq`` of it, no record) what the books said at that moment."""

    seq: int
    ts_ns: int
    cause: int
    label: str
    text: str
    record: Record | None


class Story(NamedTuple):
    """A chain in the order of the log."""

    name: str
    steps: list[Step]


def tell(index: Index, name: str) -> Story:
    """Return the chain behind an order, execution, denial, halt, block, command or seq.

    ``name``: a client order id, the venue's order or execution id, a command's id, ``halt``, an
    instrument (its last block), an instance (its last denial or stop), or a seq.

    Raises:
        NotFound: nothing is called so.
        JournalDamaged: the log cannot be read.
    """
    seqs = _seqs_of(index, name)
    if not seqs:
        raise NotFound(name, index.names_like(name[:8]))
    records = index.records(seqs)
    while True:  # causes first, level by level: one look at the log for each
        causes = {one.cause for one in records.values() if one.cause} - records.keys()
        found = index.records(sorted(causes)) if causes and len(records) < _most(seqs) else {}
        if not found:
            break
        records |= found
    steps = [step for seq in sorted(records) for step in _steps(index, records[seq])]
    return Story(name, steps)


def _most(seqs: list[int]) -> int:
    return len(seqs) * DEPTH_MAX


def _seqs_of(index: Index, name: str) -> list[int]:
    number = _SEQ.fullmatch(name)
    if number is not None:
        return _of_record(index, int(number[1]))
    denied = index.seqs_about(denials_of(name))
    about = index.seqs_about(name)
    if name == HALT or ":" in name:
        return _newest_of(index, about, Halted if name == HALT else Blocked)
    if denied or (about and _is_owner(index, name)):
        return _newest_of(index, sorted({*denied, *about}), Record)
    order = _order_behind(index, about, name)
    return sorted({*about, *order})


def _of_record(index: Index, seq: int) -> list[int]:
    """Return a record and what it led to; a decision that names an order is the order's story."""
    record = index.records([seq]).get(seq)
    if record is None:
        return []
    names = [] if isinstance(record, OrderDenied | AskRefused) else list(subjects_of(record))
    whole = index.seqs_about(names[0]) if names else []
    return whole or [seq, *index.effects_of(seq)]


def _newest_of(index: Index, seqs: list[int], kind: type[Record]) -> list[int]:
    """Return the newest record of a kind among some, with what followed from the same cause."""
    records = index.records(seqs[-50:])
    newest = max((seq for seq, one in records.items() if isinstance(one, kind)), default=0)
    if not newest:
        return seqs[-1:]
    siblings = [seq for seq in index.effects_of(records[newest].cause) if seq >= newest]
    return [newest, *siblings[:200]]


def _is_owner(index: Index, name: str) -> bool:
    settings = index.state.settings
    is_strategy = name in index.state.modes.standings
    return is_strategy or (
        settings is not None and any(one.name == name for one in settings.strategies)
    )


def _order_behind(index: Index, seqs: list[int], name: str) -> list[int]:
    """Return the records of the order behind the venue's number or one of its executions."""
    for record in index.records(seqs).values():
        link = getattr(record, "client_order_id", "")
        if link and link != name:
            about = index.seqs_about(link)
            if isinstance(record, ExecutionReported | PaperFilled) and record.execution_id == name:
                return [seq for seq in about if seq <= record.seq]  # later fills are other stories
            return about
    return []


def _steps(index: Index, record: Record) -> list[Step]:
    order = index.state.orders.find(getattr(record, "client_order_id", ""))
    about = order.instrument if order else ""
    label, text = words_of(record, index.state.instruments, about)
    step = Step(record.seq, record.ts_ns, record.cause, label, text, record)
    place, note = index.note_on(record.seq)
    if not note:
        return [step]
    said = "check" if place == "before" else "ledger"
    beside = Step(record.seq, record.ts_ns, record.seq, said, note, None)
    return [beside, step] if place == "before" else [step, beside]
