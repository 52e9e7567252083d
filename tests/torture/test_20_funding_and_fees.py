"""Row 20: profit and loss that leaves out funding and fees, or rounds them.

People lose money to books that drift: a funding payment nobody booked, a fee in another coin, a
payment made while the program was down. Here every change of a wallet has one cause, and the sum of
causes is the wallet to the last digit, at every moment of a month of fundings (ninety payments of
each perpetual, compressed) with two settle coins, session settlements, transfers, interest, fees
that change, a restart and payments in the meantime.

Judged from the exchange's own transaction log, type by type (as ``test_money.py``, which does it
over real sockets; this one is a whole month in virtual time).
"""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.simulation.test_money import ours_by_cause, sums_by_cause
from tests.torture.stage import ETH, FULL, PERP, SPOT, Stage, actor

from plimsoll.core.strategy import Strategy
from plimsoll.simulator import AccountSettings
from plimsoll.simulator.brain.messages import Transfer

USDC = "linear:BTCPERP"
START = {"USDT": "100000", "USDC": "100000", "BTC": "0.5"}
PAYMENTS = 90
RUNS = 4 if FULL else 1


class Turning(Strategy):
    """Turns its position over now and then, long and short."""

    qty: float = 0.05

    def on_start(self):
        self.turns = 0

    def on_book(self, market):
        self.turns += 1
        name = market.instrument.name
        if self.turns % 9 == 1:
            sign = (1, -1, 0.5, 0)[(self.turns // 9) % 4]
            if name.startswith("spot"):
                sign = abs(sign)
            self.target(name, qty=self.qty * sign)


@pytest.mark.parametrize("seed", range(1, RUNS + 1))
def test_a_month_of_fundings_is_the_wallet_to_the_last_digit(seed):
    account: Any = AccountSettings(balances=dict(START))
    names = {"a": ETH, "b": USDC, "c": PERP, "d": SPOT}
    stage = Stage(
        dict.fromkeys(names, Turning),
        *(actor(who, name) for who, name in names.items()),
        seed=seed,
        pulse_ms=200 if FULL else 1000,
        sim={
            "accounts": (account,),
            "speed": 10.0 if FULL else 1.0,
            "funding_interval_min": dict.fromkeys((ETH, USDC, PERP), 1 / 60),
            "funding_rates": {ETH: "0.0001234567", USDC: "-0.0007654321", PERP: "0.0000000001"},
            "session_interval_min": 3 / 60,
        },
    )

    def move(coin, amount, cause="TRANSFER"):
        stage.venue.handle(Transfer(account.uid, coin, amount, cause))

    with stage.running() as engine:
        stage.ready()
        for second in range(PAYMENTS + 5):
            stage.run(1)
            if engine.is_running:
                balanced(engine.core)
            if second == 10:
                move("USDT", "12345.67890123")
                move("USDT", "-0.00000001")
                move("BTC", "-0.1")
            elif second == 30:
                stage.ask("fees_changed")
            elif second == 40:
                move("USDT", "-3.21", "INTEREST")
            elif second == 50:
                engine.machine.kill()
                move("USDT", "77", "BONUS")  # while nobody listens
            elif second == 70:
                move("USDC", "0.5", "FEE_REFUND")
        stage.ask("hand_close", symbol="ETHUSDT")
        stage.ask("hand_close", symbol="BTCPERP")
        stage.run(3)
        move("USDC", "0.01")  # a settlement before a close shows in no balance: the log is read
        stage.agree(60)
        exchange = SimpleNamespace(
            _server=SimpleNamespace(venue=SimpleNamespace(exchange=stage.venue.exchange))
        )
        assert ours_by_cause(engine.core) == sums_by_cause(exchange)
        balanced(engine.core)
        ours = {coin: Decimal(n) / 10**8 for coin, n in engine.core.ledger.cash.items()}
        assert ours == stage.balances()
        fundings = [one for one in stage.judge.of("execution") if one["execType"] == "Funding"]
        assert len(fundings) > 2 * PAYMENTS
        assert "wallet_difference" not in engine.codes()
        assert engine.machine.deaths == 1


def balanced(core) -> None:
    """Every unit of every coin has a cause."""
    for coin, causes in core.ledger.causes.items():
        assert sum(one.units for one in causes.values()) == core.ledger.cash[coin]
