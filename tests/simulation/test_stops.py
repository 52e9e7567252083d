"""Stops of every kind against a live session, judged from the exchange's own record (lesson 9)."""

import signal
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.simulation.judge import OPEN, violations
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for

from plimsoll.control import Answer, Command, send_command
from plimsoll.core.engine.reach import preview
from plimsoll.core.model import Scope, scope_of
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    FlattenBegun,
    FlattenEnded,
    Halted,
    IncidentRaised,
    OrderIntended,
    Paused,
    SessionEnded,
    Swept,
    decode,
)
from plimsoll.engine import Replica
from plimsoll.journal import KIND_RECORD, TRADING, scan

ETH, BTC = "linear:ETHUSDT", "linear:BTCUSDT"


class Desk:
    """A simulator and an engine that trades on it; both end with the test."""

    def __init__(self, root: Path, *, instruments=(ETH,), scenario: str = "", **core: Any) -> None:
        more: dict[str, Any] = {}
        if scenario:
            path = root / "scenario.toml"
            path.write_text(scenario)
            more["scenario"] = str(path)
        self.sim = Sim(root / "sim", limits="off", speed=5.0, **more)
        settings = busy_settings(instruments=instruments, source="ladder.py:Ladder")
        settings = msgspec.structs.replace(settings, venue_orders_per_second=50, **core)
        self.engine = EngineProcess(root / "engine", self.sim, settings)

    def begin(self) -> None:
        """Start the engine and wait until every instance has a position, an exit and entries."""
        self.engine.start()
        wait_for("the ladders", self.is_laid)

    def is_laid(self) -> bool:
        orders = list(self.open_orders().values())
        names = {f"linear:{line['symbol']}" for line in orders if line["reduceOnly"]}
        wanted = {one for item in self.settings.strategies for one in item.instruments}
        return names == wanted and len(orders) >= 4 * len(wanted)

    @property
    def settings(self) -> Any:
        return msgspec.json.decode(self.engine.job.read_bytes(), type=_Job).core

    def command(self, cmd: str, **args: Any) -> Answer:
        return send_command(
            self.engine.directory / "run" / "engine.sock",
            Command(id=uuid.uuid4().hex, actor="tester", cmd=cmd, args=args),
        )

    def records(self, kind: Any) -> list[Any]:
        return [
            record
            for entry in scan(self.engine.journal_dir, TRADING)
            if entry.kind == KIND_RECORD and isinstance(record := decode(entry.payload), kind)
        ]

    def core(self) -> Any:
        replica = Replica(self.engine.journal_dir)
        replica.poll()
        replica.close()
        return replica.core

    # ---- the venue's record ----

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.sim.record() if line["kind"] == kind]

    def open_orders(self) -> dict[str, dict[str, Any]]:
        """Return the orders the venue holds, by our id."""
        newest = {line["orderLinkId"]: line for line in self.lines("order")}
        return {link: line for link, line in newest.items() if line["orderStatus"] in OPEN}

    def entries(self) -> list[str]:
        return [link for link, line in self.open_orders().items() if not line["reduceOnly"]]

    def position(self, symbol: str = "ETHUSDT") -> Decimal:
        sizes = [line["size"] for line in self.lines("position") if line["symbol"] == symbol]
        return Decimal(sizes[-1] or 0) if sizes else Decimal(0)

    def risk_after(self, seq: int, covered: Scope) -> list[str]:
        """Return orders at the venue that add risk inside a scope and were intended after it."""
        at = {one.client_order_id: one for one in self.records(OrderIntended)}
        return [
            line["orderLinkId"]
            for line in self.lines("order")
            if not line["reduceOnly"]
            and (intent := at[line["orderLinkId"]]).seq > seq
            and covered.covers(intent.owner, intent.instrument)
        ]

    def verdict(self) -> list[str]:
        return violations(self.sim.record(), self.engine.journal_dir, "test")


class _Job(msgspec.Struct):
    core: Any

    def __post_init__(self) -> None:
        from plimsoll.core.settings import CoreSettings

        self.core = msgspec.convert(self.core, CoreSettings)


@pytest.fixture
def desk(tmp_path):
    made = []

    def make(**named) -> Desk:
        made.append(Desk(tmp_path, **named))
        return made[0]

    yield make
    for one in made:
        if one.engine.is_running:
            one.engine.kill()
        one.sim.stop()


def swept(desk: Desk, scope: str = "") -> bool:
    return any(one.scope == scope for one in desk.records(Swept))


@pytest.mark.parametrize("policy", ["keep", "cancel", "flatten"])
def test_each_policy_at_a_stop_is_what_the_venue_then_shows(desk, policy):
    session = desk(end_policy=policy)
    session.begin()
    assert session.engine.stop() == 143, session.engine.log.read_text()[-3000:]
    entries, held = session.entries(), session.position()
    exits = [link for link, line in session.open_orders().items() if line["reduceOnly"]]
    assert bool(entries) == (policy == "keep")
    assert (held == 0) == (policy == "flatten")
    assert bool(exits) == (policy != "flatten")
    assert len(session.records(SessionEnded)) == 1
    assert session.verdict() == []


def test_after_a_halt_no_order_that_can_add_risk_reaches_the_venue(desk):
    session = desk()
    session.begin()
    assert session.command("halt", reason="drill").accepted
    wait_for("the venue's confirmation", lambda: swept(session))
    wait_for("its record", lambda: session.entries() == [])  # written a moment after the answer
    assert session.position() != 0
    (halted,) = session.records(Halted)
    session.engine.stop()
    assert session.risk_after(halted.seq, Scope()) == []
    assert session.verdict() == []


