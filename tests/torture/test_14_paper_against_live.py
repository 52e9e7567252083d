"""Row 14: paper results that live trading does not bring.

People lose money to a paper run that filled orders nobody would have filled. Here paper and live
use one matching model, and the gap is stated: of orders at the market that the visible book can
fill, prices, fees and profit are the same to a tenth of a basis point of what was traded; of quotes
that rest, paper has between half and twice the fills of live, since nobody knows the place in the
queue. How far it is for this account the gap meter measures (docs/explanation/shadow.md): each live
order of a running session is filled on paper as well, without our own orders and executions in the
market, and the difference of price, time and probability is told with its interval.

Judged: the same class live and on paper in the same session on the same market; the live half is
compared with the exchange's record by ``agree``.
"""

import pytest
from tests.torture.stage import ETH, FULL, PERP, SPOT, Stage, actor

from plimsoll.core.execution.shadow import gap_of, merged
from plimsoll.core.model import Mode
from plimsoll.core.records import PaperFilled
from plimsoll.core.strategy import Strategy

SEEDS = range(1, 11) if FULL else range(1, 4)
SECONDS = 600 if FULL else 40
BAND_PPM = 10
"""A tenth of a basis point, of what was traded."""


class Takes(Strategy):
    """Takes at the market, long and flat in turn."""

    value: float = 600.0

    def on_start(self):
        self.turns = 0
        self.traded = 0.0

    def on_book(self, market):
        self.turns += 1
        name = market.instrument.name
        if self.turns % 5 == 0:
            up = (self.turns // 5) % 4 in (0, 1)
            qty = self.value * (1 + self.turns % 3) / market.book.mid
            if up:
                self.buy(name, qty)
            elif self.position(name).qty > 0:
                self.sell(name, min(qty, self.position(name).qty))
            self.traded += qty * market.book.mid


class Quotes(Strategy):
    """Rests on both sides near the market."""

    def on_start(self):
        self.turns = 0

    def on_book(self, market):
        self.turns += 1
        middle = market.book.mid
        if self.turns % 5 == 0:
            rows = [(middle * (1 - 0.00005), 0.02)], [(middle * (1 + 0.00005), 0.02)]
            self.quote(market.instrument.name, *rows)


def both(kind, name, seed) -> Stage:
    return Stage(
        {"live": kind, "paper": kind},
        actor("live", name),
        actor("paper", name, mode=Mode.PAPER),
        seed=seed,
        sim={"speed": 5.0},
    )


def result(stage, owner, name):
    core = stage.engine.core
    held = core.ledger.position(owner, name)
    return core.equity_of(owner), held.fee_units, core.ledger.qty_lots(owner, name), held.fills


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [PERP, ETH, SPOT])
def test_orders_at_the_market_cost_on_paper_what_they_cost_live(name, seed):
    stage = both(Takes, name, seed)
    with stage.running() as engine:
        stage.ready()
        stage.run(SECONDS)
        stage.agree()
        live, paper = (result(stage, owner, name) for owner in ("live", "paper"))
        traded = int(stage.actors["live"].traded * 10**8)
        assert live[2] == paper[2], "the same position"
        assert abs(live[0] - paper[0]) <= traded * BAND_PPM // 10**6
        assert abs(live[1] - paper[1]) <= traded * BAND_PPM // 10**6
        assert live[3] > 20
        assert len(engine.of(PaperFilled)) > 20


def test_resting_quotes_fill_on_paper_about_as_often_as_live():
    live = paper = 0
    for seed in SEEDS:
        stage = both(Quotes, PERP, seed)
        with stage.running():
            stage.ready()
            stage.run(SECONDS)
            stage.agree()
            live += result(stage, "live", PERP)[3]
            paper += result(stage, "paper", PERP)[3]
    assert live > 30
    assert live / 2 <= paper <= live * 2, (live, paper)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gap_meter_tells_it_of_every_order_of_a_session(seed):
    for kind in (Takes, Quotes):
        stage = both(kind, PERP, seed)
        with stage.running():
            stage.ready()
            stage.run(SECONDS)
            stage.agree()
            shadow = stage.shadow()
            sent = {line["orderLinkId"] for line in stage.judge.of("order")}
            gap = gap_of(merged(shadow.cells.values()))
            assert {key.owner for key in shadow.cells} == {"live"}, "paper needs no shadow"
            out = sum(gap.voids.values()) + sum(shadow.unjudged.values())
            assert gap.orders == len(sent) == gap.compared + out
            assert gap.compared > 20
            assert shadow.missing_prints == 0
            assert None not in gap.filled
            if kind is Takes:
                assert gap.bias_bps is not None
                assert abs(gap.bias_bps) * 100 <= BAND_PPM
                assert gap.filled_live.value == gap.filled_paper.value == 1.0
