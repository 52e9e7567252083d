"""What the books said at the moment of a record: the check an intent passed, the line of a fill.

Passed checks and ledger lines are not records: they follow from the records before. Here they are
worked out while the index reads the log, from a state that nothing but ``apply`` changes.
"""

from plimsoll.core.engine import State
from plimsoll.core.model import Instrument, Side, cash_text
from plimsoll.core.records import (
    ExecutionReported,
    OrderDenied,
    OrderIntended,
    PaperFilled,
    PaperOrderIntended,
    Record,
)


def note_before(state: State, record: Record) -> str:
    """Return what stood in the books just before a record, where that explains it."""
    if isinstance(record, OrderIntended | PaperOrderIntended | OrderDenied):
        return _room(state, record)
    return ""


def note_after(state: State, record: Record) -> str:
    """Return what a record did to the books, where it moved money or position."""
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
