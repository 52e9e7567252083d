"""Funding and mark prices of the past: paid at their times by what was held, said where missing."""

import random
from fractions import Fraction
from math import ceil

import pytest
from tests.backtest.bars import MINUTE, T0_MS, Scripted, flat, plan_of, rows, series_of, walk
from tests.properties.driver import CASH, ETH, PERP, SPOT

from plimsoll.backtest.past import Past
from plimsoll.backtest.run import run

CLOSE_MS = 2 * MINUTE
"""An action of a script takes effect so long after the first bar began."""


def chunks(found):
    return lambda: iter([found]) if found else iter(())


def with_past(series, rates=(), marks=(), finer=()):
    if rates:
        series.rates = chunks([(T0_MS + at, rate) for at, rate in rates])
    if marks:
        series.marks = chunks(list(marks))
    if finer:
        series.finer = chunks(list(finer))
    return series


def ran(bars, script=None, *, rates=(), marks=(), on=PERP, **more):
    return run(plan_of(with_past(series_of(rows(*bars), on), rates, marks), script=script, **more))


def execution(results):
    return results.owners[0].execution


def buy(qty="0.010", on=PERP):
    return lambda s: s.buy(on, qty)


def test_funding_is_paid_by_what_is_held_at_its_time():
    bars = flat(50_000, 8)  # bought at the open of the third bar: nothing is held at 2 minutes
    rates = [(2 * MINUTE, 0.5), (3 * MINUTE, 0.0001), (5 * MINUTE, -0.0003)]
    results = ran(bars, {0: buy()}, rates=rates)
    assert execution(results)["fundings"] == 2
    assert execution(results)["funding_paid"] == pytest.approx(0.05 - 0.15)
    assert "3 rates" in results.assumptions["funding"]
    assert "3 of them at the last price" in results.assumptions["funding"]


def test_funding_moves_equity_and_belongs_to_its_round_trip():
    bars = flat(50_000, 8)
    script = {0: buy(), 4: lambda s: s.sell(PERP, "0.010")}
    without = ran(bars, script)
    charged = ran(bars, script, rates=[(4 * MINUTE, 0.001)])
    assert without.owners[0].final_equity - charged.owners[0].final_equity == pytest.approx(0.5)
    (trip,) = charged.owners[0].trips
    assert (trip.funding, without.owners[0].trips[0].funding) == (0.5, 0.0)
    assert without.owners[0].trips[0].profit - trip.profit == pytest.approx(0.5)


def test_a_position_closed_at_the_open_of_the_funding_time_still_pays():
    """What is decided at a close takes effect after it: it was held in that moment."""
    script = {0: buy(), 2: lambda s: s.sell(PERP, "0.010")}
    results = ran(flat(50_000, 8), script, rates=[(4 * MINUTE, 0.001), (5 * MINUTE, 0.001)])
    assert execution(results)["fundings"] == 1


def test_a_stop_inside_the_bar_before_is_not_charged():
    bars = [*flat(50_000, 3), (50_000, 50_000, 48_000, 48_500), *flat(48_500, 3)]
    script = {0: lambda s: s.target(PERP, qty="0.010", stop=49_000)}
    results = ran(bars, script, rates=[(4 * MINUTE, 0.001), (5 * MINUTE, 0.001)])
    assert [one.rule for one in results.owners[0].fills] == ["open", "stop"]
    assert execution(results)["fundings"] == 1


def test_a_funding_inside_a_bar_is_paid_by_what_its_open_left():
    """Bars of an hour, say, and a rate in the middle of one."""
    results = ran(flat(50_000, 6), {0: buy()}, rates=[(2 * MINUTE + 30_000, 0.001)])
    assert execution(results)["funding_paid"] == pytest.approx(0.5)


def test_the_mark_price_is_paid_where_it_is_known():
    bars = rows(*flat(50_000, 6))
    marks = [(bar[0], *[48_000.0 + 1_000 * n] * 4, 0.0) for n, bar in enumerate(bars)]
    results = run(
        plan_of(with_past(series_of(bars), [(3 * MINUTE, 0.001)], marks), script={0: buy()})
    )
    assert execution(results)["funding_paid"] == pytest.approx(0.01 * 51_000 * 0.001)
    assert "by the mark price (7 bars" in results.assumptions["stops"]
    assert "at the last price" not in results.assumptions["funding"]


def test_what_is_not_known_is_said():
    results = ran(flat(50_000, 4))
    assert "NOT charged, no rates are stored" in results.assumptions["funding"]
    assert "by the LAST price" in results.assumptions["stops"]
    results = ran(flat(50_000, 4), rates=[(-10 * MINUTE, 0.1)])
    assert "of another time" in results.assumptions["funding"]
    assert ran(flat(50_000, 4), on=SPOT).assumptions == {}


