"""What the exchange does to an account by itself: the engine goes on agreeing with it."""

from collections import Counter
from pathlib import Path
from typing import Any

from tests.simulation.judge import violations
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for

from plimsoll.engine import Replica
from plimsoll.simulator import AccountSettings

NAMES = ("linear:ETHUSDT", "linear:BTCPERP")


def funded(sim: Sim) -> Counter[str]:
    """Count the funding payments of the account by settle coin."""
    lines = sim.record()
    return Counter(line["feeCurrency"] for line in lines if line.get("execType") == "Funding")


def holds(sim: Sim) -> bool:
    """Return whether both positions are open: only then is there something to pay for."""
    lines = sim.record()
    sizes = {line["symbol"]: line["size"] for line in lines if line["kind"] == "position"}
    return len(sizes) == len(NAMES) and all(float(size or 0) for size in sizes.values())


def is_settled(engine: EngineProcess) -> bool:
    replica = Replica(engine.journal_dir)
    replica.poll()
    replica.close()
    return replica.core.safety.is_reconciled


def test_funding_in_two_settle_coins_is_booked_once_and_exactly(tmp_path: Path) -> None:
    account: Any = AccountSettings(balances={"USDT": "100000", "USDC": "100000"})
    sim = Sim(
        tmp_path / "sim",
        limits="off",
        speed=20.0,
        accounts=(account,),
        funding_interval_min=dict.fromkeys(NAMES, 3 / 60),
        funding_rates={NAMES[0]: "0.0001234567", NAMES[1]: "-0.0007654321"},
    )
    engine = EngineProcess(tmp_path / "engine", sim, busy_settings(instruments=NAMES))
    try:
        engine.start()
        wait_for("a session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("funding", lambda: min(funded(sim)[coin] for coin in ("USDT", "USDC")) > 1)
        wait_for("both positions", lambda: holds(sim))
        engine.kill()
        before = funded(sim).total()
        wait_for("funding nobody listened to", lambda: funded(sim).total() > before)
        engine.start()
        wait_for("the next session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("a comparison", lambda: is_settled(engine))
        while _is_paid_while_it_stops(engine, sim):  # nobody would have booked that
            engine.start()
            wait_for("the session after", lambda: engine.has_told("ready", pid=engine.process.pid))
            wait_for("its comparison", lambda: is_settled(engine))
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    record = sim.record()
    assert violations(record, engine.journal_dir, "test") == []


def _is_paid_while_it_stops(engine: EngineProcess, sim: Sim) -> bool:
    """Stop it behind a payment, when the next one is far; return whether that came all the same."""
    before = funded(sim).total()
    wait_for("a payment", lambda: funded(sim).total() > before)
    paid = funded(sim).total()
    assert engine.stop() == 143, engine.log.read_text()[-3000:]
    return funded(sim).total() > paid


def test_a_liquidated_position_is_gone_in_the_engines_books_too(tmp_path: Path) -> None:
    """Funding of 90 % a second eats 160 USDT under a position of about 150."""
    name = NAMES[0]
    account: Any = AccountSettings(balances={"USDT": "160"})
    sim = Sim(
        tmp_path / "sim",
        limits="off",
        accounts=(account,),
        funding_interval_min={name: 1 / 60},
        funding_rates={name: "0.9"},
    )
    core = busy_settings(instruments=(name,), source="holding.py:Holding")
    engine = EngineProcess(tmp_path / "engine", sim, core)

    def held() -> list[str]:
        lines = sim.record()
        return [line["size"] for line in lines if line["kind"] == "position"]

    def is_known() -> bool:
        replica = Replica(engine.journal_dir)
        replica.poll()
        replica.close()
        return replica.core.ledger.account_lots(name, frozenset()) == 0

    try:
        engine.start()
        wait_for("a session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("a position", lambda: bool(held()))
        wait_for("its end", lambda: held()[-1] == "0.00")
        wait_for("the engine to know", is_known)
        assert engine.stop() == 143, engine.log.read_text()[-3000:]
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    record = sim.record()
    assert any(line.get("execType") == "BustTrade" for line in record)
    assert violations(record, engine.journal_dir, "test") == []
