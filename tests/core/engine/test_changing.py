"""Strategies changed while the engine runs: parameters, new code, signals from outside."""

import json
import random
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from tests.properties.driver import (
    ETH,
    PERP,
    SECOND,
    T0,
    Driver,
    Puppet,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import (
    DECISIONS,
    CancelIntended,
    IncidentRaised,
    OperatorCommand,
    OrderIntended,
    PaperOrderIntended,
    ParametersChanged,
    PublicTraded,
    QueryIntended,
    SessionStopping,
    SignalReceived,
    StrategyCheckpoint,
    StrategyReloaded,
    encode,
)
from plimsoll.core.strategy import Signal, StandardDeviation, param, state

OLD, NEW = "0" * 64, "1" * 64


class Alert(Signal):
    """What a test tells."""

    max_age_s: ClassVar[float] = 30.0
    most_per_minute: ClassVar[int] = 3
    side: Literal["long", "short"]
    strength: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5


class Tuned(Puppet):
    """With parameters, state and signals."""

    signal = Alert
    bars: ClassVar[dict[str, int]] = {"1s": 5}
    fast: int = param(5, ge=2, le=50, hot=True)
    step: Decimal = param(Decimal("0.1"), hot=True)
    weights: tuple[float, ...] = param((0.5,), hot=True)
    big: int = param(1, hot=True)
    wide: float = param(1.0, hot=True)
    word: str = param("", hot=True)
    cold: int = 3
    count = state(0)
    notes = state({"a": 1})
    name = state("old")
    spread = state(StandardDeviation(3))

    def on_signal(self, signal):
        self.heard.append(("signal", signal))


class Mended(Puppet):
    """The same, written anew: a state gone, one of another type, one more."""

    signal = Alert
    bars: ClassVar[dict[str, int]] = {"1s": 5}
    fast: int = param(5, ge=2, le=50, hot=True)
    count = state(0)
    notes = state([1.0])
    fresh = state("new")
    spread = state(StandardDeviation(3))


class Number(Signal):
    number: int


class Keeps(Tuned):
    """Keeps whatever it is told."""

    signal: ClassVar[Any] = Number
    kept = state(0)

    def on_signal(self, signal):
        self.kept = signal.number


class Narrow(Puppet):
    """Takes nothing."""


class Busy(Tuned):
    """Acts by itself, so that a replay acts alike."""

    def on_book(self, market):
        self.count += 1
        if self.count % self.fast == 0 and market.instrument.name == PERP:
            self.buy(PERP, "0.010", self.rng.random() * 100 + 48_000)

    def on_signal(self, signal):
        self.target(PERP, qty="0.010" if signal.side == "long" else 0)


class Busier(Busy):
    """Its next code."""

    def on_start(self):
        self.buy(PERP, f"0.0{10 + self.count % 10}", "48000")


CODES: dict[str, type[Any]] = {
    OLD: Tuned, NEW: Mended, "2" * 64: Narrow, "3" * 64: Busy, "4" * 64: Busier, "5" * 64: Keeps,
}  # fmt: skip


def loaded(objects):
    """Return a loader that keeps the newest object of each instance."""

    def load(one):
        made = objects[one.name] = CODES[one.source_hash]()
        for name, value in one.params.items():
            setattr(made, name, value)
        return made

    return load


def a_driver(mode=Mode.LIVE, *, code=OLD, params=None, live_capital=0, **more):
    one = one_strategy(mode, source_hash=code, params=params or {}, live_capital=live_capital)
    two = one_strategy(Mode.PAPER, name="other", source_hash=OLD, instruments=(ETH,))
    objects: dict[str, Any] = {}
    driver = Driver(settings_of(one, two), load=loaded(objects), **more)
    driver.strategies = objects
    return driver


def running(mode=Mode.LIVE, **more):
    return a_driver(mode, **more).live(PERP, ETH)


def give(driver, cmd, **args):
    return driver.put(OperatorCommand, f"{cmd}-{driver.seq}", "anna", cmd, json.dumps(args))


def change(driver, **params):
    return give(driver, "strategy-set", strategy="s", params=params, reason="because")


def reload(driver, sha=NEW, **args):
    return give(driver, "strategy-reload", strategy="s", sha256=sha, **args)


def replayed(driver, **more):
    """Run the inputs of a log again; return where its decisions differ, None where nowhere."""
    again = a_driver(**more)
    made = iter(())
    for record in driver.log:
        if type(record) in DECISIONS:
            found = next(made, None)
            if found is None or encode(found) != encode(record):
                return record, found
            again.core.apply(found)
        else:
            more_made = next(made, None)
            if more_made is not None:
                return record, more_made
            again.core.apply(record)
            made = iter(again.core.decide(record))
    return next(made, None)


# ---- parameters ----


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"fst": 3}, "fst: Tuned has no such parameter (did you mean 'fast'?)"),
        ({"cold": 4}, "cold: it is read at a start only: change the configuration and restart"),
        ({"cold": 4}, "(declared hot: fast, step, weights, big, wide, word)"),
        ({"fast": 1}, "fast: expected a whole number from 2 up to 50, found 1"),
        ({"fast": 51}, "found 51"),
        ({"fast": "9"}, 'found "9"'),
        ({"fast": 9.0}, "found 9.0"),
        ({"fast": True}, "found true"),
        ({"weights": [0.5, "x"]}, "expected a list of numbers"),
        ({"step": "many"}, 'expected a number, found "many"'),
        ({"fast": 9, "cold": 4}, "cold: it is read"),
        ({"fast": 5}, "nothing would change"),
        ({}, "name at least one parameter"),
    ],
)
def test_what_cannot_be_set_is_refused_with_words_and_changes_nothing(params, words):
    driver = running()
    assert words in driver.core.changing.why_not(
        "strategy-set", {"strategy": "s", "params": params}
    )
    decided = change(driver, **params)
    assert [type(one) for one in decided] == [IncidentRaised]
    assert words in decided[0].text
    assert (driver.strategies["s"].fast, driver.core.state.changes.parameters) == (5, {})


