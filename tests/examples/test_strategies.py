"""The worked examples: what each asks for on a stage, and that a core runs it on paper."""

import re
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    MS,
    PERP,
    PRICE,
    SECOND,
    SPOT,
    Driver,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.cli.strategy.lint import check_text
from plimsoll.core.model import Mode
from plimsoll.core.records import PaperFilled, PaperOrderIntended, PublicTraded, TickerChanged
from plimsoll.core.strategy import parameters_of
from plimsoll.core.strategy.rehearsal import Rehearsal

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "strategies"
BTC, COIN, OTHER = "linear:BTCUSDT", "spot:BTCUSDT", "linear:ETHUSDT"


FLAT = (Decimal(0), Decimal(0))


def module(name: str) -> ModuleType:
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


EMA = module("ema_cross").EmaCross
QUOTER = module("quoter").Quoter
PAIRS = module("mean_reversion_pairs").Pairs
SKEWED = module("market_maker_skew").SkewedMaker
GRID = module("grid").Grid
CARRY = module("funding_carry").FundingCarry
PORTFOLIO = module("rebalance").Rebalance


def tuned(kind: type, **params: Any) -> Any:
    made = kind()
    for name, value in params.items():
        setattr(made, name, value)
    return made


def prices(rows) -> list[float]:
    return [float(row.price) for row in rows]


# ---- what each asks for ----


def test_the_average_cross_turns_with_the_trend():
    stage = Rehearsal(EMA(), BTC)
    for step in range(30):
        stage.bar(100.0 + step)
    assert stage.target() == Decimal("3.875")  # 500 at 129
    assert stage.stop() == Decimal("127.71")
    for step in range(30):
        stage.bar(129.0 - 2 * step)
    assert (stage.target() or 0) < 0


def test_the_quoter_leans_against_what_it_holds():
    stage = Rehearsal(QUOTER(), BTC)
    stage.book(100.0)
    (bids, asks) = stage.quotes()
    assert (prices(bids), prices(asks)) == ([99.98], [100.02])
    stage.hold(5.0)
    stage.book(100.0)
    assert prices(stage.quotes()[0]) == [99.96]
    stage.hold(10.0)
    stage.book(100.0)
    assert stage.quotes()[0] == []


def test_pairs_go_in_far_from_the_average_and_out_near_it():
    stage = Rehearsal(PAIRS(), BTC, OTHER)
    for step in range(60):
        stage.bar(100.0 + step % 2, BTC)
        stage.bar(50.0, OTHER)
    assert (stage.target(BTC), stage.target(OTHER)) == FLAT
    stage.bar(110.0, BTC)
    assert stage.target(BTC) == 0, "the other bar of this second is not there"
    stage.bar(50.0, OTHER)
    assert (stage.target(BTC), stage.target(OTHER)) == (Decimal("-4.545"), Decimal(10))
    stage.bar(109.0, BTC)
    stage.bar(50.0, OTHER)
    assert stage.target(BTC) == Decimal("-4.545"), "it holds what it went in with"
    stage.bar(100.7, BTC)
    stage.bar(50.0, OTHER)
    assert (stage.target(BTC), stage.target(OTHER)) == FLAT


def test_the_skewed_maker_is_wider_when_prices_move_and_smaller_where_it_is_long():
    stage = Rehearsal(tuned(SKEWED, levels=2, most=1_000.0), BTC)
    stage.book(100.0)
    bids, asks = stage.quotes()
    assert prices(bids) == [99.98, 99.95]
    assert prices(asks) == [100.02, 100.05]
    stage.hold(5.0)
    stage.book(100.0)
    bids, asks = stage.quotes()
    assert (bids[0].qty, asks[0].qty) == (Decimal("0.5"), Decimal(1))
    assert prices(bids)[0] == 99.97
    for step in range(60):
        stage.bar(100.0 + step % 2)
    stage.hold(0.0)
    stage.book(100.0)
    assert prices(stage.quotes()[0])[0] == pytest.approx(99.73, abs=0.011)
    stage.hold(12.0)
    stage.book(100.0)
    assert stage.quotes()[0] == []


def test_the_grid_stands_until_it_is_hit_and_then_goes_on_from_there():
    stage = Rehearsal(tuned(GRID, step=0.01, levels=2, most=250.0), BTC)
    stage.book(100.0)
    stage.book(100.7)
    bids, asks = stage.quotes()
    assert prices(bids) == pytest.approx([99.0, 98.01], abs=0.011)
    assert prices(asks) == pytest.approx([101.0, 102.01], abs=0.011)
    stage.hold(1.0)
    stage.strategy.anchors[BTC] = 99.0
    stage.book(99.0)
    bids, asks = stage.quotes()
    assert prices(bids) == [98.01], "two more would be beyond the most it holds"
    assert prices(asks) == pytest.approx([99.99, 100.99], abs=0.011)


