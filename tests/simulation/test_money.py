"""Lesson 20: after a month in little time, every change of every wallet has its cause.

Fundings of two perpetuals (ninety are a month of them), session settlements, transfers, interest, a
bonus, a liquidation, a deleveraging and a hand's close, some of it while the engine is away. The
judge is the exchange's own transaction log, type by type and to the last digit.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import busy_settings

from plimsoll.core.model import is_own
from plimsoll.simulator import AccountSettings, SimSettings, running
from plimsoll.simulator.brain.messages import Transfer

USDT, USDC = "linear:ETHUSDT", "linear:BTCPERP"
BUSY = ("linear:BTCUSDT", "spot:BTCUSDT")
PAYMENTS = 90 if os.environ.get("MONEY") == "month" else 24
"""Thirty days of fundings each eight hours; the gate takes eight days."""

START = {"USDT": "100000", "USDC": "100000", "BTC": "0.5"}


def sums_by_cause(exchange: Any) -> dict[str, dict[str, Decimal]]:
    """Add up the exchange's transaction log by coin and by our names of causes."""
    (account,) = exchange._server.venue.exchange.floor.accounts.values()
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for entry in account.transactions:
        row = entry.row
        kind, coin = row["type"], row["currency"]
        causes = found[coin]
        if kind in ("TRADE", "LIQUIDATION", "ADL"):
            causes["trade"] += Decimal(row["cashFlow"])
            causes["fee"] -= Decimal(row["fee"])
        elif kind == "SETTLEMENT" and row["tradeId"]:
            causes["funding"] += Decimal(row["funding"] or 0)
        else:
            causes[kind.lower()] += Decimal(row["change"])
    for coin, balance in START.items():
        found[coin]["adopted"] += Decimal(balance)
    return {
        coin: {name: total for name, total in causes.items() if total}
        for coin, causes in found.items()
    }


def ours_by_cause(core: Any) -> dict[str, dict[str, Decimal]]:
    return {
        coin: {name: Decimal(one.units) / 10**8 for name, one in causes.items() if one.units}
        for coin, causes in core.ledger.causes.items()
    }


def balances(exchange: Any) -> dict[str, Decimal]:
    (account,) = exchange._server.venue.exchange.floor.accounts.values()
    return dict(account.ledger.balances)


def payments(exchange: Any) -> int:
    (account,) = exchange._server.venue.exchange.floor.accounts.values()
    paid: dict[str, int] = defaultdict(int)
    for entry in account.executions:
        if entry.row["execType"] == "Funding":
            paid[entry.row["symbol"]] += 1
    return min(paid["ETHUSDT"], paid["BTCPERP"])


def held(exchange: Any, name: str) -> int:
    (account,) = exchange._server.venue.exchange.floor.accounts.values()
    position = account.ledger.positions.get(name)
    return position.lots if position else 0


async def agreed(what: str, process: Any, exchange: Any) -> None:
    """Wait until books and wallet are equal; the exchange may move again right after."""

    def is_equal() -> bool:
        ours = {coin: Decimal(units) / 10**8 for coin, units in process.core.ledger.cash.items()}
        return ours == balances(exchange)

    await until(what, is_equal)


def test_a_month_of_fundings_and_everything_else_has_its_causes(tmp_path):
    codes: list[str] = []
    ours, theirs, core = asyncio.run(month(tmp_path, codes))
    assert ours == theirs
    assert {"adopted", "trade", "fee", "funding", "settlement"} <= set(theirs["USDC"])
    assert {"transfer_in", "transfer_out", "interest", "bonus", "fee_refund"} <= set(theirs["USDT"])
    assert {(owner, name) for owner, name in core.safety.pauses} >= {
        ("hold0", USDT),
        ("hold1", USDC),
    }
    assert {"position_liquidated", "position_deleveraged"} <= set(codes)
    assert "wallet_difference" not in codes
    assert core.safety.blocks == {}
    record = read_record(tmp_path / "sim" / "record.jsonl")
    # Executions and orders of hands are nobody's of ours: everything else agrees as always.
    hands = {
        line["execId"]
        for line in record
        if line["kind"] == "execution" and not is_own(line["orderLinkId"], "test")
    }
    found = violations(record, tmp_path / "journal", "test")
    assert [one for one in found if one.rpartition(" ")[2] not in hands] == []


async def month(directory, codes: list[str]) -> tuple[Any, Any, Any]:
    account: Any = AccountSettings(balances=dict(START))
    sim = SimSettings(
        directory=str(directory / "sim"),
        limits="off",
        speed=10.0,
        accounts=(account,),
        funding_interval_min=dict.fromkeys((USDT, USDC), 1 / 60),
        funding_rates={USDT: "0.0001234567", USDC: "-0.0007654321"},
        session_interval_min=3 / 60,
    )
    holding = busy_settings(instruments=(USDT, USDC), source="holding.py:Holding").strategies
    busy = busy_settings(instruments=BUSY)
    named = [msgspec.structs.replace(one, name=f"hold{n}") for n, one in enumerate(holding)]
    core_settings = msgspec.structs.replace(busy, strategies=(*named, *busy.strategies))
    async with running(sim) as exchange:
        server: Any = exchange._server

        def move(coin: str, amount: str, cause: str = "TRANSFER") -> None:
            server.handle(Transfer(account.uid, coin, amount, cause))

        settings = engine_settings(directory, exchange.port, core_settings)
        async with engine(settings) as process:
            await until("positions", lambda: all(held(exchange, one) for one in (USDT, USDC)))
            move("USDT", "12345.67890123")
            move("USDT", "-0.00000001")
            move("BTC", "-0.1")
            await until("transfers", _has(process, "transfer_out", "USDT"))
            await until("a position", lambda: abs(held(exchange, USDT)) > 1)
            exchange.start_fault("liquidation", symbol="ETHUSDT", magnitude=0.5)
            await until("its end", lambda: ("hold0", USDT) in process.core.safety.pauses)
            move("USDT", "-3.21", "INTEREST")
            await until("a third of the month", lambda: payments(exchange) > PAYMENTS // 3)
            await agreed("agreement", process, exchange)
            codes += [one.code for one in process.core.incidents]
        move("USDT", "77", "BONUS")  # while nobody listens
        before = payments(exchange)
        await until("payments nobody hears", lambda: payments(exchange) > before + 5)
        async with engine(settings) as process:
            await until("what was missed", _has(process, "bonus", "USDT"))
            await until("a position", lambda: abs(held(exchange, USDC)) > 1)
            exchange.start_fault("adl", symbol="BTCPERP", magnitude=0.5)
            await until("the next", lambda: ("hold1", USDC) in process.core.safety.pauses)
            move("USDT", "0.5", "FEE_REFUND")
            await until("a month", lambda: payments(exchange) >= PAYMENTS)
            exchange.start_fault("hand_close", symbol="ETHUSDT")
            exchange.start_fault("hand_close", symbol="BTCPERP")
            await until("flat", lambda: not held(exchange, USDT) and not held(exchange, USDC))
            # A settlement before a close shows in no balance: the log is read hourly, or for this.
            move("USDC", "0.01")
            await until("the last", _has(process, "transfer_in", "USDC"))
            await agreed("agreement", process, exchange)
            core = process.core
            codes += [one.code for one in core.incidents]
            return ours_by_cause(core), sums_by_cause(exchange), core


def _has(process: Any, cause: str, coin: str) -> Callable[[], bool]:
    return lambda: cause in process.core.ledger.causes.get(coin, {})
