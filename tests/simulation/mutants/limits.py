"""Mistakes about what is in flight."""

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.engine.surveying import Surveying
from plimsoll.core.model import Order, OrderState, Side
from plimsoll.core.risk import gate
from plimsoll.core.risk.exposure import Exposure


def _nothing_in(*states):
    def make(leaves):
        return property(lambda self: 0 if self.state in states else leaves.fget(self))

    return make


def _new_terms_only(leaves):
    def broken(self):
        if self.amend_qty_lots and self.is_working:
            return max(0, self.amend_qty_lots - self.filled_lots)
        return leaves.fget(self)

    return property(broken)


def _untriggered(leaves):
    return property(lambda self: 0 if self.is_waiting else leaves.fget(self))


def _cancel_pending(leaves):
    return property(lambda self: 0 if self.cancel_pending else leaves.fget(self))


def _netted(reach):
    def broken(self, scope, instrument, held_lots, side):
        other = self.closing_sells if side is Side.BUY else self.closing_buys
        opposite = self.sells if side is Side.BUY else self.buys
        key = (scope, instrument)
        less = other.get(key, 0) + opposite.get(key, 0)
        return max(0, reach(self, scope, instrument, held_lots, side) - less)

    return broken


def _no_position(reach):
    return lambda self, scope, instrument, held_lots, side: reach(self, scope, instrument, 0, side)


def _alone(_elsewhere):
    return lambda self, scope, name, among: 0


def _all_coins(_held):
    return lambda order, around: None


MUTANTS = (
    Mutant(
        "limits without what is UNKNOWN",
        "an order of which nobody knows counts for nothing",
        "RSK-1",
        replaced(Order, "leaves_lots", _nothing_in(OrderState.UNKNOWN)),
    ),
    Mutant(
        "limits without what is in flight",
        "an order counts from its confirmation on",
        "RSK-1",
        replaced(
            Order,
            "leaves_lots",
            _nothing_in(OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN, OrderState.ACKED),
        ),
    ),
    Mutant(
        "an amend counts with its new terms",
        "from the request on the old quantity counts no more",
        "RSK-1",
        replaced(Order, "leaves_lots", _new_terms_only),
    ),
    Mutant(
        "a cancel that is asked for counts as done",
        "an order counts no more from the request of its cancel on",
        "RSK-1",
        replaced(Order, "leaves_lots", _cancel_pending),
    ),
    Mutant(
        "what waits for its price does not count",
        "a conditional order counts when it is triggered",
        "RSK-1",
        replaced(Order, "leaves_lots", _untriggered),
    ),
    Mutant(
        "sells make room for buys",
        "orders of the other side, reduce-only or not, are taken off the worst case",
        "RSK-1",
        replaced(Exposure, "reach_lots", _netted),
    ),
    Mutant(
        "limits without the position",
        "the worst case is that of the orders alone",
        "RSK-1",
        replaced(Exposure, "reach_lots", _no_position),
    ),
    Mutant(
        "each instrument has the whole limit",
        "the exposure of the account is that of the instrument asked for",
        "RSK-4",
        replaced(Surveying, "_worst_elsewhere", _alone),
        test="tests/core/risk/test_gate.py::test_exposure_adds_the_other_instruments_up",
    ),
    Mutant(
        "spot sells what is not held",
        "a sale is not compared with the coins its owner bought",
        "RSK-3",
        replaced(gate, "_held", _all_coins),
    ),
)
