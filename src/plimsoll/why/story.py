"""From a name to its chain: the input that began it, every record about it, what each one did."""

import re
from typing import Final, NamedTuple

from plimsoll.core.records import (
    AskRefused,
    Blocked,
    ExecutionReported,
    Halted,
    IncidentRaised,
    OrderDenied,
    PaperFilled,
    Record,
    SignalReceived,
)
from plimsoll.why.index import Index
from plimsoll.why.subjects import HALT, denials_of, is_signal, signal_of, subjects_of
from plimsoll.why.words import words_of

DEPTH_MAX: Final = 50
"""Most causes walked back from one record; a chain is rarely longer than four."""

_ORDERS_MOST: Final = 20
"""Orders of a signal that are told whole; of later ones the intents."""

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
    """Return the chain behind an order, execution, denial, halt, block, command, signal or seq.

    ``name``: a client order id, the venue's order or execution id, the id of a command or a signal,
    ``halt``, an instrument (its last block), an instance (its last denial or stop), or a seq.

    Raises:
        NotFound: nothing is called so.
        JournalDamaged: the log cannot be read.
    """
    seqs = _seqs_of(index, name)
    if not seqs:
        signals = index.names_like(signal_of(name[:8]))
        near = [one for one in index.names_like(name[:8]) if not is_signal(one)]
        raise NotFound(name, [*near, *(one.removeprefix(signal_of("")) for one in signals)])
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
    if not about and not denied and name != HALT:
        signals = index.records(index.seqs_about(signal_of(name))).values()
        return sorted({seq for one in signals for seq in _of_signal(index, one)})
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
    if isinstance(record, SignalReceived):
        return _of_signal(index, record)
    names = [] if isinstance(record, OrderDenied | AskRefused) else list(subjects_of(record))
    whole = index.seqs_about(names[0]) if names else []
    return whole or [seq, *index.effects_of(seq)]


def _of_signal(index: Index, signal: Record) -> list[int]:
    """Return a signal, what was decided when it was heard, and the orders of that to their end."""
    effects = index.effects_of(signal.seq)
    decided = index.records(effects).values()
    orders = dict.fromkeys(getattr(one, "client_order_id", "") for one in decided)
    orders.pop("", None)
    told = [index.seqs_about(order) for order in list(orders)[:_ORDERS_MOST]]
    return sorted({signal.seq, *effects, *(seq for seqs in told for seq in seqs)})


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
    if isinstance(record, SignalReceived):
        return [step, *_heard(index, record, note)]
    beside = Step(record.seq, record.ts_ns, record.seq, said, note, None)
    return [beside, step] if place == "before" else [step, beside]


def _heard(index: Index, signal: SignalReceived, note: str) -> list[Step]:
    """Return who heard a signal, and that nothing came of it where nothing did."""
    effects = index.records(index.effects_of(signal.seq)).values()
    told = [] if any(_is_refusal(one) for one in effects) else [("heard", note)]
    if told and not effects and "NOT heard" not in note:
        told.append(("nothing", "it asked for nothing: what it holds or quotes stays as it is"))
    stamp = signal.seq, signal.ts_ns, signal.seq
    return [Step(*stamp, label, text, None) for label, text in told]


def _is_refusal(record: Record) -> bool:
    return isinstance(record, IncidentRaised) and record.code == "signal_refused"
