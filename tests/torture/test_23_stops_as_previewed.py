"""Row 23: a kill switch does something else than its owner expected.

People lose money to a stop that closed what should have stayed, left what should have gone, or took
the stop-loss away with the rest. Here every breaker in each of its scopes, and every stop a person
can ask for, has a preview that changes nothing, and what then happens is the preview: the same
orders, the same positions, the same owners without new risk.

Judged: for breakers from the cancels decided and from what each owner is refused afterwards; for
stops from the exchange's record of the orders that ended and the positions that are left.
"""

import json
from typing import Any

import pytest
from tests.properties.driver import ETH, SECOND, Driver, one_strategy, settings_of
from tests.properties.driver import PERP as DRIVER_PERP
from tests.torture.stage import PERP, SPOT, Stage, actor

from plimsoll.cli.breakers import _cancelled, _scopes, _stopped
from plimsoll.cli.previewing import _preview
from plimsoll.core.engine.reach import Holding, is_closed
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import CancelIntended, OperatorCommand, PaperCancelIntended, Tripped
from plimsoll.core.risk.breakers import BREAKERS, Finding
from plimsoll.core.settings import BreakerSettings
from plimsoll.core.strategy import Strategy

PLACES = {"a": DRIVER_PERP, "b": ETH, "p": DRIVER_PERP}
"""Instances and where they trade; the last one is on paper."""


def guarded() -> Driver:
    """Return a live account: entries, an exit, an order nobody here made, and paper."""
    driver = Driver(
        settings_of(
            one_strategy(name="a", instruments=(DRIVER_PERP,)),
            one_strategy(name="b", instruments=(ETH,)),
            one_strategy(Mode.PAPER, name="p", instruments=(DRIVER_PERP,)),
            breakers=BreakerSettings(),
        )
    ).live(DRIVER_PERP, ETH)
    driver.report("by-hand", OrderState.OPEN)
    for name in "ab":
        entry = rests(driver, name)
        driver.was_sent(entry.order.id)
        driver.answered(entry.order.id)
        driver.report(entry.order.id, OrderState.OPEN)
        driver.execute(entry.order.id, 1, f"x-{name}")
        rests(driver, name, side="sell", limit=PRICE[PLACES[name]] * 1.03, reduce_only=True)
        exit_ = driver.newest
        driver.was_sent(exit_.id)
        driver.answered(exit_.id)
        driver.report(exit_.id, OrderState.OPEN)
    rests(driver, "p")
    return driver


PRICE = {DRIVER_PERP: 50_000.0, ETH: 2_000.0}


def rests(driver, name, side="buy", limit=0.0, **named) -> Any:
    where = PLACES[name]
    limit = limit or PRICE[where] * 0.98
    ask = lambda s: getattr(s, side)(where, "0.1", f"{limit:.1f}", **named)  # noqa: E731
    return driver.do(ask, name, where)


CASES = [
    (breaker, scope)
    for breaker, rule in BREAKERS.items()
    for scope in _scopes(guarded().core, rule)
]


@pytest.mark.parametrize(("breaker", "scope"), CASES)
def test_a_breaker_stops_and_cancels_what_its_preview_lists(breaker, scope):
    driver = guarded()
    core = driver.core
    before = driver.core.state_hash()
    stops, cancels = list(_stopped(core, scope)), list(_cancelled(core, BREAKERS[breaker], scope))
    assert core.state_hash() == before, "a preview changes nothing"
    finding = Finding(breaker, scope, 2, 1, "as the test has it")
    core.session.keeper.breaking._findings = lambda: iter([finding])
    driver.advance(2 * SECOND)
    assert [(one.breaker, one.scope) for one in driver.of(Tripped)] == [(breaker, scope)]
    gone = [*driver.of(CancelIntended), *driver.of(PaperCancelIntended)]
    asked = dict.fromkeys(one.client_order_id for one in gone)
    assert list(asked) == cancels
    refused = [name for name in PLACES if rests(driver, name).refusal is not None]
    assert refused == stops


