"""The stage on which a strategy's tests play: what they show it, and what it is seen to ask for."""

from decimal import Decimal

import pytest

from plimsoll.core.model import Denied, Refusal
from plimsoll.core.strategy import Strategy
from plimsoll.core.strategy.rehearsal import START_NS, Rehearsal, Row, listing

NAME = "linear:BTCUSDT"


class Does(Strategy):
    instruments = (NAME,)
    bars = {"1m": 3}  # noqa: RUF012

    def __init__(self):
        self.heard = []

    def on_start(self):
        self.timer("later", 90)

    def on_bar(self, bar):
        self.heard.append((bar.start_ns, bar.open, bar.high, bar.low, bar.close, self.now))
        self.target(bar.instrument, notional=1_000, stop=bar.close - 1)

    def on_book(self, market):
        held = self.position(NAME).qty
        self.quote(NAME, [(market.book.mid - 1 - held, 0.5)], [(market.book.mid + 1, 0.25)])
        self.buy(NAME, "0.1")

    def on_timer(self, name):
        self.heard.append((name, self.now, self.equity, self.market(NAME).funding_rate))


def test_bars_come_one_after_another_and_the_market_stands_at_their_close():
    stage = Rehearsal(Does())
    assert stage.target() is None
    stage.bar(100.0)
    stage.bar(125.0, high=130.0, low=99.0)
    assert stage.strategy.heard == [
        (START_NS, 100.0, 100.0, 100.0, 100.0, START_NS + 60 * 10**9),
        (START_NS + 60 * 10**9, 100.0, 130.0, 99.0, 125.0, START_NS + 120 * 10**9),
    ]
    assert (stage.target(), stage.stop()) == (Decimal(8), Decimal(124))


def test_a_book_shows_quotes_and_orders():
    stage = Rehearsal(Does())
    stage.hold(2.0)
    stage.book(100.0)
    bid, ask = Row(Decimal(97), Decimal("0.5")), Row(Decimal(101), Decimal("0.25"))
    assert stage.quotes() == ([bid], [ask])
    (order,) = stage.orders()
    assert (order.qty_lots, stage.orders()) == (100, [])


def test_a_timer_fires_when_it_is_due():
    stage = Rehearsal(Does())
    stage.profit = 5.0
    stage.funding(0.0003)
    stage.timer("later")
    assert stage.strategy.heard == [("later", START_NS + 90 * 10**9, 10_005.0, 0.0003)]
    with pytest.raises(KeyError):
        stage.timer("later")


def test_what_it_does_not_know_is_a_refusal():
    stage = Rehearsal(Does(), listing("spot:ETHUSDC", tick="0.1"))
    assert isinstance(stage.strategy.target(NAME, 1), Denied)
    assert isinstance(stage.strategy.size("spot:ETHUSDC", "buy", percent=5), Denied)
    assert stage.strategy.orders("spot:ETHUSDC") == []
    assert stage.quotes() == ([], [])


def test_what_is_refused_at_once_is_shown_and_is_no_request():
    stage = Rehearsal(Does(), listing("spot:ETHUSDC", tick="0.1"))
    for _ in range(3):
        stage.strategy.target(NAME, 1)
    (one,) = stage.refused()
    assert (one.ask, one.code, one.instrument, one.times) == (
        "target",
        Refusal.UNKNOWN_INSTRUMENT,
        NAME,
        3,
    )
    assert stage.requests() == []
