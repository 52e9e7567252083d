"""Mutated frames: no crash, no hang, no wrong number; each refusal is counted and explained.

``FUZZ=full`` reads a million; the gate a tenth of it. What a parser takes is compared with a naive
reading of the same text. ``FUZZ_SEED=n`` repeats a run.
"""

import json
import math
import os
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from tests.fuzz.mutating import mutated

from plimsoll.core.feed import Market
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BarChanged,
    BookChanged,
    ExecutionReported,
    HealthMeasured,
    OrderReported,
    PositionReported,
    PublicTraded,
    Record,
    TickerChanged,
    WalletReported,
)
from plimsoll.venues.bybit import ParseError, PublicParser
from plimsoll.venues.bybit.dialect import BybitDialect
from plimsoll.venues.bybit.private import parse_private
from plimsoll.venues.bybit.trade import read_answer

DATA = Path(__file__).parents[1] / "data" / "bybit"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
SIZE = 10 if os.environ.get("FUZZ") == "full" else 1
PUBLIC = ("book_snapshot", "book_delta", "trade", "ticker_snapshot", "ticker_delta", "kline")
PRIVATE = ("order", "execution", "position", "wallet")
CONTROL = (
    b'{"success":true,"ret_msg":"","conn_id":"c","req_id":"1","op":"subscribe"}',
    b'{"success":false,"ret_msg":"error:handler not found,topic:x","req_id":"1","op":"subscribe"}',
    b'{"req_id":"1","op":"pong","args":["1700000000000"],"conn_id":"c"}',
    b'{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"2","op":"ping"}',
)
ANSWERS = (
    b'{"reqId":"1-7","retCode":0,"retMsg":"OK","op":"order.create","data":{"orderId":"o1",'
    b'"orderLinkId":"l1"},"retExtInfo":{},"header":{"X-Bapi-Limit":"10","X-Bapi-Limit-Status":"9",'
    b'"X-Bapi-Limit-Reset-Timestamp":"1700000000001"},"connId":"c"}',
    b'{"reqId":"1-8","retCode":110007,"retMsg":"no","op":"order.create","data":{},"connId":"c"}',
)
PERP = Instrument(
    name="linear:BTCUSDT",
    category="linear",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick_size="0.10",
    lot_size="0.001",
    min_qty="0.001",
    max_qty="1190",
    max_market_qty="500",
    min_notional="5",
    taker_fee="0.00055",
    maker_fee="0.0002",
)


def samples(names):
    return [(DATA / f"ws_{name}.json").read_bytes().strip() for name in names]


def naive(raw: bytes):
    """Read a text as anybody would, every number exact."""
    return json.loads(
        raw.decode("utf-8", "replace"), strict=False, parse_float=number, parse_int=number
    )


def number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # beyond what decimals can be: nobody reads this field then
        return text


def exact(value) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def same(found: float, text) -> bool:
    return math.isfinite(found) and found == float(exact(text))


def told(name: str, count: int, outcomes: Counter) -> None:
    """Print what became of the frames, as the test's own record."""
    shown = ", ".join(f"{n:,} {what}" for what, n in outcomes.most_common(12))
    print(f"\n{name}: {count:,} frames, seed {SEED}: {shown}")
    read = sum(n for what, n in outcomes.items() if what.startswith("read"))
    assert count // 50 < read < count, "mutations must neither all pass nor all fail"


def refuse(outcomes: Counter, error: ParseError) -> None:
    """Count a refusal; one without words, or of hundreds of them, explains nothing."""
    assert 10 < len(str(error)) < 600, error
    outcomes["refused"] += 1


# ---- public --------------------------------------------------------------------------------


def test_public_frames_are_read_right_or_refused():
    count = 60_000 * SIZE
    outcomes: Counter[str] = Counter()
    parser, market = PublicParser("linear"), Market(PERP)
    dialect = BybitDialect()
    for raw in mutated(samples(PUBLIC), count, SEED):
        dialect.topic_of(raw)
        try:
            record = parser.parse(raw, 1, 1_700_000_000_000_000_000, 1)
        except ParseError as error:
            refuse(outcomes, error)
            continue
        if record is None:
            outcomes["not ours"] += 1
            continue
        outcomes[f"read {type(record).__name__}"] += 1
        CHECKS[type(record)](record, naive(raw))
        if isinstance(record, BookChanged):
            market.on_book(record, 0)
            keys = market.book.bid_keys, market.book.ask_keys
            assert all(math.isfinite(key) for side in keys for key in side)
    told("public", count, outcomes)


