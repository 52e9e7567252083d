"""What a bar decides, it decides by the rule, and against the strategy (trading.md 6)."""

import pytest
from tests.backtest.bars import HALF, Scripted, flat, plan_of, rows, series_of, walk
from tests.properties.driver import ETH, PERP

from plimsoll.backtest.run import run
from plimsoll.backtest.watch import Watch
from plimsoll.core.portfolio.statistics import Statistics


def fills(results):
    return [(one.side, one.price, one.qty, one.rule) for one in results.owners[0].fills]


def ran(bars, script, **more):
    return run(plan_of(series_of(rows(*bars)), script=script, **more))


def test_a_taker_fills_at_the_next_open_half_a_spread_worse():
    bars = [*flat(50_000, 2), (50_050, 50_200, 50_000, 50_150), *flat(50_150, 2)]
    bought = ran(bars, {1: lambda s: s.buy(PERP, "0.010")})
    sold = ran(bars, {1: lambda s: s.sell(PERP, "0.010")})
    assert fills(bought) == [(1, pytest.approx(50_055.1), 0.01, "open")]  # 50,055.005 on its tick
    assert fills(sold) == [(-1, pytest.approx(50_044.9), 0.01, "open")]


def test_a_market_order_that_the_open_has_left_behind_comes_to_nothing():
    bars = [*flat(50_000, 2), (51_000, 51_000, 51_000, 51_000), *flat(51_000, 2)]
    results = ran(bars, {1: lambda s: s.buy(PERP, "0.010")})
    assert fills(results) == []


@pytest.mark.parametrize(
    ("low", "is_filled"), [(49_000.1, False), (49_000.0, False), (48_999.9, True)]
)
def test_a_limit_fills_only_where_the_price_went_through_it(low, is_filled):
    bars = [*flat(50_000, 3), (50_000, 50_000, low, 49_500), *flat(49_500, 2)]
    results = ran(bars, {1: lambda s: s.buy(PERP, "0.010", "49000")})
    assert fills(results) == ([(1, 49_000.0, 0.01, "through")] if is_filled else [])
    assert all(one.is_maker for one in results.owners[0].fills)


def test_a_limit_does_not_fill_in_the_bar_it_was_decided_on():
    bars = [(50_000, 50_000, 48_000, 50_000), *flat(50_000, 3)]
    assert fills(ran(bars, {0: lambda s: s.buy(PERP, "0.010", "49000")})) == []


def long_with_exits(s):
    return s.target(PERP, qty="0.010", stop=49_000, take=51_000)


@pytest.mark.parametrize(
    ("bar", "price", "rule"),
    [
        ((50_000, 50_100, 48_000, 48_500), 48_995.1, "stop"),  # at its level, half a spread worse
        ((48_500, 48_600, 48_000, 48_500), 48_495.1, "stop"),  # the open has passed it: at the open
        ((50_000, 51_500, 49_900, 51_200), 50_994.9, "take"),
        ((50_000, 51_500, 48_500, 50_000), 48_995.1, "stop-first"),
    ],
)
def test_a_stop_is_met_at_its_level_and_before_a_take(bar, price, rule):
    results = ran([*flat(50_000, 4), bar, *flat(bar[3], 2)], {1: long_with_exits})
    (_, _, _, entered), exit_ = fills(results)
    assert entered == "open"
    assert exit_ == (-1, pytest.approx(price, abs=0.11), 0.01, rule)


def test_an_entry_and_its_stop_in_one_bar_are_both_met():
    def enter(s):
        s.target(PERP, qty="0.010", stop=49_000)

    bars = [*flat(50_000, 2), (50_000, 50_000, 48_000, 48_200), *flat(48_200, 2)]
    assert [rule for *_, rule in fills(ran(bars, {1: enter}))] == ["open", "stop"]


def test_a_trailing_stop_follows_the_best_price_of_the_bars():
    bars = [*flat(50_000, 4), (50_000, 51_000, 50_000, 50_900), (50_900, 50_900, 50_300, 50_400)]
    script = {1: lambda s: s.target(PERP, qty="0.010", trail=500)}
    entry, exit_ = fills(ran([*bars, *flat(50_400, 2)], script))
    assert entry[3] == "open"
    assert exit_ == (-1, pytest.approx(50_494.9, abs=0.2), 0.01, "stop")


def test_a_conditional_order_waits_for_its_trigger():
    bars = [*flat(50_000, 3), (50_000, 50_600, 50_000, 50_550), *flat(50_550, 2)]
    results = ran(bars, {1: lambda s: s.buy(PERP, "0.010", trigger=50_500)})
    (found,) = fills(results)
    assert found == (1, pytest.approx(50_505.1, abs=0.11), 0.01, "trigger")


