"""Paper beside live in the world: what the estimator finds, and what the model does not know.

The exchange has settings that nothing tells the engine: how long a request takes to have its
effect, and how much of the displayed quantity a resting order joins behind. The estimator must find
them inside its interval. Then the exchange has a queue that no setting of paper describes; what the
gap is then stands in docs/explanation/shadow.md.
"""

import os
from functools import cache
from typing import Final

import pytest
from tests.torture.stage import PERP, Stage, actor

from plimsoll.core.execution.shadow import (
    MEASURED,
    Key,
    Kind,
    Model,
    Shadow,
    gap_of,
    queue_share_of,
)
from plimsoll.core.model import Side
from plimsoll.core.strategy import Strategy

FULL = os.environ.get("TORTURE") == "full"
SECONDS = 600 if FULL else 40
SEEDS = range(1, 6) if FULL else range(1, 2)
TAKES, RESTS = Key("live", PERP, Kind.TAKES), Key("live", PERP, Kind.RESTS)
_S: Final = 1_000_000_000


class Touches(Strategy):
    """Rests a little at both best prices for two seconds, then again."""

    def on_start(self):
        self.turns, self.resting = 0, []

    def on_book(self, market):
        name, book = market.instrument.name, market.book
        for begun_ns, order in list(self.resting):
            if self.now - begun_ns > 2 * _S:
                order.cancel()
                self.resting.remove((begun_ns, order))
        self.turns += 1
        if self.turns % 10 == 0:
            for ask, price in ((self.buy, book.best_bid), (self.sell, book.best_ask)):
                self.resting.append((self.now, ask(name, 0.002, limit=price, tif="post_only")))


class Takes(Strategy):
    """Buys and sells at the market in turn."""

    def on_start(self):
        self.turns = 0

    def on_book(self, market):
        self.turns += 1
        if self.turns % 10 == 0:
            ask = self.buy if self.turns % 20 else self.sell
            ask(market.instrument.name, 0.01)


class Watches(Strategy):
    """Does nothing."""


def stage(kind: type[Strategy], seed: int = 1, pulse_ms: int = 5, **sim) -> Stage:
    sim = {"market": "calibrated", **sim}
    return Stage({"live": kind}, actor("live", PERP), seed=seed, pulse_ms=pulse_ms, sim=sim)


@cache
def played(
    kind: type[Strategy], seed: int = 1, lag_ms: int = 0, seconds: int = SECONDS, **sim
) -> tuple[Stage, Shadow]:
    """Trade, and return what the shadow measured of it, with the exchange that has the record."""
    one = stage(kind, seed, **sim)
    one.network.lag_ms = lag_ms
    with one.running():
        one.ready()
        one.run(seconds)
        one.agree()
        one.run(13)  # what is over has had its time
        return one, one.shadow()


# ---- the estimator finds what is hidden ----


def taken_ms(one: Stage) -> float:
    """Return how long, by the exchange's record, orders took from acceptance to their effect."""
    accepted: dict[str, int] = {}
    effect: dict[str, int] = {}
    for line in one.judge.of("order"):
        times = accepted if line["orderStatus"] == "Created" else effect
        times.setdefault(line["orderId"], line["t_ns"])
    return sum(effect[order] - accepted[order] for order in effect) / len(effect) / 1e6