def test_a_halt_of_one_instance_leaves_the_other_trading(desk):
    session = desk(instruments=(ETH, BTC))
    session.begin()
    assert session.command("halt", scope="strategy:busy0").accepted
    (halted,) = session.records(Halted)
    wait_for("the venue's confirmation", lambda: swept(session, "strategy:busy0"))

    def others():
        made = [*session.records(OrderIntended), *session.records(AmendIntended)]
        return [one for one in made if one.seq > halted.seq]

    wait_for("the other to go on", lambda: len(others()) > 3)
    session.engine.stop()
    assert session.risk_after(halted.seq, scope_of("strategy:busy0")) == []
    places = {one.client_order_id: one.owner for one in session.records(OrderIntended)}
    assert {places[one.client_order_id] for one in others()} == {"busy1"}
    assert session.verdict() == []


CANCELS_FAIL = """
[[fault]]
name = "refuse"
rate = 0.2
code = 10016
endpoint = "order.cancel"

[[fault]]
name = "lose_ack"
rate = 0.2
endpoint = "order.cancel"
"""


def test_a_halt_whose_cancels_fail_ends_with_the_list_empty_twice(desk):
    session = desk(instruments=(ETH, BTC), scenario=CANCELS_FAIL)
    session.begin()
    before = session.core()
    seen = {one.id for one in preview(before.state, Scope()).cancels}
    assert session.command("halt", reason="drill").accepted
    wait_for("the venue's confirmation", lambda: swept(session))
    assert session.entries() == []
    (halted,) = session.records(Halted)
    asked = {one.client_order_id for one in session.records(CancelIntended)}
    still = {link for link in seen if link not in asked}
    assert not still & set(session.open_orders()), "the preview missed nothing"
    session.engine.stop()
    assert session.risk_after(halted.seq, Scope()) == []
    assert session.verdict() == []


def test_a_kill_in_the_middle_of_a_halt_leaves_it_in_force_and_the_next_session_ends_it(desk):
    session = desk(instruments=(ETH, BTC), scenario=CANCELS_FAIL)
    session.begin()
    assert session.command("halt", reason="drill").accepted
    session.engine.kill()
    (halted,) = session.records(Halted)
    session.engine.start()
    wait_for("the venue's confirmation", lambda: swept(session))
    assert session.entries() == []
    session.engine.stop()
    assert session.risk_after(halted.seq, Scope()) == []
    assert session.verdict() == []


def test_a_kill_in_the_middle_of_a_flatten_is_gone_on_with(desk):
    session = desk(instruments=(ETH, BTC))
    session.begin()
    assert session.command("flatten", reason="out").accepted
    wait_for("its beginning", lambda: bool(session.records(FlattenBegun)))
    session.engine.kill()
    session.engine.start()
    wait_for("its end", lambda: bool(session.records(FlattenEnded)))
    assert [one.outcome for one in session.records(FlattenEnded)] == ["flat"]
    (halted,) = session.records(Halted)
    wait_for("the exits to go", lambda: session.open_orders() == {})
    assert (session.position(), session.position("BTCUSDT")) == (0, 0)
    session.engine.stop()
    assert session.risk_after(halted.seq, Scope()) == []
    assert session.verdict() == []


def test_closing_one_position_closes_what_its_preview_names_and_no_other(desk):
    session = desk(instruments=(ETH, BTC))
    session.begin()
    seen = preview(session.core().state, Scope("busy0", ETH), flattens=True)
    assert [(one.owner, one.instrument) for one in seen.closes] == [("busy0", ETH)]
    # A close stops nobody: without the pause the strategy might hold something again at once.
    assert session.command("pause", scope=Scope("busy0", ETH).text, reason="first").accepted
    assert session.command("close", instrument=ETH, reason="too large").accepted
    wait_for("its end", lambda: bool(session.records(FlattenEnded)))
    assert (session.position() == 0, session.position("BTCUSDT") == 0) == (True, False)
    (ended,) = session.records(FlattenEnded)
    assert ended.outcome == "flat"
    assert "against the start" in ended.text
    session.engine.stop()
    assert session.verdict() == []


def test_a_signal_pauses_the_account_and_cancels_nothing(desk):
    session = desk()
    session.begin()
    session.engine.process.send_signal(signal.SIGUSR1)
    wait_for("the pause", lambda: bool(session.records(Paused)))
    (paused,) = session.records(Paused)
    wait_for("a denial", lambda: any(d.code == "paused" for d in session.core().state.denials))
    assert session.risk_after(paused.seq, Scope()) == []
    assert session.open_orders()
    assert session.command("resume", reason="seen").accepted
    assert not session.command("resume").accepted
    assert session.engine.stop() == 143


def test_an_order_by_hand_is_at_the_venue_and_in_the_books(desk):
    session = desk()
    session.begin()
    held = session.position()

    def is_placed():
        """Ask until the strategy has left room in the venue's rate."""
        answer = session.command("order", instrument=ETH, side="buy", qty="0.03", reason="hand")
        assert answer.accepted
        return any(one.cause == answer.seq for one in session.records(OrderIntended))

    wait_for("the gate", is_placed)
    assert not session.command("order", instrument=ETH, side="buy", qty="x").accepted
    wait_for("the fill", lambda: session.core().ledger.qty_lots("manual", ETH) == 3)
    assert session.position() >= held
    session.engine.stop()
    assert not [one for one in session.records(IncidentRaised) if "difference" in one.code]
    assert session.verdict() == []
