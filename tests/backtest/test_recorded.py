"""Backtests over recordings: the core on paper, at the times of the inputs, the same each time."""

import random

import pytest
from tests.backtest.tapes import (
    BEGIN_MS,
    LATE,
    NS,
    ByBook,
    ByMinute,
    market,
    plan_of,
    played,
    tape_of,
)
from tests.data.recordings.lines import frame, prints
from tests.properties.driver import CASH, ETH, PERP

from plimsoll.backtest.recorded import run_recorded
from plimsoll.core.matching import MatchingBook
from plimsoll.core.records import (
    IncidentRaised,
    OrderDenied,
    PaperCancelIntended,
    PaperFilled,
    PaperFundingOwed,
    PaperOrderIntended,
    QueryIntended,
)
from plimsoll.core.settings import CoreSettings

QUIET = market(1)[:1]


def still(count, symbol="BTCUSDT", step_ms=100, price=50_000.0):
    """Return a book that says nothing new, again and again."""
    first, *_ = market(1, symbol=symbol, price=price)
    rows = [first]
    for n in range(1, count):
        ms = BEGIN_MS + n * step_ms
        rows.append(frame("delta", [(price - 1.0, 5 + n % 2)], [], n + 1, ms, symbol))
    return rows


def of(kind, found):
    return [one for one in found if isinstance(one, kind)]


def test_an_order_takes_effect_one_latency_later_on_the_book_of_then():
    frames = still(10, step_ms=20)
    frames.insert(4, frame("delta", [], [(50_000.1, 0), (50_000.2, 9)], 4, BEGIN_MS + 65))
    for n, one in enumerate(frames):
        one["data"]["u"] = n + 1
    script = {1: lambda s: s.buy(PERP, 0.01)}
    _, found = played(plan_of(tape_of(frames), script=script, latency_ns=10 * NS))
    (asked,), (filled,) = of(PaperOrderIntended, found), of(PaperFilled, found)
    assert filled.ts_ns - asked.ts_ns == 10 * NS  # between two inputs: its timer fired when due
    assert filled.price_ticks == 500_001
    slow = plan_of(tape_of(frames), script=script, latency_ns=30 * NS)
    (later,) = of(PaperFilled, played(slow)[1])
    assert later.price_ticks == 500_002


def test_arrival_is_held_against_the_middle_of_the_book_and_not_the_last_print():
    frames = [*still(4), prints(50_400.0, 0.1, "Sell", BEGIN_MS + 310), *still(10)[4:]]
    for n, one in enumerate(one for one in frames if "u" in one["data"]):
        one["data"]["u"] = n + 1
    script = {2: lambda s: s.buy(PERP, 0.01), 6: lambda s: s.sell(PERP, 0.01)}
    owner = run_recorded(plan_of(tape_of(frames), script=script)).owners[0]
    bought, sold = owner.fills
    middle = (bought.price + sold.price) / 2
    bps = (bought.price - sold.price) / 2 / middle * 1e4
    for reference in ("decided", "arrival"):
        assert owner.execution[f"slippage_{reference}_bps"] == pytest.approx(bps)
    assert (bought.price, bought.qty) == (50_000.1, 0.01), "prices are written on their ticks"


