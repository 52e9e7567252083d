"""A strategy on its way to real money and back, on a real engine: judged by the exchange's record.

What the days of its record come to is judged elsewhere (tests/cli/test_graduate.py): here its stage
is given at the control socket, as an approval does it.
"""

import uuid
from decimal import Decimal

import msgspec
import pytest
from tests.simulation.judge import read_record
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.test_live_switches import WORD, Switched

from plimsoll.control import Command, send_command
from plimsoll.core.model import Mode
from plimsoll.core.records import ModeSet, OrderDenied
from plimsoll.engine.authority import hashed

CAP = 300
HASH, OTHER = "ab" * 32, "cd" * 32


class Graduated(Switched):
    """A simulator and an engine whose one strategy begins on paper."""

    def __init__(self, root) -> None:
        self.sim = Sim(root / "sim", limits="off", speed=5.0)
        settings = busy_settings()
        (one,) = settings.strategies
        paper = msgspec.structs.replace(one, mode=Mode.PAPER, demotion="flatten")
        settings = msgspec.structs.replace(
            settings, strategies=(paper,), venue_orders_per_second=50
        )
        self.engine = EngineProcess(
            root / "engine", self.sim, settings, passphrase_hash=hashed(WORD, b"salt")
        )

    def give(self, cmd, **args):
        proof = WORD if "evidence" in args and cmd == "mode" else None
        command = Command(
            id=uuid.uuid4().hex, actor="tester", cmd=cmd, proof=proof,
            args={"strategy": "busy0", "reason": "test", **args},
        )  # fmt: skip
        return send_command(self.engine.directory / "run" / "engine.sock", command)

    def standing(self):
        return self.core().state.modes.standings["busy0"]


@pytest.mark.timeout(300)
def test_evidence_lets_it_trade_up_to_its_capital_and_its_loss_takes_it_back(tmp_path):
    desk = Graduated(tmp_path)
    try:
        desk.engine.start()
        wait_for("paper orders", lambda: "paper" in str(desk.core().state.counts), 60.0)
        early = desk.give("mode", mode="live", evidence=HASH)
        assert "is paper: only candidate and live have evidence" in early.reason
        staged = desk.give("stage", stage="candidate", evidence=HASH, capital=CAP * 10**8)
        assert staged.accepted, staged.reason
        wrong = desk.give("mode", mode="live", evidence=OTHER)
        assert "is not the evidence on record" in wrong.reason
        wait_for("the way up", lambda: desk.give("mode", mode="live", evidence=HASH).accepted, 60.0)
        wait_for("executions", lambda: len(desk.lines("execution")) > 20, 60.0)
        assert desk.give("stage", stage="under_review").accepted
        wait_for("the live book to be flat", lambda: desk.standing().stage == "none", 90.0)
        late = desk.give("mode", mode="live", evidence=HASH)
        assert "is under_review" in late.reason
        assert not desk.orphans()
        assert desk.engine.stop() == 143
    finally:
        if desk.engine.is_running:
            desk.engine.kill()
        desk.sim.stop()
    assert desk.verdict() == []
    up, down = desk.records(ModeSet)
    assert (up.mode, up.evidence, up.cap_units) == (Mode.LIVE, HASH, CAP * 10**8)
    assert (down.mode, down.policy, down.actor) == (Mode.PAPER, "flatten", "engine")
    assert any("cap of busy0.live" in one.text for one in desk.records(OrderDenied))
    record = read_record(desk.sim.directory / "record.jsonl")
    values = [Decimal(line["positionValue"] or 0) for line in record if line["kind"] == "position"]
    assert 0 < max(values) <= CAP * Decimal("1.02"), max(values)
    assert values[-1] == 0
