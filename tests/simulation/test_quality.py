"""A session on the simulator: what is measured of it, held against the simulator's own record.

Executions, prices, fees and ends come from the record. The market before each of them is read from
the raw frames of the market log as text, by another book than the product's.
"""

import asyncio
import json
from collections import defaultdict
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.judge import read_record
from tests.simulation.live import busy_settings

from plimsoll.cli.measuring import Measurer
from plimsoll.core.execution.quality import Quality, merged
from plimsoll.core.model import Mode
from plimsoll.core.records import (
    FRAME_KIND,
    ExecutionReported,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperFilled,
    PaperOrderIntended,
    Reconciled,
    RequestAnswered,
    decode,
)
from plimsoll.journal import MARKET, TRADING, scan
from plimsoll.simulator import SimSettings, running

UNITS = 10**8
ENDED = {"Filled": False, "Cancelled": True, "PartiallyFilledCanceled": True}
"""Last words about an order that was taken, and whether it was cut short."""


LOSSES = (
    ("lose_ack", {"endpoint": "order.create"}),
    ("drop_push", {"topic": "order"}),
    ("drop_push", {"topic": "execution"}),
    ("duplicate_push", {"topic": "execution"}),
)
"""Answers and messages that do not come, or come twice: half of them."""


async def session(directory, *, loses: bool) -> None:
    """Trade one live and one paper instance until both have fills and some markouts."""
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    core = busy_settings()
    (live,) = core.strategies
    paper = msgspec.structs.replace(live, name="paper", mode=Mode.PAPER)
    core = msgspec.structs.replace(core, strategies=(live, paper))
    async with (
        running(sim) as exchange,
        engine(engine_settings(directory, exchange.port, core)) as process,
    ):
        await until("orders", lambda: process.core.counts.get("intend", 0) > 0)
        faults = [exchange.start_fault(name, rate=0.5, **what) for name, what in LOSSES * loses]
        counted = process.core.state.tally
        kinds = (ExecutionReported, PaperFilled)
        await until("fills", lambda: all(counted.get(kind, 0) > 20 for kind in kinds))
        await until("a lost fate", lambda: not loses or counted.get(OutcomeLost, 0) > 2)
        begun_ns = process.core.ts_ns
        await until("their markouts", lambda: process.core.ts_ns - begun_ns > 2 * 10**9)
        for fault in faults:
            exchange.stop_fault(fault)
        rounds = counted.get(Reconciled, 0)
        await until("a comparison", lambda: counted.get(Reconciled, 0) > rounds + 1)


@pytest.fixture(scope="module", params=[False, True], ids=["calm", "lossy"])
def traded(tmp_path_factory, request):
    directory = tmp_path_factory.mktemp("quality")
    asyncio.run(session(directory, loses=request.param))
    cells = Measurer(directory / "journal", Quality(), books_only=True).read().measure.cells
    return directory, cells


class Books:
    """Best bid plus best ask by seq and by the venue's time, from the frames as text."""

    def __init__(self, journal_dir) -> None:
        self.rows = []
        sides: dict[str, dict[Fraction, Fraction]] = {"b": {}, "a": {}}
        for entry in scan(journal_dir, MARKET):
            if entry.kind != FRAME_KIND:
                continue
            frame = json.loads(entry.payload[1:])
            if frame.get("topic") != "orderbook.50.ETHUSDT":
                continue
            if frame["type"] == "snapshot":
                sides = {"b": {}, "a": {}}
            for name, levels in sides.items():
                for price, qty in frame["data"][name]:
                    levels[Fraction(price)] = Fraction(qty)
                    if not levels[Fraction(price)]:
                        del levels[Fraction(price)]
            self.rows.append((entry.seq, frame["cts"], max(sides["b"]) + min(sides["a"])))

    def reach(self, ms):
        return self.rows[-1][1] >= ms

    def before_seq(self, seq):
        return [total for one, _, total in self.rows if one < seq][-1]

    def before_ms(self, ms):
        return [total for _, one, total in self.rows if one < ms][-1]


def of_record(directory):
    record = read_record(directory / "sim" / "record.jsonl")
    fills = [line for line in record if line["kind"] == "execution" and line["orderLinkId"]]
    orders = {line["orderLinkId"]: line for line in record if line["kind"] == "order"}
    return fills, {link: line for link, line in orders.items() if link.startswith("test-")}


def of_log(directory, kind):
    entries = scan(directory / "journal", TRADING)
    return [one for entry in entries if type(one := decode(entry.payload)) is kind]


def signs(directory):
    """Return what says that the venue has an order."""
    return [
        one
        for kind in (RequestAnswered, OrderReported, ExecutionReported)
        for one in of_log(directory, kind)
        if kind is not RequestAnswered or (one.action, one.outcome) == ("create", "accepted")
    ]


