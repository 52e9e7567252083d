"""Bars that nothing waits for are passed over quickly, and nothing can be told from it."""

from functools import cache

import msgspec
import pytest
from tests.backtest.bars import MINUTE, T0_MS, Scripted, plan_of, series_of, walk
from tests.backtest.chance import Told, told
from tests.properties.driver import CASH, ETH, PERP, WIDE

from plimsoll.backtest.run import run
from plimsoll.backtest.watch import Watch
from plimsoll.backtest.worth import Worth
from plimsoll.core.engine import Core, QuietBars
from plimsoll.core.engine.trader import Trader
from plimsoll.core.records import BarChanged, MarkBarChanged, Record, Tripped

SEEDS = range(54)


@cache
def quickly(seed: int) -> Told:
    return told(seed, 300)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quick_way_and_the_plain_one_tell_the_same(seed: int) -> None:
    quick, plain = quickly(seed), told(seed, 300, is_plain=True)
    assert quick.decisions == plain.decisions
    assert quick.profits == plain.profits
    assert quick.seen == plain.seen
    assert quick.hashes == plain.hashes
    assert quick.results.hash == plain.results.hash


def test_the_seeds_meet_everything_that_ends_quiet() -> None:
    found = [quickly(seed) for seed in SEEDS]
    kinds = set().union(*(one.kinds for one in found))
    assert {"PaperFilled", "Tripped", "StrategyStopped", "ProfitMeasured", "OrderDenied"} <= kinds
    assert "PaperFunded" in kinds
    owners = [owner for one in found for owner in one.results.owners]
    rules: set[str] = set()
    for owner in owners:
        rules |= set(owner.execution["rules"])  # type: ignore[call-overload]
    assert {"open", "through", "stop", "take", "trigger", "liquidation", "intrabar"} <= rules


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Collect the inputs that are decided about the plain way."""
    found, real = [], Core.decide

    def decide(self, record):
        found.append(record)
        return real(self, record)

    monkeypatch.setattr(Core, "decide", decide)
    return found


def test_most_bars_of_a_usual_strategy_are_quiet(plainly: list[Record]) -> None:
    script = {n: (lambda s, n=n: s.target("linear:BTCUSDT", qty=f"0.0{n % 5}")) for n in (50, 500)}
    run(plan_of(series_of(walk(1_000)), script=script))
    assert len(plainly) < 20, "the rest went through QuietBars"


def test_what_is_refused_at_once_at_each_bar_is_quiet_but_for_the_first(plainly) -> None:
    script = dict.fromkeys(range(1_000), lambda s: s.target("linear:BTCUSDT", qty=1, stop="abc"))
    found = run(plan_of(series_of(walk(1_000)), script=script))
    assert found.owners[0].refused[0].times == 999
    assert len(plainly) < 20


@pytest.mark.parametrize("names", [(PERP,), (PERP, ETH)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bar_that_uses_the_margin_up_is_not_quiet(
    names: tuple[str, ...], sign: int, plainly: list[Record]
) -> None:
    moving = []
    for n, (at, *prices, volume) in enumerate(walk(400, step=0.0001)):
        first, high, low, last = (round(price - 10 * sign * n, 1) for price in prices)
        moving.append((at, first, high, low, last, volume))
    rows = {PERP: moving, ETH: walk(400, price=3_000.0)}

    def plan():
        series = [series_of(rows[name], name) for name in names]
        script = {5: lambda s: s.target(PERP, 0.02 * sign)}
        return plan_of(*series, script=script, capital=60, leverage_ppm=100_000_000)

    quick = run(plan())
    bars = [record for record in plainly if isinstance(record, BarChanged)]
    assert len(bars) < 20, "a position held is no reason to look at each bar"
    assert quick.owners[0].execution["liquidations"] == 1
    assert quick.hash == run(plan(), is_plain=True).hash


def test_funding_is_paid_in_the_middle_of_a_quiet_stretch(plainly: list[Record]) -> None:
    def plan():
        series = series_of(walk(400))
        series.rates = lambda: iter([[(T0_MS + n * 50 * MINUTE, 0.0001) for n in range(1, 8)]])
        return plan_of(series, script={5: lambda s: s.target(PERP, 0.02)})

    quick = run(plan())
    assert quick.owners[0].execution["fundings"] == 7
    assert sum(isinstance(record, BarChanged) for record in plainly) < 20
    assert quick.hash == run(plan(), is_plain=True).hash


def test_a_bar_with_a_mark_price_is_not_quiet(plainly: list[Record]) -> None:
    bars = walk(100)
    series = series_of(bars)
    series.marks = lambda: iter([bars[30:40]])
    run(plan_of(series, script={5: lambda s: s.target(PERP, 0.02)}))
    assert sum(isinstance(record, MarkBarChanged) for record in plainly) == 10
    assert sum(isinstance(record, BarChanged) for record in plainly) < 20


@pytest.mark.parametrize("seed", [4, 5, 14, 20, 57, 66, 68])
def test_equity_of_a_bar_is_what_the_core_says_it_is(seed: int, monkeypatch) -> None:
    """By the mark price, which is known in each of these, of perpetuals alone."""
    told_of, real = [], Worth.measure

    def measure(self, heard, closes):
        real(self, heard, closes)
        if any(place in self.places for place, _, _ in heard):
            told_of.append((self.equity_units, self.core.equity_of(self.name)))

    monkeypatch.setattr(Worth, "measure", measure)
    told(seed, 300, is_plain=True)  # each bar is measured before the next one happens
    assert len({equity for equity, _ in told_of}) > 10
    assert all(equity == known for equity, known in told_of)


def test_a_bar_before_the_session_has_begun_is_not_quiet() -> None:
    quiet = QuietBars(Core(lambda _one: Scripted()), ["linear:BTCUSDT"], 0)
    bars = [(0, row) for row in walk(1)]
    assert quiet.take(bars, 0, 1, lambda _: None, lambda _: None) == (0, None)


@pytest.mark.parametrize("breaker", ["daily_loss", "drawdown"])
def test_a_loss_between_two_orders_trips_at_the_same_beat(breaker: str, monkeypatch) -> None:
    """Nothing is asked for while a position loses: only the beats look."""
    falling = [
        (start, first - 10 * n, high - 10 * n, low - 10 * n, last - 10 * n, volume)
        for n, (start, first, high, low, last, volume) in enumerate(walk(200))
    ]
    own = {"daily_loss": {"daily_loss": 300 * CASH}, "drawdown": {"drawdown_ppm": 5_000}}[breaker]

    def tripped(*, is_plain: bool) -> list[Tripped]:
        found = []
        real = Watch.decided

        def decided(self, record):
            if isinstance(record, Tripped):
                found.append(record)
            real(self, record)

        plan = plan_of(series_of(falling), script={5: lambda s: s.target(PERP, qty="0.5")})
        limits = msgspec.structs.replace(WIDE, **own)
        plan.strategies = (msgspec.structs.replace(plan.strategies[0], limits=limits),)
        with monkeypatch.context() as patch:
            patch.setattr(Watch, "decided", decided)
            if is_plain:
                patch.setattr(Trader, "is_idle", False)
            run(plan, is_plain=is_plain)
        return found

    (quick,) = tripped(is_plain=False)
    assert [quick] == tripped(is_plain=True)
    assert quick.breaker == breaker
