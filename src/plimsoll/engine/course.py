"""What one instance did in a session, in the order it did it: read off records as they pass."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from plimsoll.core.engine.state import State
from plimsoll.core.engine.valuing import firm_profit_of
from plimsoll.core.model import Order
from plimsoll.core.records import (
    AmendIntended,
    AskRefused,
    CancelIntended,
    ExecutionReported,
    OrderDenied,
    OrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    Record,
    StrategyStopped,
)

ACTS_MOST: Final = 1_000_000
"""Kept of one instance; a longer session is compared as far as that."""


class Act(NamedTuple):
    """A request of an instance that passed the gate, or was denied; without ids of any kind."""

    ts_ns: int
    what: str
    """``order``, ``amend``, ``cancel`` or ``denied``."""
    instrument: str
    terms: tuple[object, ...]
    text: str
    """The same in words."""


class Course:
    """Follows one instance; hears each record once it was applied."""

    def __init__(self, owner: str) -> None:
        """Start with nothing done."""
        self.owner = owner
        self.acts: list[Act] = []
        self.fills = self.orders = self.amends = self.cancels = self.denied = 0
        self.stopped = ""
        self.fee_units = 0
        """Paid since the session began, as the ledger has them."""
        self.profit_units: int | None = None
        """Realised and open, less costs, since the session began; None: never valued."""
        self.positions: dict[str, str] = {}
        self.refused: dict[tuple[str, str], AskRefused] = {}
        """What it was refused at once, by call and reason: the newest count."""
        self._begun_units: int | None = None
        self._begun_fees: int | None = None
        self._seen: set[str] = set()
        """Executions: a live one may be told twice."""

    def hear(self, state: State, record: Record) -> None:
        """Take a record that was just applied."""
        if self._begun_units is None:
            self._begun_units = firm_profit_of(state, self.owner)
        if self._begun_fees is None:
            self._begun_fees = self._fees(state)
        heard = _HEARD.get(type(record))
        if heard is not None:
            heard(self, state, record)

    def end(self, state: State) -> None:
        """Value what is left."""
        now = firm_profit_of(state, self.owner)
        if now is not None and self._begun_units is not None:
            self.profit_units = now - self._begun_units
        self.fee_units = self._fees(state) - (self._begun_fees or 0)
        self.positions = {
            name: state.instruments[name].qty_text(lots)
            for (owner, name) in state.ledger.positions
            if owner == self.owner and (lots := state.ledger.qty_lots(owner, name))
        }

    # ---- records ----

    def _order(self, state: State, record: OrderIntended | PaperOrderIntended) -> None:
        if record.owner != self.owner:
            return
        self.orders += 1
        listed = state.instruments[record.instrument]
        price = "the market"
        if record.price_ticks:
            price = listed.price_text(record.price_ticks)
        waits = f" once {listed.price_text(record.trigger_ticks)}" if record.trigger_ticks else ""
        closes = " reduce-only" if record.reduce_only else ""
        label = f" [{record.label}]" if record.label else ""
        text = (
            f"{record.side} {listed.qty_text(record.qty_lots)} {record.instrument} "
            f"{record.order_type} {price} {record.tif}{waits}{closes}{label}"
        )
        terms = (
            str(record.side), str(record.order_type), str(record.tif), record.price_ticks,
            record.qty_lots, record.reduce_only, record.label, record.trigger_ticks,
        )  # fmt: skip
        self._add(record, "order", record.instrument, terms, text)

    def _amend(self, state: State, record: AmendIntended | PaperAmendIntended) -> None:
        order = self._own(state, record.client_order_id)
        if order is None:
            return
        self.amends += 1
        listed = state.instruments[order.instrument]
        text = (
            f"amend {order.side} {order.instrument} to {listed.qty_text(record.qty_lots)} "
            f"at {listed.price_text(record.price_ticks)}"
        )
        terms = (str(order.side), record.price_ticks, record.qty_lots, record.trigger_ticks)
        self._add(record, "amend", order.instrument, terms, text)

    def _cancel(self, state: State, record: CancelIntended | PaperCancelIntended) -> None:
        order = self._own(state, record.client_order_id)
        if order is None:
            return
        self.cancels += 1
        listed = state.instruments[order.instrument]
        text = (
            f"cancel {order.side} {listed.qty_text(order.qty_lots)} {order.instrument} "
            f"at {listed.price_text(order.price_ticks)} ({record.reason})"
        )
        terms = (str(order.side), order.price_ticks, order.qty_lots)
        self._add(record, "cancel", order.instrument, terms, text)

    def _denied(self, state: State, record: OrderDenied) -> None:
        if record.owner != self.owner:
            return
        self.denied += 1
        listed = state.instruments.get(record.instrument)
        qty = listed.qty_text(record.qty_lots) if listed else str(record.qty_lots)
        text = f"{record.side} {qty} {record.instrument} denied: {record.code}"
        terms = (str(record.side), record.price_ticks, record.qty_lots, record.code)
        self._add(record, "denied", record.instrument, terms, text)

    def _ask_refused(self, _state: State, record: AskRefused) -> None:
        if record.owner == self.owner:
            self.refused[record.ask, record.code] = record

    def _fill(self, state: State, record: ExecutionReported | PaperFilled) -> None:
        if record.execution_id in self._seen or not self._own(state, record.client_order_id):
            return
        self._seen.add(record.execution_id)
        self.fills += 1

    def _stop(self, _state: State, record: StrategyStopped) -> None:
        if record.owner == self.owner and record.code != "session":
            self.stopped = self.stopped or record.reason

    def _fees(self, state: State) -> int:
        held = state.ledger.positions.items()
        return sum(one.fee_units for (owner, _), one in held if owner == self.owner)

    def _own(self, state: State, name: str) -> Order | None:
        order = state.orders.find(name)
        return order if order is not None and order.owner == self.owner else None

    def _add(
        self, record: Record, what: str, instrument: str, terms: tuple[object, ...], text: str
    ) -> None:
        if len(self.acts) < ACTS_MOST:
            self.acts.append(Act(record.ts_ns, what, instrument, terms, text))


_HEARD: Final[dict[type[Record], Callable[[Course, State, Any], None]]] = {
    OrderIntended: Course._order,
    PaperOrderIntended: Course._order,
    AmendIntended: Course._amend,
    PaperAmendIntended: Course._amend,
    CancelIntended: Course._cancel,
    PaperCancelIntended: Course._cancel,
    OrderDenied: Course._denied,
    AskRefused: Course._ask_refused,
    ExecutionReported: Course._fill,
    PaperFilled: Course._fill,
    StrategyStopped: Course._stop,
}


class Parting(NamedTuple):
    """Where two courses part: the first act of either that the other did not do then."""

    place: int
    """How many acts before it are equal."""
    ts_ns: int
    one: Act | None
    other: Act | None


def parting(one: Course, other: Course, within_ns: int = 0) -> Parting | None:
    """Return where two courses part, ``None`` where they are one and the same.

    ``within_ns``: the same request so much earlier or later is the same.
    """
    for place in range(max(len(one.acts), len(other.acts))):
        mine = one.acts[place] if place < len(one.acts) else None
        theirs = other.acts[place] if place < len(other.acts) else None
        if (
            mine is None
            or theirs is None
            or mine[1:4] != theirs[1:4]
            or abs(mine.ts_ns - theirs.ts_ns) > within_ns
        ):
            ts_ns = min(act.ts_ns for act in (mine, theirs) if act is not None)
            return Parting(place, ts_ns, mine, theirs)
    return None
