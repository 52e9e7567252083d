"""Row 15: orders refused for precision, lot, tick or least value; dust; filters that change.

People lose money when an exit is refused for one digit too many, or for the dust a fee left behind,
and when a venue changes a tick overnight. Here quantities and prices are whole steps before they
leave, on every instrument the simulator lists; what cannot be rounded by rule is refused by us with
its reason; a change of the filters is taken from the venue's list (each minute, and 5 s after a
refusal that it explains): only in between may the venue refuse. Dust that no order can close is
named when a position is flattened.

Judged from the exchange's record: every order is on the grid that was in force, no answer refuses a
filter but in those seconds.
"""

from collections import Counter
from decimal import Decimal

import msgspec
import pytest
from tests.torture.stage import FULL, PERP, SECOND, SPOT, UNIT, WIDE, Stage, actor

from plimsoll.core.records import FlattenEnded, IncidentRaised, OrderDenied
from plimsoll.core.strategy import Strategy
from plimsoll.engine import upkeep
from plimsoll.simulator import AccountSettings, SimSettings
from plimsoll.simulator.brain.exchange import Exchange

LISTED = {name: one.instrument for name, one in Exchange(SimSettings()).floor.listings.items()}
NO_FILTER = {0, 110001, 110010, 110007, 110017, 110079, 170131, 170213, 170139}
"""Refusals for other reasons: gone already, no margin or coins left, nothing to reduce."""
FILTERS_S = 5.0
SEEDS = range(1, 21) if FULL else range(1, 3)


class Awkward(Strategy):
    """Asks for random floats: sizes from below the least to large, prices with any digits."""

    def on_start(self):
        self.resting = []

    def on_book(self, market):
        name, middle, rng = market.instrument.name, market.book.mid, self.rng
        least = max(float(market.instrument.min_qty), 5 / middle)
        qty = least * (0.3 + rng.random() ** 3 * 40)
        side = self.buy if rng.random() < 0.6 else self.sell
        price = middle * (1 + (rng.random() - 0.5) * 0.008)
        kind = int(rng.random() * 8)
        self.resting = [one for one in self.resting if one.is_working][-5:]
        if kind == 0:
            side(name, qty)
        elif kind == 1:
            side(name, str(round(qty, 9)), f"{price:.9f}")
        elif kind == 2 and self.resting:
            self.resting[0].amend(price=price, qty=qty)
        elif kind == 3:
            self.quote(name, [(price * 0.999, qty)], [(price * 1.001, qty)], min_life_ms=0)
        elif kind == 4:
            self.target(name, qty=qty)
        elif kind == 5:
            self.target(name, notional=qty * middle)
        else:
            self.resting.append(side(name, qty, price))


@pytest.fixture(autouse=True)
def reads_often(monkeypatch):
    monkeypatch.setattr(upkeep, "FILTERS_NS", int(FILTERS_S * SECOND))


def staged(names, seed=1) -> Stage:
    coins = {one.base for one in LISTED.values()} | {"USDT", "USDC"}
    rich = AccountSettings(balances=dict.fromkeys(sorted(coins), "1000000"))
    limits = msgspec.structs.replace(WIDE, daily_loss=10**10 * UNIT)  # a million of each coin moves
    return Stage(
        {f"s{n}": Awkward for n, _ in enumerate(names)},
        *(actor(f"s{n}", name) for n, name in enumerate(names)),
        seed=seed,
        sim={"accounts": (rich,), "limits": "off"},
        limits=limits,
    )


def off_grid(line, listed) -> str:
    """Return what is wrong with an order at the venue, by arithmetic of this test alone."""
    price, qty = Decimal(line["price"] or 0), Decimal(line["qty"])
    if price % Decimal(listed.tick_size):
        return f"price {price}"
    if qty % Decimal(listed.lot_size) or qty < Decimal(listed.min_qty):
        return f"quantity {qty}"
    if Decimal(listed.max_qty) and qty > Decimal(listed.max_qty):
        return f"quantity {qty} above the most"
    is_small = price * qty < Decimal(listed.min_notional)
    return f"value {price * qty}" if is_small and not line["reduceOnly"] else ""


