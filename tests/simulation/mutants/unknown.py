"""Mistakes about orders whose fate is open."""

from tests.simulation.mutants.mutant import Mutant, Stamp, both, replaced

from plimsoll.core.engine import inquiring
from plimsoll.core.engine.inquiring import Inquiring
from plimsoll.core.execution import inquiry
from plimsoll.core.execution.inquiry import Inquiries
from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.model import OrderState
from plimsoll.core.records import AbsenceShown

_PATIENCE_NS = 5_000_000_000


def _by_time(on_time):
    def broken(self):
        yield from on_time(self)
        state = self.state
        for order in list(state.orders.working.values()):
            age_ns = state.ts_ns - order.created_ns
            if order.state is OrderState.UNKNOWN and age_ns > _PATIENCE_NS:
                stamp: Stamp = state.stamp()
                yield AbsenceShown(*stamp, order.id, "nothing was heard of it")

    return broken


def _never_failed(answered):
    def broken(self, query_id, now_ns, *, is_ok, rows):
        return answered(self, query_id, now_ns, is_ok=True, rows=rows)

    return broken


def _early(asked):
    def broken(self, ask, query_id, now_ns, offset_ns, *, is_connected):
        asked(self, ask, query_id, now_ns, offset_ns, is_connected=is_connected)
        ask.inquiry.counts = is_connected

    return broken


def _one_is_enough(module):
    return replaced(module, "EMPTY_NEEDED", lambda _three: 1)


def _only_sent(take_over):
    def broken(self):
        for lost in take_over(self):
            order = self.state.orders.find(lost.client_order_id)
            if order is None or order.state is not OrderState.INTENT:
                yield lost

    return broken


def _not_waiting(intend):
    def broken(self, record):
        order = intend(self, record)
        order.asked_ns = 0
        return order

    return broken


def _waits_from_here(sent):
    def broken(self, record):
        sent(self, record)
        order = self.find(record.client_order_id)
        if order is not None and record.action == "create":
            order.asked_ns = record.ts_ns

    return broken


def _unknown_only(start):
    def broken(self, order, now_ns):
        if order.state is OrderState.UNKNOWN:
            start(self, order, now_ns)

    return broken


def _unasked(_ask):
    def broken(self):
        yield from ()

    return broken


MUTANTS = (
    Mutant(
        "UNKNOWN ends by time",
        "an order of which nothing is heard for 5 s is given up",
        "ORD-10",
        replaced(Inquiring, "on_time", _by_time),
    ),
    Mutant(
        "a failed query is an empty one",
        "a question that could not be answered counts as the answer no",
        "ORD-9",
        replaced(Inquiries, "answered", _never_failed),
        test="tests/core/engine/test_keeper.py::test_failed_queries_never_prove_absence",
    ),
    Mutant(
        "absence before the window is over",
        "queries count from the first one on, while the order may still arrive",
        "ORD-10 a",
        replaced(Inquiries, "asked", _early),
        test="tests/core/engine/test_keeper.py"
        "::test_three_clean_empties_after_the_window_prove_absence_and_not_before",
    ),
    Mutant(
        "one empty query is proof",
        "the first query that shows nothing ends an order, at any time",
        "ORD-10 c",
        both(
            *(_one_is_enough(module) for module in (inquiry, inquiring)),
            replaced(Inquiries, "asked", _early),
        ),
    ),
    Mutant(
        "an intent without a send is forgotten",
        "the wait for an answer begins with the record of the send",
        "ORD-10",
        both(
            replaced(Inquiring, "take_over", _only_sent),
            replaced(OrderStore, "intend", _not_waiting),
            replaced(OrderStore, "sent", _waits_from_here),
        ),
    ),
    Mutant(
        "only UNKNOWN is asked about",
        "an open order whose amend was lost waits for an answer that no longer comes",
        "ORD-8, ORD-10",
        replaced(Inquiries, "start", _unknown_only),
    ),
    Mutant(
        "nobody asks",
        "an UNKNOWN order waits for the stream to tell",
        "ORD-10",
        replaced(Inquiring, "_ask", _unasked),
    ),
)
