"""Every record of the log: inputs (facts from outside), decisions (what we chose), telemetry.

One line of the log is one record. ``seq`` orders everything over both logs, ``cause`` is the seq of
what led to it (0 for none), ``ts_ns`` is Unix time at session start plus monotonic time elapsed.
Records are positional arrays with a stable tag: fields are only ever appended, with defaults.
Prices are ticks, quantities lots, money cash units (1e-8 coin); see ``core/model``.
"""

from typing import Final

import msgspec

from plimsoll.core.model import Instrument, OrderState, OrderType, Side, TimeInForce


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What every record carries."""

    seq: int
    ts_ns: int
    epoch: int
    cause: int


# ---- inputs: the session -----------------------------------------------------------------


class LeaseTaken(Record, frozen=True, tag="lease"):
    """First record of a session: this process now holds the right to send."""

    account: str
    tag: str
    holder: str
    version: str


class Configured(Record, frozen=True, tag="configured"):
    """The settings the core runs with: JSON of ``core.settings.CoreSettings``."""

    settings: str


class StrategyRestored(Record, frozen=True, tag="restored"):
    """The state an instance had when its last session broke off, worked out again from the logs.

    Newer than the newest checkpoint: what was recorded since has been run through the strategy
    once more, its decisions discarded. An input, so that a replay of this session needs no other.
    """

    owner: str
    state: bytes


class InstrumentListed(Record, frozen=True, tag="instrument"):
    """The venue's filters for one instrument, at start and whenever they change."""

    instrument: Instrument


class ClockMeasured(Record, frozen=True, tag="clock"):
    """Estimate of venue clock minus ours, with half the spread it may be wrong by."""

    offset_ns: int
    uncertainty_ns: int


class LinkChanged(Record, frozen=True, tag="link"):
    """A connection came up (authenticated, subscribed) or went down.

    ``link`` is ``private``, ``trade`` or ``public.<category>``.
    """

    link: str
    is_up: bool
    reason: str


class StreamChanged(Record, frozen=True, tag="stream"):
    """How one instrument's stream is carried now, as the WebSocket manager sees it (MKT-1, MKT-3).

    ``stream`` is ``book``, ``trades``, ``ticker`` or ``bars``; ``status`` is ``live``, ``suspect``
    or ``dead``. ``is_void``: what was held of it counts for nothing until a new snapshot.
    """

    instrument: str
    stream: str
    status: str
    reason: str
    is_void: bool


class SpaceChanged(Record, frozen=True, tag="space"):
    """The disk under the journal became nearly full, or is not any more (JRN-4)."""

    is_low: bool


class TimerFired(Record, frozen=True, tag="timer"):
    """The earliest time the core asked to be woken at has come."""

    due_ns: int


class OperatorCommand(Record, frozen=True, tag="command"):
    """A person's command, by the control socket or a standing request file. ``args`` is JSON."""

    id: str
    actor: str
    cmd: str
    args: str


class SessionStopping(Record, frozen=True, tag="stopping"):
    """The process was asked to stop: no new risk, strategies get ``on_stop``, then it ends."""

    reason: str


# ---- inputs: what the gateway did and what the venue answered ----------------------------


class OrderSent(Record, frozen=True, tag="sent"):
    """The gateway wrote a create, amend or cancel to a socket (``via``: trade or rest)."""

    client_order_id: str
    action: str
    request_id: str
    signed_ms: int
    via: str


class SendRefused(Record, frozen=True, tag="refused"):
    """The gateway refused before writing a byte: the request certainly did not leave."""

    client_order_id: str
    action: str
    reason: str


class RequestAnswered(Record, frozen=True, tag="answered"):
    """The venue's reply to a create, amend or cancel, classified.

    ``outcome``: ``accepted`` (for processing, V-1), ``refused`` (definitely not done), ``gone``
    (the order is finished or not visible), ``unknown`` (timeout, broken link, server error,
    duplicate id, anything unlisted: ORD-8).
    """

    client_order_id: str
    action: str
    request_id: str
    outcome: str
    code: int
    text: str
    venue_order_id: str


