"""Closes positions of contracts in slices, inside a band, for a bounded time (RSK-10)."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from plimsoll.watchdog.clearing import RETRY_S, Tell
from plimsoll.watchdog.hands import Hands, LookFailed
from plimsoll.watchdog.outcome import Flattened
from plimsoll.watchdog.plan import in_the_way

FOR_S: Final = 30.0
"""Then a person chooses."""

SLICE_S: Final = 1.0
"""Between a slice and the next look: an order that is immediate or cancelled is over by then."""


async def flatten(
    hands: Hands, number: Callable[[], str], tell: Tell, for_s: float = FOR_S
) -> Flattened:
    """Reduce every position of the account until none is left, or for ``for_s``.

    Args:
        hands: The venue.
        number: Gives the next client order id; each is used once.
        tell: Hears of each slice before it leaves.
        for_s: How long, s.
    """
    done = Flattened()
    end = time.monotonic() + for_s
    while True:
        try:
            done.left = tuple(await hands.positions())
        except LookFailed as failed:
            done.trouble = str(failed)
            tell("look failed", {"why": str(failed)})
            if time.monotonic() >= end:
                return done
            await asyncio.sleep(RETRY_S)
            continue
        done.is_flat = not done.left
        if done.is_flat or time.monotonic() >= end:
            return done
        await _make_room(hands, done, tell)
        for position in done.left:
            what: dict[str, object] = {"symbol": position.symbol, "size": str(position.signed_size)}
            tell("reduces", what)
            trouble = await hands.reduce(position, number)
            done.sent += not trouble
            if trouble:
                done.trouble = trouble
                tell("reduction failed", {**what, "why": trouble})
        await asyncio.sleep(SLICE_S)


async def _make_room(hands: Hands, done: Flattened, tell: Tell) -> None:
    """Cancel resting reductions of what is to be closed by ours; stops stay until it is."""
    try:
        steps = in_the_way(await hands.orders(), {one.symbol for one in done.left})
    except LookFailed as failed:
        done.trouble = str(failed)
        return
    for step in steps:
        tell("makes room", {"orders": [one.venue_order_id for one in step.orders]})
        done.trouble = await hands.cancel(step) or done.trouble
