"""The numbers of links as telemetry names them."""

from types import SimpleNamespace
from typing import Any

from plimsoll.venues.bybit.counting import link_numbers

LINK: Any = SimpleNamespace(
    is_up=True,
    metrics=lambda: {
        "messages": 7,
        "bytes": 700,
        "connects": 3,
        "drops": 1,
        "ping_ns": 2_500_000,
        "last_message_ns": 11,
        "unsent_bytes": 0,
    },
    counters=lambda: {
        (1, ""): {"messages": 4, "connects": 1, "last_ns": 10, "ping_ns": 2_500_000},
        (2, "orderbook.50.BTCUSDT"): {"messages": 3, "duplicates": 2, "last_ns": 11},
    },
)


def test_a_link_has_totals_and_gauges():
    counters, gauges = link_numbers("public.linear", LINK, with_topics=False)
    assert counters == {
        "public.linear.messages": 7,
        "public.linear.bytes": 700,
        "public.linear.connects": 3,
        "public.linear.drops": 1,
    }
    assert gauges == {
        "public.linear.up": 1,
        "public.linear.ping_ms": 2.5,
        "public.linear.last_message_ns": 11,
        "public.linear.unsent_bytes": 0,
    }


def test_connections_and_topics_come_when_asked_for():
    counters, gauges = link_numbers("public.linear", LINK, with_topics=True)
    assert counters["public.linear#1.messages"] == 4
    assert counters["public.linear#2/orderbook.50.BTCUSDT.duplicates"] == 2
    assert gauges["public.linear#2/orderbook.50.BTCUSDT.last_ns"] == 11
    assert "public.linear#1.last_ns" not in counters