def test_a_parameter_is_set_before_the_next_callback_and_only_on_its_instance():
    driver = running()
    (record,) = change(driver, fast=9, step="0.25", weights=[1, 2])
    assert isinstance(record, ParametersChanged)
    assert record.values == {"fast": 9, "step": "0.25", "weights": [1, 2]}
    assert record.before == {"fast": 5, "step": "0.1", "weights": [0.5]}
    assert (record.actor, record.reason) == ("anna", "because")
    seen = driver.do(lambda s: (s.fast, s.step, s.weights))
    assert seen == (9, Decimal("0.25"), (1.0, 2.0))
    assert driver.strategies["other"].fast == 5


def again_with(driver, **more):
    """Return the next session, from a snapshot, as the configuration says now."""
    state_now = restore(snapshot(driver.core.state))
    return running(state=state_now, epoch=2, now_ns=driver.now_ns, **more)


def test_a_changed_parameter_outlasts_the_session_until_the_file_says_something_else():
    driver = running(params={"fast": 4})
    change(driver, fast=9)
    second = again_with(driver, params={"fast": 4})
    assert second.strategies["s"].fast == 9
    third = again_with(second, params={"fast": 6})
    assert third.strategies["s"].fast == 6
    fourth = again_with(third, params={"fast": 4})
    assert fourth.strategies["s"].fast == 4, "what the file overruled does not come back"


def test_a_changed_parameter_that_the_file_takes_over_is_the_files():
    driver = running()
    change(driver, fast=9)
    second = again_with(driver, params={"fast": 9})
    assert (second.strategies["s"].fast, second.core.state.changes.parameters) == (9, {})


def test_a_set_says_what_is_in_the_log_to_a_replica_too():
    driver = running()
    change(driver, fast=9)
    change(driver, fast=10)
    assert driver.of(ParametersChanged)[1].before == {"fast": 9}
    assert driver.core.state.changes.of("s") == {"fast": 10}


def test_what_held_before_the_first_change_is_kept_over_snapshots():
    driver = running(params={"fast": 4})
    change(driver, fast=9, big=7)
    default = driver.of(ParametersChanged)[0].before["big"]
    change(driver, fast=10)
    known = restore(snapshot(driver.core.state)).changes.parameters["s"]
    assert (known["fast"].before, known["fast"].configured) == (4, 4)
    assert (known["big"].before, known["big"].configured) == (default, None)