def live_of(cells):
    return merged(cell for key, cell in cells.items() if not key.is_paper)


def test_fills_fees_and_ends_are_those_of_the_simulators_record(traded):
    directory, cells = traded
    fills, orders = of_record(directory)
    cell = live_of(cells)
    worth = {True: Fraction(0), False: Fraction(0)}
    for line in fills:
        worth[line["isMaker"]] += Fraction(line["execPrice"]) * Fraction(line["execQty"])
    assert cell.fills == cell.fee_fills == len(fills) > 20
    assert cell.worth_units == sum(worth.values()) * UNITS
    assert cell.maker_units == worth[True] * UNITS
    paid = sum(Fraction(line["execFee"]) for line in fills) * UNITS
    assert 0 <= cell.fee_units - paid < len(fills)  # each rounded up to the next unit
    ended = [line for line in orders.values() if line["orderStatus"] in ENDED]
    assert cell.orders == len(orders)
    assert cell.rejected == sum(line["orderStatus"] == "Rejected" for line in orders.values())
    assert cell.ended == len(ended)
    assert cell.canceled == sum(ENDED[line["orderStatus"]] for line in ended)
    first = {one.client_order_id: one.price_ticks for one in of_log(directory, OrderIntended)}
    tick = Fraction("0.01")
    for units, field in ((cell.asked_units, "qty"), (cell.filled_units, "cumExecQty")):
        assert units == UNITS * sum(
            first[line["orderLinkId"]] * tick * Fraction(line[field]) for line in ended
        )


def test_slippage_is_that_of_the_records_prices_against_the_frames_of_the_log(traded):
    directory, cells = traded
    fills, _ = of_record(directory)
    books = Books(directory / "journal")
    intents = {one.client_order_id: one for one in of_log(directory, OrderIntended)}
    oldest_last = sorted(signs(directory), key=lambda one: -one.seq)
    arrived = {one.client_order_id: one for one in oldest_last}
    prompt = {link for link, one in arrived.items() if getattr(one, "source", "") != "query"}
    sums: dict[str, list[Any]] = defaultdict(lambda: [0, Fraction(0), Fraction(0)])
    for line in fills:
        link, sign = line["orderLinkId"], 1 if line["side"] == "Buy" else -1
        price, qty = 2 * Fraction(line["execPrice"]), Fraction(line["execQty"])
        references = {"decision": books.before_seq(intents[link].seq)}
        if link in prompt:
            references["arrival"] = books.before_seq(arrived[link].seq)
        if books.reach(int(line["execTime"])):  # else what stood before the fill is not known
            references["at_fill"] = books.before_ms(int(line["execTime"]))
        for name, reference in references.items():
            sums[name][0] += 1
            sums[name][1] += (price - reference) * sign * qty * UNITS
            sums[name][2] += reference * qty * UNITS
    cell = live_of(cells)
    for name in ("decision", "arrival", "at_fill"):
        cost = getattr(cell, name)
        assert [cost.n, cost.cost_halves, cost.base_halves] == sums[name]


def test_market_orders_take(traded):
    _, cells = traded
    kinds = {str(key.kind): cell for key, cell in cells.items() if not key.is_paper}
    assert kinds["market"].fills > 0
    assert kinds["market"].maker_units == 0 < kinds["limit"].maker_units


def test_a_request_nobody_answered_is_unknown_though_its_fate_is_found(traded, request):
    directory, cells = traded
    lost, sent = (
        [one for one in of_log(directory, kind) if one.action in ("create", "amend")]
        for kind in (OutcomeLost, OrderSent)
    )
    told: dict[str, str] = {}
    for one in of_log(directory, ExecutionReported):
        told.setdefault(one.execution_id, one.source)
    if "lossy" in request.node.name:
        assert lost, "the faults were not those of the test"
        assert "query" in told.values(), "the faults were not those of the test"
    cell = live_of(cells)
    assert (
        len({(one.client_order_id, one.action) for one in lost})
        <= cell.unknown
        <= cell.failed
        <= cell.unknown + cell.rejected
    )
    assert cell.requests == len(sent)


def test_paper_is_measured_alike(traded):
    directory, cells = traded
    cell = merged(cell for key, cell in cells.items() if key.is_paper)
    fills = of_log(directory, PaperFilled)
    assert cell.fills == cell.decision.n == len(fills) > 20
    assert cell.orders == len(of_log(directory, PaperOrderIntended))
    tick_lot = Fraction("0.01") * Fraction("0.01")
    worth = sum(one.price_ticks * one.qty_lots for one in fills) * tick_lot * UNITS
    assert cell.worth_units == worth
    assert cell.ack.n == cell.orders
    assert cell.markouts[0].n > 0
