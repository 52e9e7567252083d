"""What each record is about: the names under which it is found again."""

from collections.abc import Callable
from typing import Any, Final

from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    AskRefused,
    Blocked,
    CallbackCut,
    CancelIntended,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LiveEnded,
    ModeSet,
    OperatorCommand,
    OrderDenied,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperFunded,
    PaperFundingOwed,
    PaperOrderIntended,
    PaperReported,
    PositionAdopted,
    Rearmed,
    Record,
    Released,
    RequestAnswered,
    SendRefused,
    SignalReceived,
    StrategyStopped,
)

HALT: Final = "halt"
_SIGNAL: Final = "signal "


def denials_of(owner: str) -> str:
    """Return the name of an instance's denials."""
    return f"denied {owner}"


def signal_of(name: str) -> str:
    """Return the name of a signal by its id: senders choose ids, which may be those of others."""
    return f"{_SIGNAL}{name}"


def is_signal(name: str) -> bool:
    """Return whether a name is that of a signal."""
    return name.startswith(_SIGNAL)


def _signalled(record: SignalReceived) -> tuple[str, ...]:
    """Return the whole id, and the one its sender gave it."""
    given = record.id.removeprefix(f"signal-{record.owner}-")
    return tuple(dict.fromkeys((signal_of(record.id), signal_of(given))))


def _of_order(record: Any) -> tuple[str, ...]:  # noqa: ANN401 - any record with the field
    return (record.client_order_id,)


def _reported(record: OrderReported | RequestAnswered) -> tuple[str, ...]:
    return record.client_order_id, record.venue_order_id


def _executed(record: ExecutionReported) -> tuple[str, ...]:
    return record.client_order_id, record.venue_order_id, record.execution_id


def _owned(
    record: StrategyStopped | CallbackCut | PaperFunded | PaperFundingOwed,
) -> tuple[str, ...]:
    return (record.owner,)


def _moded(record: ModeSet | LiveEnded) -> tuple[str, ...]:
    return (record.strategy,)


def _switched(record: Blocked | Released) -> tuple[str, ...]:
    return (record.instrument,)


_SUBJECTS: Final[dict[type[Record], Callable[[Any], tuple[str, ...]]]] = {
    **dict.fromkeys(
        (
            OrderIntended,
            AmendIntended,
            CancelIntended,
            PaperOrderIntended,
            PaperAmendIntended,
            PaperCancelIntended,
            PaperReported,
            OrderSent,
            SendRefused,
            OutcomeLost,
            AbsenceShown,
        ),
        _of_order,
    ),
    PaperFilled: lambda record: (record.client_order_id, record.execution_id),
    OrderReported: _reported,
    RequestAnswered: _reported,
    ExecutionReported: _executed,
    OrderDenied: lambda record: (denials_of(record.owner),),
    AskRefused: lambda record: (denials_of(record.owner),),
    OperatorCommand: lambda record: (record.id,),
    SignalReceived: _signalled,
    Halted: lambda _record: (HALT,),
    Rearmed: lambda _record: (HALT,),
    PaperFunded: _owned,
    PaperFundingOwed: _owned,
    StrategyStopped: _owned,
    ModeSet: _moded,
    LiveEnded: _moded,
    CallbackCut: _owned,
    Blocked: _switched,
    Released: _switched,
    PositionAdopted: _switched,
    IncidentRaised: lambda record: tuple(record.subject.split()[:1]),
}


def subjects_of(record: Record) -> tuple[str, ...]:
    """Return the names a record is found under; none for what is only ever a cause."""
    found = _SUBJECTS.get(type(record))
    return tuple(name for name in found(record) if name) if found is not None else ()
