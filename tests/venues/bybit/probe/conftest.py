"""A probe on a simulator of its own, and what that simulator holds afterwards."""

import asyncio
import io

import pytest

from plimsoll.simulator import SimSettings, running
from plimsoll.venues.bybit import BybitSettings, Secret, environment
from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.probe import Pace, Probe

NAMES = ("linear:BTCUSDT", "spot:BTCUSDT")
QUICK = Pace(patience_s=3, quiet_s=0.15, idle_public_s=0.3, idle_private_s=0.3, memory_s=0.1)


def settings_of(port):
    hosts = environment("simulator", simulator_port=port)
    return BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="sim-key",
        secret=Secret("sim-secret"),
    )


class Ran:
    """What is left of a run: its report, its recording, the exchange's last word."""

    def __init__(self):
        self.report = None
        self.error = None
        self.recording = ""
        self.orders = []
        self.position = None
        self.executions = 0


@pytest.fixture
def probed(clock):
    """Run checks on a simulator; the account's state afterwards is asked by another client."""

    def run(checks, *, names=NAMES, sim=None, before=None, meanwhile=None, pace=QUICK, **fields):
        async def main():
            ran, out = Ran(), io.StringIO()
            async with running(SimSettings(**({"seed": 7} | (sim or {})))) as exchange:
                settings = settings_of(exchange.port)
                async with BybitClient(settings, clock) as client:
                    if before is not None:
                        await before(client)
                    probe = Probe(settings, clock, "simulator", names, pace=pace, out=out, **fields)
                    task = asyncio.ensure_future(probe.run(checks))
                    if meanwhile is not None:
                        await meanwhile(task, client)
                    try:
                        await task
                    except (Exception, asyncio.CancelledError) as error:
                        ran.error = error
                    ran.report = probe.report
                    for category in ("linear", "spot"):
                        ran.orders += await client.orders.open(category, "BTCUSDT")
                        rows = await client.orders.executions(category, "BTCUSDT")
                        ran.executions += len(rows)
                    (row,) = await client.positions.open("BTCUSDT")
                    ran.position = row.signed_size
            ran.recording = out.getvalue()
            return ran

        return asyncio.run(main())

    return run
