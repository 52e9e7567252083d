"""The log's language: every record is stored, read back, and known to ``apply``."""

import ast
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.properties.driver import INSTRUMENTS, PERP

import plimsoll.core
from plimsoll.core import records
from plimsoll.core.engine import Core
from plimsoll.core.model import (
    Instrument,
    LiveStage,
    Mode,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from plimsoll.core.records import DECISIONS, INPUTS, MARKET_INPUTS, Record
from plimsoll.core.records.stored import STORED

CORE = Path(plimsoll.core.__file__).parent
TAGS = {
    "LeaseTaken": "lease",
    "StrategyRestored": "restored",
    "Configured": "configured",
    "InstrumentListed": "instrument",
    "ClockMeasured": "clock",
    "RateMeasured": "rate",
    "SpaceChanged": "space",
    "StreamChanged": "stream",
    "LinkChanged": "link",
    "Woken": "woken",
    "DisconnectReported": "dcp",
    "TimerFired": "timer",
    "OperatorCommand": "command",
    "SessionStopping": "stopping",
    "OrderSent": "sent",
    "SendRefused": "refused",
    "RequestAnswered": "answered",
    "OrderReported": "order",
    "ExecutionReported": "execution",
    "PositionReported": "position",
    "WalletReported": "wallet",
    "CashMoved": "cash",
    "QueryAnswered": "queried",
    "BarReported": "bar",
    "FundingReported": "funding",
    "BookChanged": "book",
    "PublicTraded": "traded",
    "TickerChanged": "ticker",
    "BarChanged": "kline",
    "MarkBarChanged": "mark-kline",
    "BarWalked": "walked",
    "OrderIntended": "intend",
    "AmendIntended": "intend-amend",
    "CancelIntended": "intend-cancel",
    "OrderDenied": "deny",
    "AskRefused": "ask-refused",
    "ProtectionWished": "wish-protection",
    "ProtectionIntended": "protect",
    "ProtectionAnswered": "protected",
    "ConnectionEnded": "link-ended",
    "RetirementIntended": "retire",
    "PaperOrderIntended": "paper",
    "PaperAmendIntended": "paper-amend",
    "PaperCancelIntended": "paper-cancel",
    "PaperReported": "paper-order",
    "PaperFilled": "paper-fill",
    "PaperFunded": "paper-funding",
    "PaperFundingOwed": "paper-funding-owed",
    "PaperFundingSettled": "paper-funding-settled",
    "QueryIntended": "query",
    "OutcomeLost": "lost",
    "AbsenceShown": "absent",
    "Reconciled": "reconciled",
    "DifferenceFound": "difference",
    "PositionAdopted": "adopt-position",
    "PositionMoved": "move-position",
    "OrderMoved": "move-order",
    "FlowMeasured": "flow",
    "WalletAdopted": "adopt-wallet",
    "EquityMeasured": "equity",
    "Blocked": "block",
    "Released": "release",
    "Halted": "halt",
    "Rearmed": "rearm",
    "Paused": "pause",
    "Unpaused": "unpause",
    "Observed": "observe",
    "ObservingEnded": "observed",
    "WalletDoubted": "wallet-doubt",
    "Swept": "swept",
    "FlattenBegun": "flatten",
    "FlattenEnded": "flattened",
    "StrategyFreed": "strategy-free",
    "ModeSet": "mode",
    "LiveEnded": "live-end",
    "StrategyStopped": "strategy-stop",
    "CallbackCut": "cut",
    "IncidentRaised": "incident",
    "StrategyCheckpoint": "checkpoint",
    "HashTaken": "hash",
    "SessionEnded": "end",
    "Telemetry": "telemetry",
    "HealthMeasured": "health",
    "ProfitMeasured": "profit",
    "Tripped": "trip",
    "Reset": "reset",
    "LimitsChanged": "limits",
    "SignalReceived": "signal",
    "ParametersChanged": "parameters",
    "StrategyReloaded": "reload",
    "StageChanged": "stage",
}
"""What stands in journals already written: an entry may be added, never changed."""

NOTHING_TO_APPLY = {
    "CallbackCut",  # the stop of its instance follows
    "TimerFired",  # time itself is on every record
    "OperatorCommand",  # what follows from it are decisions
    "WalletReported",
    "QueryAnswered",
    "BarReported",
    "QueryIntended",
    "RetirementIntended",
    "HashTaken",
}

SAMPLE: dict[Any, Any] = {
    int: 7,
    str: "text",
    bool: True,
    float: 1.5,
    bytes: b"raw",
    Side: Side.SELL,
    Mode: Mode.PAPER,
    LiveStage: LiveStage.RUN_OFF,
    OrderState: OrderState.PARTIAL,
    OrderType: OrderType.MARKET,
    TimeInForce: TimeInForce.IOC,
    Instrument: INSTRUMENTS[PERP],
    dict[str, int]: {"a": 1},
    dict[str, Any]: {"a": 1.5},
    list[str]: ["a"],
    dict[str, float]: {"a": 1.0},
    dict[str, list[int]]: {"a": [1, 2]},
}


def sample(kind: type[Record]) -> Record:
    hints = typing.get_type_hints(kind)
    fields: Any = [SAMPLE[hints[name]] for name in kind.__struct_fields__]
    return kind(*fields)


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_a_stored_record_is_read_back_as_it_was(kind):
    record = sample(kind)
    assert records.decode(records.encode(record)) == record


def test_every_record_type_is_an_input_a_decision_or_telemetry():
    defined = {
        kind
        for kind in vars(records).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    }
    assert defined == {*STORED, *MARKET_INPUTS}
    assert len(STORED) == len(set(STORED))


def test_tags_are_unique_and_never_change():
    found = {kind.__name__: kind.__struct_config__.tag for kind in (*STORED, *MARKET_INPUTS)}
    assert found == TAGS
    assert len(set(TAGS.values())) == len(TAGS)


def test_market_inputs_are_not_stored_as_records():
    with pytest.raises(msgspec.DecodeError):
        records.decode(records.encode(records.PublicTraded(1, 1, 1, 0, PERP, [], 0)))


def test_every_record_is_applied_or_stands_among_those_with_nothing_to_apply():
    handled = {kind.__name__ for kind in Core().state._handlers}
    handled.add("BookChanged")  # hot: applied where it is counted
    unhandled = {kind.__name__ for kind in (*INPUTS, *MARKET_INPUTS, *DECISIONS)} - handled
    assert unhandled == NOTHING_TO_APPLY


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_apply_is_total_even_on_a_fresh_core(kind):
    record = sample(kind)
    if kind is records.Configured:
        record = msgspec.structs.replace(record, settings='{"account": "a", "tag": "t"}')
    core = Core()
    if kind is records.PositionAdopted:  # only ever made for a listed instrument
        core.apply(records.InstrumentListed(1, 1, 1, 0, INSTRUMENTS[PERP]))
        record = msgspec.structs.replace(record, instrument=PERP)
    core.apply(record)
    assert core.seq == 7


def test_paper_records_have_no_way_to_a_socket():
    engine = CORE.parent / "engine" / "engine.py"
    table = next(
        node
        for node in ast.walk(ast.parse(engine.read_text()))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "self._senders"
    )
    assert isinstance(table.value, ast.Dict)
    keys = {ast.unparse(key) for key in table.value.keys if key is not None}
    assert keys == {"OrderIntended", "AmendIntended", "CancelIntended", "ProtectionIntended"}
    gateway = (CORE.parent / "engine" / "gateway.py").read_text()
    assert "Paper" not in gateway


def test_only_placing_and_the_books_of_paper_owners_read_an_instances_mode():
    readers = {
        path.relative_to(CORE).as_posix()
        for path in CORE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "mode"
    }
    # The others know of switches alone: which instances there are, what a person asked for.
    switches = {"engine/judging.py", "engine/switching.py", "engine/hashing.py"}
    assert readers == {"engine/placing.py", "execution/modes.py", *switches}
