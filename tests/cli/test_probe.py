"""`venue probe` from a project: what it refuses, its files, its ends, and Ctrl-C in the middle."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.cli.conftest import edit

from plimsoll.cli import probe as command
from plimsoll.cli.exits import Exit
from plimsoll.engine.clock import EngineClock
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread
from plimsoll.venues.bybit import BybitSettings, Secret, environment
from plimsoll.venues.bybit.api import BybitClient, OrderRequest
from plimsoll.venues.bybit.api.orders import OrdersApi
from plimsoll.venues.bybit.probe import CHECKS, Check

SHORT = "--environment", "simulator", "--only", "off-tick-linear,duplicate-id-spot"


@pytest.fixture
def exchange() -> Iterator[SimulatorThread]:
    with SimulatorThread(SimSettings(limits="off", seed=7)) as found:
        yield found


def with_client(exchange, work):
    """Do something as the account's owner, beside the command."""
    hosts = environment("simulator", simulator_port=exchange.port)
    settings = BybitSettings(
        rest_url=hosts.rest_url, public_url="", private_url="", trade_url="",
        key="sim-key", secret=Secret("sim-secret"),
    )  # fmt: skip

    async def main():
        async with BybitClient(settings, EngineClock()) as client:
            return await work(client)

    return asyncio.run(main())


async def open_orders(client):
    return [
        order
        for category in ("linear", "spot")
        for order in await client.orders.open(category, "BTCUSDT")
    ]


def test_a_run_prints_the_rows_and_writes_report_and_recording(plimsoll, project, tmp_path):
    out = tmp_path / "found"
    ran = plimsoll("venue", "probe", *SHORT, "--project", project, "--out", out, "--json")
    assert ran.code == Exit.DONE, ran.err
    found = ran.document
    assert [row["name"] for row in found["rows"]] == ["duplicate-id-spot", "off-tick-linear"]
    assert found["counts"] == {"equal": 2, "different": 0, "unknown": 0}
    assert (found["left"], found["environment"]) == ([], "simulator")
    assert {path.name for path in out.iterdir()} == {
        *("recording.jsonl", "venue-report.md"),
        *("linear-BTCUSDT.arrivals", "spot-BTCUSDT.arrivals"),
    }
    assert sorted(found["files"]) == sorted(str(path) for path in out.iterdir())
    page = (out / "venue-report.md").read_text()
    assert "| `off-tick-linear` | linear:BTCUSDT |" in page
    assert "equal     off-tick-linear" in ran.err
    for line in (out / "recording.jsonl").read_text().splitlines():
        json.loads(line)


def test_a_row_that_differs_is_shown_first_and_is_a_finding(plimsoll, project, monkeypatch):
    wrong = [check._replace(expected="99999") for check in CHECKS if check.name == "off-tick-spot"]
    monkeypatch.setattr(command, "CHECKS", wrong)
    ran = plimsoll("venue", "probe", "--environment", "simulator", "--project", project)
    assert ran.code == Exit.FINDINGS
    assert "different" in ran.out
    assert "99999" in ran.out
    assert "170134" in ran.out
    assert (project / "var/probe").is_dir()


@pytest.mark.parametrize("words", [("mainnet", "simulator"), ("demo", "mainnet")])
def test_mainnet_is_refused_in_both_places(plimsoll, root, words):
    asked, configured = words
    edit(
        root, 'environment = "simulator"\nurl = "var/sim/sim.json"', f'environment = "{configured}"'
    )
    ran = plimsoll("venue", "probe", "--environment", asked, "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert ran.error["code"] == "mainnet"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--environment", "demo"), Exit.CONFIGURATION),
        (("--environment", "moon"), Exit.USAGE),
        ((), Exit.USAGE),
        (("--environment", "simulator", "--only", "nothing-like-it"), Exit.USAGE),
        (("--environment", "simulator", "--instrument", "BTCUSDT"), Exit.CONFIGURATION),
        (("--environment", "simulator", "--budget", "much"), Exit.USAGE),
        (("--environment", "simulator", "--out", "/proc/nowhere"), Exit.CONFIGURATION),
    ],
)
def test_what_is_not_meant_is_refused_before_anything_is_sent(
    plimsoll, project, exchange, words, code
):
    ran = plimsoll("venue", "probe", *words, "--project", project, "--json")
    assert ran.code == code, ran.err
    assert ran.error["message"]
    assert not [line for line in exchange.lines() if line.get("method") == "POST"]


def test_without_an_exchange_it_is_unreachable(plimsoll, root):
    edit(root, "var/sim/sim.json", "127.0.0.1:9")
    ran = plimsoll("venue", "probe", *SHORT, "--project", root, "--json")
    assert ran.code == Exit.UNREACHABLE


def test_an_account_in_use_is_refused(plimsoll, project, exchange):
    async def place(client):
        order = OrderRequest(
            category="linear", symbol="BTCUSDT", side="Buy", qty=Decimal("0.001"),
            price=Decimal(20_000),
        )  # fmt: skip
        return await client.orders.create(order)

    assert with_client(exchange, place).outcome == "accepted"
    ran = plimsoll("venue", "probe", *SHORT, "--project", project, "--json")
    assert ran.code == Exit.REFUSED
    assert "without orders and positions" in ran.error["message"]
    assert len(with_client(exchange, open_orders)) == 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)]
)
def test_a_signal_takes_everything_back_and_the_report_is_written(
    plimsoll, project, exchange, monkeypatch, tmp_path, number, code
):
    async def find(desk):
        await desk.rest_one()
        await desk.buy_least()
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    first = next(check for check in CHECKS if check.name == "off-tick-linear")
    made = [first, Check("stuck", "linear", "what is it", "so", find, "guide")]
    monkeypatch.setattr(command, "CHECKS", made)
    words = ("--environment", "simulator", "--project", project, "--out", tmp_path, "--json")
    ran = plimsoll("venue", "probe", *words)
    assert ran.code == code, ran.err
    assert ran.document["is_interrupted"]
    assert ran.document["left"] == []
    assert [row["name"] for row in ran.document["rows"]] == ["off-tick-linear"]
    assert "taking back" in ran.err
    assert "interrupted" in (tmp_path / "venue-report.md").read_text()
    assert with_client(exchange, open_orders) == []
    (position,) = with_client(exchange, lambda client: client.positions.open("BTCUSDT"))
    assert position.size == 0


def test_what_is_left_at_the_venue_is_told_and_is_not_healthy(
    plimsoll, project, exchange, monkeypatch
):
    cancel = OrdersApi.cancel

    async def miss(self, request):
        other = msgspec.structs.replace(request, venue_order_id="", client_order_id="not-ours")
        return await cancel(self, other)

    async def find(desk):
        await desk.rest_one()
        monkeypatch.setattr(OrdersApi, "cancel", miss)
        return "so"

    made = [Check("made", "linear", "what is it", "so", find, "guide")]
    monkeypatch.setattr(command, "CHECKS", made)
    ran = plimsoll("venue", "probe", "--environment", "simulator", "--project", project)
    assert ran.code == Exit.UNHEALTHY
    assert "left at the venue: linear:BTCUSDT: order probe-" in ran.out
    assert len(with_client(exchange, open_orders)) == 1
