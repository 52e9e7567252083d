"""What a bar decides, it decides by the rule, and against the strategy (trading.md 6)."""

import msgspec
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
    assert strategy.count == 9, "it starts with the first bar of the last of them, and hears it"


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


class OneSees(Scripted):
    """Acts in the second instrument when it hears the first."""

    def __init__(self, act, at):
        super().__init__()
        self.act, self.at = act, at

    def on_bar(self, bar):
        first, second = self.instruments
        if bar.instrument == first and bar.start_ns == self.at * 1_000_000:
            self.act(self, second)


WAYS = {
    "market": lambda s, name: s.buy(name, "0.1"),
    "limit": lambda s, name: s.buy(name, "0.1", "2995"),
    "trigger": lambda s, name: s.buy(name, "0.1", trigger=3_005),
    "target": lambda s, name: s.target(name, qty="0.1", stop=2_985, take=3_015),
}


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("latency_ns", [0, 20_000_000])
@pytest.mark.parametrize("order", [(PERP, ETH), (ETH, PERP)])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_asked_for_at_a_close_meets_no_bar_that_ended_then(
    way, order, latency_ns, is_plain
):
    """Of another instrument: it would be a price of the minute before."""
    quiet, wild = (3_000,) * 4, (3_000, 3_020, 2_980, 3_000)
    found = []
    for seen in (quiet, wild):
        eth = rows(*[quiet] * 5, seen, (3_001,) * 4, *[(3_001,) * 4] * 2)
        bars = {PERP: rows(*flat(50_000, 9)), ETH: eth}
        strategy = OneSees(WAYS[way], at=eth[6][0])
        plan = plan_of(
            *(series_of(bars[name], name) for name in order),
            strategy=strategy,
            latency_ns=latency_ns,
        )
        strategies = (msgspec.structs.replace(plan.strategies[0], instruments=(PERP, ETH)),)
        plan.strategies = strategies
        found.append(run(plan, is_plain=is_plain).owners[0].fills)
    assert found[0] == found[1], "what the bar did before the decision changes nothing"
    if way in ("market", "target"):
        ((side, price, _, rule),) = [(x.side, x.price, x.qty, x.rule) for x in found[0]]
        assert (side, rule) == (1, "open")
        assert price == pytest.approx(3_001.4, abs=0.02), "the next open"


class Enters(Scripted):
    """Guards what it has got as soon as it hears of it."""

    def __init__(self, **exits):
        super().__init__()
        self.exits = exits

    def on_fill(self, fill):
        held = self.position(PERP).qty
        if held:
            self.target(PERP, qty=held, **self.exits)


WILD = [*flat(50_000, 4), (50_000, 51_000, 49_000, 50_000), *flat(50_000, 2)]


@pytest.mark.parametrize(("sign", "take"), [(1, 50_800), (-1, 49_200)])
def test_a_limit_met_inside_a_bar_takes_no_profit_from_what_may_have_been_before(sign, take):
    """The high may have come before the low that filled it."""
    limit = 50_000 - 500 * sign
    ask = Enters.buy if sign > 0 else Enters.sell
    script = {1: lambda s: ask(s, PERP, "0.010", limit)}
    found = fills(ran(WILD, script, strategy=Enters(take=take)))
    assert [(side, round(price), rule) for side, price, _, rule in found] == [
        (sign, limit, "through")
    ]


@pytest.mark.parametrize(("sign", "stop"), [(1, 49_800), (-1, 50_200)])
def test_a_break_that_turns_inside_its_bar_is_stopped_there(sign, stop):
    """The low may have come after the high that triggered it."""
    ask = Enters.buy if sign > 0 else Enters.sell
    script = {1: lambda s: ask(s, PERP, "0.010", trigger=50_000 + 500 * sign)}
    found = fills(ran(WILD, script, strategy=Enters(stop=stop)))
    assert [(side, rule) for side, _, _, rule in found] == [(sign, "trigger"), (-sign, "stop")]
    assert found[1][1] == pytest.approx(stop, abs=6)


@pytest.mark.parametrize("entry", [{"trigger": 50_500}, {"limit": 49_500}])
def test_who_enters_inside_a_bar_and_meets_stop_and_take_meets_the_stop(entry):
    script = {1: lambda s: s.buy(PERP, "0.010", **entry)}
    strategy = Enters(stop=49_200, take=50_800)
    first, second = fills(ran(WILD, script, strategy=strategy))
    assert (first[0], second[0], second[3]) == (1, -1, "stop-first")


SMALL = {
    "stop": lambda s: s.target(PERP, qty="0.001", stop=49_500),
    "limit": lambda s: s.buy(PERP, "0.001", 49_500),
    "trigger": lambda s: s.sell(PERP, "0.001", trigger=49_500),
}


@pytest.mark.parametrize("small", SMALL)
@pytest.mark.parametrize("limit", [None, 49_900])
def test_what_a_timer_asks_for_inside_a_bar_waits_for_the_next_open(small, limit):
    """It was filled at the level that something small of the same strategy met in that bar."""

    class Timed(Scripted):
        def on_timer(self, name):
            self.buy(PERP, "0.5", limit)

    script = {1: SMALL[small], 3: lambda s: s.timer("soon", 30)}
    bars = [*flat(50_000, 4), (50_000, 50_000, 49_000, 50_000), *flat(50_000, 3)]
    found = ran(bars, script, strategy=Timed())
    large = [one for one in fills(found) if one[2] > 0.4 and one[0] > 0]
    assert [(side, round(price), rule) for side, price, _, rule in large] == (
        [] if limit else [(1, 50_005, "open")]
    )


def paired(act, *, is_plain=False, **more):
    """Run two instruments that fall by five per cent in one minute."""
    btc = rows(*flat(50_000, 5), (50_000, 50_000, 47_500, 47_500), *flat(47_500, 3))
    eth = rows(*flat(2_500, 5), (2_500, 2_500, 2_375, 2_375), *flat(2_375, 3))

    class Acts(Scripted):
        def on_bar(self, bar):
            self.count += 1
            act(self, bar)

    plan = plan_of(series_of(btc), series_of(eth, ETH), strategy=Acts(), **more)
    return run(plan, is_plain=is_plain).owners[0]


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_hedge_loses_nothing_between_two_bars_of_one_time(is_plain):
    def hedge(s, bar):
        if s.count == 3:
            s.target(PERP, qty="0.1")
            s.target(ETH, qty="-2")

    found = paired(hedge, is_plain=is_plain)
    assert found.stats["trips"] == 0
    assert found.fills_total == 2
    costs = found.stats["fees"] + 10_000 * 2 * HALF / 1e6
    assert found.stats["drawdown_max"] * 100_000 <= costs + 1, "each leg falls by 250"


def test_who_hears_one_bar_sees_the_close_of_the_others_that_ended_with_it():
    seen = []

    def look(s, bar):
        other = {PERP: ETH, ETH: PERP}[bar.instrument]
        seen.append((bar.instrument, bar.close, s.market(other).last))

    paired(look)
    assert (PERP, 47_500.0, 2_375.0) in seen
    assert (PERP, 47_500.0, 2_500.0) not in seen