@pytest.mark.parametrize("seed", range(4))
def test_funding_of_chance_is_the_sum_of_a_naive_twin(seed):
    drawn = random.Random(seed)
    bars = walk(200, seed)
    names = [drawn.randrange(-20, 21) for _ in bars]
    script = {n: (lambda s, q=q: s.target(PERP, qty=f"{q / 1000}")) for n, q in enumerate(names)}
    rates = sorted(
        (drawn.randrange(200) * MINUTE + drawn.choice([0, 0, 17_000]), drawn.gauss(0, 0.0005))
        for _ in range(40)
    )
    rates = [(at, round(rate, 8)) for at, rate in dict(rates).items()]
    marks = [
        (at, *[mark, mark, mark, round(mark + drawn.gauss(0, 9), 2)], 0.0)
        for at, price, *_ in bars
        for mark in (round(price * (1 + drawn.gauss(0, 0.001)), 2),)
        if drawn.random() < 0.8
    ]
    series = with_past(series_of(bars), rates, marks)
    results = run(plan_of(series, script=script))
    opens = {at: price for at, price, *_ in marks}
    closes = {row[0]: row[4] for row in marks}
    total = count = 0
    for at, rate in rates:
        at += T0_MS
        held = sum(
            one.side * Fraction(str(round(one.qty, 3)))
            for one in results.owners[0].fills
            if one.ts_ns < at * 1_000_000
        )
        minute = at - at % MINUTE
        mark = opens.get(minute)
        if mark is None and at == minute:
            mark = closes.get(minute - MINUTE)
        if mark is None:
            mark = next((row[4] for row in reversed(bars) if row[0] < minute), 0.0)
        if held:
            count += 1
            total += ceil(held * Fraction(str(mark)) * Fraction(f"{rate:.8f}") * CASH)
    assert execution(results)["fundings"] == count > 5
    assert round(execution(results)["funding_paid"] * CASH) == total


def test_rates_and_marks_are_gone_through_once_and_in_order():
    marks = [(at, float(at), 0.0, 0.0, at + 0.5, 0.0) for at in (60, 120, 240)]
    past = Past(chunks([(n, 0.1) for n in (0, 60, 180, 200, 300, 310)]), chunks(marks), 60)
    assert past.mark_bar(60) == marks[0]
    found = [(one.at_ms, one.mark_e8 / CASH) for one in past.due(310, 60, 9.0)]
    assert found.pop(0) == (0, 9.0), "before the beginning: known, and paid by nobody"
    assert (past.told.rates, past.told.first_ms) == (5, 60)
    # At 180 the bar before has just ended; at 200 nothing is known; at 300 that of 240 has ended.
    assert found == [(60, 60.0), (180, 120.5), (200, 9.0), (300, 240.5), (310, 9.0)]
    assert past.next_ms > 1 << 60


def test_when_the_next_rate_comes_is_known_and_after_the_last_taken_to_be_as_long_again():
    past = Past(chunks([(n, 0.1) for n in (0, 60, 180, 200)]), None, 60)
    assert [one.next_ms for one in past.due(1_000, 0, 9.0)] == [60, 180, 200, 220]
    assert [one.next_ms for one in Past(chunks([(60, 0.1)]), None, 60).due(60, 0, 9.0)] == [0]


def test_a_strategy_knows_the_rate_that_was_paid_last_and_no_other():
    heard = []
    script = {
        n: lambda s: heard.append((s.market(PERP).funding_rate, s.market(PERP).next_funding_ms))
        for n in range(7)
    }
    rates = [(3 * MINUTE, 0.0001), (5 * MINUTE, -0.0003), (90 * MINUTE, 0.5)]
    ran(flat(50_000, 7), dict(script), rates=rates)
    due = [T0_MS + at for at, _ in rates]
    assert heard == 2 * [(0.0, 0)] + 2 * [(0.0001, due[1])] + 3 * [(-0.0003, due[2])]
    heard.clear()
    before = [(-2 * MINUTE, 0.7), (-MINUTE, 0.0007)]
    results = ran(flat(50_000, 7), script, rates=[*before, *rates])
    assert heard[:2] == 2 * [(0.0007, due[0])], "the newest of those before the beginning"
    assert "3 rates" not in results.assumptions["funding"]
    assert "2 rates" in results.assumptions["funding"], "only those of its time are charged"


