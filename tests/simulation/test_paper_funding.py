"""Paper instances through kills and dead links: each funding paid once, by what was held then.

The rates and times are the exchange's own, read from its record; what was held is counted from the
paper fills in the log.
"""

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from tests.torture.stage import ETH, FULL, PERP, UNIT, Stage, actor

from plimsoll.core.model import Mode
from plimsoll.core.records import PaperFilled, PaperFunded, PaperFundingOwed, PaperOrderIntended
from plimsoll.core.settings import Timing
from plimsoll.core.strategy import Strategy

MS = 1_000_000
LAG_S = 5


class Turning(Strategy):
    """Turns its position over now and then, long and short, and is flat between."""

    def on_start(self):
        self.turns = 0

    def on_book(self, market):
        self.turns += 1
        if self.turns % 7 == 1:
            sizes = (0.05, -0.03, 0.02, 0.0, -0.05)
            self.target(market.instrument.name, qty=sizes[self.turns // 7 % 5])


@pytest.mark.parametrize("seed", range(1, 11 if FULL else 2))
def test_no_funding_is_lost_or_paid_twice(seed):
    drawn = random.Random(seed)
    names = {"a": PERP, "b": ETH}
    stage = Stage(
        dict.fromkeys(names, Turning),
        *(actor(who, name, mode=Mode.PAPER) for who, name in names.items()),
        seed=seed,
        pulse_ms=1_000,
        timing=Timing(funding_lag_ns=LAG_S * 10**9),
        sim={
            "funding_interval_min": {PERP: 0.5, ETH: 1},
            "funding_rates": {PERP: "0.0001234567", ETH: "-0.00076543"},
        },
    )
    stage.judge.keeps |= {"market"}
    with stage.running() as engine:
        stage.ready()
        for _ in range(30 if FULL else 12):
            stage.run(drawn.uniform(5, 40))
            match drawn.randrange(3):
                case 0:
                    engine.machine.kill()
                    stage.run(drawn.uniform(0.1, 120))
                    engine.machine.start()
                    stage.until("a start", lambda: engine.is_running)
                case 1:
                    stage.ask("silent_topic", topic="tickers", duration_s=drawn.uniform(11, 90))
                case _:
                    stage.ask("path_dead", kind="public", duration_s=drawn.uniform(11, 90))
        stage.run(LAG_S * 3 + 20)
        stage.until("everything known", lambda: not engine.core.state.funding_owed)
        deaths = engine.machine.deaths
        end_ms = stage.kernel.now_ns // MS
        records = list(engine.records)
    moments = {
        (line["symbol"], int(line["fundingRateTimestamp"])): line["fundingRate"]
        for line in stage.judge.of("market")
        if line.get("event") == "funding"
    }
    held: dict[tuple[str, int], int] = {}
    orders = {one.client_order_id: one for one in records if type(one) is PaperOrderIntended}
    fills = [one for one in records if type(one) is PaperFilled]
    for name, at_ms in moments:
        lots = sum(
            orders[one.client_order_id].side.sign * one.qty_lots
            for one in fills
            if orders[one.client_order_id].instrument == name and one.ts_ns < at_ms * MS
        )
        if lots and at_ms < end_ms - 1_000:
            held[name, at_ms] = lots
    paid = [one for one in records if type(one) is PaperFunded]
    assert Counter((one.instrument, one.funding_ms) for one in paid) == Counter(held.keys())
    for one in paid:
        per_lot = 10**5 if one.instrument == PERP else 10**6
        assert one.qty_units == held[one.instrument, one.funding_ms] * per_lot
        rate = moments[one.instrument, one.funding_ms]
        assert Decimal(one.rate_e12) / 10**12 == Decimal(rate)
        exact = Fraction(one.qty_units, UNIT) * Fraction(one.mark_e8, UNIT) * Fraction(rate) * UNIT
        assert one.paid_units == ceil(exact)
    assert len(paid) > 8
    assert deaths
    assert any(type(one) is PaperFundingOwed for one in records)
    assert any(one.owed for one in paid), "some were asked for"
