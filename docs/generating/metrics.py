"""The page of the engine's telemetry."""

from collections.abc import Iterable, Mapping
from typing import Final

from generating.page import made_from, page, words_of
from plimsoll.core import records
from plimsoll.core.engine import Core
from plimsoll.engine.metering import Meter
from plimsoll.observe import BOUNDS_US
from plimsoll.venues.bybit import BybitSettings, Clock
from plimsoll.venues.bybit.ports import Inbox
from plimsoll.venues.bybit.venue import BybitVenue


def metrics_page() -> str:
    """Return every name of the engine's telemetry."""
    meter, core = Meter(), Core()
    venue_counters, venue_gauges = _venue_metrics()
    counters = sorted(meter.counters(core) | venue_counters)
    gauges = sorted({"journal_behind", "live.INSTRUMENT", *venue_gauges})
    lines = [
        "# Telemetry",
        "",
        *made_from("src/plimsoll/engine/metering.py", "src/plimsoll/venues/bybit/venue.py"),
        "Once a second the engine writes one `Telemetry` record to its market log. Nothing else is",
        "measured and nothing is averaged. Counters and histograms are totals since the session",
        "started; gauges are the value at that moment.",
        "",
        "## Counters",
        "",
        *_metric_rows(
            (
                *counters,
                *("records.TAG", "LINK.messages", "LINK.bytes", "LINK.connects", "LINK.drops"),
                *("CONNECTION.NUMBER", "TOPIC.NUMBER"),
            )
        ),
        "",
        "## Gauges",
        "",
        *_metric_rows(
            (
                *gauges,
                *("LINK.up", "LINK.ping_ms", "LINK.last_message_ns", "LINK.unsent_bytes"),
                "limit_left/PATH",
            )
        ),
        "",
        "LINK is `private`, `trade`, `public.linear` or `public.spot`; CONNECTION is such as",
        "`public.linear#1`, TOPIC such as `public.linear#1/orderbook.50.BTCUSDT`. Those two come",
        "each tenth second.",
        "",
        "## Histograms",
        "",
        *_metric_rows((*sorted(meter.histograms()), *_STREAM_HISTOGRAMS)),
        "",
        "STREAM is a kind of market input and an instrument, such as `book.linear:BTCUSDT`; ACTION",
        "is `create`, `amend` or `cancel`.",
        "",
        "A histogram is bucket, count, bucket, count and so on, without empty buckets. Of the",
        f"{len(BOUNDS_US) + 1} buckets the upper bounds grow by about 12 % from {BOUNDS_US[0]} us",
        f"to {BOUNDS_US[-1] / 1e6:.0f} s; the last one takes what is above (`plimsoll.observe`:",
        "`BOUNDS_US`, `quantile`, `merged`).",
    ]
    return page(lines)


_STREAM_HISTOGRAMS: Final = (
    "feed_latency_us.STREAM",
    "strategy_latency_us.STREAM",
    "decision_to_socket_us.ACTION.INSTRUMENT",
    "socket_to_answer_us.ACTION.INSTRUMENT",
    "answer_to_execution_us.INSTRUMENT",
)

_METRICS: Final[Mapping[str, str]] = {
    "background_tasks": "queries and REST requests under way",
    "books_coalesced": "order book messages no strategy heard, because while inputs lagged a newer "
    "state came; each was applied",
    "clock_offset_ms": "estimate of the venue's clock minus ours",
    "clock_uncertainty_ms": "how wrong that estimate may be",
    "feed_gaps": "order book messages that did not follow the one before",
    "feed_messages": "market messages received",
    "feed_outdated": "of these, messages or prints left out because a newer one had been there",
    "live.INSTRUMENT": "1 where every stream of the instrument is LIVE, else 0",
    "journal_behind": "records written and not yet known to be on disk",
    "limit_left/PATH": "what the venue's last answer said is left of the path's rate limit",
    "LINK.bytes": "bytes received on the link",
    "LINK.connects": "connections made",
    "LINK.last_message_ns": "Unix ns of the newest frame",
    "LINK.messages": "frames received",
    "LINK.drops": "connections lost",
    "LINK.unsent_bytes": "what waits for the sockets to take it",
    "CONNECTION.NUMBER": "`messages`, `bytes`, `connects`, `drops` of one connection; gauges "
    "`last_ns`, `ping_ns`",
    "TOPIC.NUMBER": "`messages`, `bytes`, `renewals` of one topic on one connection, and where two "
    "carry it `firsts`, `duplicates`, `held`, `gaps`; gauge `last_ns`",
    "LINK.ping_ms": "round trip of the last ping",
    "LINK.up": "1 while authenticated and subscribed",
    "loop_lag_us": "how late the one-second tick of the event loop was",
    "orders_sent": "creates, amends and cancels written by the venue's adapter",
    "parse_errors": "private messages that could not be read",
    "records.TAG": "records of this tag applied, those read at the start included",
    "requests_pending": "requests on the trade socket without an answer yet",
    "requests_sent": "creates, amends and cancels that left through the gateway",
    "rate_refusals": "creates, amends and cancels the venue refused for their rate",
    "rest_failures": "REST requests without a usable answer",
    "rest_waited_ms": "how long reads have waited for their turn in the rate budget, in all",
    "rest_requests": "REST requests made",
    "feed_latency_us.STREAM": "from the venue's stamp to our callback, clocks corrected; how far "
    "that may be wrong is `clock_uncertainty_ms`",
    "strategy_latency_us.STREAM": "from our callback to the strategies: logged, parsed, applied",
    "decision_to_socket_us.ACTION.INSTRUMENT": "from a decision to its bytes in the socket: "
    "logged, applied, checked once more, written",
    "socket_to_answer_us.ACTION.INSTRUMENT": "from the socket write to the venue's answer",
    "answer_to_execution_us.INSTRUMENT": "from the acceptance of an order to its first execution",
    "tick_to_order_us": "from the callback of a public frame to the socket write of an order",
    "troubles": "oddities at the venue's door, each a log line",
    "unlisted_items": "private messages about instruments that are not listed",
}


def _metric_rows(names: Iterable[str]) -> list[str]:
    rows = [f"| `{name}` | {words_of(_METRICS, name, 'metric')} |" for name in names]
    return ["| name | meaning |", "|---|---|", *rows]


class _NoClock:
    def now_ns(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return 0


class _NoInbox:
    def stamp(self) -> tuple[int, int, int, int]:
        return 0, 0, 0, 0

    def put(self, record: records.Record) -> None:
        """Take nothing: no link is opened."""

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        """Take nothing: no link is opened."""

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Take nothing: no link is opened."""


def _venue_metrics() -> tuple[dict[str, int], dict[str, float]]:
    """Return the metrics of a venue that was never connected."""
    settings = BybitSettings(rest_url="", public_url="", private_url="", trade_url="")
    inbox: Inbox = _NoInbox()
    clock: Clock = _NoClock()
    return BybitVenue(settings, inbox, clock).metrics()
