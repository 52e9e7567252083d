"""Every fault of the exchange's catalogue against a trading engine: fault, expected, seen.

Each runs while a strategy trades, then ends; within 30 s the engine must be well, and at the end
its books equal the venue's record. ``FAULTS=all`` runs the whole catalogue, the gate a part of it;
``-s`` prints the table.
"""

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.simulation.inside import engine, engine_settings, until, what_is_open
from tests.simulation.judge import read_record, violations
from tests.simulation.live import busy_settings

from plimsoll.simulator import SimSettings, running
from plimsoll.simulator.faults.catalogue import CATALOGUE

ALL = os.environ.get("FAULTS") == "all"
CHAOS_S = 2.0
INSTRUMENTS = ("linear:ETHUSDT", "linear:BTCUSDT")
WELL = "well within 30 s, books equal"


@dataclass(frozen=True)
class Row:
    """How a fault is asked for, and what is required of the engine besides being well after it."""

    asked: dict[str, Any] = field(default_factory=dict)
    expected: str = WELL
    in_gate: bool = False
    deadline_s: float = 30.0
    is_equal: bool = True
    """Whether the ledger equals the venue's at the end; not where somebody else traded."""


ROWS: dict[str, Row] = {
    "stall": Row(in_gate=True),
    "delay": Row({"magnitude": 1500}),
    "duplicate_frame": Row({"rate": 0.3}, in_gate=True),
    "half_open_out": Row({"kind": "private"}, in_gate=True),
    "reset": Row({"rate": 0.05}, in_gate=True),
    "close": Row({"rate": 0.05}),
    "malformed_frame": Row({"rate": 0.05}, in_gate=True),
    "huge_frame": Row({"rate": 0.05}),
    "deep_frame": Row({"rate": 0.05}),
    "nonfinite_frame": Row({"rate": 0.05}),
    "bad_utf8_frame": Row({"rate": 0.05}),
    "slow_answers": Row({"magnitude": 1000}),
    "lose_ack": Row({"rate": 0.5}, in_gate=True),
    "lose_request": Row({"rate": 0.5}, in_gate=True),
    "late_request": Row({"rate": 0.5, "magnitude": 700}, in_gate=True),
    "refuse": Row({"rate": 0.5}),
    "refuse_after": Row({"rate": 0.5}, in_gate=True),
    "http_error": Row({"rate": 0.5}),
    "http_error_after": Row({"rate": 0.5}),
    "error_without_id": Row({"rate": 0.5}),
    "trade_restart": Row(in_gate=True),
    "history_missing": Row({"rate": 0.5}),
    "drop_push": Row({"rate": 0.3}, in_gate=True),
    "duplicate_push": Row({"rate": 0.5}),
    "delay_push": Row({"rate": 0.5}),
    "reorder_push": Row({"rate": 0.5}, in_gate=True),
    "drop_delta": Row({"rate": 0.1}, in_gate=True),
    "crossed_book": Row({"rate": 0.2}),
    "empty_book": Row({"rate": 0.2}),
    "zero_book": Row({"rate": 0.2}),
    "negative_book": Row({"rate": 0.2}),
    "unknown_enum": Row({"rate": 0.2}),
    "new_fields": Row(),
    "empty_strings": Row({"rate": 0.3}),
    "exponent_numbers": Row(in_gate=True),
    "ban": Row(expected="REST silent to the end of the ban, sockets go on; then well"),
    "filters_changed": Row({"values": {"minOrderQty": "0.02"}}),
    "hand_order": Row(expected="adopted as foreign; books otherwise equal", is_equal=False),
    "hand_close": Row(expected="gone from the instance, which is paused and told", is_equal=False),
}


def rows() -> list[Any]:
    """Return the faults to run as parameters."""
    names = [name for name in CATALOGUE if ALL or ROWS.get(name, Row()).in_gate]
    return [pytest.param(name, ROWS.get(name, Row()), id=name) for name in names]


@pytest.mark.parametrize(("name", "row"), rows())
def test_a_fault_of_the_catalogue(tmp_path, name, row):
    seen = asyncio.run(session(tmp_path, name, row))
    record = read_record(tmp_path / "sim" / "record.jsonl")
    effects = [line for line in record if line["kind"] == "fault" and line.get("event") == "effect"]
    kinds = Counter(line["kind"] for line in record)
    found = violations(record, tmp_path / "journal", "test")
    shown = f"{len(effects)} effects, {kinds['execution']} executions, {seen}"
    print(f"\n| {name} | {row.expected} | {shown}, {'; '.join(found) or 'books equal'} |")
    if row.is_equal:
        assert not found, "\n".join(found)


async def session(directory, name: str, row: Row) -> str:
    """Trade through the fault; return in words how the engine took it."""
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    async with running(sim) as exchange:
        core = busy_settings(instruments=INSTRUMENTS)
        settings = engine_settings(directory, exchange.port, core, ban_s=CHAOS_S + 0.5)
        async with engine(settings) as process:
            await until("orders", lambda: process.core.counts.get("execution", 0) > 3)
            fault = exchange.start_fault(name, **row.asked)
            begin = time.monotonic()
            while time.monotonic() < begin + CHAOS_S:  # the length of the chaos is what is tested
                assert process.failure is None
                await asyncio.sleep(0.05)
            exchange.stop_fault(fault)
            await asyncio.sleep(core.timing.answer_ns / 1e9)  # what was lost is late by then
            try:
                calm_s = await until("calm", lambda: not what_is_open(process), row.deadline_s)
            except AssertionError:
                raise AssertionError(f"still open: {what_is_open(process)}") from None
            counters, _ = process.venue.metrics()
            connects = sum(n for key, n in counters.items() if key.endswith(".connects"))
            incidents = process.core.counts.get("incident", 0)
            blocks = len(process.core.safety.blocks)
    return f"well after {calm_s:.1f} s, {connects} connects, {incidents} incidents, {blocks} blocks"
