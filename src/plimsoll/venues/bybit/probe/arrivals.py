"""Makes of a recording what the simulator can replay: book and prints of one instrument.

The simulator's recordings are lines ``<local ns> <json>`` with one depth snapshot, depth updates
and trades (``plimsoll.simulator.market.arrivals``). A recording of ours holds more: private frames
and answers cannot be replayed, and of the public ones only depth 50 and the prints are used.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

_DEPTH: Final = "orderbook.50"

Event = tuple[int, dict[str, Any]]


def arrivals_of(lines: Iterable[str], category: str, symbol: str) -> Iterator[str]:
    """Yield the lines of the longest stretch of a book without a gap, and the prints in it.

    Nothing is yielded where the recording has no snapshot of this instrument.
    """
    stretches: list[list[Event]] = []
    last = 0
    for at_ns, frame in _frames(lines, f"public.{category}"):
        topic, data = frame.get("topic"), frame.get("data")
        if topic == f"{_DEPTH}.{symbol}" and isinstance(data, dict):
            is_whole = frame.get("type") == "snapshot"
            if is_whole:
                stretches.append([])
            elif not stretches or data["u"] != last + 1:
                continue  # what follows a gap belongs to no book
            last = data["u"]
            stretches[-1].append((at_ns, _book(data, is_whole=is_whole)))
        elif topic == f"publicTrade.{symbol}" and stretches:
            stretches[-1] += [(at_ns, _print(row)) for row in data or ()]
    longest: list[Event] = max(stretches, key=len, default=[])
    for at_ns, event in longest:
        yield f"{at_ns} {msgspec.json.encode(event).decode()}"


def _frames(lines: Iterable[str], link: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line in lines:
        if f'"link":"{link}"' not in line:
            continue
        found = msgspec.json.decode(line)
        if found.get("link") == link and found.get("way") == "in":
            yield found["t_ns"], msgspec.json.decode(found["frame"])


def _book(data: dict[str, Any], *, is_whole: bool) -> dict[str, Any]:
    if is_whole:
        return {"lastUpdateId": data["u"], "bids": data["b"], "asks": data["a"]}
    return {"data": {"e": "depthUpdate", "u": data["u"], "b": data["b"], "a": data["a"]}}


def _print(row: dict[str, Any]) -> dict[str, Any]:
    """Return a print; ``m`` says that the buyer rested: the taker sold."""
    is_sold = row["S"] == "Sell"
    return {"data": {"e": "trade", "p": row["p"], "q": row["v"], "m": is_sold, "X": "MARKET"}}
