"""Mistakes about halts."""

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.engine import halting
from plimsoll.core.engine.halting import Halting
from plimsoll.core.engine.reach import is_cancelled
from plimsoll.core.model import ACCOUNT
from plimsoll.core.risk.safety import Safety


def _ended_by_a_start(on_lease):
    def broken(self, record):
        on_lease(self, record)
        self.halts.clear()

    return broken


def _cancels_first(halt):
    def broken(self, scope, actor, reason, **how):
        for order in list(self.state.orders.working.values()):
            if is_cancelled(order, scope):
                yield from self.placer.cancel(order, f"halt: {reason}")
        yield from halt(self, scope, actor, reason, **how)

    return broken


def _once(_on_time):
    def broken(self):
        yield from self.sweeping.on_time()

    return broken


def _all_of_it(_is_cancelled):
    def broken(order, scope, **how):
        return _is_cancelled(order, scope, **{**how, "with_protections": True})

    return broken


def _not_the_account(stand):
    def broken(self, owner, instrument):
        halts = self.halts
        self.halts = {scope: halt for scope, halt in halts.items() if scope != ACCOUNT}
        try:
            return stand(self, owner, instrument)
        finally:
            self.halts = halts

    return broken


MUTANTS = (
    Mutant(
        "a restart ends the halt",
        "a session begins without the halts of the one before",
        "RSK-9",
        replaced(Safety, "on_lease", _ended_by_a_start),
    ),
    Mutant(
        "cancels before the halt",
        "the halt is written down when its cancels have left",
        "RSK-9",
        replaced(Halting, "halt", _cancels_first),
    ),
    Mutant(
        "a halt cancels once",
        "what turns up, or whose cancel was lost, stays",
        "RSK-10",
        replaced(Halting, "on_time", _once),
        test="tests/core/engine/test_halting.py"
        "::test_an_order_only_the_venue_knows_is_found_cancelled_and_starts_the_count_anew",
    ),
    Mutant(
        "a halt takes the protection too",
        "reduce-only orders are cancelled like any other",
        "RSK-10",
        replaced(halting, "is_cancelled", _all_of_it),
    ),
    Mutant(
        "a halt of the account stops no order",
        "only halts of instances and instruments are looked at before an order",
        "RSK-6",
        replaced(Safety, "stand", _not_the_account),
    ),
)
