"""A strategy asks for a hundred orders a second: no ban, hardly a refusal, quick cancels (Q13).

Gate size: 60 s. ``FLOOD_S=600`` runs ten minutes. Judged from the simulator's own record; the
cancel times come from the engine's log.
"""

import os
import time
from collections import Counter
from statistics import median

import msgspec
import pytest
from tests.simulation.judge import read_record, violations
from tests.simulation.live import HERE, UNIT, EngineProcess, Sim, busy_settings, wait_for

from plimsoll.core.records import CancelIntended, OrderDenied, OrderReported, decode
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.journal import KIND_RECORD, TRADING, scan

FLOOD_S = float(os.environ.get("FLOOD_S", "60"))
CALM_S = 8.0
LIMITED = {429, 10006, 10429, 20003, 10403}
ENTRY = ("/v5/order/", "order.")


def flood_settings() -> CoreSettings:
    found = busy_settings()
    flood = StrategySettings(
        name="flood",
        source=f"{HERE / 'flood.py'}:Flood",
        instruments=("linear:ETHUSDT",),
        mode=found.strategies[0].mode,
        capital=10_000 * UNIT,
        params={"calm_s": CALM_S},
    )
    # What stops a strategy that repeats itself is another test's matter.
    limits = msgspec.structs.replace(found.limits, orders_per_second=1000)
    return msgspec.structs.replace(found, strategies=(flood,), repeat_max=10**9, limits=limits)


@pytest.mark.timeout(FLOOD_S + 300)
def test_a_flood_of_orders_gets_no_ban_and_cancels_stay_quick(tmp_path):
    sim = Sim(tmp_path / "sim", limits="venue", seed=3)
    engine = EngineProcess(tmp_path / "engine", sim, flood_settings())
    try:
        engine.start()
        wait_for("a session", lambda: engine.has_told("ready", pid=engine.process.pid))
        time.sleep(CALM_S + FLOOD_S)  # the length of the flood, nothing is waited for
        assert engine.stop() == 143, engine.log.read_text()[-3000:]
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    record = read_record(sim.directory / "record.jsonl")
    found = violations(record, engine.journal_dir, "test")
    assert not found, "\n".join(found)
    answers = [
        line for line in record if line["kind"] == "answer" and line["path"].startswith(ENTRY)
    ]
    limited = [line for line in answers if line["retCode"] in LIMITED]
    bans = [line for line in record if line["kind"] == "answer" and line["retCode"] == 403]
    decided = decisions(engine)
    denied = sum(isinstance(one, OrderDenied) for one in decided)
    calm, busy = cancel_times(decided)
    print(  # the figures of the run, for a reader of `pytest -s`
        f"{len(answers)} requests, {len(limited)} limit refusals, {denied} orders denied by us; "
        f"cancels p50 {median(calm) / 1e6:.1f} ms calm, {median(busy) / 1e6:.1f} ms in the flood"
    )
    assert denied > 20 * FLOOD_S, "the strategy did not ask for much: the test shows nothing"
    assert len(answers) > 6 * FLOOD_S, "the venue's rate was not used"
    assert len(limited) <= len(answers) / 1000, Counter(line["retCode"] for line in limited)
    assert not bans
    # A cancel that had to wait for the rate would wait for its window, a second.
    assert sorted(busy)[len(busy) * 9 // 10] < 500_000_000, "cancels waited for the rate"


def decisions(engine: EngineProcess) -> list:
    return [
        decode(bytes(one.payload))
        for one in scan(engine.journal_dir, TRADING)
        if one.kind == KIND_RECORD
    ]


def cancel_times(records: list) -> tuple[list[int], list[int]]:
    """Return how long cancels took to be confirmed, ns, in the calm and in the flood."""
    asked: dict[str, int] = {}
    calm: list[int] = []
    busy: list[int] = []
    first = next(one.ts_ns for one in records if isinstance(one, CancelIntended))
    for one in records:
        if isinstance(one, CancelIntended):
            asked[one.client_order_id] = one.ts_ns
        elif isinstance(one, OrderReported) and one.status == "canceled":
            since = asked.pop(one.client_order_id, 0)
            if since:
                (calm if since - first < CALM_S * 0.5e9 else busy).append(one.ts_ns - since)
    return calm, busy
