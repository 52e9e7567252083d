"""The same position on paper and on our exchange: the same funding, the same end.

The exchange is the judge: its ledger and its margin are its own, and none of ours.
"""

import random
from decimal import Decimal
from typing import Any

import pytest
from tests.properties.driver import CASH, MS, PERP, SECOND, Driver, one_strategy, settings_of

from plimsoll.core.model import Instrument, Mode
from plimsoll.core.records import (
    BookChanged,
    ClockMeasured,
    Configured,
    IncidentRaised,
    InstrumentListed,
    LeaseTaken,
    PaperFilled,
    PaperFunded,
    TickerChanged,
)
from plimsoll.core.settings import Timing, to_text
from plimsoll.simulator.brain.messages import FundingFixed
from plimsoll.simulator.settings import AccountSettings


def units(text: str) -> int:
    return int(Decimal(text) * CASH)


class Paper:
    """A paper instance that sees what the exchange shows: its ticker and its best prices."""

    def __init__(self, desk: Any, capital: str) -> None:
        self.desk = desk
        (row,) = desk.get("/v5/market/instruments-info", category="linear", symbol="BTCUSDT")[
            "result"
        ]["list"]
        tiers = desk.get("/v5/market/risk-limit", category="linear", symbol="BTCUSDT")["result"]
        instrument = Instrument(
            PERP,
            "linear",
            "BTCUSDT",
            "BTC",
            "USDT",
            "USDT",
            row["priceFilter"]["tickSize"],
            row["lotSizeFilter"]["qtyStep"],
            "0.001",
            "0",
            "0",
            "0",
            max_leverage=row["leverageFilter"]["maxLeverage"],
            risk_tiers=tuple(
                (one["riskLimitValue"], one["maintenanceMargin"]) for one in tiers["list"]
            ),
        )
        settings = settings_of(
            one_strategy(Mode.PAPER, capital=units(capital)),
            timing=Timing(beat_ns=10 * SECOND),
            venue_leverage_ppm=10_000_000,
        )
        self.driver = Driver(settings, now_ns=desk.now_ns)
        self.driver.put(LeaseTaken, "main", "acc", "test", "1")
        self.driver.put(Configured, to_text(settings))
        self.driver.put(InstrumentListed, instrument)
        self.driver.put(ClockMeasured, 0, MS)
        self.number = 0

    def see(self) -> None:
        """Hear the book and the ticker of now."""
        (row,) = self.desk.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"][
            "list"
        ]
        self.driver.advance(self.desk.now_ns - self.driver.now_ns)
        self.number += 1
        best = [[(float(row[f"{side}1Price"]), 1000.0)] for side in ("bid", "ask")]
        ms = self.desk.now_ns // MS
        self.driver.put(
            TickerChanged,
            PERP,
            float(row["lastPrice"]),
            float(row["markPrice"]),
            float(row["indexPrice"]),
            float(row["fundingRate"]),
            int(row["nextFundingTime"]),
            ms,
        )
        self.driver.put(BookChanged, PERP, 50, True, self.number, self.number, ms, *best)

    def hold(self, side: str, qty: str) -> None:
        puppet = self.driver.strategies["s"]
        puppet.todo.append(lambda s: getattr(s, side)(PERP, qty))
        self.see()
        self.desk.wait(0.02)
        self.see()
        (fill,) = self.driver.of(PaperFilled)
        entry = Decimal(self.desk.executions("Trade")[0]["execPrice"])
        assert fill.price_ticks == int(entry * 10), "both at the same price"
        assert fill.fee_units == units(self.desk.executions("Trade")[0]["execFee"])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", ["Buy", "Sell"])
def test_fundings_are_the_same_cash(make_desk: Any, seed: int, side: str) -> None:
    drawn = random.Random(seed)
    desk = make_desk(
        accounts=(AccountSettings(balances={"USDT": "100000"}),),
        funding_interval_min={PERP: 1},
        funding_rates={PERP: "0.0001"},
    )
    paper = Paper(desk, "100000")
    paper.see()
    price = "60000.10" if side == "Buy" else "60000.00"
    desk.order(side=side, price=price, qty="1.003")
    paper.hold(side.lower(), "1.003")
    for _ in range(10):
        rate = f"{drawn.uniform(-0.003, 0.003):.10f}"
        desk._take(desk.exchange.handle(desk.now_ns, FundingFixed(PERP, rate)))
        desk.move(PERP, drawn.randrange(580_000, 620_000))  # 17 s: the mark stands still again
        while (left := 60 - desk.now_ns // MS % 60_000 / 1000) > 2:
            paper.see()
            desk.wait(min(5, left - 1))
        paper.see()
        desk.wait(2)
        paper.see()
    theirs = [units(row["execFee"]) for row in desk.executions("Funding")]
    ours = [one.paid_units for one in paper.driver.of(PaperFunded)]
    assert len(ours) == 10
    assert sorted(ours) == sorted(theirs)
    held = paper.driver.core.ledger.position("s", PERP)
    wallet = units(desk.coin()["walletBalance"])
    assert wallet == 100_000 * CASH - held.fee_units - held.funding_units


@pytest.mark.parametrize("side", ["Buy", "Sell"])
@pytest.mark.parametrize(("capital", "qty"), [("7000", "1"), ("250000", "39")])
def test_liquidation_begins_at_the_same_mark(
    make_desk: Any, side: str, capital: str, qty: str
) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": capital}),))
    desk.book(PERP, bids=[(600_000, 40_000)], asks=[(600_001, 40_000)])
    paper = Paper(desk, capital)
    paper.see()
    desk.order(side=side, price="60000.10" if side == "Buy" else "60000.00", qty=qty)
    paper.hold(side.lower(), qty)
    wanted = Decimal(desk.position()["liqPrice"]) * 10
    sign = 1 if side == "Buy" else -1
    for away in (60, 3):
        desk.move(PERP, int(wanted) + sign * away, lots=1_000_000)
        desk.wait(0.3)
        paper.see()
        assert desk.kinds("margin") == []
        assert not paper.driver.of(IncidentRaised)
    ours = False
    for away in (0, 3, 6, 10):
        desk.move(PERP, int(wanted) - sign * away, lots=1_000_000)
        desk.wait(0.3)
        paper.see()
        theirs = bool(desk.kinds("margin"))
        ours = bool(paper.driver.of(IncidentRaised))
        assert ours == theirs, f"{away} ticks beyond"
        if ours:
            break
    assert ours
    assert paper.driver.core.ledger.qty_lots("s", PERP) == 0
    assert 0 <= paper.driver.core.equity_of("s") < units("0.1") * Decimal(qty) * 2