def test_the_grid_sells_on_spot_what_it_holds():
    stage = Rehearsal(tuned(GRID, step=0.01), COIN)
    stage.book(100.0)
    assert [len(side) for side in stage.quotes()] == [3, 0]
    stage.hold(2.0)
    stage.book(100.0)
    assert [len(side) for side in stage.quotes()] == [3, 2]


def test_the_carry_goes_in_on_funding_and_out_without():
    stage = Rehearsal(CARRY(), COIN, BTC)
    stage.timer("look")
    assert stage.target(BTC) is None, "nothing is known yet"
    market = stage.markets[BTC]
    for name in (COIN, BTC):
        stage.price(50_000.0, name)
    market.next_funding_ms = 1
    for rate, held in ((0.00005, "0"), (0.0002, "0.010"), (0.00005, "0.010"), (-0.0001, "0")):
        stage.funding(rate, BTC)
        stage.timer("look")
        assert (stage.target(COIN), stage.target(BTC)) == (Decimal(held), -Decimal(held))


def test_the_portfolio_trades_what_has_drifted():
    stage = Rehearsal(tuned(PORTFOLIO, weights=(0.5, 0.25)), COIN, OTHER, capital=10_000)
    for name, price in ((COIN, 50_000.0), (OTHER, 2_000.0)):
        stage.price(price, name)
    stage.timer("look")
    assert (stage.target(COIN), stage.target(OTHER)) == (Decimal("0.1"), Decimal("1.25"))
    stage.hold(0.1, COIN)
    stage.hold(1.25, OTHER)
    stage.price(2_100.0, OTHER)
    stage.timer("look")
    assert stage.target(OTHER) == Decimal("1.25"), "1.25 % of the capital is inside the band"
    stage.price(2_500.0, OTHER)
    stage.timer("look")
    assert stage.target(OTHER) == Decimal(1)


def test_the_one_in_the_documentation_passes_its_test():
    page = EXAMPLES.parents[1] / "docs" / "how-to" / "write-a-strategy.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)  # noqa: S102 - our own page
    names["test_a_break_upwards_is_bought"]()
    assert parameters_of(names["Breakout"]).keys() == {"period", "notional"}
    assert [one.rule.code for one in check_text(blocks[0], "page")[0]] == []


# ---- a core runs each of them on paper ----


def played(driver: Driver, names: tuple[str, ...], seconds: int) -> None:
    """Let prices swing by a per cent in 40 s, one print a quarter second, books beside them."""
    for step in range(seconds * 4):
        swing = 1 + 0.01 * (abs(step % 160 - 80) / 40 - 1)
        for place, name in enumerate(names):
            mid = PRICE[name] * (swing if place == 0 else 1.0)
            driver.book(name, round(mid, 1))
            row = (round(mid, 1), 5.0, step % 2 == 0, driver.now_ns // MS)
            driver.put(PublicTraded, name, [row], driver.now_ns // MS)
            if step % 8 == 0:
                now_ms = driver.now_ns // MS
                driver.put(TickerChanged, name, mid, mid, mid, 0.0002, now_ms + 10**6, now_ms)
        driver.advance(SECOND // 4)


@pytest.mark.parametrize(
    ("kind", "names", "params"),
    [
        (EMA, (PERP,), {"notional": 5_000.0}),
        (QUOTER, (PERP,), {"notional": 500.0, "most": 5_000.0}),
        (PAIRS, (PERP, ETH), {"notional": 1_000.0, "enter": 1.0}),
        (SKEWED, (PERP,), {"notional": 500.0, "most": 5_000.0}),
        (GRID, (PERP,), {"notional": 500.0, "most": 5_000.0, "step": 0.002}),
        (CARRY, (SPOT, PERP), {"notional": 1_000.0, "every": 5.0}),
        (PORTFOLIO, (PERP, ETH), {"every": 5.0}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_runs_on_paper_and_a_replay_decides_the_same(kind, names, params):
    settings = settings_of(one_strategy(Mode.PAPER, names, capital=10_000 * CASH))

    def load(_one):
        return tuned(kind, **params)

    driver = Driver(settings, load=load).live(*names)
    played(driver, names, 80)
    assert driver.core.state.stopped == {}
    assert driver.of(PaperOrderIntended)
    assert driver.of(PaperFilled)
    assert driver.sent == [], "paper has no way to the venue"
    replayed(driver.log, load)
