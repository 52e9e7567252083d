"""Mistakes about executions."""

import msgspec
from tests.simulation.mutants.mutant import Mutant, both, replaced

from plimsoll.core.engine.applying import Orders
from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.execution.lifecycle import Evidence
from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.portfolio import Ledger
from plimsoll.core.records import Reconciled
from plimsoll.engine import claiming
from plimsoll.venues.bybit.private import frames


def _by_order(book):
    def broken(self, owner, record):
        booked = self.__dict__.setdefault("booked", set())
        if record.venue_order_id in booked:
            self._remember(record.instrument, record.execution_id, record.executed_ms)
            return []
        booked.add(record.venue_order_id)
        return book(self, owner, record)

    return broken


def _summed(reported):
    def broken(self, record):
        order = reported(self, record)
        ahead = record.cum_lots - order.filled_lots
        if ahead > 0 and not order.is_adopted:
            self._book(order, ahead, record.price_ticks or order.price_ticks)
        return order

    return broken


def _by_route(is_new):
    def broken(self, record):
        return is_new(self, record) or (record.source == "query" and record.kind == "Trade")

    return broken


def _only_working(executed):
    def broken(self, record):
        order = self.facts.orders.of_venue(record.client_order_id, record.venue_order_id)
        if order is None or order.is_working:
            executed(self, record)

    return broken


def _first_only(envelope):
    def broken(raw):
        found = envelope(raw)
        if found.topic.startswith("execution"):
            found.data = found.data[:1]
        return found

    return broken


def _over_the_hole(carry_out):
    def broken(self, under_way, plan):
        for record in carry_out(self, under_way, plan):
            if isinstance(record, Reconciled):
                now_ms = self._venue_ms(self.state.ts_ns)
                yield msgspec.structs.replace(record, cursor_ms=now_ms)
            else:
                yield record

    return broken


def _no_overlap(start):
    def broken(self, trigger):
        ledger = self.state.ledger
        for query in start(self, trigger):
            is_first = not ledger.cursor_ms or query.kind != "executions"
            yield query if is_first else msgspec.structs.replace(query, since_ms=ledger.cursor_ms)

    return broken


def _without_ids(restore_state):
    def broken(journal_dir, *, keep=False):
        restored = restore_state(journal_dir, keep=keep)
        restored.state.ledger.seen.clear()
        return restored

    return broken


def _full_at_once(book):
    def broken(self, order, qty_lots, price_ticks):
        book(self, order, qty_lots, price_ticks)
        if order.is_working and order.filled_lots >= order.qty_lots:
            self._move(order, Evidence.FILLED)

    return broken


MUTANTS = (
    Mutant(
        "executions by order",
        "an order's second execution is taken for its first one again",
        "ACC-1",
        replaced(Ledger, "book_execution", _by_order),
    ),
    Mutant(
        "filled twice",
        "what is matched is counted from order messages and from executions",
        "ORD-7, ACC-2",
        replaced(OrderStore, "reported", _summed),
    ),
    Mutant(
        "once by stream and once by query",
        "an execution a query brings is new, whatever the stream has brought",
        "ACC-1",
        replaced(Ledger, "is_new", _by_route),
    ),
    Mutant(
        "a late fill is dropped",
        "an execution of an order that is over changes nothing",
        "ORD-6",
        replaced(Orders, "_executed", _only_working),
    ),
    Mutant(
        "the cursor jumps a hole",
        "executions are read from the time of the last comparison on",
        "HND-5",
        both(
            replaced(Comparing, "_carry_out", _over_the_hole),
            replaced(Comparing, "start", _no_overlap),
        ),
        test="tests/core/engine/test_keeper.py"
        "::test_the_cursor_stays_at_the_newest_execution_the_venue_has_listed",
    ),
    Mutant(
        "a restart forgets the ids it has seen",
        "the ids of booked executions are no part of what is kept",
        "ACC-1, JRN-5",
        replaced(claiming, "restore_state", _without_ids),
    ),
    Mutant(
        "full under the old terms",
        "an order is over when its old quantity is filled, an amend of it on the way or not",
        "ORD-6",
        replaced(OrderStore, "_book", _full_at_once),
        test="tests/core/execution/test_orders.py"
        "::test_an_order_filled_to_its_old_quantity_stays_alive_while_an_amend_is_in_flight",
    ),
    Mutant(
        "the second execution of a message is dropped",
        "of a message with several executions the first one is read",
        "V-6",
        replaced(frames, "_envelope", _first_only),
        test="tests/venues/bybit/test_private.py"
        "::test_each_record_is_stamped_only_when_it_is_asked_for",
    ),
)
