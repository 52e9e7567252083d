"""New code is loaded beside the order path: what is broken, or does not end, is refused."""

import asyncio
import threading
from typing import Any

import pytest

from plimsoll.core.settings import StrategySettings
from plimsoll.engine.renewing import Renewing

ONE = StrategySettings(name="s", source="strategies/s.py:S", source_hash="1" * 64)


def loaded(renew, patience_s=10.0):
    """Return what a load came to, and whether the code is at hand."""
    renewing = Renewing(renew, patience_s)
    return asyncio.run(renewing.load(ONE)), renewing.has(ONE)


def test_code_that_loads_is_at_hand_and_was_loaded_in_a_thread_of_its_own():
    seen = []
    assert loaded(lambda one: seen.append((one, threading.current_thread().name))) == ("", True)
    assert seen == [(ONE, "new-code")]


@pytest.mark.parametrize(
    "error", [ValueError("not like this"), SystemExit(3), KeyboardInterrupt("x"), RuntimeError()]
)
def test_whatever_it_raises_is_a_reason_and_nothing_is_at_hand(error):
    def renew(_one):
        raise error

    reason, is_there = loaded(renew)
    assert reason in (str(error), repr(error))
    assert not is_there


def test_an_import_that_does_not_end_is_given_up_and_the_loop_goes_on():
    ended = threading.Event()
    turns = []

    def renew(_one):
        try:
            while True:
                pass
        finally:
            ended.set()

    async def run():
        renewing = Renewing(renew, 1.0)
        work = asyncio.create_task(renewing.load(ONE))
        while not work.done():
            turns.append(1)
            await asyncio.sleep(0.005)
        return work.result(), renewing.has(ONE)

    reason, is_there = asyncio.run(run())
    assert "did not load within 1 s" in reason
    assert not is_there
    assert len(turns) > 1, "the loop stood still meanwhile"
    assert ended.wait(10), "the import was not ended"


def test_one_that_hangs_keeps_the_next_one_waiting_until_it_is_over():
    stuck = threading.Event()

    def renew(_one):
        stuck.wait(30)

    async def run():
        renewing: Any = Renewing(renew, 0.05)
        first = await renewing.load(ONE)
        second = await renewing.load(ONE)
        stuck.set()
        await asyncio.to_thread(renewing._thread.join, 10)
        third = await renewing.load(ONE)
        return first, second, third, renewing.has(ONE)

    first, second, third, is_there = asyncio.run(run())
    assert "did not load" in first
    assert "does not end" in second
    assert (third, is_there) == ("", True)