class RateMeasured(Record, frozen=True, tag="rate"):
    """What the venue's answers say about our rate in one group of requests, when it is news.

    ``group`` is ``create.linear``, ``cancel.spot`` and so on; ``limit`` is requests a second.
    Until ``closed_until_ms`` (venue time) the group takes nothing more; 0 = it is open.
    """

    group: str
    limit: int
    closed_until_ms: int


class OrderReported(Record, frozen=True, tag="order"):
    """The venue's statement about one order, from its stream or from a query.

    ``status`` is the venue's word brought to ours: OPEN, PARTIAL, FILLED, CANCELED, REJECTED,
    EXPIRED; ``is_untriggered`` marks a conditional order that waits. ``source``: stream or query.
    """

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    status: OrderState
    price_ticks: int
    qty_lots: int
    cum_lots: int
    reduce_only: bool
    is_untriggered: bool
    updated_ms: int
    reason: str
    source: str
    query_id: int
    raw: bytes


class ExecutionReported(Record, frozen=True, tag="execution"):
    """One execution, from the stream or from a query; ``fee_units`` positive means we paid.

    ``kind`` is the venue's execType (``Trade``, ``Funding``, ``AdlTrade``, ...).
    """

    execution_id: str
    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str
    is_maker: bool
    kind: str
    executed_ms: int
    source: str
    query_id: int
    raw: bytes
    order_qty_lots: int = 0
    """Whole quantity of the order, 0 where the message does not say."""
    venue_seq: int = 0
    """The venue's cross sequence of the instrument: orders what happened within one millisecond."""


class PositionReported(Record, frozen=True, tag="position"):
    """The venue's statement of our position; ``qty_lots`` signed, long positive."""

    instrument: str
    qty_lots: int
    entry_price: str
    updated_ms: int
    source: str
    query_id: int
    raw: bytes


class WalletReported(Record, frozen=True, tag="wallet"):
    """The venue's statement of one coin's wallet balance, in cash units."""

    coin: str
    balance_units: int
    source: str
    query_id: int
    raw: bytes


class QueryAnswered(Record, frozen=True, tag="queried"):
    """A query ended. Its rows came before this as reports with its ``query_id``.

    ``is_ok`` False says the query failed: that is no empty answer (ORD-9).
    """

    query_id: int
    is_ok: bool
    rows: int
    reason: str


class BarReported(Record, frozen=True, tag="bar"):
    """A final one-minute bar fetched by REST (warm-up, repair). Prices in ticks, volume in lots."""

    instrument: str
    start_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: float
    query_id: int


# ---- inputs: market data (made from raw frames by the venue's pure parser; not stored) ----


class BookChanged(Record, frozen=True, tag="book"):
    """A snapshot or delta of an order book.

    ``bids``/``asks``: rows (price, absolute quantity), quantity 0 deletes. Floats: market data
    only; the same decimal text always gives the same float.
    """

    instrument: str
    depth: int
    is_snapshot: bool
    update_id: int
    venue_seq: int
    venue_ms: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class PublicTraded(Record, frozen=True, tag="traded"):
    """Prints of the public tape, oldest first: rows (price, quantity, taker is buyer, match ms)."""

    instrument: str
    rows: list[tuple[float, float, bool, int]]
    venue_ms: int


class TickerChanged(Record, frozen=True, tag="ticker"):
    """Changed reference prices; 0.0 means "not in this message"."""

    instrument: str
    last: float
    mark: float
    index: float
    funding_rate: float
    next_funding_ms: int
    venue_ms: int


class BarChanged(Record, frozen=True, tag="kline"):
    """The venue's one-minute bar, open or final (``is_final``)."""

    instrument: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_final: bool
    venue_ms: int


MarketInput = BookChanged | PublicTraded | TickerChanged | BarChanged


# ---- decisions: live orders --------------------------------------------------------------


class OrderIntended(Record, frozen=True, tag="intend"):
    """A live order that passed every check; the gateway sends what stands here (ORD-4, ORD-5)."""

    client_order_id: str
    owner: str
    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    label: str


class AmendIntended(Record, frozen=True, tag="intend-amend"):
    """A change of price or total quantity of a live order."""

    client_order_id: str
    price_ticks: int
    qty_lots: int


class CancelIntended(Record, frozen=True, tag="intend-cancel"):
    """A cancel of a live order, with why."""

    client_order_id: str
    reason: str


