"""Indicators as a strategy has them: warmed, fed before it hears the bar, kept over a restart."""

import math
import random
from typing import Any

import msgspec
import pytest
from tests.properties.driver import PERP, T0, Driver, Puppet, one_strategy, settings_of

from plimsoll.core.feed import Bar
from plimsoll.core.model import Mode
from plimsoll.core.records import BarChanged
from plimsoll.core.strategy import StandardDeviation, state
from plimsoll.core.strategy.indicators import KINDS

MINUTE_MS = 60_000

ASKS: dict[str, Any] = {
    "sma": lambda s: s.sma(PERP, "1m", 5),
    "ema": lambda s: s.ema(PERP, "1m", 5),
    "wma": lambda s: s.wma(PERP, "1m", 5),
    "macd": lambda s: s.macd(PERP, "1m", 3, 6, 4),
    "vwap": lambda s: s.vwap(PERP, "1m", 5),
    "vwap of the day": lambda s: s.vwap(PERP, "1m"),
    "rsi": lambda s: s.rsi(PERP, "1m", 5),
    "stochastic": lambda s: s.stochastic(PERP, "1m", 5, 2, 2),
    "roc": lambda s: s.roc(PERP, "1m", 5),
    "obv": lambda s: s.obv(PERP, "1m"),
    "deviation": lambda s: s.deviation(PERP, "1m", 5),
    "bollinger": lambda s: s.bollinger(PERP, "1m", 5, 2),
    "donchian": lambda s: s.donchian(PERP, "1m", 5),
    "atr": lambda s: s.atr(PERP, "1m", 5),
    "adx": lambda s: s.adx(PERP, "1m", 5),
}


class Asks(Puppet):
    """Asks for every indicator at every bar, and keeps one of its own."""

    bars = {"1m": 10}  # noqa: RUF012
    own: Any = state(StandardDeviation(4))

    def on_start(self):
        """Keep quiet: what is heard are bars."""

    def on_bar(self, bar):
        self.own.update(bar.close)
        self.heard.append((bar.close, {name: ask(self).value for name, ask in ASKS.items()}))


def started(load=Asks) -> tuple[Driver, Any]:
    driver = Driver(settings_of(one_strategy(Mode.PAPER)), load=lambda _one: load()).begin()
    driver.book()
    desk = driver.core.trader.desks["s"]
    desk.waits_for_bars.clear()
    return driver, desk


def minutes(driver: Driver, first: int, until: int) -> None:
    for index in range(first, until):
        chance = random.Random(index)
        start = T0 // 1_000_000 // MINUTE_MS * MINUTE_MS + index * MINUTE_MS
        close = 100 + chance.gauss(0, 1)
        high, low = close + chance.random(), close - chance.random()
        row = (start, close, high, low, close, chance.choice([0.0, 2.5]), True, start)
        driver.put(BarChanged, PERP, *row)


def test_each_has_taken_the_bar_its_strategy_hears_and_no_later_one():
    driver, desk = started()
    minutes(driver, 0, 30)
    for place, (close, _) in enumerate(desk.strategy.heard):
        assert close == pytest.approx(100 + random.Random(place).gauss(0, 1))
    closes = [close for close, _ in desk.strategy.heard]
    assert desk.strategy.heard[-1][1]["sma"] == pytest.approx(math.fsum(closes[-5:]) / 5)


def test_one_asked_for_late_is_warmed_with_the_bars_kept():
    class Late(Puppet):
        bars = {"1m": 10}  # noqa: RUF012

    driver, desk = started(Late)
    minutes(driver, 0, 12)
    kept = list(desk.window(PERP, "1m"))
    assert len(kept) == 10
    for name, ask in ASKS.items():
        made = ask(desk.strategy)
        again = type(made)(*(getattr(made, field) for field in terms_of(name)))
        for bar in kept:
            again.take(bar)
        assert made == again


def terms_of(name: str) -> tuple[str, ...]:
    return {
        "macd": ("fast", "slow", "smooth"),
        "stochastic": ("period", "smooth", "average"),
        "bollinger": ("period", "width"),
        "obv": (),
    }.get(name, ("period",))


@pytest.mark.parametrize("cut", [3, 9, 17])
def test_a_restart_between_two_bars_changes_no_value(cut):
    driver, desk = started()
    minutes(driver, 0, 25)
    whole = desk.strategy

    driver, desk = started()
    minutes(driver, 0, cut)
    saved = desk.save()
    driver, desk = started()
    desk.restore(saved)
    minutes(driver, cut, 25)
    assert desk.strategy.heard == whole.heard[cut:]
    assert desk.strategy.own == whole.own
    assert type(desk.strategy.own) is StandardDeviation


def test_each_instance_has_an_own_indicator_of_its_own():
    _, first = started()
    _, second = started()
    first.strategy.own.update(1.0)
    assert len(second.strategy.own.recent) == 0


def test_two_with_other_terms_are_two_and_the_same_terms_are_one():
    _, desk = started()
    strategy = desk.strategy
    assert strategy.bollinger(PERP, "1m", 5, 2) is strategy.bollinger(PERP, "1m", 5, 2.0)
    assert strategy.bollinger(PERP, "1m", 5, 2) is not strategy.bollinger(PERP, "1m", 5, 2.5)
    bar = Bar(PERP, "1m", 0, 1.0, 1.0, 1.0, 1.0, 1.0)
    desk.feed_bar(bar)
    assert strategy.bollinger(PERP, "1m", 5, 2.5).value == 1.0


def test_what_an_earlier_class_asked_for_is_left_with_its_frame():
    class Narrow(Puppet):
        bars = {"5m": 10}  # noqa: RUF012

    driver, desk = started()
    minutes(driver, 0, 3)
    saved = desk.save()
    _, other = started(Narrow)
    other.restore(saved)
    assert other.indicators == {}


def test_every_kind_is_known_by_the_words_a_strategy_asks_with():
    _, desk = started()
    for ask in ASKS.values():
        ask(desk.strategy)
    assert {key[0]: type(one) for key, one in desk.indicators.items()} == KINDS


def test_a_state_and_an_indicator_that_have_become_others_begin_anew():
    class Was(Puppet):
        own: Any = state(3.5)
        gone: Any = state({"a": 1})

    _, first = started(Was)
    saved = msgspec.msgpack.decode(first.save())
    saved["indicators"] = {f"sma {PERP} 1m 5": {"length": 5}, f"nix {PERP} 1m 5": {}}
    _, second = started()
    second.restore(msgspec.msgpack.encode(saved))
    assert second.strategy.own == StandardDeviation(4)
    assert second.indicators == {}
    assert not second.strategy.sma(PERP, "1m", 5).is_ready


def test_a_state_may_become_nothing():
    class Maybe(Puppet):
        last: Any = state(5)

    _, first = started(Maybe)
    first.strategy.last = None
    _, second = started(Maybe)
    second.restore(first.save())
    assert second.strategy.last is None