# ---- the two books of a strategy ----


def both(**more):
    return running(Mode.HYBRID, live_capital=1_000, **more)


def test_a_parameter_is_set_in_both_books_by_one_record():
    driver = both()
    assert {"s", "s.paper"} <= set(driver.strategies)
    (record,) = change(driver, fast=9)
    assert record.owner == "s"
    assert [driver.strategies[name].fast for name in ("s", "s.paper")] == [9, 9]
    second = again_with(driver, mode=Mode.HYBRID, live_capital=1_000)
    assert [second.strategies[name].fast for name in ("s", "s.paper")] == [9, 9]


def test_new_code_runs_in_both_books_by_one_record():
    driver = both()
    reload(driver)
    (record,) = driver.of(StrategyReloaded)
    assert record.owner == "s"
    desks = driver.core.trader.desks
    assert [type(desks[name].strategy) for name in ("s", "s.paper")] == [Mended, Mended]
    assert {one.source_hash for one in driver.core.settings.strategies if one.name != "other"} == {
        NEW
    }


def test_a_book_that_begins_later_has_what_was_changed_before():
    driver = running(Mode.PAPER)
    change(driver, fast=9)
    reload(driver)
    said = {"strategy": "s", "mode": "hybrid", "override": True, "capital": 500, "reason": "x"}
    give(driver, "mode", **said)
    driver.book(PERP)
    desk = driver.core.trader.desks["s.live"]
    assert (type(desk.strategy), desk.strategy.fast) == (Mended, 9)


@pytest.mark.parametrize("cmd", ["strategy-set", "strategy-reload"])
def test_one_book_alone_is_not_changed(cmd):
    driver = both()
    args = {"params": {"fast": 9}} if cmd == "strategy-set" else {"sha256": NEW}
    (told,) = give(driver, cmd, strategy="s.paper", **args)
    assert "s.paper is a book of s" in told.text
    assert driver.of(ParametersChanged) == driver.of(StrategyReloaded) == []


def test_code_that_does_for_one_book_only_runs_in_neither():
    driver = both()
    made = driver.core.trader.roster.load

    def fails_on_paper(one):
        if one.name == "s.paper" and one.source_hash == NEW:
            raise ValueError("not there")
        return made(one)

    driver.core.trader.roster.load = fails_on_paper
    (told,) = reload(driver)
    assert (told.code, told.subject) == ("reload_failed", "s")
    desks = driver.core.trader.desks
    assert [type(desks[name].strategy) for name in ("s", "s.paper")] == [Tuned, Tuned]


# ---- code ----


@pytest.mark.parametrize(
    ("sha", "words"),
    [
        (OLD, "is the code that runs (000000000000): change it first"),
        ("abc", "expected sha256 with 64 hexadecimal digits"),
    ],
)
def test_a_reload_of_nothing_new_is_refused(sha, words):
    driver = running()
    decided = reload(driver, sha)
    assert [type(one) for one in decided] == [IncidentRaised]
    assert words in decided[0].text


def test_new_code_goes_on_where_the_old_one_stood():
    driver = running()
    old = driver.strategies["s"]
    driver.do(lambda s: setattr(s, "count", 41))
    resting = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(resting.order.id, OrderState.OPEN)
    change(driver, fast=9)
    decided = reload(driver, reason="mended")
    assert [type(one) for one in decided] == [
        StrategyCheckpoint, StrategyReloaded, StrategyCheckpoint,
    ]  # fmt: skip
    told = decided[1]
    assert (told.before, told.source_hash, told.orders) == (OLD, NEW, "keep")
    assert (told.kept, told.dropped, told.fresh) == (
        ["count", "spread"],
        ["name", "notes"],
        ["fresh"],
    )
    new = driver.strategies["s"]
    assert (type(new), new.count, new.notes, new.fresh) == (Mended, 41, [1.0], "new")
    assert new.fast == 9, "what was set is set"
    assert [one.source_hash for one in driver.core.settings.strategies] == [NEW, OLD]
    heard = list(old.heard)
    driver.book()
    assert old.heard == heard, "the old one hears nothing more"
    assert ("stop", None) not in old.heard, "the instance does not end: its code does"
    assert [kind for kind, _ in new.heard] == ["start"]
    assert resting.order.is_working
    assert driver.do(lambda s: [one.id for one in s.orders(PERP)]) == [resting.order.id]
    assert driver.do(lambda s: [s.handle_of(one).cancel() for one in s.orders(PERP)]) == [None]
    assert resting.order.cancel_pending, "the new code can take back what the old one rested"


