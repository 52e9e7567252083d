"""Figures of a few orders worked out by hand, and what is not told of too few."""

import msgspec
import pytest
from tests.core.execution.quality.schedules import LIVE, Schedule
from tests.core.execution.quality.test_follower import fed
from tests.properties.driver import INSTRUMENTS, MS, PERP, SECOND, T0

from plimsoll.core.execution.quality import (
    METRICS,
    Cell,
    Key,
    Kind,
    Measured,
    Quality,
    follower,
    measured,
    merged,
    totals,
    waiting,
)
from plimsoll.core.execution.quality.cell import TIMES_US
from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    BookChanged,
    CancelIntended,
    ExecutionReported,
    InstrumentListed,
    OrderIntended,
    OrderReported,
    OrderSent,
    RequestAnswered,
)

MARKET = Key(LIVE, PERP, False, Kind.MARKET)


class Script:
    """Records written by hand, a market of 0.1 steps around 50,000."""

    def __init__(self) -> None:
        self.quality = Quality()
        self.seq, self.now_ns, self.orders = 0, T0, 0
        self.put(InstrumentListed, INSTRUMENTS[PERP])

    def put(self, kind, *fields) -> None:
        self.seq += 1
        self.quality.apply(kind(self.seq, self.now_ns, 1, 0, *fields))

    def book(self, middle: float) -> None:
        rows = ([(middle - 0.5, 1.0)], [(middle + 0.5, 1.0)])
        self.put(BookChanged, PERP, 50, True, self.seq, self.seq, self.now_ns // MS, *rows)

    def ask(self, lots: int = 10, side: Side = Side.BUY) -> str:
        self.orders += 1
        number = f"acc-000001-{self.orders:09d}-X"
        terms = (side, OrderType.MARKET, TimeInForce.IOC, 501_000, lots, False, "")
        self.put(OrderIntended, number, LIVE, PERP, *terms)
        self.put(OrderSent, number, "create", "r", 0, "trade", 1)
        return number

    def answer(self, number: str, outcome: str = "accepted") -> None:
        self.put(RequestAnswered, number, "create", "r", outcome, 0, "", f"v-{number}")

    def fill(self, number: str, price: float, lots: int, fee: int = 0, **how) -> None:
        side, is_maker = how.get("side", Side.BUY), how.get("is_maker", False)
        ms, name = how.get("ms", self.now_ns // MS), f"{number}-{how.get('id', self.seq)}"
        terms = (PERP, side, round(price * 10), lots, fee, "USDT", is_maker, "Trade", ms)
        self.put(ExecutionReported, name, number, "", *terms, "stream", 0, b"")

    def report(self, number: str, status: OrderState, lots: int = 10) -> None:
        terms = (PERP, Side.BUY, status, 501_000, lots, 0, False, False, self.now_ns // MS)
        self.put(OrderReported, number, f"v-{number}", *terms, "", "stream", 0, b"")

    @property
    def found(self) -> dict[str, Measured]:
        return {one.metric.name: one for one in measured(self.quality.cells[MARKET])}


@pytest.fixture
def script() -> Script:
    return Script()


def bought(script: Script, times: int = 5) -> None:
    """Ask at 50,000, arrive at 50,010, fill at 50,030 while the middle is 50,020."""
    for _ in range(times):
        script.now_ns += 100 * SECOND
        script.book(50_000)
        number = script.ask()
        script.now_ns += 2 * MS
        script.book(50_010)
        script.now_ns += 1 * MS
        script.answer(number)
        script.now_ns += 4 * MS
        script.book(50_020)
        script.now_ns += 1 * MS
        script.fill(number, 50_030, 10, fee=27_516_500)
        script.report(number, OrderState.FILLED)
        for after_ns, middle in ((SECOND, 50_010), (9 * SECOND, 50_000), (50 * SECOND, 50_070)):
            script.now_ns += after_ns
            script.book(middle)
        script.now_ns += MS
        script.book(50_070)


def test_each_price_is_held_against_its_own_reference(script):
    bought(script)
    means = {
        name: one.figures["mean"] for name, one in script.found.items() if "mean" in one.figures
    }
    assert means["slippage_decision"] == pytest.approx(30 / 50_000 * 1e4)
    assert means["slippage_arrival"] == pytest.approx(20 / 50_010 * 1e4)
    assert means["slippage_fill"] == pytest.approx(10 / 50_020 * 1e4)
    assert means["markout_1s"] == pytest.approx(10 / 50_020 * 1e4)
    assert means["markout_10s"] == pytest.approx(20 / 50_020 * 1e4)
    assert means["markout_60s"] == pytest.approx(-50 / 50_020 * 1e4)
    assert means["fees"] == pytest.approx(27_516_500 / (50_030 * 0.01 * 1e8) * 1e4)


def test_a_sale_below_the_middle_costs_as_much_as_a_purchase_above_it(script):
    for side, price in ((Side.BUY, 50_010), (Side.SELL, 49_990)) * 5:
        script.book(50_000)
        script.fill(script.ask(side=side), price, 10, side=side)
    assert script.found["slippage_decision"].figures["mean"] == pytest.approx(2.0)
    assert list(script.quality.cells[MARKET].decision.counts.values()) == [10]


def test_times_run_from_leaving_to_the_answer_and_from_asking_to_the_fills(script):
    bought(script)
    cell = script.quality.cells[MARKET]
    for times, ms in ((cell.ack, 3), (cell.first_fill, 8), (cell.full_fill, 8)):
        assert times.n == 5
        assert times.quantile_us(0.5) == pytest.approx(ms * 1_000, rel=0.13)


def test_a_fill_is_held_against_the_middle_before_it_though_it_is_told_late(script):
    script.book(50_000)
    numbers = [script.ask() for _ in range(5)]
    script.now_ns += 10 * MS
    filled_ms = script.now_ns // MS
    script.book(50_100)  # the same millisecond: the fill itself may have moved it
    script.now_ns += 500 * MS
    script.book(50_200)
    for number in numbers:
        script.fill(number, 50_001, 10, ms=filled_ms)
    assert script.found["slippage_fill"].figures["mean"] == pytest.approx(0.2)


def test_what_was_filled_after_the_end_counts_in_the_ratio(script):
    for _ in range(10):
        number = script.ask()
        script.fill(number, 50_000, 2)
        script.put(CancelIntended, number, "enough")
        script.report(number, OrderState.CANCELED)
        script.fill(number, 50_000, 3)
    assert script.found["fill_ratio"].figures["value"] == 0.5
    assert script.found["cancel_rate"].figures["value"] == 1.0
    assert script.found["fill_ratio"].n == 10


def test_unknown_stays_counted_when_it_is_resolved_and_fails_once(script):
    for _ in range(10):
        number = script.ask()
        script.answer(number, "unknown")
        script.answer(number, "unknown")
        script.answer(number, "refused")
    late = script.ask()
    script.answer(late, "unknown")
    script.answer(late)
    script.answer(script.ask())
    values = {name: one.figures.get("value") for name, one in script.found.items()}
    assert (values["unknown"], values["reject_rate"]) == (11.0, 10 / 12)
    assert values["execution_success"] == 1 / 12


def test_an_execution_told_twice_counts_once_and_a_strangers_not_at_all(script):
    number = script.ask()
    script.fill(number, 50_000, 1, id="same")
    script.fill(number, 50_000, 1, id="same")
    script.fill("somebody-else", 50_000, 1)
    assert script.quality.cells[MARKET].fills == 1
    assert script.quality.outside == 1


def test_too_few_are_not_told_and_the_reason_is(script):
    bought(script, times=4)
    one = script.found["slippage_decision"]
    assert set(one.figures.values()) == {None}
    assert one.reason == "mean and p50 need n 5"
    bought(script, times=1)
    one = script.found["slippage_decision"]
    assert [name for name, value in one.figures.items() if value is None] == ["p95", "p99"]
    assert one.reason == "p95 needs n 20"
    assert script.found["fill_ratio"].reason == "needs n 10"
    assert script.found["unknown"].reason == ""


def test_without_a_book_nothing_is_held_against_it(script):
    for _ in range(5):
        number = script.ask()
        script.answer(number)
        script.fill(number, 50_000, 10)
    assert script.found["slippage_decision"].n == script.found["slippage_fill"].n == 0
    assert script.found["maker_share"].n == 5


def halfway(*, steps: int) -> Cell:
    """Trade, and halfway let the venue make ``steps`` of each step; return what was measured."""
    script = Script()
    script.book(50_000)
    script.now_ns += 5 * MS
    numbers = [script.ask() for _ in range(6)]
    for number in numbers:
        script.answer(number)
    for number in numbers[:3]:
        script.fill(number, 50_010, 4)  # waits for the middle before it, and then for later ones
    script.now_ns += 30 * MS
    script.book(50_020)
    script.fill(numbers[3], 50_010, 10)
    if steps > 1:
        size = {1: ("0.1", "0.001"), 2: ("0.05", "0.0005"), 5: ("0.02", "0.0002")}[steps]
        finer = msgspec.structs.replace(INSTRUMENTS[PERP], tick_size=size[0], lot_size=size[1])
        script.put(InstrumentListed, finer)
    for middle in (50_030, 50_040, 50_050):
        script.now_ns += 20 * SECOND
        script.book(middle)
    for number in numbers[:3]:
        script.fill(number, 50_015 * steps, 6 * steps)
    script.put(CancelIntended, numbers[4], "enough")
    script.report(numbers[4], OrderState.CANCELED, 10 * steps)
    script.now_ns += 61 * SECOND
    script.book(50_060)
    script.now_ns += MS
    script.book(50_060)
    return script.quality.cells[MARKET]


@pytest.mark.parametrize("steps", [2, 5])
def test_finer_steps_in_the_middle_of_orders_change_nothing_that_is_measured(steps):
    plain = halfway(steps=1)
    assert plain.full_fill.n == 4
    assert plain.markouts[2].n == plain.at_fill.n == 7
    assert 0 < plain.filled_units < plain.asked_units
    assert halfway(steps=steps) == plain


def test_parts_add_up_to_the_whole():
    quality = fed(Schedule(11, 300).log)
    for is_paper, total in totals(quality.cells).items():
        parts = [cell for key, cell in quality.cells.items() if key.is_paper is is_paper]
        assert total.fills == sum(part.fills for part in parts)
        assert total.ack.n == sum(total.ack.counts.values()) == sum(part.ack.n for part in parts)
        assert total.decision.cost_halves == sum(part.decision.cost_halves for part in parts)
        assert total.markouts[2].n == sum(part.markouts[2].n for part in parts) > 0
    assert merged([]) == Cell()


def test_the_catalogue_has_a_figure_for_each_entry_and_nothing_else():
    names = [one.metric.name for one in measured(Cell())]
    assert names == list(METRICS)
    for one in measured(Cell()):
        assert one.figures.keys() == {figure.name for figure in one.metric.figures}
        assert one.n == 0


def test_nothing_grows_with_the_log(script, monkeypatch):
    monkeypatch.setattr(follower, "KEPT_LIVES", 10)
    monkeypatch.setattr(follower, "KEPT_EXECUTIONS", 10)
    monkeypatch.setattr(waiting, "MOST_WAITING", 10)
    script.quality._orders.keep_closed = 10
    bought(script, times=2)
    size = len(msgspec.msgpack.encode(list(script.quality.cells.values())))
    for _ in range(300):
        number = script.ask()
        script.fill(number, 50_030, 10, ms=script.now_ns // MS + 1)
        script.report(number, OrderState.FILLED)
    quality = script.quality
    assert len(quality._lives) <= 11
    assert len(quality._seen) == len(quality._waiting[PERP]._heap) == 10
    assert len(quality._orders.closed) == 10
    assert not quality._orders.working
    assert quality.cells[MARKET].fills == 302
    assert len(msgspec.msgpack.encode(list(quality.cells.values()))) < size + 200
    assert len(TIMES_US) < 250


def test_beginning_anew_keeps_what_still_works(script):
    script.book(50_000)
    done, resting = script.ask(), script.ask()
    script.fill(done, 50_000, 10)
    script.fill(resting, 50_000, 4)
    script.quality.forget()
    assert not script.quality.cells
    script.fill(done, 50_000, 1)
    script.fill(resting, 50_010, 6)
    cell = script.quality.cells[MARKET]
    assert (cell.orders, cell.fills, cell.ended, script.quality.outside) == (0, 1, 1, 1)
    assert cell.decision.n == 1
    assert cell.asked_units == cell.filled_units == INSTRUMENTS[PERP].notional_units(501_000, 10)