@pytest.mark.parametrize("seed", SEEDS)
def test_no_order_is_refused_for_a_filter_on_any_instrument(seed):
    stage = staged(list(LISTED), seed)
    with stage.running() as engine:
        stage.ready()
        stage.run(60 if FULL else 12)
        stage.agree()
        codes = Counter(line.get("retCode", 0) for line in stage.judge.of("answer"))
        assert set(codes) <= NO_FILTER, codes
        wrong = []
        traded: Counter[str] = Counter()
        for line in stage.judge.of("order"):
            name = f"{line['category']}:{line['symbol']}"
            traded[name] += 1
            wrong += [(name, found)] if (found := off_grid(line, LISTED[name])) else []
        assert wrong == []
        assert set(traded) == set(LISTED)
        assert "below_minimum" in {one.code for one in engine.of(OrderDenied)}


CHANGES = [  # multiples of the first steps: the simulator goes on checking those as well
    {"tickSize": "0.5"},
    {"tickSize": "0.30"},
    {"qtyStep": "0.005", "minOrderQty": "0.01"},
    {"tickSize": "0.70", "qtyStep": "0.003", "minOrderQty": "0.012"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_filters_that_change_while_it_trades_are_kept_within_seconds(change):
    stage = staged(["linear:BTCUSDT"])
    with stage.running() as engine:
        stage.ready()
        stage.run(5)
        changed_ns = stage.kernel.now_ns
        stage.ask("filters_changed", symbol="BTCUSDT", values=change, duration_s=100)
        stage.run(30)
        stage.agree()
        late = [
            line
            for line in stage.refusals()
            if line["retCode"] not in NO_FILTER
            and line["t_ns"] > changed_ns + (FILTERS_S + 2) * SECOND
        ]
        assert late == []
        told = [one.code for one in engine.of(IncidentRaised)]
        assert told.count("filters_changed") == ("tickSize" in change or "qtyStep" in change)
        orders = [one for one in stage.judge.of("order") if one["t_ns"] > changed_ns + 8 * SECOND]
        new = [one for one in orders if one["orderStatus"] == "New"]
        assert len(new) > 10, "it trades on"
        tick = Decimal(change.get("tickSize", "0.1"))
        step = Decimal(change.get("qtyStep", "0.001"))
        assert not [
            one for one in new if Decimal(one["price"]) % tick or Decimal(one["qty"]) % step
        ]


class Holds(Strategy):
    """Buys once."""

    value: float = 500.0

    def on_start(self):
        self.has = False

    def on_book(self, market):
        if not self.has:
            self.has = True
            self.buy(market.instrument.name, self.value / market.book.mid)


def test_dust_that_no_order_can_close_is_named():
    dusty = actor("a", SPOT, value=5.06)  # the fee leaves less than the least value of an order
    stage = Stage({"a": Holds, "b": Holds}, dusty, actor("b", PERP))
    with stage.running() as engine:
        ledger = lambda: engine.core.ledger  # noqa: E731
        stage.ready()
        stage.until("coins", lambda: ledger().qty_lots("a", SPOT) > 0)
        stage.until("a position", lambda: ledger().qty_lots("b", PERP) > 0)
        stage.agree()
        left = ledger().qty_lots("a", SPOT)
        assert 0 < left * LISTED[SPOT].lot * 60_013 < 5
        engine.machine.command("flatten")
        stage.until("the end", lambda: bool(engine.of(FlattenEnded)), 60)
        ended = engine.of(FlattenEnded)[0]
        assert ended.outcome == "flat"
        assert f"a keeps {LISTED[SPOT].qty_text(left)} {SPOT} as dust" in ended.text
        assert ledger().qty_lots("b", PERP) == 0
        assert ledger().qty_lots("a", SPOT) == left