def test_a_bar_under_way_goes_on_and_nothing_is_fetched_that_is_there():
    driver = running()
    driver.book()
    for price in (50_000.0, 50_010.0):
        at_ms = driver.now_ns // 10**6
        driver.put(PublicTraded, PERP, [(price, 1.0, True, at_ms)], at_ms)
        driver.now_ns += SECOND // 10
        reload(driver, NEW if price == 50_000.0 else OLD)
    driver.advance(2 * SECOND)
    first = next(bar for kind, bar in driver.strategies["s"].heard if kind == "bar")
    assert (first.open, first.close, first.volume) == (50_000.0, 50_010.0, 2.0)


def test_minutes_that_are_there_go_on_and_others_are_fetched(monkeypatch):
    class Minutes(Puppet):
        bars: ClassVar[dict[str, int]] = {"1m": 5}

    class More(Minutes):
        bars: ClassVar[dict[str, int]] = {"1m": 5, "5m": 3}

    for name, code in (("6", Minutes), ("7", Minutes), ("8", More)):
        monkeypatch.setitem(CODES, name * 64, code)
    driver = running(code="6" * 64)
    driver.book()

    def asked():
        return [one for one in driver.of(QueryIntended) if one.kind == "bars"]

    driver.answer_all()
    assert len(asked()) == 1
    reload(driver, "7" * 64)
    assert len(asked()) == 1, "they are there"
    reload(driver, "8" * 64)
    assert len(asked()) == 2, "five minutes are not"
    denied = driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal
    assert denied.code == "warming_up"
    reload(driver, "6" * 64)
    assert len(asked()) == 3, "what was on its way is not there"
    driver.answer_all()
    assert driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal is None


def test_orders_go_by_policy_and_protection_stays():
    driver = running()
    one = driver.do(lambda s: s.buy(PERP, "0.010", "49000")).order
    driver.report(one.id, OrderState.OPEN)
    exit_ = driver.do(lambda s: s.sell(PERP, "0.1", "52000", reduce_only=True)).order
    driver.report(exit_.id, OrderState.OPEN)
    reload(driver, orders="cancel")
    assert [record.client_order_id for record in driver.of(CancelIntended)] == [one.id]
    assert not exit_.cancel_pending


def test_a_target_is_held_its_stop_works_and_nothing_is_traded_until_it_speaks():
    driver = running(Mode.PAPER)
    driver.do(lambda s: s.target(PERP, qty="0.010", stop=49_500))
    driver.advance(SECOND)
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    reload(driver)
    for _ in range(3):
        driver.book()
        driver.advance(SECOND)
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    driver.mark(PERP, 49_400.0)
    driver.advance(SECOND)
    driver.book()
    driver.advance(SECOND)
    assert driver.core.ledger.qty_lots("s", PERP) == 0


def test_code_that_raises_when_it_is_made_leaves_the_old_one_at_work():
    driver = running()
    old = driver.strategies["s"]
    decided = reload(driver, "9" * 64)  # the loader knows no such code
    assert [type(one) for one in decided] == [IncidentRaised]
    assert decided[0].code == "reload_failed"
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert driver.strategies["s"] is old
    assert len(driver.of(OrderIntended)) == 1
    assert driver.core.settings.strategies[0].source_hash == OLD


def test_a_parameter_the_new_code_does_not_have_is_left_out_and_told():
    driver = running()
    change(driver, fast=9)
    reload(driver, "2" * 64)
    assert [one.code for one in driver.of(IncidentRaised)] == ["parameter_left_out"]
    assert type(driver.strategies["s"]) is Narrow


def test_an_instance_stopped_for_a_fault_stays_stopped_with_new_code():
    driver = running()

    def broken(_strategy):
        raise RuntimeError

    driver.strategies["s"].todo.append(broken)
    driver.book()
    reload(driver)
    driver.book()
    assert driver.strategies["s"].heard == []
    assert list(driver.core.saved()) == ["other"]
    give(driver, "strategy-resume", strategy="s", reason="mended")
    driver.book()
    assert type(driver.strategies["s"]) is Mended
    assert [kind for kind, _ in driver.strategies["s"].heard] == ["start"]