def test_the_same_plan_gives_the_same_results_and_later_data_changes_nothing_before():
    frames = market(400)
    script = {n: lambda s, n=n: s.target(PERP, (n // 20 % 3 - 1) * 0.01) for n in range(5, 400, 20)}
    found = [run_recorded(plan_of(tape_of(frames), script=script)) for _ in range(2)]
    assert found[0].hash == found[1].hash
    assert found[0].owners[0].fills_total > 10
    assert found[0].events == len(frames)
    whole = of(PaperFilled, played(plan_of(tape_of(frames), script=script))[1])
    half = of(PaperFilled, played(plan_of(tape_of(frames[:300]), script=script))[1])
    assert half
    assert [one.price_ticks for one in half] == [one.price_ticks for one in whole][: len(half)]


def test_a_recording_without_tickers_owes_no_fundings():
    """Nobody recorded what was paid, and nobody can be asked: memory does not grow."""
    frames = still(900, step_ms=1_000)
    script = {n: lambda s, n=n: s.target(PERP, 0.01 * (n % 3)) for n in range(1, 900)}
    runner, found = played(plan_of(tape_of(frames), script=script))
    assert len(of(PaperFilled, found)) > 400
    assert of(PaperFundingOwed, found) == []
    assert not runner.core.state.funding_owed
    assert of(IncidentRaised, found) == []


def ticker(ms, price, rate, next_ms):
    data = {
        "symbol": "BTCUSDT",
        "lastPrice": f"{price:.1f}",
        "markPrice": f"{price:.1f}",
        "indexPrice": f"{price:.1f}",
        "fundingRate": f"{rate:.6f}",
        "nextFundingTime": str(next_ms),
    }
    return {"topic": "tickers.BTCUSDT", "type": "snapshot", "cs": ms, "ts": ms, "data": data}


def test_recorded_tickers_tell_fundings_and_liquidate():
    """What they foretell is paid at its time by what is held, as on paper."""
    due, frames = BEGIN_MS + 30_000, []
    for n, one in enumerate(still(60, step_ms=1_000)):
        price = 50_000.0 if n < 50 else 25_000.0
        frames += [one, ticker(one["ts"], price, 0.0001, due if n < 30 else due + 10**7)]
    script = {2: lambda s: s.buy(PERP, 0.5)}
    results = run_recorded(plan_of(tape_of(frames), script=script))
    execution = results.owners[0].execution
    assert execution["fundings"] == 1
    assert execution["funding_paid"] == pytest.approx(0.5 * 50_000 * 0.0001)
    assert execution["liquidations"] == 0, "100,000 of capital stand behind 25,000"
    levered = {2: lambda s: s.buy(PERP, 18)}
    results = run_recorded(plan_of(tape_of(frames), script=levered))
    assert results.owners[0].execution["liquidations"] == 1


def test_resting_orders_say_when_the_queue_decided_their_fill():
    frames = still(4)
    at = BEGIN_MS + 400
    frames += [prints(49_999.9, 4.0, "Sell", at), prints(49_999.9, 1.0, "Sell", at + 1)]
    script = {1: lambda s: s.buy(PERP, 0.01, 49_999.9), 2: lambda s: s.buy(PERP, 0.01, 49_999.8)}
    frames.append(prints(49_999.7, 0.1, "Sell", at + 2))
    runner, found = played(plan_of(tape_of(frames), script=script))
    fills = of(PaperFilled, found)
    assert [(one.price_ticks, one.rule) for one in fills] == [(499_999, "queue"), (499_998, "")]
    (owner,) = runner.watch.results(0.0).owners
    assert owner.execution["rules"] == {"queue": 1, "data": 1}
    assert owner.execution["rule_share"] == 0.5


def test_several_instruments_are_merged_in_time():
    one = tape_of(still(30, step_ms=70))
    other = tape_of(still(30, "ETHUSDT", step_ms=110, price=2_000.0))
    heard = []

    class Both(ByBook):
        def on_book(self, market):
            heard.append((self.now, market.instrument.name))

    played(plan_of(one, other, strategy=Both(), names=(PERP, ETH)))
    assert heard == sorted(heard, key=lambda pair: pair[0])
    assert {name for _, name in heard} == {PERP, ETH}
    assert len(heard) > 55
    again, heard[:] = list(heard), []
    played(plan_of(other, one, strategy=Both(), names=(PERP, ETH)))
    assert sorted(heard) == sorted(again)


def test_timers_fire_when_they_are_due_though_no_input_comes():
    strategy = ByBook()
    frames = [*still(3), frame("delta", [(49_000.0, 1)], [], 4, BEGIN_MS + 3_000)]
    played(plan_of(tape_of(frames), strategy=strategy, script={0: lambda s: s.timer("x", 1.0)}))
    assert strategy.heard == [("timer", (BEGIN_MS + 100 + LATE + 1_000) * NS)]


def test_a_timer_set_at_a_book_that_leads_to_nothing_else_is_on_time():
    strategy = ByBook()
    script = {3: lambda s: s.timer("x", 0.15)}
    played(plan_of(tape_of(still(20)), strategy=strategy, script=script))
    assert strategy.heard == [("timer", (BEGIN_MS + 400 + LATE + 150) * NS)]


def test_what_came_before_the_beginning_makes_the_market_alone():
    strategy, frames = ByBook(), still(20)
    frames[4] = frame("delta", [(49_990.0, 7)], [], 5, BEGIN_MS + 400)
    begin_ns = (BEGIN_MS + 1_000) * NS
    script = {2: lambda s: s.heard.append(s.market(PERP).book.bids[49_990.0])}
    plan = plan_of(tape_of(frames), strategy=strategy, script=script, begin_ns=begin_ns)
    runner, found = played(plan)
    assert min(one.ts_ns for one in found) >= begin_ns
    assert strategy.count == 10
    assert strategy.heard == [7]
    assert runner.watch.events == 10
    assert runner.watch.results(0.0).began_ns >= begin_ns - 10 * NS


def test_a_gap_of_a_capture_is_met_as_it_is_live():
    frames = still(20)
    del frames[10]
    strategy = ByBook()
    runner, found = played(
        plan_of(tape_of(frames), strategy=strategy, script={9: lambda s: s.buy(PERP, 0.01)})
    )
    assert strategy.count == 9  # the first book starts it; from the gap on it hears nothing
    assert not of(PaperOrderIntended, found)
    assert runner.core.markets[PERP].book.gaps == 1


def test_minutes_are_made_of_prints_where_none_were_recorded():
    strategy = ByMinute()
    start = BEGIN_MS // 60_000 * 60_000
    frames = still(2_000, step_ms=100)
    prices = [(start + 30_000, 50_010.0), (start + 61_000, 50_020.0), (start + 62_000, 49_990.0)]
    frames += [prints(price, 0.5, "Buy", ms) for ms, price in prices]
    frames.sort(key=lambda one: one["ts"])
    minutes = frozenset({PERP})
    plan = plan_of(tape_of(frames), strategy=strategy, minutes_of=minutes, delay_ns=100 * NS)
    played(plan)
    bars = [one for one in strategy.heard if one[0] != "fill"]
    assert bars[0] == (start * NS, 50_010.0, 50_010.0, 50_010.0, 50_010.0, 0.5)
    assert bars[1][1:] == (50_010.0, 50_020.0, 49_990.0, 49_990.0, 1.0)
    assert bars[2][1:] == (49_990.0, 49_990.0, 49_990.0, 49_990.0, 0.0)


def test_windows_are_filled_from_the_minutes_before():
    strategy, asked = ByMinute(), []

    def history(name, since_ms, until_ms):
        asked.append((name, since_ms, until_ms))
        start = until_ms - 180_000
        yield [(start + n * 60_000, 1.0 + n, 2.0 + n, 0.5 + n, 1.5 + n, 3.0) for n in range(3)]

    _, found = played(plan_of(tape_of(still(20)), strategy=strategy, history=history))
    assert [one.kind for one in of(QueryIntended, found) if one.kind == "bars"] == ["bars"]
    ((name, _, until_ms),) = asked
    assert (name, until_ms) == (PERP, BEGIN_MS // 60_000 * 60_000)
    window = strategy.window(PERP, "1m")
    assert [one.close for one in window] == [1.5, 2.5, 3.5]


def test_orders_of_an_instance_without_history_are_taken_all_the_same():
    script = {5: lambda s: s.buy(PERP, 0.01)}
    _, found = played(plan_of(tape_of(still(20)), strategy=ByMinute(), script=script))
    assert of(PaperFilled, found)
    assert not of(OrderDenied, found)


def test_equity_follows_the_book_where_there_are_no_prints():
    frames = still(5, step_ms=500)
    asks = [(round(50_000.1 + n * 0.1, 1), 0) for n in range(20)] + [(50_100.1, 9)]
    frames.append(frame("delta", [(50_100.0, 9)], asks, 6, BEGIN_MS + 3_000))
    frames.append(frame("delta", [(50_000.0, 0)], [], 7, BEGIN_MS + 4_500))
    results = run_recorded(plan_of(tape_of(frames), script={2: lambda s: s.buy(PERP, 1)}))
    (owner,) = results.owners
    assert owner.fills_total == 1
    assert owner.final_equity == pytest.approx(100_000 + 100 - 27.5, abs=1)
    assert results.prices[0].close[-1] == pytest.approx(50_100.1, abs=0.11)


def test_orders_left_at_the_end_are_cancelled_and_an_empty_tape_is_no_run():
    script = {2: lambda s: s.buy(PERP, 0.01, 49_000)}
    _, found = played(plan_of(tape_of(still(10)), script=script))
    assert len(of(PaperCancelIntended, found)) == 1
    assert run_recorded(plan_of(tape_of([]))).events == 0


def test_a_projects_settings_are_kept_but_for_mode_latency_and_limits():
    base = CoreSettings(account="mine", tag="mine", max_slippage_ppm=7, end_policy="keep")
    runner, _ = played(plan_of(tape_of(still(5)), base=base, look_ns=NS))
    settings = runner.core.settings
    assert settings is not None
    assert (settings.max_slippage_ppm, settings.end_policy) == (7, "keep")
    assert settings.timing.paper_latency_ns == 10 * NS
    assert runner.core.state.is_paper("s")
    assert settings.strategies[0].capital == 100_000 * CASH


@pytest.mark.parametrize("seed", range(4))
def test_a_paper_book_that_was_let_go_is_made_anew_as_it_would_have_been(monkeypatch, seed):
    drawn, frames = random.Random(seed), market(600, seed=seed)
    steps = [(drawn.randrange(600), drawn.choice((-1, 1)), drawn.random()) for _ in range(120)]

    def asked(side, share):
        def ask(strategy):
            order = strategy.buy if side > 0 else strategy.sell
            middle = strategy.market(PERP).book.mid
            if share < 0.5:
                order(PERP, 1 + 5 * share)  # takes some levels
            else:
                order(PERP, 0.5, middle - side * (share - 0.5), post_only=share > 0.8)

        return ask

    script = {at: asked(side, share) for at, side, share in steps}
    found = []
    for keeps in (False, True):
        if keeps:
            monkeypatch.setattr(MatchingBook, "is_idle", False)
        found.append(played(plan_of(tape_of(frames), script=script))[1])
    assert found[0] == found[1]
    assert len(of(PaperFilled, found[0])) > 40
