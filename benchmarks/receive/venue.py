"""A venue on loopback that plays a feed at given times and notes when each frame was written.

Prints its ports as JSON, waits for a subscription, plays, prints the write times (monotonic ns, one
clock with the client's), waits for the client to end.

    python -m benchmarks.receive.venue --rate 2000 --count 20000
    python -m benchmarks.receive.venue --times FILE    # ns after the first, one JSON list
"""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path

import picows
import uvloop
from benchmarks.frames import stamped, wandering
from benchmarks.tick_to_order.venue import GRACE_S, LEAD_S, PATIENCE_S, Venue, listen

SPIN_S = 0.0002
"""Shorter waits are not worth a sleep: what is due is written late by this at most."""


class FeedVenue(Venue):
    """Plays a wandering book and takes no orders."""

    def __init__(self, times_ns: Sequence[int]) -> None:
        super().__init__(0)
        self.times_ns = times_ns
        self.snapshot, self.deltas = wandering(len(times_ns))
        self.written = [0] * len(times_ns)

    async def play(self) -> None:
        """Write each frame when it is due, or at once where its time has passed."""
        assert self.public is not None
        begin, index, count = time.monotonic_ns(), 0, len(self.deltas)
        while index < count:
            now_ns = time.monotonic_ns() - begin
            while index < count and self.times_ns[index] <= now_ns:
                frame = stamped(self.deltas[index], time.time_ns() // 1_000_000)
                self.written[index] = time.monotonic_ns()
                self.public.send(picows.WSMsgType.TEXT, frame)
                index += 1
            if index < count:
                wait_s = (self.times_ns[index] + begin - time.monotonic_ns()) / 1e9
                await asyncio.sleep(max(SPIN_S, wait_s))


async def serve(times_ns: Sequence[int]) -> None:
    """Play one feed to the first client that subscribes."""
    venue = FeedVenue(times_ns)
    async with listen(venue) as ports:
        print(json.dumps(ports), flush=True)
        await asyncio.wait_for(venue.subscribed.wait(), PATIENCE_S)
        await asyncio.sleep(LEAD_S)
        await venue.play()
        await asyncio.sleep(GRACE_S)
        print(json.dumps(venue.written), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the venue that plays a feed")
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--times", type=Path)
    chosen = parser.parse_args()
    if chosen.times:
        due = json.loads(chosen.times.read_text())
    else:
        due = [n * 1_000_000_000 // chosen.rate for n in range(chosen.count)]
    gc.disable()
    uvloop.run(serve(due))
