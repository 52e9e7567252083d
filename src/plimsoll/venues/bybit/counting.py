"""The numbers of a link as telemetry names them: of the whole, of each connection and topic."""

from typing import Final

from plimsoll.websocket import Link

_COUNTED: Final = ("messages", "bytes", "connects", "drops")
_MEASURED: Final = ("last_message_ns", "unsent_bytes")
_GAUGES: Final = frozenset({"last_ns", "ping_ns"})
"""Of the numbers by connection and topic those that are no totals."""


def link_numbers(
    name: str, link: Link, *, with_topics: bool
) -> tuple[dict[str, int], dict[str, float]]:
    """Return (counters, gauges) of a link.

    Args:
        name: ``private``, ``trade``, ``public.linear`` or ``public.spot``.
        link: The link.
        with_topics: Also those of each connection, ``NAME#1.drops``, and of each topic on it,
            ``NAME#1/orderbook.50.BTCUSDT.renewals``.
    """
    found = link.metrics()
    counters = {f"{name}.{key}": found[key] for key in _COUNTED}
    gauges: dict[str, float] = {f"{name}.{key}": found[key] for key in _MEASURED}
    gauges[f"{name}.up"] = link.is_up
    gauges[f"{name}.ping_ms"] = found["ping_ns"] / 1e6
    if not with_topics:
        return counters, gauges
    for (number, topic), numbers in link.counters().items():
        place = f"{name}#{number}/{topic}" if topic else f"{name}#{number}"
        for key, value in numbers.items():
            if key in _GAUGES:
                gauges[f"{place}.{key}"] = value
            else:
                counters[f"{place}.{key}"] = value
    return counters, gauges
