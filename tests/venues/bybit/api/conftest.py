"""The client on prepared answers, and what it asked for."""

import asyncio

import pytest

from plimsoll.venues.bybit.api import BybitClient


@pytest.fixture
def client(clock, fake_rest):
    """Run a scenario with a client on prepared answers; the venue's clock is ours."""

    def run(prepare, scenario, **settings):
        async def main():
            fake = fake_rest()
            fake.reply("/v5/market/time", {"timeSecond": "1", "timeNano": str(clock.now_ns())})
            prepare(fake)
            async with fake.serving(), BybitClient(fake.settings(**settings), clock) as found:
                fake.requests.clear()
                return await scenario(found, fake)

        return asyncio.run(main())

    return run