def check_book(record, found):
    data = found["data"]
    assert record.update_id == exact(data["u"])
    assert record.venue_seq == exact(data["seq"])
    for rows, theirs in ((record.bids, data["b"]), (record.asks, data["a"])):
        assert len(rows) == len(theirs)
        for (price, qty), (their_price, their_qty) in zip(rows, theirs, strict=True):
            assert same(price, their_price), (price, their_price)
            assert same(qty, their_qty), (qty, their_qty)
            assert price >= 0
            assert qty >= 0


def check_prints(record, found):
    rows = [row for row in found["data"] if not (row.get("BT") or row.get("RPI"))]
    assert len(record.rows) == len(rows)
    for (price, qty, is_buy, at_ms), row in zip(record.rows, rows, strict=True):
        assert same(price, row["p"])
        assert same(qty, row["v"])
        assert is_buy == (row["S"] == "Buy")
        assert at_ms == exact(row["T"])


def check_ticker(record, found):
    data = found["data"]
    for ours, theirs in (
        (record.last, "lastPrice"),
        (record.mark, "markPrice"),
        (record.index, "indexPrice"),
    ):
        assert same(ours, data.get(theirs))
    rate = data.get("fundingRate")
    assert record.funding_rate is None if rate in ("", None) else same(record.funding_rate, rate)


def check_bar(record, found):
    assert any(
        record.start_ms == exact(row["start"])
        and same(record.close, row["close"])
        and same(record.open, row["open"])
        and same(record.high, row["high"])
        and same(record.low, row["low"])
        and same(record.volume, row["volume"])
        for row in found["data"]
    )


CHECKS = {
    BookChanged: check_book,
    PublicTraded: check_prints,
    TickerChanged: check_ticker,
    BarChanged: check_bar,
}

# ---- private -------------------------------------------------------------------------------


def stamp():
    return 1, 1_700_000_000_000_000_000, 1, 0


@pytest.mark.parametrize("name", PRIVATE)
def test_private_frames_are_read_right_or_refused(name):
    count = 7_500 * SIZE
    outcomes: Counter[str] = Counter()
    catalogue = {("linear", "BTCUSDT"): PERP}
    for raw in mutated(samples((name,)), count, SEED):
        errors: list[ParseError] = []
        others: list[str] = []
        try:
            records = list(parse_private(raw, catalogue, stamp, others.append, errors.append))
        except ParseError as error:
            refuse(outcomes, error)
            continue
        assert all(str(error) for error in errors)
        outcomes["item refused"] += bool(errors)
        outcomes["not listed"] += bool(others)
        for record in records:
            outcomes[f"read {type(record).__name__}"] += 1
            check_item(record)
    told(name, count, outcomes)


def check_item(record: Record) -> None:
    if isinstance(record, HealthMeasured):
        assert all(units > 0 for units in record.borrowed.values())
        return
    assert isinstance(record, OrderReported | ExecutionReported | PositionReported | WalletReported)
    item = naive(record.raw)
    match record:
        case OrderReported():
            assert record.qty_lots * PERP.lot == exact(item["qty"])
            assert record.cum_lots * PERP.lot == exact(item.get("cumExecQty"))
            if item.get("orderType", "Limit") == "Limit":
                assert record.price_ticks * PERP.tick == exact(item.get("price"))
        case ExecutionReported():
            assert record.qty_lots * PERP.lot == exact(item["execQty"])
            if record.kind == "Trade":
                assert record.price_ticks * PERP.tick == exact(item["execPrice"])
            assert (
                0
                <= Decimal(record.fee_units) / 10**8 - exact(item.get("execFee"))
                < Decimal("1e-8")
            )
        case PositionReported():
            sign = -1 if item["side"] == "Sell" else 1
            assert record.qty_lots * PERP.lot == sign * exact(item["size"])
        case WalletReported():
            difference = Decimal(record.balance_units) / 10**8 - exact(item["walletBalance"])
            assert abs(difference) < Decimal("1e-8")


# ---- control frames and answers ------------------------------------------------------------


def test_control_frames_have_a_meaning_or_none():
    count = 5_000 * SIZE
    outcomes: Counter[str] = Counter()
    dialect = BybitDialect()
    for raw in mutated(list(CONTROL), count, SEED):
        outcomes[f"read as {type(dialect.control(raw)).__name__}"] += 1
    print(f"\ncontrol: {count:,} frames: {dict(outcomes)}")
    assert len(outcomes) >= 4


def test_answers_prove_nothing_they_do_not_say():
    count = 5_000 * SIZE
    outcomes: Counter[str] = Counter()
    for raw in mutated(list(ANSWERS), count, SEED):
        try:
            answer = read_answer(raw)
        except ParseError as error:
            refuse(outcomes, error)
            continue
        outcomes["read"] += 1
        found = naive(raw)
        if answer.code == 0:
            assert exact(found["retCode"]) == 0
            assert "retCode" in found
        assert answer.request_id in (str(found.get("reqId", "")), "")
    told("answers", count, outcomes)
