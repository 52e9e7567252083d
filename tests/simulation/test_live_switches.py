"""Switches of a real engine process on the simulator, killed between them: judged by its record.

``LIVE_SWITCHES=60`` makes so many; each is given at the control socket like a person's.
"""

import os
import random
import uuid
from functools import partial

import msgspec
import pytest
from tests.simulation.judge import read_record
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.test_stops import Desk

from plimsoll.control import Command, ControlUnreachable, send_command
from plimsoll.core.model import MANUAL, OUTSIDE
from plimsoll.core.records import (
    LiveEnded,
    ModeSet,
    OrderIntended,
    PaperOrderIntended,
)
from plimsoll.engine.authority import hashed

COUNT = int(os.environ.get("LIVE_SWITCHES", "12"))
SEED = int(os.environ.get("SEED", "1"))
WORD = "correct horse"
NAME, SYMBOL = "linear:ETHUSDT", "ETHUSDT"
UP = {"mode": "live", "override": True, "capital": 5_000 * 10**8, "reason": "test"}


class Switched(Desk):
    """A simulator and an engine whose one strategy is switched again and again."""

    def __init__(self, root) -> None:
        self.sim = Sim(root / "sim", limits="off", speed=5.0)
        settings = msgspec.structs.replace(busy_settings(), venue_orders_per_second=50)
        self.engine = EngineProcess(
            root / "engine", self.sim, settings, passphrase_hash=hashed(WORD, b"salt")
        )

    def switch(self, **args):
        """Give a switch; return the answer, None where no engine listens."""
        proof = WORD if args.get("override") else None
        command = Command(
            id=uuid.uuid4().hex, actor="tester", cmd="mode", proof=proof,
            args={"strategy": "busy0", **args},
        )  # fmt: skip
        try:
            return send_command(self.engine.directory / "run" / "engine.sock", command)
        except ControlUnreachable:
            return None

    def orphans(self):
        """Return what live books hold that no instance looks after."""
        state = self.core().state
        running = {one.name for one in state.settings.strategies}
        return [
            (owner, name)
            for owner, name in state.ledger.positions
            if state.ledger.qty_lots(owner, name)
            and owner not in state.paper_owners | OUTSIDE | running
        ]


@pytest.mark.timeout(300)
def test_a_process_is_switched_and_killed_and_no_order_is_in_two_books(tmp_path):
    desk, drawn = Switched(tmp_path), random.Random(SEED)
    try:
        desk.engine.start()
        wait_for("orders", lambda: bool(desk.lines("execution")))
        made = 0
        while made < COUNT:
            policy = drawn.choice(("run_off", "flatten", "flatten", "hand_over"))
            down = desk.switch(mode="paper", policy=policy, reason="test")
            made += bool(down and down.accepted)
            assert not desk.orphans()
            if drawn.random() < 0.15:
                desk.engine.kill()
                desk.engine.start()
            wait_for("a live book that is flat", lambda: _is_free(desk), 60.0)
            wait_for("the way up", lambda: _is_up(desk, drawn), 30.0)
            made += 1
            wanted = len(desk.lines("order")) + 1 + drawn.randrange(8)
            wait_for("orders", partial(_has_orders, desk, wanted), 60.0)
            assert not desk.orphans()
        assert desk.engine.stop() == 143
    finally:
        if desk.engine.is_running:
            desk.engine.kill()
        desk.sim.stop()
    assert desk.verdict() == []
    _judge(desk)


def _has_orders(desk, wanted: int) -> bool:
    return len(desk.lines("order")) >= wanted


def _is_free(desk) -> bool:
    """Return whether nothing stands in the way up; close what was handed over, help a run-off."""
    state = desk.core().state
    if state.ledger.qty_lots(MANUAL, NAME):
        answered = None
        try:
            answered = desk.command("close", instrument=NAME, strategy=MANUAL)
        except ControlUnreachable:
            return False
        return answered is None
    found = state.modes.standings["busy0"]
    if found.stage == "run_off" and not list(state.flattens):
        desk.switch(mode="paper", policy="flatten", reason="help")
    return found.stage in ("none", "handed_over")


def _is_up(desk, drawn) -> bool:
    answer = desk.switch(**UP | {"mode": drawn.choice(("live", "hybrid"))})
    return answer is not None and answer.accepted


def _judge(desk) -> None:
    """Ask the exchange's record and the log whether each order was where it belongs."""
    live = {one.client_order_id: one for one in desk.records(OrderIntended)}
    paper = {one.client_order_id for one in desk.records(PaperOrderIntended)}
    assert live
    assert paper
    assert not live.keys() & paper
    record = read_record(desk.sim.directory / "record.jsonl")
    links = {line["orderLinkId"] for line in record if line["kind"] == "order"}
    assert not links & paper
    assert {live[link].owner for link in links} <= {"busy0", MANUAL}
    switches = sorted((*desk.records(ModeSet), *desk.records(LiveEnded)), key=lambda one: one.seq)
    for one in live.values():
        if one.owner == MANUAL:
            continue
        before = [item for item in switches if item.seq < one.seq]
        newest = before[-1] if before else None
        assert not isinstance(newest, LiveEnded), f"{one.client_order_id} of an ended instance"
        if isinstance(newest, ModeSet) and newest.stage != "live":
            assert one.reduce_only, f"{one.client_order_id} adds risk while {newest.stage}"
            assert newest.stage != "handed_over"
    print(f"{len(switches)} switches and ends, {len(links)} orders, {len(paper)} on paper")