def test_the_hidden_latency_is_inside_the_interval():
    lag_ms = 8  # each way one to nine milliseconds, drawn
    inside = []
    for hidden_ms in (0.0, 40.0, 150.0):
        for seed in (*SEEDS, SEEDS[-1] + 1):
            # A short pulse: the record's times are those of the market's events before it.
            named = {"match_delay_ms": hidden_ms, "pulse_ms": 1}
            one, shadow = played(Takes, seed, lag_ms, SECONDS // 3, **named)
            found = gap_of(shadow.cells[TAKES]).latency_ms
            truth_ms = taken_ms(one) + 2 * (1 + lag_ms / 2)
            assert truth_ms >= hidden_ms
            assert found.value == pytest.approx(truth_ms, abs=1.5)
            assert found.low is not None
            assert found.high is not None
            inside.append(found.low <= truth_ms <= found.high)
    assert len(inside) - sum(inside) <= 1 + len(inside) // 10, inside


def test_with_the_measured_latency_prices_of_takers_agree_far_better():
    one = stage(Takes, match_delay_ms=150.0)
    with one.running():
        one.ready()
        one.run(SECONDS)
        one.run(3)
        configured, measured = (
            gap_of(one.shadow(model).cells[TAKES]) for model in (None, Model(MEASURED))
        )
    assert measured.compared == configured.compared > 100
    assert measured.first_s.value == pytest.approx(0, abs=1e-6)
    assert configured.first_s.value == pytest.approx(0.142, abs=0.01)  # 152 ms less ten
    reach = [
        (one.price_bps.high or 0.0) - (one.price_bps.low or 0.0) for one in (configured, measured)
    ]
    assert reach[1] > 0
    assert reach[1] < reach[0] / 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hidden", [0.0, 0.1, 1.0])
def test_the_hidden_place_in_the_queue_is_inside_the_interval(hidden, seed):
    _, shadow = played(Touches, seed, queue=hidden)
    found = queue_share_of(shadow.cells[RESTS])
    assert found.reason == ""
    assert found.share.n > 150
    assert found.share.low is not None
    assert found.share.high is not None
    assert found.share.low <= hidden <= found.share.high, found.share
    assert found.share.high - found.share.low < 1.0, "it says nothing"


# ---- what the model does not know ----


def test_a_queue_that_paper_does_not_know_is_measured_as_a_gap():
    """Published in docs/explanation/shadow.md."""
    gaps = []
    for more in ({}, {"leaving_queue": True}):
        _, shadow = played(Touches, 1, queue=1.0, **more)
        gaps.append(gap_of(shadow.cells[RESTS]))
    known, unknown = gaps
    assert known.filled.high is not None
    assert unknown.filled.low is not None
    assert unknown.filled.low > known.filled.high, "the error shows"
    assert 0.03 < (unknown.filled.value or 0) < 0.15


# ---- what it is fed with ----


def test_the_cleaned_book_is_the_exchanges_own_without_us():
    one, resting = stage(Touches), 0
    with one.running():
        one.ready()
        for _ in range(8):
            one.run(1.1)
            one.venue.is_moving = False
            one.run(0.3)  # the newest book and reports are there
            shadow = one.shadow()
            book = one.venue.exchange.floor.markets[PERP].book
            resting += sum(1 for _ in book.resting())
            for side, rows in zip((Side.BUY, Side.SELL), shadow._feeds[PERP].rows(), strict=True):
                assert len(rows) >= 50
                for price, qty in rows:
                    assert qty >= 0
                    assert round(qty * 1_000) == book.displayed(side, round(price * 10))
            one.venue.is_moving = True
    assert resting > 5


def test_a_session_without_live_orders_has_no_gap():
    _, shadow = played(Watches, seconds=5)
    assert shadow.cells == {}
    assert shadow.unjudged == {}


def test_every_order_of_a_session_is_accounted_for_and_every_print_of_ours_found():
    one, shadow = played(Touches, 1, queue=1.0)
    cell = shadow.cells[RESTS]
    sent = {line["orderLinkId"] for line in one.judge.of("order")}
    assert cell.orders == len(sent) > 150
    assert cell.orders == cell.pairs.n + sum(cell.voids.values()) + sum(shadow.unjudged.values())
    live = {line["orderLinkId"] for line in one.judge.of("execution")}
    filled = cell.pairs.both + cell.pairs.live_only
    assert 0 <= len(live) - filled <= sum(shadow.unjudged.values())
    assert len(live) > 100
    assert shadow.missing_prints == 0
    for feed in shadow._feeds.values():
        assert not feed.prints.is_waiting
        assert feed.prints.removed >= len(live)
