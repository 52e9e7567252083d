"""What the engine counts and measures about itself; written as telemetry once a second.

Five distances, as histograms: venue to receipt, receipt to strategy, decision to socket, socket to
answer, answer to execution. Adding to one costs a third of a microsecond; see
``benchmarks/metering.py``.
"""

from bisect import bisect_left
from typing import Final, TypeVar

import msgspec

from plimsoll.core.engine import Core
from plimsoll.core.records import (
    ExecutionReported,
    MarketInput,
    OrderSent,
    Record,
    RequestAnswered,
)
from plimsoll.observe import BOUNDS_NS, Histogram

_Value = TypeVar("_Value")
_OPEN_MOST: Final = 10_000
"""Requests and orders waited for at a time; the oldest beyond it is not measured."""


class StreamMeter(msgspec.Struct):
    """One instrument's stream: how old its messages are, and how long until they are looked at."""

    feed: Histogram
    """From the venue's stamp to our callback, clocks corrected."""
    strategy: Histogram
    """From our callback to the strategies: logged, parsed, applied."""


class Meter:
    """Counters and histograms of a session."""

    def __init__(self) -> None:
        """Start at zero."""
        self.tick_to_order = Histogram()
        """From the callback of a public frame to the socket write of an order it led to."""
        self.loop_lag = Histogram()
        self.streams: dict[tuple[type[Record], str], StreamMeter] = {}
        self.sent = 0
        self.troubles = 0
        self._to_socket: dict[str, Histogram] = {}
        self._to_answer: dict[str, Histogram] = {}
        self._to_execution: dict[str, Histogram] = {}
        self._asked: dict[str, tuple[int, str]] = {}
        self._accepted: dict[str, int] = {}

    # ---- market inputs (hot) ----

    def received(
        self, record: MarketInput, received_ns: int, decided_ns: int, clock_offset_ns: int
    ) -> None:
        """Measure one market input; ``decided_ns`` is when strategies began to look at it."""
        meter = self.streams.get((type(record), record.instrument))
        if meter is None:
            meter = StreamMeter(Histogram(), Histogram())
            self.streams[type(record), record.instrument] = meter
        age_ns = received_ns + clock_offset_ns - record.venue_ms * 1_000_000
        meter.feed.counts[bisect_left(BOUNDS_NS, age_ns)] += 1  # hot: as Histogram.add_ns does
        meter.strategy.counts[bisect_left(BOUNDS_NS, decided_ns - received_ns)] += 1

    # ---- orders ----

    def wrote(self, record: OrderSent, instrument: str, decided_ns: int, wrote_ns: int) -> None:
        """Measure a request that left: decided at ``decided_ns``, in the socket at ``wrote_ns``."""
        self.sent += 1
        name = f"{record.action}.{instrument}"
        _add(self._to_socket, name, wrote_ns - decided_ns)
        _keep(self._asked, record.request_id, (wrote_ns, name))

    def answered(self, answer: RequestAnswered) -> None:
        """Measure how long the venue took to answer."""
        asked = self._asked.pop(answer.request_id, None)
        if asked is None:
            return
        wrote_ns, name = asked
        _add(self._to_answer, name, answer.ts_ns - wrote_ns)
        if answer.action == "create" and answer.outcome == "accepted":
            _keep(self._accepted, answer.client_order_id, answer.ts_ns)

    def executed(self, execution: ExecutionReported) -> None:
        """Measure how long after its acceptance an order was first executed."""
        accepted_ns = self._accepted.pop(execution.client_order_id, 0)
        if accepted_ns:
            _add(self._to_execution, execution.instrument, execution.ts_ns - accepted_ns)

    # ---- what leaves ----

    def counters(self, core: Core) -> dict[str, int]:
        """Return the counters, totals since the session started."""
        return {
            "feed_messages": sum(market.messages for market in core.markets.values()),
            "books_coalesced": core.state.coalesced,
            "feed_outdated": sum(market.outdated for market in core.markets.values()),
            "feed_gaps": sum(market.book.gaps for market in core.markets.values()),
            "requests_sent": self.sent,
            "troubles": self.troubles,
            **{f"records.{tag}": count for tag, count in core.counts.items()},
        }

    def histograms(self) -> dict[str, list[int]]:
        """Return the histograms, totals since the session started."""
        found = {"tick_to_order_us": self.tick_to_order, "loop_lag_us": self.loop_lag}
        for (kind, instrument), meter in self.streams.items():
            stream = f"{kind.__struct_config__.tag}.{instrument}"
            found[f"feed_latency_us.{stream}"] = meter.feed
            found[f"strategy_latency_us.{stream}"] = meter.strategy
        for name, kept in (
            ("decision_to_socket_us", self._to_socket),
            ("socket_to_answer_us", self._to_answer),
            ("answer_to_execution_us", self._to_execution),
        ):
            found |= {f"{name}.{what}": histogram for what, histogram in kept.items()}
        return {name: histogram.packed() for name, histogram in found.items()}


def _add(kept: dict[str, Histogram], name: str, duration_ns: int) -> None:
    found = kept.get(name)
    if found is None:
        found = kept[name] = Histogram()
    found.add_ns(duration_ns)


def _keep(kept: dict[str, _Value], key: str, value: _Value) -> None:
    if len(kept) >= _OPEN_MOST:
        del kept[next(iter(kept))]
    kept[key] = value
