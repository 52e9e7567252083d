"""`halt --direct`: with the engine dead and no journal, judged by the exchange's record."""

import asyncio
import json
from decimal import Decimal

import pytest
from tests.cli.conftest import edit

from plimsoll.cli.exits import Exit
from plimsoll.config import Layout
from plimsoll.core.model import IdMaker
from plimsoll.engine.clock import EngineClock
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.api import BybitClient, OrderRequest, TradingStop
from plimsoll.venues.bybit.settings import Secret, environment

OPEN = {"New", "PartiallyFilled", "Untriggered", "Created"}


@pytest.fixture
def exchange():
    with SimulatorThread(SimSettings(limits="off", speed=0.2)) as found:
        yield found


def at_venue(exchange, work):
    hosts = environment("simulator", simulator_port=exchange.port)
    settings = BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="sim-key",
        secret=Secret("sim-secret"),
    )

    async def run():
        async with BybitClient(settings, EngineClock()) as client:
            return await work(client)

    return asyncio.run(run())


def order(link="", symbol="BTCUSDT", **fields):
    defaults = {"category": "linear", "side": "Buy", "qty": Decimal("0.01"), "symbol": symbol}
    return OrderRequest(**(defaults | {"client_order_id": link} | fields))


def ours(number):
    return IdMaker("demo", 3, number).peek()


async def fill_account(client):
    """Leave orders of ours and of others, a position with protection, and something on spot."""
    ticker = (await client.market.linear_tickers("BTCUSDT"))[0]
    low = ticker.last_price.quantize(Decimal(1)) * Decimal("0.995")
    low = low.quantize(Decimal(1))
    high = (ticker.last_price * Decimal("1.005")).quantize(Decimal(1))
    assert (await client.orders.create(order("hand-0", kind="Market"))).outcome == "accepted"
    stop = TradingStop(symbol="BTCUSDT", stop_loss=(low * Decimal("0.9")).quantize(Decimal(1)))
    await client.positions.trading_stop(stop)
    wanted = [
        order(ours(0), price=low),
        order(ours(1), price=low - 1),
        order(ours(2), price=low, trigger_price=high, trigger_direction=1),
        order(ours(3), side="Sell", price=high, reduce_only=True, qty=Decimal("0.005")),
        order("hand-1", price=low),
        order(ours(4), category="spot", price=low, qty=Decimal("0.001")),
    ]
    for one in wanted:
        answer = await client.orders.create(one)
        assert answer.outcome == "accepted", answer


def left(exchange):
    last = {line["orderId"]: line for line in exchange.lines() if line["kind"] == "order"}
    return {
        (line["orderLinkId"] or line["stopOrderType"])
        for line in last.values()
        if line["orderStatus"] in OPEN
    }


PROTECTION = {ours(3), "StopLoss"}


def test_a_preview_changes_nothing(plimsoll, project, exchange):
    at_venue(exchange, fill_account)
    before = left(exchange)
    ran = plimsoll("halt", "--direct", "--plan", "--project", project, "--json")
    assert ran.code == Exit.DONE
    assert {one["order"] for one in ran.document["unconfirmed"]} == {ours(n) for n in (0, 1, 2, 4)}
    assert [one["order"] for one in ran.document["foreign"]] == ["hand-1"]
    assert len(ran.document["protection"]) == 2
    assert left(exchange) == before
    assert not (Layout.of(project).run_dir / "halt.json").exists()


def test_what_is_ours_goes_protection_and_what_is_not_ours_stay(plimsoll, project, exchange):
    at_venue(exchange, fill_account)
    ran = plimsoll("halt", "--direct", "--project", project, "--reason", "fire")
    assert ran.code == Exit.DONE, ran
    assert left(exchange) == PROTECTION | {"hand-1"}
    assert "cancelled (4)" in ran.out
    assert "stays: protection (2)" in ran.out
    assert "stays: out of reach (own) (1)" in ran.out
    assert "position BTCUSDT 0.01" in ran.out
    found = json.loads((Layout.of(project).run_dir / "halt.json").read_text())
    assert found["reason"] == "fire"


def test_all_and_flatten_clear_a_dedicated_account(plimsoll, project, exchange):
    at_venue(exchange, fill_account)
    ran = plimsoll("halt", "--direct", "--all", "--flatten", "--project", project, "--json")
    assert ran.code == Exit.DONE, ran
    assert ran.document["flattened"]["flat"]
    assert ran.document["positions"] == []
    assert left(exchange) == set()
    made = [line for line in exchange.lines() if line.get("orderLinkId", "").startswith("demoW-")]
    assert made
    assert all(line["reduceOnly"] for line in made if line["kind"] == "order")


@pytest.mark.parametrize("option", ["--all", "--flatten"])
def test_more_than_ours_needs_a_dedicated_account(plimsoll, project, option):
    edit(project, "dedicated = true", "dedicated = false")
    ran = plimsoll("halt", "--direct", option, "--project", project, "--json")
    assert ran.code == Exit.REFUSED
    assert "dedicated" in ran.error["message"]
    assert not (Layout.of(project).run_dir / "halt.json").exists()


def test_without_a_venue_the_halt_stands_all_the_same(plimsoll, root, monkeypatch):
    monkeypatch.setattr("plimsoll.cli.direct.FOR_S", 2.0)
    edit(root, "var/sim/sim.json", "127.0.0.1:9")
    ran = plimsoll("halt", "--direct", "--project", root, "--json")
    assert ran.code == Exit.UNREACHABLE
    assert (Layout.of(root).run_dir / "halt.json").exists()


def test_a_broken_configuration_leaves_the_halt(plimsoll, root):
    (root / "plimsoll.toml").write_text("not [toml")
    assert plimsoll("halt", "--direct", "--project", root).code == Exit.CONFIGURATION
    assert (Layout.of(root).run_dir / "halt.json").exists()


def test_refused_and_lost_cancels_are_asked_for_again(plimsoll, project, exchange):
    at_venue(exchange, fill_account)
    exchange.start_fault("http_error", rate=0.5, endpoint="/v5/order/cancel")
    exchange.start_fault("http_error_after", rate=0.5, endpoint="/v5/order/cancel-batch")
    ran = plimsoll("halt", "--direct", "--project", project, "--json")
    assert ran.code == Exit.DONE
    assert left(exchange) == PROTECTION | {"hand-1"}
