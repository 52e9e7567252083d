"""Every recorded message of an endpoint or topic of the client, read by it and by a second reading.

``pytest -rA`` shows the table: file, endpoint or topic, rows, verdict. The second reading knows the
names of the fields from the rows' classes and nothing else of the client: it compares each value
with what ``json`` and ``Decimal`` make of the text. A field that a recording has and no row reads
must stand in ``UNREAD``.
"""

import json
import re
import types
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec
import pytest
from tests.venues.bybit.recorded import CATEGORIES, Canned, Payload, payloads

from plimsoll.venues.bybit import ParseError
from plimsoll.venues.bybit.api import (
    ENDPOINTS,
    CallFailed,
    Reader,
    batch_answers,
    order_answer,
    read_pushed,
    read_socket_answer,
)
from plimsoll.venues.bybit.api.caller import Caller
from plimsoll.venues.bybit.api.endpoint import Done, Endpoint
from plimsoll.venues.bybit.api.order_rows import OrderIds, OrderIdsList
from plimsoll.venues.bybit.api.outcomes import cancel_all_answer
from plimsoll.venues.bybit.api.streams import TOPICS

REFUSED = {
    # Made wrong on purpose by their authors.
    "pivotdude_sanitised/closed-pnl.linear.core.json": "row 1: orderId is missing",
    "pivotdude_sanitised/closed-pnl.linear.partial-malformed.json": "row 1: orderId is missing",
    "pivotdude_sanitised/position-list.linear.mixed-market.core.json": "size .*'bad'",
    "pivotdude_sanitised/position-list.linear.partial-malformed.json": "symbol is missing",
    "pivotdude_sanitised/wallet-balance.unified.linear.malformed.json": "walletBalance .*'bad'",
    # Two answers in one object: what an SDK wrote, not what the venue sent.
    "hirokisan_sdk_testnet/v5-cancel-all-orders.json": "no orders",
    # The venue's own refusal, with its reasons.
    "jkorf_bybit_net/rest_account_SetMarginMode.txt": "3400045",
}
"""Each payload that is refused, and the cause that its reason must name."""

UNREAD: dict[str, set[str]] = {
    "AccountInfo": {"dcpStatus", "smpGroup", "timeWindow"},
    "Collateral": {"freeBorrowingAmount"},
    "Execution": {"execFeeV2", "markIv", "tradeIv", "underlyingPrice"},
    "LinearInstrument": {"auctionFeeInfo", "phases", "postOnlyMaxOrderQty"},
    "Order": {"orderIv"},
    "Position": {"CreatedTime", "positionIMByMp", "positionMMByMp"},
    "SpotInstrument": {"innovation", "maxOrderAmt", "maxOrderQty"},
    "Wallet": {
        "accountIMRateByMp",
        "accountLTV",
        "accountMMRateByMp",
        "free",
        "totalInitialMarginByMp",
        "totalMaintenanceMarginByMp",
        "totalPerpUpl",
    },
}
"""Fields that recordings have and no row reads: retired, of other products, spelt by an SDK."""

BATCHES = {"order.create-batch", "order.amend-batch", "order.cancel-batch"}


class Verdict(NamedTuple):
    """What came of a payload: the rows, what they were made of, and why it went no further."""

    found: list[Any]
    raw: list[Any]
    reason: str = ""


def endpoint_of(payload: Payload) -> Endpoint[Any] | None:
    """Return the endpoint a payload answers; of two with one path the one of its category."""
    found = [endpoint for endpoint in ENDPOINTS if endpoint.path == payload.place]
    if len(found) > 1:
        found = [endpoint for endpoint in found if f".{payload.category}_" in endpoint.name]
    return found[0] if found else None


def read(payload: Payload) -> Verdict | None:
    """Return what the client makes of a message; None where it is no message of its."""
    if payload.category not in ("", *CATEGORIES):
        return None
    raw = json.dumps(payload.message).encode()
    if payload.place.partition(".")[2] and payload.place.startswith("order.c"):
        return _socket(payload, raw)
    if payload.place.partition(".")[0] in TOPICS:
        pushed = read_pushed(Reader(), raw, payload.category)
        data = payload.message["data"]
        return Verdict(list(pushed.rows), data if isinstance(data, list) else [data])
    endpoint = endpoint_of(payload)
    return None if endpoint is None else _answer(payload, endpoint, raw)


def _socket(payload: Payload, raw: bytes) -> Verdict:
    answer = read_socket_answer(raw)
    assert answer.request_id == payload.message["reqId"]
    if answer.op not in BATCHES:
        return Verdict([order_answer(Reader(), "create", answer.answer, "trade")], [])
    count = len(payload.message["data"]["list"])
    return Verdict(batch_answers(Reader(), "create", answer.answer, "trade", count), [])


