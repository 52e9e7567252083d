"""Checks of public topics, decided from the frames that came while everything else was checked."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.sockets import Frame

TOPICS = (
    "orderbook.1",
    "orderbook.50",
    "orderbook.200",
    "orderbook.1000",
    "publicTrade",
    "tickers",
    "kline.1",
)
"""What is subscribed for each instrument from the beginning of a run."""

_FEW = 5
_REST_MS = 2000
"""A repetition sooner than this is part of the subscription."""


async def _frames(desk: Desk, topic: str, count: int = 1) -> list[Frame]:
    """Return the frames of a topic once there are so many.

    Raises:
        Unknown: there are not, in time.
    """
    name = f"{topic}.{desk.symbol}"

    def have() -> list[Frame]:
        return [frame for frame in desk.public.frames if frame.topic == name]

    await desk.public.first(lambda _: len(have()) >= count, 0, desk.pace.market_s)
    if len(have()) < count:
        raise Unknown(f"{len(have())} messages of {name} came: the market was too quiet")
    return have()


def first_snapshot(topic: str) -> Callable[[Desk], Any]:
    """Return a check of the first message of a topic."""

    async def find(desk: Desk) -> Seen:
        frames = await _frames(desk, topic)
        data = frames[0].found.get("data")
        sides = len(data.get("b", ())) if isinstance(data, dict) else 0
        return Seen(str(frames[0].found.get("type")), f"{sides} bids" if sides else "")

    return find


def chain(topic: str) -> Callable[[Desk], Any]:
    """Return a check of the update ids of a book."""

    async def find(desk: Desk) -> Seen:
        return chain_of(await _frames(desk, topic, _FEW))

    return find


def chain_of(frames: Sequence[Frame]) -> Seen:
    """Return whether each delta follows the message before it."""
    gaps, snapshots, last = [], 0, 0
    for frame in frames:
        u = int(frame.found["data"]["u"])
        is_snapshot = frame.found.get("type") == "snapshot"
        if not is_snapshot and u != last + 1:
            gaps.append(f"{last} to {u}")
        snapshots += is_snapshot
        last = u
    note = f"{len(frames)} messages, {snapshots} snapshots" + (
        f", gaps {', '.join(gaps[:3])}" if gaps else ""
    )
    return Seen("each by one" if not gaps else "gaps", note)


async def depth_one_kind(desk: Desk) -> Seen:
    """See whether the book of depth 1 has snapshots only."""
    frames = await _frames(desk, "orderbook.1", _FEW)
    kinds = sorted({str(frame.found.get("type")) for frame in frames})
    return Seen(f"{' and '.join(kinds)} only" if len(kinds) == 1 else " and ".join(kinds))


async def depth_one_repeat(desk: Desk) -> Seen:
    """See whether a book that rests is repeated after three seconds under its update id."""
    frames = await _frames(desk, "orderbook.1", 2)
    heard_ns = [frame.at_ns for frame in desk.public.frames]
    return repeat_of(frames, [*heard_ns, desk.common.clock.now_ns()])


def repeat_of(frames: Sequence[Frame], heard_ns: Sequence[int]) -> Seen:
    """Return what came at the end of pauses of three seconds.

    Args:
        frames: Those of the book.
        heard_ns: When anything came at all, oldest first, and now. What lies between two of them
            counts as a second of rest at most: we may have stood still, or the connection.

    Raises:
        Unknown: the book never rested so long.
    """
    pairs = list(pairwise(frames))
    for before, after in pairs:
        waited_ms = (after.at_ns - before.at_ns) / 1e6
        is_same = before.found["data"]["u"] == after.found["data"]["u"]
        if is_same and waited_ms > _REST_MS:
            return Seen("the same u after 3 s", f"after {waited_ms:.0f} ms")
    longest_s, rested_ns = 0.0, 0
    changes = {frame.at_ns for frame in frames}
    for before_ns, at_ns in pairwise(at_ns for at_ns in heard_ns if at_ns >= frames[0].at_ns):
        rested_ns = 0 if before_ns in changes else rested_ns
        rested_ns += min(at_ns - before_ns, 1_000_000_000)
        longest_s = max(longest_s, rested_ns / 1e9)
    if longest_s < 4:
        raise Unknown(f"the best prices never rested for 3 s; at most {longest_s:.1f} s")
    return Seen("no repetition", f"silent for {longest_s:.1f} s")


async def deleted_level(desk: Desk) -> Seen:
    """See how the quantity of a level that is gone is written."""
    frames = await _frames(desk, "orderbook.50", _FEW)
    texts = sorted(
        {
            str(qty)
            for frame in frames
            if frame.found.get("type") == "delta"
            for side in ("b", "a")
            for _, qty in frame.found["data"].get(side, ())
            if not str(qty).strip("0.")
        }
    )
    if not texts:
        raise Unknown("no level went")
    return Seen(" and ".join(texts))


async def ticker_kinds(desk: Desk) -> Seen:
    """See whether tickers come as deltas behind the first snapshot."""
    frames = await _frames(desk, "tickers", _FEW)
    kinds = {str(frame.found.get("type")) for frame in frames[1:]}
    return Seen(" and ".join(sorted(kinds)))


async def ticker_delta(desk: Desk) -> Seen:
    """See whether a ticker's delta holds only what changed."""
    return delta_of(await _frames(desk, "tickers", _FEW))


def delta_of(frames: Sequence[Frame]) -> Seen:
    """Return whether each field of each delta differs from what was told before.

    Raises:
        Unknown: no delta came.
    """
    state: dict[str, object] = {}
    deltas, repeated = 0, set()
    for frame in frames:
        data = frame.found.get("data") or {}
        if frame.found.get("type") == "delta":
            deltas += 1
            repeated |= {key for key, value in data.items() if state.get(key) == value}
        state |= data
    repeated.discard("symbol")
    if not deltas:
        raise Unknown("no delta came")
    return Seen("only what changed" if not repeated else "more", " ".join(sorted(repeated))[:200])


async def backlog(desk: Desk) -> Seen:
    """See whether prints from before the subscription are told."""
    frames = await _frames(desk, "publicTrade")
    offset_ns, uncertainty_ns = desk.client.rest.offset.at(desk.public.opened_ns)
    opened_ms = (desk.public.opened_ns + offset_ns - uncertainty_ns) / 1e6
    old = [row for row in frames[0].rows if float(row.get("T", 0)) < opened_ms - 1000]
    return Seen("some" if old else "none", f"{len(old)} prints")


async def bar_confirm(desk: Desk) -> Seen:
    """See how often a bar is told as final."""
    name = f"kline.1.{desk.symbol}"

    def is_final(frame: Frame) -> bool:
        return frame.topic == name and any(row.get("confirm") is True for row in frame.rows)

    if await desk.public.first(is_final, 0, desk.pace.bar_s) is None:
        raise Unknown("no minute ended while we listened")
    await desk.quiet()
    return final_bars(await _frames(desk, "kline.1"))


def final_bars(frames: Sequence[Frame]) -> Seen:
    """Return how often each bar was told as final, and whether it changed after that."""
    finals: dict[object, int] = {}
    changed = 0
    for frame in frames:
        for row in frame.rows:
            start = row.get("start")
            if row.get("confirm") is True:
                finals[start] = finals.get(start, 0) + 1
            elif start in finals:
                changed += 1
    counts = sorted(set(finals.values()))
    value = "once, then no more" if counts == [1] and not changed else "another way"
    return Seen(value, f"{len(finals)} bars, told final {counts} times, {changed} messages after")