def test_nothing_is_reloaded_while_the_session_ends():
    driver = running()
    driver.put(SessionStopping, "test")
    words = driver.core.changing.why_not("strategy-reload", {"strategy": "s", "sha256": NEW})
    assert "the session is ending" in words


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_death_within_a_reload_leaves_one_code_and_its_state(cut):
    """Of the three decisions of a reload only the first ``cut`` were written."""
    driver = running()
    driver.do(lambda s: setattr(s, "count", 41))
    decided = reload(driver)
    until = decided[cut - 1].seq
    torn = Driver(settings_of(), load=loaded({}))
    for record in driver.log:
        if record.seq <= until:
            torn.core.apply(record)
    for code in (OLD, NEW):  # whichever file is there at the next start
        objects: dict[str, Any] = {}
        one = one_strategy(source_hash=code)
        again = Driver(
            settings_of(one),
            load=loaded(objects),
            state=restore(snapshot(torn.core.state)),
            epoch=2,
            now_ns=driver.now_ns,
        )
        again.live(PERP)
        again.book()
        assert (type(objects["s"]), objects["s"].count) == (CODES[code], 41)
        assert again.core.settings.strategies[0].source_hash == code


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.PAPER])
def test_a_session_of_changes_replays_to_the_same_decisions(mode, monkeypatch):
    driver = running(mode, code="3" * 64)
    rng, codes = random.Random(7), ["4" * 64, "3" * 64]
    for number in range(120):
        driver.now_ns += SECOND // 10
        driver.book(PERP, 50_000 + rng.randrange(-9, 9))
        match rng.randrange(12):
            case 0:
                change(driver, fast=rng.randrange(1, 9))
            case 1:
                reload(driver, codes[number % 2], orders=("keep", "cancel")[rng.randrange(2)])
            case 2 | 3:
                tell(driver, json.dumps({"side": ("long", "short")[rng.randrange(2)]}), f"{number}")
            case 4:
                driver.advance(SECOND)
            case _:
                pass
    assert len(driver.of(StrategyReloaded)) > 3
    assert len(driver.of(ParametersChanged)) > 3
    assert len(driver.of(OrderIntended if mode is Mode.LIVE else PaperOrderIntended)) > 20
    assert replayed(driver, mode=mode) is None
    monkeypatch.setitem(CODES, "4" * 64, Busy)
    assert replayed(driver, mode=mode) is not None, "other code is not taken for the same"


# ---- signals ----


def tell(driver, payload, number="1", owner="s", at_ms=0):
    return driver.put(SignalReceived, owner, number, "tv", payload, at_ms)


def why_not(driver, payload, owner="s", at_ms=0, now_ns=T0):
    return driver.core.changing.why_not_signal(owner, payload, at_ms, now_ns)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ('{"side": "up"}', "Invalid enum value 'up' - at `$.side`; Alert has: side"),
        ('{"side": "long", "strength": 2}', "Expected `float` <= 1.0"),
        ('{"side": "long", "strength": "1"}', "Expected `float`, got `str`"),
        ('{"side": "long", "size": 1}', "unknown field `size`"),
        ("{}", "missing required field `side`; Alert has: strength (optional), side"),
        ("[1]", "Expected `object`, got `array`"),
        ("long", "JSON is malformed"),
        ("[" * 3000, "Alert has"),
        (json.dumps({"side": "long", "x": "y" * 5000}), "expected at most 4096 bytes"),
    ],
)
def test_a_signal_that_is_not_as_declared_is_refused_and_never_heard(payload, words):
    driver = running()
    driver.book()
    found = why_not(driver, payload)
    assert any(
        part in found for part in (words, words.replace("strength (optional), side", "side"))
    )
    decided = tell(driver, payload)
    assert [one.code for one in decided] == ["signal_refused"]
    assert [kind for kind, _ in driver.strategies["s"].heard] == ["start"]