def _answer(payload: Payload, endpoint: Endpoint[Any], raw: bytes) -> Verdict:
    caller = Caller(Canned({endpoint.path: raw}, 1_800_000_000_000))
    result = payload.message["result"]
    if endpoint.is_list:
        return Verdict(_ended(caller.rows(endpoint, {})), result["list"])
    if endpoint.method == "GET":
        return Verdict([_ended(caller.one(endpoint, {}))], [result])
    if endpoint.row is OrderIds:
        answer = _ended(caller.post(endpoint, {}))
        return Verdict([order_answer(Reader(), "create", answer, "rest")], [])
    if endpoint.path.endswith("cancel-all"):
        orders = cancel_all_answer(Reader(), _ended(caller.post(endpoint, {})))
        return Verdict(list(orders.orders), [], "" if orders.orders else "no orders")
    if endpoint.row is OrderIdsList:
        answer = _ended(caller.post(endpoint, {}))
        return Verdict(batch_answers(Reader(), "create", answer, "rest", len(result["list"])), [])
    if endpoint.row is Done:
        return Verdict([_ended(caller.change(endpoint, {}))], [])
    return Verdict([_ended(caller.done(endpoint, {}))], [result])


def _ended(work: Any) -> Any:
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the client waited for something")


# ---- the second reading ----------------------------------------------------------------------


def same(kind: type[msgspec.Struct], row: Any, raw: Any, unread: set[str]) -> bool:
    """Return whether a row holds exactly what the JSON says; note the fields nobody read."""
    fields = msgspec.structs.fields(kind)
    if kind.__struct_config__.array_like:
        pairs = list(zip(fields, [*raw, *[None] * len(fields)], strict=False))
    else:
        unread |= {f"{name}" for name in raw} - {field.encode_name for field in fields}
        pairs = [(field, raw.get(field.encode_name)) for field in fields]
    return all(equal(field.type, getattr(row, field.name), value, unread) for field, value in pairs)


def equal(kind: Any, found: Any, value: Any, unread: set[str]) -> bool:
    if get_origin(kind) is Annotated:
        return equal(get_args(kind)[0], found, value, unread)
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(kind) if part is not type(None))
        return found is None if value in (None, "") else equal(inner, found, value, unread)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return same(kind, found, value, unread)
    if get_origin(kind) is tuple:
        inner, items = get_args(kind)[0], value or []
        pairs = zip(found, items, strict=True)
        return all(equal(inner, one, item, unread) for one, item in pairs)
    if get_origin(kind) is dict:
        inner = get_args(kind)[1]
        told = {name: item for name, item in (value or {}).items() if item not in (None, "")}
        return found.keys() == told.keys() and all(
            equal(inner, found[name], item, unread) for name, item in told.items()
        )
    return told_alike(kind, found, value)


def told_alike(kind: Any, found: Any, value: Any) -> bool:
    if kind is Decimal:
        return isinstance(found, Decimal) and found == Decimal(str(value or 0))
    if kind is int:
        return type(found) is int and found in (int(value or 0), -1 if value is None else found)
    if kind is bool:
        return found is (str(value).lower() in ("true", "1"))
    assert kind is str
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return found == text or (value is None and found == "UNIFIED") or found == "Trade" != text == ""


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Payload]:
    return payloads(shared_data / "bybit_v5_payloads")


def test_every_recorded_message_is_read_exactly_or_refused_for_a_listed_reason(recorded):
    table, refused = [], set()
    unread: dict[str, set[str]] = {}
    for payload in recorded:
        what = payload.place or "no v5 frame or endpoint"
        try:
            verdict = read(payload)
        except (ParseError, CallFailed) as error:
            verdict = Verdict([], [], str(error))
        if verdict is None:
            table.append((payload.name, what, payload.category, 0, "not ours"))
            continue
        if verdict.reason:
            refused.add(payload.name)
            assert re.search(REFUSED.get(payload.name, "^$"), verdict.reason), (
                payload.name,
                verdict.reason,
            )
        assert len(verdict.found) == len(verdict.raw) or not verdict.raw, payload.name
        left = list(verdict.found)
        for raw in verdict.raw:
            passed_over: set[str] = set()
            match = next((row for row in left if same(type(row), row, raw, passed_over)), None)
            assert match is not None, (payload.name, raw)
            left.remove(match)
            unread.setdefault(type(match).__name__, set()).update(passed_over)
        end = f"refused: {verdict.reason[:90]}" if verdict.reason else "read"
        table.append((payload.name, what, payload.category, len(verdict.found), end))
    for row in table:
        print(" | ".join(map(str, row)))
    ends = [row[-1].partition(":")[0] for row in table]
    print({end: ends.count(end) for end in dict.fromkeys(ends)})
    assert refused == REFUSED.keys()
    assert {name: fields for name, fields in unread.items() if fields} == UNREAD
    assert ends.count("read") >= 100
