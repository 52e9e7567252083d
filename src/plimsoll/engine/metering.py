"""What the engine counts about itself; written as telemetry once a second."""

from plimsoll.core.engine import Core
from plimsoll.core.records import MARKET_INPUTS, Record
from plimsoll.observe import Histogram


class Meter:
    """Counters and histograms of a session."""

    def __init__(self) -> None:
        """Start at zero."""
        self.tick_to_order = Histogram()
        """From the callback of a public frame to the socket write of an order it led to."""
        self.loop_lag = Histogram()
        self.feed_latency: dict[type[Record], Histogram] = {
            kind: Histogram() for kind in MARKET_INPUTS
        }
        """From the venue's stamp to our callback, by kind of market input, clocks corrected."""
        self.sent = 0
        self.troubles = 0

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
        return {
            "tick_to_order_us": self.tick_to_order.counts,
            "loop_lag_us": self.loop_lag.counts,
            **{
                f"feed_latency_us.{kind.__struct_config__.tag}": found.counts
                for kind, found in self.feed_latency.items()
            },
        }
