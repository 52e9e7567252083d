"""How long the venue may take a request, and how long the proof of absence waits: one number."""

import asyncio

from tests.simulation.inside import engine, engine_settings
from tests.simulation.live import QUICK, busy_settings

from plimsoll.simulator import SimSettings, running


def test_requests_have_the_receive_window_the_proof_of_absence_waits_for(tmp_path):
    async def window_ms() -> int:
        async with running(SimSettings(limits="off")) as exchange:
            core = busy_settings()
            settings = engine_settings(tmp_path, exchange.port, core, recv_window_ms=5_000)
            async with engine(settings) as process:
                return process.venue.settings.recv_window_ms

    assert asyncio.run(window_ms()) == QUICK.recv_window_ms