class OrderDenied(Record, frozen=True, tag="deny"):
    """A request of a strategy that a check refused; nothing was sent. ``code`` is a ``Refusal``.

    ``detail``: a finer word, where there is one; of ``data_not_live`` the cause of the doubt.
    """

    owner: str
    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    code: str
    text: str
    detail: str = ""


# ---- decisions: paper --------------------------------------------------------------------


class PaperOrderIntended(Record, frozen=True, tag="paper"):
    """A paper order; matched inside the core, unknown to the gateway."""

    client_order_id: str
    owner: str
    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    label: str


class PaperAmendIntended(Record, frozen=True, tag="paper-amend"):
    """A change of a paper order."""

    client_order_id: str
    price_ticks: int
    qty_lots: int


class PaperCancelIntended(Record, frozen=True, tag="paper-cancel"):
    """A cancel of a paper order."""

    client_order_id: str
    reason: str


class PaperReported(Record, frozen=True, tag="paper-order"):
    """The paper venue's statement about a paper order."""

    client_order_id: str
    status: OrderState
    price_ticks: int
    qty_lots: int
    reason: str


class PaperFilled(Record, frozen=True, tag="paper-fill"):
    """One paper execution; ``fee_units`` positive means paid."""

    client_order_id: str
    execution_id: str
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str
    is_maker: bool


# ---- decisions: knowledge, safety, sessions ----------------------------------------------


class QueryIntended(Record, frozen=True, tag="query"):
    """A question to the venue. ``kind``: orders, order, executions, positions, wallet, bars.

    ``category`` is set for all but wallet. ``order`` asks by id on real-time orders, history and
    executions. ``since_ms`` bounds executions and bars.
    """

    query_id: int
    kind: str
    category: str
    settle: str
    instrument: str
    client_order_id: str
    since_ms: int


class OutcomeLost(Record, frozen=True, tag="lost"):
    """An order's fate became UNKNOWN without an answer: no reply in time, link broken, crash."""

    client_order_id: str
    action: str
    reason: str


class AbsenceShown(Record, frozen=True, tag="absent"):
    """Proof that an order never came to live at the venue, with the evidence (ORD-10)."""

    client_order_id: str
    evidence: str
    action: str = "create"
    """``create``: the order never lived. ``amend``: the order keeps its old terms."""


class Reconciled(Record, frozen=True, tag="reconciled"):
    """Our orders, positions and wallet have been compared with the venue's statement."""

    trigger: str
    differences: int
    booked: int
    cursor_ms: int


class DifferenceFound(Record, frozen=True, tag="difference"):
    """One difference to the venue, how it was ended (``action``: booked, adopted, blocked)."""

    subject: str
    key: str
    ours: str
    theirs: str
    action: str


class PositionAdopted(Record, frozen=True, tag="adopt-position"):
    """A position difference booked to ``owner`` at the venue's entry price (ACC-3)."""

    owner: str
    instrument: str
    qty_lots: int
    cost_units: int


class WalletAdopted(Record, frozen=True, tag="adopt-wallet"):
    """A balance taken over from the venue (first start, transfers); difference in cash units."""

    coin: str
    delta_units: int
    cause_text: str


class EquityMeasured(Record, frozen=True, tag="equity"):
    """Equity of the live account, in quote cash units, at the reference prices of the moment.

    A decision, so that loss limits after a restart stand where they stood: prices are not in the
    trading log.
    """

    equity_units: int


class Blocked(Record, frozen=True, tag="block"):
    """No new risk on one instrument until released."""

    instrument: str
    reason: str


class Released(Record, frozen=True, tag="release"):
    """The block of one instrument is over."""

    instrument: str


class Halted(Record, frozen=True, tag="halt"):
    """Durable: no new risk and every order that can add risk is cancelled; a person re-arms."""

    reason: str
    actor: str


class Rearmed(Record, frozen=True, tag="rearm"):
    """A person ended the halt."""

    actor: str
    reason: str


class StrategyStopped(Record, frozen=True, tag="strategy-stop"):
    """A strategy instance was stopped (it raised, repeated itself, or the session ends)."""

    owner: str
    reason: str


class IncidentRaised(Record, frozen=True, tag="incident"):
    """Something a person should see; recorded until acknowledged."""

    code: str
    subject: str
    text: str