def test_stops_look_at_the_mark_price_where_it_is_known():
    """The last price dips through the stop, the mark price does not; then the other way round."""
    bars = rows(*flat(50_000, 4), (50_000, 50_000, 48_000, 49_900), *flat(49_900, 2))
    script = {1: lambda s: s.target(PERP, qty="0.010", stop=49_000)}
    calm = [(bar[0], 50_000.0, 50_000.0, 49_500.0, 49_900.0, 0.0) for bar in bars]
    kept = run(plan_of(with_past(series_of(bars), marks=calm), script=dict(script)))
    assert [one.rule for one in kept.owners[0].fills] == ["open"]
    fallen = [*calm[:5], (bars[5][0], 50_000.0, 50_000.0, 48_000.0, 49_900.0, 0.0), *calm[6:]]
    quiet = rows(*flat(50_000, 4), (50_000, 50_000, 49_000, 49_900), *flat(49_900, 2))
    hit = run(plan_of(with_past(series_of(quiet), marks=fallen), script=dict(script)))
    entry, exit_ = hit.owners[0].fills
    assert (entry.rule, exit_.rule) == ("open", "stop")
    # Half-way down its leg the mark meets the stop; the last price is half-way down its own.
    assert exit_.price == pytest.approx(49_500 * (1 - 1e-4), abs=0.2)


def test_mark_bars_that_are_the_last_price_change_nothing():
    script = {
        n: (lambda s, n=n: s.target(PERP, qty=f"0.0{n % 5}", stop=49_000 + n * 10, take=51_000))
        for n in range(3, 150, 3)
    }
    bars = walk(200)
    same = [(at, first, high, low, last, 0.0) for at, first, high, low, last, _ in bars]
    without = run(plan_of(series_of(bars), script=script)).owners[0].fills
    assert len(without) > 30
    assert run(plan_of(with_past(series_of(bars), marks=same), script=script)).owners[0].fills == (
        without
    )


# ---- margin ----


def test_a_position_is_liquidated_where_its_margin_is_used_up():
    """900 of capital, 10,000 of position: it ends before the price has lost nine per cent."""
    bars = [*flat(50_000, 3), (50_000, 50_000, 45_000, 45_500), *flat(45_500, 3)]
    strategy = Scripted()
    results = ran(
        bars, {0: buy("0.170")}, strategy=strategy, capital=900, rates=[(6 * MINUTE, 0.1)]
    )
    owner = results.owners[0]
    entry, end = owner.fills
    assert (entry.rule, end.rule, end.qty) == ("open", "liquidation", 0.17)
    assert 0 <= owner.final_equity < 0.03, "nothing is left, nothing is owed"
    assert execution(results)["liquidations"] == 1
    assert execution(results)["fundings"] == 0
    assert any("liquidated on paper" in one for one in results.warnings)
    assert ("fill", (-170, round(end.price * 10))) in strategy.heard


def test_a_liquidated_instance_is_paused_there_and_its_orders_end():
    def enter(s):
        s.buy(PERP, "0.170")
        s.sell(PERP, "0.170", "60000", reduce_only=True)

    bars = [*flat(50_000, 3), (50_000, 50_000, 44_000, 45_500), *flat(60_500, 6)]
    script = {0: enter, 6: buy("0.001")}
    results = ran(bars, script, capital=900)
    assert [one.rule for one in results.owners[0].fills] == ["open", "liquidation"]
    assert execution(results)["refusals"] == {"paused": 1}


def test_a_stop_before_the_liquidation_saves_the_rest():
    bars = [*flat(50_000, 3), (50_000, 50_000, 40_000, 45_500), *flat(45_500, 3)]
    script = {0: lambda s: s.target(PERP, qty="0.170", stop=48_000)}
    results = ran(bars, script, capital=900)
    assert [one.rule for one in results.owners[0].fills] == ["open", "stop"]
    assert results.owners[0].final_equity > 500


def test_an_open_far_beyond_leaves_nothing_and_owes_nothing():
    bars = [*flat(50_000, 3), (30_000, 30_000, 30_000, 30_000), *flat(30_000, 3)]
    results = ran(bars, {0: buy("0.170")}, capital=900)
    assert [one.rule for one in results.owners[0].fills] == ["open", "liquidation"]
    assert 0 <= results.owners[0].final_equity < 0.03


def test_shorts_and_several_positions_are_liquidated_together():
    class Both(Scripted):
        def on_bar(self, bar):
            super().on_bar(bar)
            if self.count == 2:
                self.sell(PERP, "0.080")
                self.buy(ETH, "2")

    bars = rows(*flat(50_000, 4), (50_000, 61_000, 50_000, 59_000), *flat(59_000, 3))
    others = rows(*flat(2_000, 8))
    results = run(plan_of(series_of(bars), series_of(others, ETH), strategy=Both(), capital=900))
    rules = [(one.instrument, one.rule) for one in results.owners[0].fills]
    assert rules[2:] == [(PERP, "liquidation"), (ETH, "liquidation")]
    assert 0 <= results.owners[0].final_equity < 0.05


def test_what_the_margin_does_not_carry_is_refused():
    results = ran(flat(50_000, 4), {0: buy("0.190")}, capital=900)
    assert execution(results)["refusals"] == {"initial_margin": 1}
    assert results.owners[0].fills == []
    assert ran(flat(50_000, 4), {0: buy("0.170")}, capital=900).owners[0].fills
