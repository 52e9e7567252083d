"""Mistakes about the lease, pauses, and whose answer it is."""

from tests.simulation.mutants.mutant import Mutant, both, replaced

from plimsoll.core.risk.safety import Safety
from plimsoll.engine.beating import Pulse
from plimsoll.engine.engine import Engine
from plimsoll.engine.gateway import Gateway


def _trusted(on_link):
    def broken(self, record):
        if record.link != "private" or record.link not in self.links:
            on_link(self, record)

    return broken


def _always_held(refusal):
    def broken(self, owner, instrument, *, adds_risk):
        found = refusal(self, owner, instrument, adds_risk=adds_risk)
        return "" if found == "the lease is not held" else found

    return broken


MUTANTS = (
    Mutant(
        "the private link may go",
        "orders are sent while nobody hears of executions, and the books count as compared",
        "RSK-6, JRN-6",
        replaced(Safety, "on_link", _trusted),
    ),
    Mutant(
        "a pause is not noticed",
        "a process that stood still goes on as if nothing had been",
        "RSK-13, P7",
        both(
            replaced(Engine, "_woken", lambda _woken: lambda self, gap_ns, now_ns: None),
            replaced(Pulse, "is_fresh", lambda _is_fresh: property(lambda self: True)),
        ),
    ),
    Mutant(
        "the lease is not looked at",
        "the gateway sends whether or not the lease is held",
        "RSK-13",
        replaced(Gateway, "_refusal", _always_held),
        test="tests/engine/test_gateway.py"
        "::test_without_the_lease_nothing_leaves_not_even_a_cancel",
    ),
)
