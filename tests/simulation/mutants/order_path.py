"""Mistakes between the decision and the socket, and about what an answer says."""

from tests.simulation.mutants.mutant import Mutant, Stamp, replaced

from plimsoll.core.engine.inquiring import Inquiring
from plimsoll.core.engine.placing import Placer, Route
from plimsoll.core.execution.lifecycle import Evidence
from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.records import RECORD_KIND, OrderIntended, OutcomeLost, SendRefused, encode
from plimsoll.engine.engine import Engine


def _sent_first(_decide):
    def broken(self, record):
        for decision in self.core.decide(record):
            kind = type(decision)
            self.core.apply(decision)
            sender = self._senders.get(kind)
            if sender is not None:
                self._send(decision, sender, 0)
            self._trading(decision.seq, decision.ts_ns, RECORD_KIND, encode(decision))
            self.seq = decision.seq
            if sender is None and (effect := self._effects.get(kind)) is not None:
                effect(decision)
        self._rearm()

    return broken


def _rejected(lost):
    def broken(self, record):
        order = self.find(record.client_order_id)
        if order is not None and record.action == "create":
            self._move(order, Evidence.REFUSED)
            return order
        return lost(self, record)

    return broken


def _sent_again(lose):
    def broken(self, order, reason):
        is_create = order.state in ("intent", "sent")
        yield from lose(self, order, reason)
        if is_create and not order.cancels:
            stamp: Stamp = self.state.stamp()
            yield OrderIntended(
                *stamp,
                self.state.ids.peek(),
                order.owner,
                order.instrument,
                order.side,
                order.order_type,
                order.tif,
                order.price_ticks,
                order.qty_lots,
                order.reduce_only,
                order.label,
                trigger_ticks=order.trigger_ticks,
                trigger_rises=order.trigger_rises,
                trigger_by=order.trigger_by,
            )

    return broken


def _gone_when(outcomes):
    def make(answered):
        def broken(self, record):
            order = answered(self, record)
            if order is not None and record.action == "cancel" and record.outcome in outcomes:
                self._move(order, Evidence.CANCELED)
            return order

        return broken

    return make


def _amended_at_once(answered):
    def broken(self, record):
        order = answered(self, record)
        if order is not None and record.action == "amend" and record.outcome == "accepted":
            terms = (order.amend_price_ticks, order.amend_qty_lots)
            self._end_request(order, "amend")
            self.listener(order, -1)
            if terms[1]:
                order.price_ticks, order.qty_lots = terms
            self.listener(order, +1)
        return order

    return broken


def _amend_forgotten(lost):
    def broken(self, record):
        order = lost(self, record)
        if order is not None and record.action == "amend":
            self._end_request(order, "amend")
        return order

    return broken


def _gone_with_the_link(on_trade_down):
    def broken(self):
        for record in on_trade_down(self):
            if isinstance(record, OutcomeLost) and record.action == "create":
                stamp: Stamp = self.state.stamp()
                yield SendRefused(*stamp, record.client_order_id, "create", record.reason)
            else:
                yield record

    return broken


def _all_live(_route):
    return lambda self, owner: Route.LIVE


MUTANTS = (
    Mutant(
        "the intent after the send",
        "an order is written to the log when it is on its way already",
        "ORD-4",
        replaced(Engine, "_decide", _sent_first),
    ),
    Mutant(
        "a timeout is a rejection",
        "an order without an answer counts as refused",
        "ORD-8",
        replaced(OrderStore, "lost", _rejected),
    ),
    Mutant(
        "sent again under a new id",
        "an order without an answer is sent once more, with an id of its own",
        "ORD-3, ORD-11",
        replaced(Inquiring, "lose", _sent_again),
        test="tests/core/engine/test_keeper.py"
        "::test_losing_the_trade_link_makes_what_is_in_flight_unknown",
    ),
    Mutant(
        "a broken link takes its orders with it",
        "what was asked on a connection that broke counts as never sent",
        "ORD-8, ORD-10",
        replaced(Inquiring, "on_trade_down", _gone_with_the_link),
        test="tests/core/engine/test_keeper.py"
        "::test_losing_the_trade_link_makes_what_is_in_flight_unknown",
    ),
    Mutant(
        "a cancel that was refused ends the order",
        "what cannot be cancelled is taken for gone",
        "ORD-6",
        replaced(OrderStore, "answered", _gone_when(("refused", "gone"))),
    ),
    Mutant(
        "the answer to a cancel ends the order",
        "accepted for processing is taken for cancelled",
        "V-1",
        replaced(OrderStore, "answered", _gone_when(("accepted",))),
    ),
    Mutant(
        "the answer to an amend is its effect",
        "accepted for processing is taken for the new terms",
        "V-1, RSK-1",
        replaced(OrderStore, "answered", _amended_at_once),
    ),
    Mutant(
        "a lost amend is forgotten",
        "an amend without an answer is taken for one that never arrived",
        "RSK-1",
        replaced(OrderStore, "lost", _amend_forgotten),
        test="tests/core/engine/test_keeper.py"
        "::test_an_amend_that_never_arrived_is_given_up_after_the_window",
    ),
    Mutant(
        "paper orders go to the venue",
        "every instance's orders take the live way",
        "RSK-5",
        replaced(Placer, "_route", _all_live),
    ),
)
