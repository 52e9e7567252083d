"""Every record of the log: inputs (facts from outside), decisions (what we chose), telemetry.

One line of the log is one record. ``seq`` orders everything over both logs, ``cause`` is the seq of
what led to it (0 for none), ``ts_ns`` is Unix time at session start plus monotonic time elapsed.
Records are positional arrays with a stable tag: fields are only ever appended, with defaults.
Prices are ticks, quantities lots, money cash units (1e-8 coin); see ``core/model``.
"""

from plimsoll.core.records.answers import (
    OrderSent,
    RateMeasured,
    RequestAnswered,
    SendRefused,
)
from plimsoll.core.records.base import Record
from plimsoll.core.records.knowledge import (
    AbsenceShown,
    DifferenceFound,
    EquityMeasured,
    OutcomeLost,
    PositionAdopted,
    QueryIntended,
    Reconciled,
    WalletAdopted,
)
from plimsoll.core.records.market import (
    BarChanged,
    BookChanged,
    MarketInput,
    PublicTraded,
    TickerChanged,
)
from plimsoll.core.records.orders import (
    AmendIntended,
    CancelIntended,
    OrderDenied,
    OrderIntended,
)
from plimsoll.core.records.paper import (
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
)
from plimsoll.core.records.reports import (
    BarReported,
    ExecutionReported,
    OrderReported,
    PositionReported,
    QueryAnswered,
    WalletReported,
)
from plimsoll.core.records.safety import (
    Blocked,
    CallbackCut,
    Halted,
    HashTaken,
    IncidentRaised,
    Rearmed,
    Released,
    SessionEnded,
    StrategyCheckpoint,
    StrategyStopped,
)
from plimsoll.core.records.session import (
    ClockMeasured,
    Configured,
    DisconnectReported,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OperatorCommand,
    SessionStopping,
    SpaceChanged,
    StrategyRestored,
    StreamChanged,
    TimerFired,
    Woken,
)
from plimsoll.core.records.stored import (
    DECISIONS,
    FRAME_KIND,
    INPUTS,
    MARKET_INPUTS,
    RECORD_KIND,
    decode,
    encode,
)
from plimsoll.core.records.telemetry import (
    Telemetry,
)

__all__ = [
    "DECISIONS",
    "FRAME_KIND",
    "INPUTS",
    "MARKET_INPUTS",
    "RECORD_KIND",
    "AbsenceShown",
    "AmendIntended",
    "BarChanged",
    "BarReported",
    "Blocked",
    "BookChanged",
    "CallbackCut",
    "CancelIntended",
    "ClockMeasured",
    "Configured",
    "DifferenceFound",
    "DisconnectReported",
    "EquityMeasured",
    "ExecutionReported",
    "Halted",
    "HashTaken",
    "IncidentRaised",
    "InstrumentListed",
    "LeaseTaken",
    "LinkChanged",
    "MarketInput",
    "OperatorCommand",
    "OrderDenied",
    "OrderIntended",
    "OrderReported",
    "OrderSent",
    "OutcomeLost",
    "PaperAmendIntended",
    "PaperCancelIntended",
    "PaperFilled",
    "PaperOrderIntended",
    "PaperReported",
    "PositionAdopted",
    "PositionReported",
    "PublicTraded",
    "QueryAnswered",
    "QueryIntended",
    "RateMeasured",
    "Rearmed",
    "Reconciled",
    "Record",
    "Released",
    "RequestAnswered",
    "SendRefused",
    "SessionEnded",
    "SessionStopping",
    "SpaceChanged",
    "StrategyCheckpoint",
    "StrategyRestored",
    "StrategyStopped",
    "StreamChanged",
    "Telemetry",
    "TickerChanged",
    "TimerFired",
    "WalletAdopted",
    "WalletReported",
    "Woken",
    "decode",
    "encode",
]