def test_a_fill_is_heard_before_the_bar_that_filled_it():
    strategy = Scripted()
    bars = [*flat(50_000, 3), (50_000, 50_000, 48_000, 49_500), *flat(49_500, 1)]
    run(
        plan_of(
            series_of(rows(*bars)),
            strategy=strategy,
            script={1: lambda s: s.buy(PERP, "0.010", "49000")},
        )
    )
    kinds = [kind for kind, _ in strategy.heard]
    assert kinds == ["bar", "bar", "bar", "fill", "bar", "bar"]


def test_orders_of_two_sides_are_both_filled_and_each_at_its_limit():
    def both(s):
        s.buy(PERP, "0.010", "49000", post_only=True)
        s.sell(PERP, "0.010", "51000", post_only=True)

    bars = [*flat(50_000, 3), (50_000, 51_500, 48_500, 50_000), *flat(50_000, 2)]
    assert sorted(fills(ran(bars, {1: both}))) == [
        (-1, 51_000.0, 0.01, "through"),
        (1, 49_000.0, 0.01, "through"),
    ]


def test_a_reversal_is_done_at_one_open():
    bars = [*flat(50_000, 3), (50_000, 50_900, 49_500, 50_500), *flat(50_500, 3)]
    script = {1: lambda s: s.target(PERP, qty="0.010"), 2: lambda s: s.target(PERP, qty="-0.010")}
    found = [(round(price), rule) for _, price, _, rule in fills(ran(bars, script))]
    assert found == [(50_005, "open"), (49_995, "open"), (49_995, "open")]


def test_the_same_plan_gives_the_same_results_and_other_data_others():
    def trade(number):
        def act(s):
            s.target(PERP, qty="0.010" if number % 2 else "-0.010")

        return act

    script = {n: trade(n) for n in range(5, 300, 7)}
    found = [run(plan_of(series_of(walk(300, seed)), script=script)).hash for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_what_comes_later_changes_nothing_before():
    script = {n: (lambda s, n=n: s.target(PERP, qty=f"0.0{n % 5}")) for n in range(3, 200, 3)}
    bars = walk(200)
    whole = run(plan_of(series_of(bars), script=script)).owners[0].fills
    for cut in (50, 121, 180):
        part = run(plan_of(series_of(bars[:cut]), script=script)).owners[0].fills
        assert part == whole[: len(part)]
        assert len(part) > 5


def test_several_instruments_are_merged_in_time():
    strategy = Scripted()
    later = rows(*flat(2_000, 3), start_ms=walk(1)[0][0] + 60_000)
    results = run(plan_of(series_of(walk(6)), series_of(later, ETH), strategy=strategy))
    assert results.events == 10
    assert strategy.count == 7, "it starts with the first bar of the last of them"


def test_each_instrument_trades_at_its_own_prices():
    """Seen on real bars: orders of one were filled in the other's moment, at prices long gone."""

    class Both(Scripted):
        def on_bar(self, bar):
            super().on_bar(bar)
            for name, qty in ((PERP, 0.01), (ETH, 0.2)):
                self.target(name, qty * (1 if self.count % 7 > 3 else -1))

    bars, others = walk(400), walk(400, seed=2, price=2_000.0)
    plan = plan_of(series_of(bars), series_of(others, ETH), strategy=Both())
    found = run(plan).owners[0].fills
    assert {one.instrument for one in found} == {PERP, ETH}
    assert len(found) > 200
    for one in found:  # the open is the close before it: half a spread and a tick, never a gain
        tick = 0.1
        cost = (one.price - one.decided_price) * one.side
        assert 0 < cost <= one.price * HALF / 1e6 + 2 * tick, one


def test_a_hole_in_the_data_stops_new_risk_until_bars_come_again():
    bars = rows(*flat(50_000, 5))
    late = rows(*flat(50_000, 3), start_ms=bars[-1][0] + 60 * 60_000)

    class Later(Scripted):
        def on_timer(self, name):
            self.results.append(self.buy(PERP, "0.010"))

    plan = plan_of(
        series_of([*bars, *late]), strategy=Later(), script={3: lambda s: s.timer("x", 1_200)}
    )
    results = run(plan)
    assert results.owners[0].execution["refusals"] == {"data_not_live": 1}


def test_memory_does_not_grow_with_the_data():
    results = run(plan_of(series_of(walk(9_000))))
    assert len(results.prices[0].ts_ns) <= 2_000
    assert len(results.owners[0].curve.ts_ns) <= 4_000


def test_equity_is_that_of_the_books_at_every_bar(monkeypatch):
    script = {n: (lambda s, n=n: s.target(PERP, qty=f"0.0{n % 5}")) for n in range(3, 150, 3)}
    booked, measured, real = [], [], Watch.bar

    def bar(self, place, row, ts_ns):
        booked.append(self.core.equity_of("s"))
        real(self, place, row, ts_ns)

    def stretch(self, times_ns, equity_units, gross_units):
        measured.extend(equity_units)
        return []

    monkeypatch.setattr(Watch, "bar", bar)
    monkeypatch.setattr(Statistics, "stretch", stretch)
    run(plan_of(series_of(walk(150)), script=script), is_plain=True)
    assert len(booked) == 150
    assert measured == booked