def test_the_breakers_that_cancel_are_not_previewed_as_nothing():
    """The table above would hold for a preview and an engine that both do nothing."""
    core = guarded().core
    found = {name: list(_cancelled(core, one, "account")) for name, one in BREAKERS.items()}
    cancelling = {name for name, orders in found.items() if orders}
    assert cancelling == {"daily_loss", "drawdown", "margin_high", "margin_critical"}
    assert all(len(found[name]) == 2 for name in cancelling), "entries, not exits"


# ---- what people ask for -------------------------------------------------------------------------


class Holder(Strategy):
    """Holds a position with an exit that rests, and a lower entry."""

    qty: float = 0.05

    def on_start(self):
        self.step = 0

    def on_book(self, market):
        name, middle = market.instrument.name, market.book.mid
        self.step += 1
        if self.step == 1:
            self.buy(name, self.qty * 2)
        elif self.step == 4:
            self.buy(name, self.qty, middle * 0.985)
            self.sell(name, self.qty, middle * 1.015, reduce_only=not name.startswith("spot"))


STOPS = [
    ("halt", {}),
    ("halt", {"scope": "strategy:a"}),
    ("halt", {"scope": f"instrument:{SPOT}"}),
    ("halt", {"scope": f"strategy:a/{PERP}", "protections_too": True}),
    ("halt", {"keep_orders": True}),
    ("halt", {"protections_too": True}),
    ("halt", {"flatten": True}),
    ("flatten", {"scope": "strategy:b"}),
    ("flatten", {"scope": f"instrument:{PERP}"}),
    ("flatten", {}),
    ("close", {"instrument": PERP}),
    ("close", {"instrument": SPOT, "strategy": "b"}),
    ("cancel", {"strategy": "a"}),
    ("cancel", {"instrument": SPOT}),
    ("pause", {}),
]


@pytest.mark.parametrize(("cmd", "args"), STOPS, ids=lambda one: str(one))
def test_a_stop_does_at_the_venue_what_its_preview_lists(cmd, args):
    stage = Stage({"a": Holder, "b": Holder}, actor("a", PERP), actor("b", SPOT))
    with stage.running() as engine:
        stage.ready()
        stage.until("orders", lambda: len(alive(stage)) == 4)
        stage.agree()
        core, before = engine.core, alive(stage)
        cancels, closed = set(), set()
        if cmd != "pause":  # it touches nothing: there is nothing to preview
            _, seen = _preview(core, cmd, args)
            cancels = {one.id for one in seen.cancels}
            closed = {one.instrument for one in seen.closes}
            naked = {one.instrument for one in seen.naked}
            assert not naked or args.get("protections_too")
        stage.engine.machine.command(cmd, **args)
        stage.run(8)
        stage.agree()
        assert before - alive(stage) == cancels
        flat = {name for name in (PERP, SPOT) if not holds(core, name)}
        assert flat == closed
        cancelled = {line["orderLinkId"] for line in ended(stage, "Cancelled")}
        assert cancelled & before == cancels


def holds(core, name) -> bool:
    """Return whether more than dust is held: a fee in the coin leaves less than a lot."""
    held = [Holding(owner, name, core.ledger.qty_lots(owner, name)) for owner in "ab"]
    return not all(is_closed(core.state, one) for one in held)


def alive(stage) -> set[str]:
    return {one.link for one in stage.judge.orders.values() if one.is_live}


def ended(stage, status) -> list[dict[str, Any]]:
    return [line for line in stage.judge.of("order") if line["orderStatus"] == status]


def test_a_command_says_in_the_log_what_it_was_and_who_asked():
    driver = guarded()
    driver.put(OperatorCommand, "c1", "anna", "halt", json.dumps({"scope": "strategy:a"}))
    halted = [one for one in driver.log if type(one).__name__ == "Halted"]
    assert [(one.actor, one.scope) for one in halted] == [("anna", "strategy:a")]  # type: ignore[attr-defined]