def test_a_signal_is_heard_and_what_it_leads_to_passes_the_gate():
    driver = running()
    driver.book()
    driver.strategies["s"].on_signal = lambda signal: driver.strategies["s"].buy(
        PERP, "0.010", "49000", label=signal.side
    )
    decided = tell(driver, '{"side": "long"}')
    assert [type(one) for one in decided] == [OrderIntended]
    assert decided[0].label == "long"
    give(driver, "pause", scope="strategy:s")
    (denied,) = tell(driver, '{"side": "short"}', "2")
    assert denied.code == "paused"


def test_both_books_of_a_strategy_hear_a_signal_and_neither_is_told_alone():
    driver = both()
    driver.book(PERP)
    assert why_not(driver, '{"side": "long"}') == ""
    assert tell(driver, '{"side": "long"}') == []
    for name in ("s", "s.paper"):
        heard = driver.core.trader.desks[name].strategy.heard
        assert [signal.side for kind, signal in heard if kind == "signal"] == ["long"]
    assert "s.paper is a book of s" in why_not(driver, '{"side": "long"}', owner="s.paper")
    assert [one.code for one in tell(driver, '{"side": "long"}', "2", "s.paper")] == [
        "signal_refused"
    ]


def test_who_takes_no_signals_says_so():
    driver = running()
    driver.book()
    reload(driver, "2" * 64)
    assert "its class declares no `signal`" in why_not(driver, '{"side": "long"}')
    assert "no instance is called 'x'" in why_not(driver, "{}", owner="x")
    assert [one.code for one in tell(driver, "{}")] == ["signal_refused"]


def test_who_has_not_started_or_was_stopped_hears_nothing():
    driver = a_driver().begin(PERP, ETH)
    assert "it has not started yet" in why_not(driver, '{"side": "long"}')
    assert tell(driver, '{"side": "long"}') == []


def test_old_future_and_too_many_signals_are_refused():
    driver = running()
    driver.book()
    good, now_ms = '{"side": "long"}', T0 // 10**6
    assert why_not(driver, good, at_ms=now_ms - 29_000) == ""
    assert "it is 31.0 s old" in why_not(driver, good, at_ms=now_ms - 31_000)
    assert why_not(driver, good, at_ms=now_ms + 4_000) == ""
    assert "6.0 s in the future" in why_not(driver, good, at_ms=now_ms + 6_000)
    for number in range(3):
        tell(driver, good, str(number))
    assert "s takes 3 signals in a minute" in why_not(driver, good)
    assert why_not(driver, good, now_ns=T0 + 61 * SECOND) == ""


def test_ids_of_signals_outlast_the_session_and_are_bounded():
    driver = running()
    driver.book()
    for number in range(1_010):
        tell(driver, '{"side": "long"}', str(number))
    again = restore(snapshot(driver.core.state)).changes
    assert again.signals["s"] == driver.core.state.changes.signals["s"]
    assert next(iter(again.signals["s"])) == "10"
    assert again.in_a_minute("s", driver.now_ns) == 1_000


# ---- hostile ----


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("big", 10**30, False),
        ("big", -(2**63) - 1, False),
        ("big", 2**63 - 1, True),
        ("wide", 10**400, False),
        ("wide", 1e308, True),
        ("step", 10**30, True),
        ("word", "x" * 100_000, True),
        ("weights", [2**70], False),
    ],
)
def test_values_of_any_size_are_recorded_or_refused_and_the_engine_goes_on(name, value, is_taken):
    driver = running()
    decided = change(driver, **{name: value})
    assert [type(one) is ParametersChanged for one in decided] == [is_taken]
    assert all(encode(one) for one in driver.log)
    driver.book()


def test_a_signal_of_any_number_is_heard_and_what_a_state_cannot_keep_stops_its_instance_alone():
    driver = running(code="5" * 64)
    driver.book()
    decided = tell(driver, '{"number": 1000000000000000000000000000000}')
    assert [type(one) for one in decided if type(one) is IncidentRaised] in ([], [IncidentRaised])
    driver.advance(61 * SECOND)
    assert "its state cannot be saved" in driver.core.state.stopped["s"]
    assert list(driver.core.state.stopped) == ["s"]
    driver.book(ETH)
    driver.put(SessionStopping, "test")
    assert all(encode(one) for one in driver.log)
