"""Spoiled and unusual forms of a message: pure functions from bytes to bytes."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

_ENUMS: Final = frozenset(
    {
        *("orderStatus", "cancelType", "rejectReason", "execType", "orderType", "timeInForce"),
        *("createType", "positionStatus", "stopOrderType", "smpType", "side", "S", "L"),
        *("tickDirection", "status", "contractType", "marginMode"),
    }
)
_OPTIONAL: Final = frozenset(
    {
        *("avgPrice", "leavesQty", "leavesValue", "cumExecFee", "cumExecValue", "triggerPrice"),
        *("markPrice", "indexPrice", "closedPnl", "unrealisedPnl", "positionIM", "positionMM"),
        *("breakEvenPrice", "closedSize", "totalPerpUPL", "usdValue", "fundingRate"),
        *("nextFundingTime", "prevPrice1h", "openInterestValue", "execValue", "feeRate"),
    }
)
_DECIMAL: Final = re.compile(r"-?\d+\.\d+")
_NUMBER: Final = re.compile(rb'"-?\d+(\.\d+)?"')
_DEEP_MOST: Final = 10_000_000


def unknown_enum(message: object) -> object:
    """Replace the words of enumerations by one nobody knows."""
    return _changed(message, _ENUMS, lambda _: "SomethingNew")


def empty_strings(message: object) -> object:
    """Empty the numbers that the venue may leave empty."""
    return _changed(message, _OPTIONAL, lambda _: "")


def exponent_numbers(message: object) -> object:
    """Write decimal text with an exponent; the numbers stay the same."""
    if isinstance(message, str):
        return f"{Decimal(message):E}" if _DECIMAL.fullmatch(message) else message
    if isinstance(message, dict):
        return {key: exponent_numbers(value) for key, value in message.items()}
    if isinstance(message, list):
        return [exponent_numbers(item) for item in message]
    return message


def new_fields(message: object) -> object:
    """Give every object fields of kinds nobody knows."""
    if isinstance(message, dict):
        more = {"futureText": "x", "futureNumber": 1.5, "futureObject": {"a": [1, None]}}
        return {key: new_fields(value) for key, value in message.items()} | more
    if isinstance(message, list):
        return [new_fields(item) for item in message]
    return message


VARIANTS: Final[dict[str, Callable[[object], object]]] = {
    "unknown_enum": unknown_enum,
    "new_fields": new_fields,
    "empty_strings": empty_strings,
    "exponent_numbers": exponent_numbers,
}


def changed(frame: bytes, change: Callable[[Any], object]) -> bytes:
    """Return a JSON message changed by a function; text that is no JSON stays as it is."""
    try:
        return msgspec.json.encode(change(msgspec.json.decode(frame)))
    except msgspec.DecodeError:
        return frame


def spoiled(name: str, frame: bytes, size: int) -> bytes:
    """Return what is sent instead of a frame by one of the ``*_frame`` faults."""
    if name == "malformed_frame":
        return frame[: max(1, len(frame) // 2)] + b"}]"
    if name == "huge_frame":
        return b'{"topic":"huge","data":"' + b"x" * max(0, size) + b'"}'
    if name == "deep_frame":
        depth = min(max(1, size), _DEEP_MOST)
        return b'{"topic":"deep","data":' + b"[" * depth + b"]" * depth + b"}"
    if name == "nonfinite_frame":
        values = (b"NaN", b"Infinity", b"-Infinity", b"1e999")
        count = iter(range(1 << 30))
        return _NUMBER.sub(lambda _: values[next(count) % len(values)], frame)
    if name == "bad_utf8_frame":
        return frame[:-1] + b',"text":"\xc3\x28\xff"}'
    raise AssertionError(f"{name} spoils no frame")


def bad_book(name: str, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return a book snapshot with impossible content."""
    data = snapshot["data"]
    bids, asks = data["b"], data["a"]
    if name == "crossed_book":
        bids, asks = asks, bids
    elif name == "empty_book":
        bids, asks = [], []
    elif name == "zero_book":
        bids, asks = [["0", qty] for _, qty in bids], [["0", qty] for _, qty in asks]
    else:
        bids = [[f"-{price}", f"-{qty}"] for price, qty in bids]
        asks = [[price, f"-{qty}"] for price, qty in asks]
    return snapshot | {"data": data | {"b": bids, "a": asks}}


def _changed(message: object, keys: frozenset[str], change: Callable[[str], str]) -> object:
    if isinstance(message, dict):
        return {
            key: change(value)
            if key in keys and isinstance(value, str) and value
            else _changed(value, keys, change)
            for key, value in message.items()
        }
    if isinstance(message, list):
        return [_changed(item, keys, change) for item in message]
    return message