class StrategyCheckpoint(Record, frozen=True, tag="checkpoint"):
    """Everything one strategy instance needs to go on after a restart (msgpack)."""

    owner: str
    state: bytes


class HashTaken(Record, frozen=True, tag="hash"):
    """Hashes of the books (orders, positions, balances) and of the whole state at this seq."""

    books_hash: str
    state_hash: str


class SessionEnded(Record, frozen=True, tag="end"):
    """Last decision of a clean stop."""

    reason: str


# ---- telemetry ---------------------------------------------------------------------------


class Telemetry(Record, frozen=True, tag="telemetry"):
    """One second of counters, gauges and histograms of a process; the core ignores it.

    A histogram is bucket, count, bucket, count ... without the empty ones; the buckets' bounds
    stand in ``observe``.
    """

    process: str
    counters: dict[str, int]
    gauges: dict[str, float]
    histograms: dict[str, list[int]]


INPUTS: Final[tuple[type[Record], ...]] = (
    LeaseTaken,
    StrategyRestored,
    Configured,
    InstrumentListed,
    ClockMeasured,
    LinkChanged,
    StreamChanged,
    SpaceChanged,
    TimerFired,
    OperatorCommand,
    SessionStopping,
    OrderSent,
    SendRefused,
    RequestAnswered,
    RateMeasured,
    OrderReported,
    ExecutionReported,
    PositionReported,
    WalletReported,
    QueryAnswered,
    BarReported,
)
"""Inputs stored as records in the trading log."""

MARKET_INPUTS: Final[tuple[type[Record], ...]] = (
    BookChanged,
    PublicTraded,
    TickerChanged,
    BarChanged,
)
"""Inputs stored as raw frames in the market log and parsed again on replay."""

DECISIONS: Final[tuple[type[Record], ...]] = (
    OrderIntended,
    AmendIntended,
    CancelIntended,
    OrderDenied,
    PaperOrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperReported,
    PaperFilled,
    QueryIntended,
    OutcomeLost,
    AbsenceShown,
    Reconciled,
    DifferenceFound,
    PositionAdopted,
    WalletAdopted,
    EquityMeasured,
    Blocked,
    Released,
    Halted,
    Rearmed,
    StrategyStopped,
    IncidentRaised,
    StrategyCheckpoint,
    HashTaken,
    SessionEnded,
)
"""Facts we made ourselves; replay must make them again, byte for byte."""

RECORD_KIND: Final = 1
"""Journal kind of an encoded record (this file)."""

FRAME_KIND: Final = 2
"""Journal kind of a raw public frame: one byte link number, then the venue's text."""

_Stored = (
    LeaseTaken
    | StrategyRestored
    | Configured
    | InstrumentListed
    | ClockMeasured
    | LinkChanged
    | StreamChanged
    | SpaceChanged
    | TimerFired
    | OperatorCommand
    | SessionStopping
    | OrderSent
    | SendRefused
    | RequestAnswered
    | RateMeasured
    | OrderReported
    | ExecutionReported
    | PositionReported
    | WalletReported
    | QueryAnswered
    | BarReported
    | OrderIntended
    | AmendIntended
    | CancelIntended
    | OrderDenied
    | PaperOrderIntended
    | PaperAmendIntended
    | PaperCancelIntended
    | PaperReported
    | PaperFilled
    | QueryIntended
    | OutcomeLost
    | AbsenceShown
    | Reconciled
    | DifferenceFound
    | PositionAdopted
    | WalletAdopted
    | EquityMeasured
    | Blocked
    | Released
    | Halted
    | Rearmed
    | StrategyStopped
    | IncidentRaised
    | StrategyCheckpoint
    | HashTaken
    | SessionEnded
    | Telemetry
)

encode: Final = msgspec.msgpack.Encoder().encode
"""Return the bytes of a record as they stand in the log."""

_DECODER: Final = msgspec.msgpack.Decoder(_Stored)


def decode(payload: bytes) -> Record:
    """Return the record of a log payload.

    Raises:
        msgspec.DecodeError: not a record of this build (unknown tag, wrong field types).
    """
    record: Record = _DECODER.decode(payload)
    return record
