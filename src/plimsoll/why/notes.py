"""What the books said at the moment of a record: the check an intent passed, the line of a fill.

Passed checks and ledger lines are not records: they follow from the records before. Here they are
worked out while the index reads the log, from a state that nothing but ``apply`` changes.
"""

from plimsoll.core.engine import State
from plimsoll.core.model import Instrument, Side, cash_text, strategy_of
from plimsoll.core.records import (
    ExecutionReported,
    OrderDenied,
    OrderIntended,
    PaperFilled,
    PaperOrderIntended,
    Record,
    SignalReceived,
)


def note_before(state: State, record: Record) -> str:
    """Return what stood in the books just before a record, where that explains it."""
    if isinstance(record, OrderIntended | PaperOrderIntended | OrderDenied):
        return _room(state, record)
    return ""


def note_after(state: State, record: Record) -> str:
    """Return what a record did to the books, or who a signal goes to."""
    if isinstance(record, SignalReceived):
        return _hearers(state, record)
    if isinstance(record, ExecutionReported):
        order = state.orders.of_venue(record.client_order_id, record.venue_order_id)
        owner, name = (order.owner if order else ""), record.instrument
    elif isinstance(record, PaperFilled):
        order = state.orders.find(record.client_order_id)
        owner, name = (order.owner, order.instrument) if order else ("", "")
    else:
        return ""
    instrument = state.instruments.get(name)
    if instrument is None:
        return ""
    held = state.ledger.positions.get((owner, name))
    if held is None:
        return ""
    position = _qty(instrument, state.ledger.qty_lots(owner, name))
    return (
        f"{owner} now holds {position}, realised {cash_text(held.realised_units)}, "
        f"fees {cash_text(held.fee_units)}"
    )


def _hearers(state: State, record: SignalReceived) -> str:
    """Return which books of a strategy hear a signal, and which do not, and why."""
    running = state.settings.strategies if state.settings else ()
    books = [one.name for one in running if strategy_of(one.name) == record.owner]
    told = [f"heard by {name}" for name in books if name not in state.stopped]
    told += [
        f"NOT heard by {name}, which was stopped: {state.stopped[name]}"
        for name in books
        if name in state.stopped
    ]
    return "; ".join(told) or f"NOT heard: no instance of {record.owner} ran"


def _room(state: State, record: OrderIntended | PaperOrderIntended | OrderDenied) -> str:
    instrument = state.instruments.get(record.instrument)
    if instrument is None:
        return ""
    scope = record.owner if state.is_paper(record.owner) else ""
    held = state.held_lots(scope, instrument.name)
    longest = state.exposure.reach_lots(scope, instrument.name, held, Side.BUY)
    shortest = state.exposure.reach_lots(scope, instrument.name, held, Side.SELL)
    parts = [
        f"position {_qty(instrument, held)}, "
        f"worst case {_qty(instrument, longest)} long and {_qty(instrument, shortest)} short",
        f"{state.exposure.open_orders.get(scope, 0)} orders open",
        f"{state.pacings[scope].in_last_second(record.ts_ns)} sent in the last second",
    ]
    if not scope and state.losses.is_known:
        parts.append(f"equity {cash_text(state.losses.equity)}")
    return "; ".join(parts)


def _qty(instrument: Instrument, lots: int) -> str:
    return instrument.qty_text(lots) if lots else "0"
