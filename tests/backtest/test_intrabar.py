"""Finer bars decide the walk inside a bar: the fills are those of a backtest on the finer bars."""

import random
from itertools import groupby
from typing import Any

import pytest
from tests.backtest.bars import MINUTE, Scripted, plan_of, series_of, walk
from tests.properties.driver import ETH, PERP

from plimsoll.backtest.intrabar import Kind, events
from plimsoll.backtest.plan import Plan
from plimsoll.backtest.run import run

HOUR = 60 * MINUTE
START = 1_750_000_000_000 // HOUR * HOUR


def hours(bars):
    """Aggregate minutes to hours."""
    found = []
    for start, group in groupby(bars, lambda row: row[0] // HOUR * HOUR):
        inside = list(group)
        prices = inside[0][1], max(r[2] for r in inside), min(r[3] for r in inside), inside[-1][4]
        found.append((start, *prices, sum(r[5] for r in inside)))
    return found


class Drawn(Scripted):
    """Targets with stops and takes, quotes, conditional orders: what chance says, hour by hour."""

    bars = {"1h": 5}  # noqa: RUF012 - as strategies write it

    def __init__(self, seed, names=(PERP,)):
        super().__init__()
        self.seed = seed
        self.names = names

    def on_bar(self, bar):
        self.heard.append(("bar", bar.close))
        drawn = random.Random(f"{self.seed} {bar.instrument} {bar.close}")
        name, price = bar.instrument, bar.close
        tick = lambda share: round(price * (1 + share), 1)  # noqa: E731
        match drawn.randrange(5):
            case 0:
                sign = drawn.choice((-1, 1))
                stop, take = tick(-0.004 * sign), tick(0.006 * sign)
                self.target(name, 0.01 * sign, stop=stop, take=take)
            case 1:
                self.target(name, 0)
            case 2:
                self.buy(name, "0.010", tick(-0.003))
            case 3:
                self.sell(name, "0.010", trigger=tick(-0.004))
            case _:
                self.timer("later", drawn.randrange(60, 3_000))

    def on_timer(self, name):
        for one in self.names:
            self.sell(one, "0.010")


def finer_plan(bars, seed, **more):
    return plan_of(series_of(bars), strategy=Drawn(seed), look_ns=HOUR * 10**6, **more)


def coarse_plan(bars, seed, finer=None, others=None):
    series = series_of(hours(bars))
    series.finer = lambda: iter([bars if finer is None else finer])
    made = [series]
    if others is not None:
        made.append(series_of(hours(others), ETH))
        made[1].finer = lambda: iter([others])
    names = tuple(one.instrument.name for one in made)
    plan = plan_of(*made, strategy=Drawn(seed, names))
    return with_hours(plan)


def with_hours(plan: Plan) -> Plan:
    plan.span_ns, plan.finer_ns = HOUR * 10**6, MINUTE * 10**6
    return plan


def fills(results):
    return [
        (one.ts_ns, one.instrument, one.side, one.price, one.qty) for one in results.owners[0].fills
    ]


@pytest.mark.parametrize("seed", range(8))
def test_fills_are_those_of_the_finer_backtest(seed):
    bars = walk(60 * 60, seed, start_ms=START, step=0.0008)
    finer = run(finer_plan(bars, seed))
    coarse = run(coarse_plan(bars, seed))
    assert len(fills(finer)) > 20
    assert fills(coarse) == fills(finer)
    assert coarse.owners[0].final_equity == finer.owners[0].final_equity
    assert coarse.events == 60


def test_of_several_instruments_too():
    bars = walk(60 * 50, 1, start_ms=START, step=0.0008)
    others = walk(60 * 50, 2, price=2_000.0, start_ms=START, step=0.0008)
    coarse = run(coarse_plan(bars, 5, others=others))
    series = [series_of(bars), series_of(others, ETH)]
    plan = plan_of(*series, strategy=Drawn(5, (PERP, ETH)), look_ns=HOUR * 10**6)
    finer = run(plan)
    assert {one[1] for one in fills(finer)} == {PERP, ETH}
    assert len(fills(finer)) > 20
    # The open of one instrument is said after the close of the other, where that is walked at all:
    # stamps and the order of the two differ, prices do not.
    for name in (PERP, ETH):
        ours, theirs = (
            [one[1:] for one in fills(each) if one[1] == name] for each in (coarse, finer)
        )
        assert ours == theirs


def test_fewer_fills_are_decided_by_a_rule():
    bars = walk(60 * 100, 3, start_ms=START, step=0.0008)
    by_rule = coarse_plan(bars, 3)
    by_rule.series[0].finer, by_rule.finer_ns = None, 0
    ruled: Any = run(by_rule).owners[0].execution
    walked: Any = run(coarse_plan(bars, 3)).owners[0].execution
    assert ruled["rule_share"] == 1.0
    assert walked["rule_share"] < 0.8
    assert walked["rules"]["intrabar"] > 10
    assert walked["rules"].get("stop-first", 0) <= ruled["rules"].get("stop-first", 0)


def test_a_bar_with_a_hole_in_its_finer_ones_is_walked_by_the_rule():
    bars = walk(60 * 50, 4, start_ms=START, step=0.0008)
    holes = [row for n, row in enumerate(bars) if n % 120 != 70]  # each second hour lacks one
    kinds = [
        one.kind
        for one in events(coarse_plan(bars, 4, finer=holes).series, HOUR * 10**6, MINUTE * 10**6)
    ]
    assert (kinds.count(Kind.BAR), kinds.count(Kind.LAST_FINER)) == (50, 25)
    assert kinds.count(Kind.FINER) == 25 * 59
    results = run(coarse_plan(bars, 4, finer=holes))
    none = run(coarse_plan(bars, 4, finer=[]))
    whole = run(coarse_plan(bars, 4))
    assert fills(none) != fills(results) != fills(whole)
    plain = coarse_plan(bars, 4)
    plain.finer_ns = 0
    assert fills(run(plain)) == fills(none), "without any finer bar the rule is as it was"


def test_everything_comes_in_the_order_of_time():
    bars = walk(60 * 4, 1, start_ms=START)
    others = walk(60 * 4, 2, price=2_000.0, start_ms=START + 2 * HOUR)
    plan = coarse_plan(bars, 1, others=others)
    found = list(events(plan.series, plan.span_ns, plan.finer_ns))
    assert [one.end_ms for one in found] == sorted(one.end_ms for one in found)
    assert len(found) == 8 + 480
    heard = set()
    for one in found:
        if one.kind is Kind.BAR:
            assert (one.place, one.end_ms) in heard, "its last finer one comes first"
        if one.kind is Kind.LAST_FINER:
            heard.add((one.place, one.end_ms))


def test_what_comes_later_changes_nothing_before():
    bars = walk(60 * 60, 6, start_ms=START, step=0.0008)
    whole = run(coarse_plan(bars, 6)).owners[0].fills
    for cut in (20, 41):
        part = run(coarse_plan(bars[: 60 * cut], 6)).owners[0].fills
        assert part == whole[: len(part)]
        assert len(part) > 5


def test_funding_and_marks_inside_an_hour_meet_the_finer_bars():
    bars = walk(60 * 60, 2, start_ms=START, step=0.0008)
    marks = [(at, *(round(p * 1.0003, 1) for p in prices), 0.0) for at, *prices, _ in bars]
    rates = [(START + n * 4 * HOUR + 20 * MINUTE, 0.0001 * (n % 3 - 1.5)) for n in range(15)]

    def fed(plan):
        plan.series[0].marks = lambda: iter([marks])
        plan.series[0].rates = lambda: iter([rates])
        return run(plan)

    finer, coarse = fed(finer_plan(bars, 2)), fed(coarse_plan(bars, 2))
    assert fills(coarse) == fills(finer)
    paid = [one.owners[0].execution["funding_paid"] for one in (finer, coarse)]
    assert paid[0] == pytest.approx(paid[1])
    assert paid[0]


@pytest.mark.parametrize("order", [(PERP, ETH), (ETH, PERP)])
@pytest.mark.parametrize("has_finer", [True, False])
def test_what_a_fill_leads_to_elsewhere_meets_no_price_from_before(order, has_finer):
    """The second leg of a pair: its price is that of a later minute, or of the next hour."""
    minutes = {PERP: walk(240, start_ms=START), ETH: walk(240, 2, 3_000.0, start_ms=START)}
    level = round(min(row[3] for row in minutes[PERP][70:110]) + 1, 1)

    class Hedges(Scripted):
        bars = {"1h": 5}  # noqa: RUF012 - as strategies write it

        def on_bar(self, bar):
            if bar.instrument == PERP and not self.count:
                self.count = 1
                self.buy(PERP, "0.010", level)

        def on_fill(self, fill):
            if fill.instrument == PERP:
                self.sell(ETH, "0.1")

    series = []
    for name in order:
        one = series_of(hours(minutes[name]), name)
        if name == PERP or has_finer:
            one.finer = lambda name=name: iter([minutes[name]])
        series.append(one)
    plan = plan_of(*series, strategy=Hedges(), finer_ns=MINUTE * 1_000_000)
    plan.span_ns = HOUR * 1_000_000
    first, second = run(plan).owners[0].fills
    assert (first.instrument, second.instrument) == (PERP, ETH)
    met = next(n for n, row in enumerate(minutes[PERP]) if n >= 60 and row[3] < level - 0.05)
    opened = minutes[ETH][met + 1] if has_finer else hours(minutes[ETH])[met // 60 + 1]
    assert second.ts_ns > first.ts_ns
    assert second.price == pytest.approx(opened[1] * (1 - 1e-4), abs=0.2)
