"""What came out of a backtest: plain rows, JSON and back, the same bytes for the same run.

Times are Unix nanoseconds, UTC. Money is in the quote coin, as floats: it is shown here and counted
elsewhere. Returns, drawdowns and exposures are fractions (0.05 is 5 %), drawdowns positive. Every
float is finite; what could not be measured is None, and ``stats_missing`` says why.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

FILLS_KEPT: Final = 5_000
"""Newest fills of an owner that are kept as rows; all are counted."""

TRIPS_KEPT: Final = 5_000
"""Likewise round trips."""


class FillRow(Struct, frozen=True, gc=False):
    """One execution."""

    ts_ns: int
    owner: str
    instrument: str
    side: int
    """+1 bought, -1 sold."""
    price: float
    qty: float
    fee: float
    """In quote; negative was received."""
    is_maker: bool
    decided_price: float
    """The middle (bars: the close) when the order was decided."""
    rule: str = ""
    """Empty where the recording decided it; else the rule that did: ``open``, ``through``, ..."""


class TripRow(Struct, frozen=True, gc=False):
    """One round trip: flat to flat of one owner in one instrument."""

    owner: str
    instrument: str
    opened_ns: int
    closed_ns: int
    side: int
    """Of the opening: +1 long, -1 short."""
    qty: float
    """Largest held."""
    entry: float
    """Average price of what was opened."""
    exit: float
    """Average price of what was closed."""
    profit: float
    """Net of fees and funding."""
    fees: float
    funding: float


class Curve(Struct):
    """Equity over time, thinned; columns of one length. See ``CurveMaker``."""

    ts_ns: list[int] = []
    equity: list[float] = []
    drawdown: list[float] = []
    """Fall from the highest equity so far, as a fraction of it."""
    exposure: list[float] = []
    """Gross notional as a fraction of capital."""


class PriceSeries(Struct):
    """What an instrument cost, thinned to wider bars; columns of one length."""

    instrument: str
    ts_ns: list[int] = []
    """Beginning of each bar."""
    open: list[float] = []
    high: list[float] = []
    low: list[float] = []
    close: list[float] = []


class RefusedRow(Struct, frozen=True, gc=False):
    """What a strategy asked for and was refused at once, before any check: one kind."""

    ask: str
    """The call: ``target``, ``quote``, ``buy`` ..."""
    code: str
    """A ``Refusal``."""
    times: int
    first_ns: int
    instrument: str
    """Of the first, as the strategy named it."""
    text: str
    """Of the first: what was found, and what to do."""


class OwnerResult(Struct):
    """What one strategy instance did."""

    owner: str
    class_name: str
    params: dict[str, object]
    """What it ran with: values that were given, and the class's own for the others."""
    instruments: list[str]
    capital: float
    final_equity: float
    curve: Curve
    fills: list[FillRow]
    """The newest ``FILLS_KEPT``, oldest first."""
    fills_total: int
    trips: list[TripRow]
    """The newest ``TRIPS_KEPT``, oldest first."""
    trips_total: int
    monthly: dict[str, float]
    """Return by UTC month, ``2024-01``."""
    daily: list[tuple[str, float]]
    """Return by UTC day, ``2024-01-31``, flat days included."""
    stats: dict[str, object]
    """By name in the catalogue of metrics."""
    stats_missing: dict[str, str] = {}
    """Why a metric is None, by the same names."""
    execution: dict[str, object] = {}
    """Slippage, fill ratio, orders, refusals and the like, by ``EXECUTION`` names."""
    refused: list[RefusedRow] = []
    """What it was refused at once, the most frequent first; refusals of the gate stand in
    ``execution``."""


EXECUTION: Final = {
    "orders": "orders asked for",
    "refusals": "refused orders, by reason",
    "fill_ratio": "filled / asked quantity",
    "maker_share": "share of fills that rested first",
    "slippage_decided_bps": "mean cost against the middle at decision, weighted by value",
    "slippage_arrival_bps": "mean cost against the middle at arrival, weighted by value",
    "rule_share": "share of fills decided by a rule",
    "rules": "fills decided by each rule",
    "fundings": "fundings paid or received",
    "funding_paid": "funding paid, less received, in quote",
    "liquidations": "positions liquidated",
}
"""What ``OwnerResult.execution`` may hold; a report shows other names as they are."""


class Results(Struct):
    """Everything a backtest found."""

    version: str
    began_ns: int
    """Of the data, not of the run."""
    ended_ns: int
    source: list[str]
    """Files or store rows, each with its rows and gaps."""
    seed: int
    assumptions: dict[str, str]
    """Latency, spread, fees with their date, queue model, funding, mark source, ..."""
    warnings: list[str]
    events: int
    seconds: float
    """How long the run took; no part of the hash."""
    owners: list[OwnerResult]
    prices: list[PriceSeries]
    benchmark: dict[str, Curve] = {}
    """Holding each instrument with the whole capital, by instrument."""
    hash: str = ""
    """See ``sealed``."""


def encoded(results: Results) -> bytes:
    """Return the results as one JSON document."""
    return msgspec.json.encode(results)


def decoded(text: bytes | str) -> Results:
    """Return the results written in JSON.

    Raises:
        msgspec.ValidationError: it is not what ``encoded`` writes.
    """
    return msgspec.json.decode(text, type=Results)


def sealed(results: Results) -> Results:
    """Return the results with the hash of all they say but how long the run took."""
    timeless = msgspec.structs.replace(results, seconds=0.0, hash="")
    found = hashlib.sha256(msgspec.json.encode(timeless, order="sorted")).hexdigest()
    return msgspec.structs.replace(results, hash=found)
